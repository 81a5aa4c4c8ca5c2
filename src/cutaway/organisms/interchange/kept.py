"""Trained organisms in a folder: trained once, checked whenever they are opened, never unchecked.

A network is a run folder with its weights and what it was trained by; the recipe and the seed are enough to train it again.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cutaway.organisms.compiled.organism import Organism
from cutaway.organisms.interchange.checking import Check, accepted, check
from cutaway.organisms.interchange.exchange import LINKS, OTHERS, How
from cutaway.organisms.interchange.training import LOGIT, STEPS, ZEROED, Trained, train, untrained_start
from cutaway.runs import new_run, open_run
from cutaway.runs.progress import Progress, silent
from cutaway.training.checkpoint import content

KIND = "interchange organism"


@dataclass(frozen=True, eq=False)
class Interchanged:
    """An organism that passed its check: the network, its true edges, how it was trained, what was measured."""

    organism: Organism
    trained: Trained
    check: Check

    @property
    def edges(self) -> frozenset[str]:
        """The edges of its circuit, by name: `z.0[head=2] → z.1[head=0]/k`."""
        return self.check.truth.edges

    @property
    def checksum(self) -> str:
        """The sha256 of its weights."""
        return checksum(self.trained)


def train_interchange(
    program: str,
    seed: int = 0,
    *,
    norm: str = "none",
    steps: int = STEPS,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Interchanged:
    """An organism that was trained to implement `program` edge by edge, and that was seen to do so.

    With a `folder` the network is kept there and read again by the next call. It takes 1,500 steps and about 40 seconds of one
    core. Raises `NotImplementedByNetworkError` where the network fails its check (also one that was kept).

    >>> train_interchange("induction", seed=3, norm="rms").edges  # doctest: +SKIP
    """
    trained = trained_network(program, seed, norm, "edges", steps, folder, progress)
    found = check(trained)
    return Interchanged(accepted(trained, found), trained, found)


def trained_network(
    program: str,
    seed: int,
    norm: str,
    how: How,
    steps: int = STEPS,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Trained:
    """The network, trained or read from `folder`; not checked. Raises RunError for a damaged folder."""
    start = untrained_start(program, seed, norm, how, steps)
    if folder is None:
        return train(program, seed, norm, how, steps, progress)
    path = Path(folder) / folder_name(start)
    if not path.is_dir():
        write(train(program, seed, norm, how, steps, progress), path)
    return read(start, path)


def folder_name(start: Trained) -> str:
    """`induction-rms-edges-3-1f2e3d4c`: network, seed, and a hash of everything that it is trained by."""
    made = (start.recipe, start.network.shape, start.links, LINKS, OTHERS, LOGIT, ZEROED, checksum(start))
    return f"{start.organism.name}-{start.organism.seed}-{hashlib.sha256(repr(made).encode()).hexdigest()[:8]}"


def checksum(trained: Trained) -> str:
    """The sha256 of the weights."""
    return hashlib.sha256(content(dict(trained.network.state_dict()))).hexdigest()


def write(trained: Trained, path: Path) -> None:
    """The network as a run folder, whole or not at all."""
    about = {
        "program": trained.program.name,
        "how": trained.how,
        "links": list(trained.links),
        **asdict(trained.recipe),
    }
    with new_run(path, KIND, seed=trained.organism.seed, arguments=about) as run:
        run.save_tensors(trained.network.state_dict(), "weights")
        run.write_json(
            "training", {"loss": trained.loss, "cpu_seconds": trained.cpu_seconds, "checksum": checksum(trained)}
        )


def read(start: Trained, path: Path) -> Trained:
    """What `write` wrote, its files compared with their sha256."""
    run = open_run(path, verify=True)
    about = run.read_json("training")
    start.network.load_state_dict(run.load_tensors("weights"))
    return replace(start, loss=about["loss"], cpu_seconds=about["cpu_seconds"])
