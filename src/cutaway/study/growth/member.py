"""One network of a study: what is chosen for its size, how it is trained and taken apart, what its sets are worth in the next."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from cutaway.ledger import Entry, append
from cutaway.network import Network
from cutaway.runs import LEDGER, new_run, open_run
from cutaway.study.growth.controls import as_rows, controls
from cutaway.study.growth.masked import Parts
from cutaway.study.growth.networks import StudyDivergedError, Trained, opened, questions, trained, tuned
from cutaway.study.growth.search import Explained, Explainer, NothingToExplainError
from cutaway.study.growth.setting import Setting, Size
from cutaway.study.growth.transfer import apply
from cutaway.training.transformer import Shape, Transformer

CPU = ("measured", "cpu_s")


@dataclass(frozen=True)
class Member:
    """One network of a study, and what was tuned for its size."""

    size: Size
    seed: int
    rate: float
    penalty: float

    @property
    def name(self) -> str:
        """Also of its folder."""
        return f"{self.size}-{self.seed}"


def chosen(size: Size, setting: Setting) -> dict[str, Any]:
    """What was tuned for a size, as JSON values."""
    torch.set_num_threads(1)
    found = asdict(tuned(setting, size))
    named = {name: {f"{key:g}": value for key, value in found[name].items()} for name in ("losses", "searches")}
    return {"size": str(size), **found, **named}


def understood(member: Member, setting: Setting, home: str) -> dict[str, Any]:
    """One network, trained and taken apart, as JSON values; its run is in its folder. One that diverged says so and no more."""
    torch.set_num_threads(1)
    folder = Path(home) / member.name
    checkpoints = folder.with_name(f"{member.name}.partial")
    about = {"network": member.name, "size": str(member.size), "seed": member.seed}
    try:
        network = trained(setting, member.size, member.seed, member.rate, folder=checkpoints)
    except StudyDivergedError as error:
        return {**about, "diverged": str(error), "training_flops": error.flops}
    explainer, found, cpu_s = _explained(opened(network.network), setting, member)
    phases = explainer.phases if found is None else found.phases
    spent = [*_entries(network.flops, network.cpu_s, phases), Entry("search", "compute", cpu_s, "s", *CPU, "discover")]
    _keep(folder, member, network, explainer, found, spent)
    beside = None
    if found is not None and found.share:
        beside = controls(explainer, found, *questions(explainer.net, setting, member.seed))
    shutil.rmtree(checkpoints, ignore_errors=True)
    return {
        **about,
        "loss": network.loss,
        **setting.parameters(member.size),
        "training_flops": network.flops,
        "cpu_s": network.cpu_s,
        **_searched(found, setting),
        "phases": phases,
        "parts": explainer.parts.count,
        "controls": None if beside is None else asdict(beside),
    }


def _explained(net: Network, setting: Setting, member: Member) -> tuple[Explainer, Explained | None, float]:
    """The search of a network (None where there is nothing to explain), and the CPU seconds that it took."""
    drawn, reference = questions(net, setting, member.seed)
    explainer = Explainer(net, Parts.of(net, drawn), replace(setting.search, penalty=member.penalty), member.seed)
    begun = time.process_time()
    try:
        found = explainer.of(drawn, reference)
    except NothingToExplainError:
        found = None
    return explainer, found, time.process_time() - begun


def _searched(found: Explained | None, setting: Setting) -> dict[str, Any]:
    """A search as JSON values."""
    if found is None:
        return {"curve": [], "until": [], "asked": 0, "nothing": 1.0, "size_of_sets": None}
    sizes = sorted(len(one) for one in found.sets if one is not None)
    return {
        "curve": [asdict(one) for one in found.curve],
        "until": [found.until(share) for share in setting.shares],
        "asked": found.asked,
        "nothing": found.nothing,
        "size_of_sets": sizes[len(sizes) // 2] if sizes else None,
    }


def _keep(
    folder: Path,
    member: Member,
    network: Trained,
    explainer: Explainer,
    found: Explained | None,
    spent: Sequence[Entry],
) -> None:
    """The network as a run with its ledger; the sets that were found beside its weights."""
    about = {"size": str(member.size), "rate": member.rate, "penalty": member.penalty}
    with new_run(folder, "grown", seed=member.seed, arguments=about, overwrite=True) as run:
        run.save_tensors(dict(network.network.state_dict()), "weights")
        run.write_json("shape", asdict(network.network.shape))
        sets = [] if found is None else list(zip(explainer.rows.tolist(), found.sets))
        known = [{"row": row, "set": one} for row, one in sets if one is not None]
        run.write_json("sets", {"parts": explainer.parts.names, "decisions": known})
        versions = run.info["versions"]
        append(run.path / LEDGER, *(replace(entry, seed=member.seed, versions=versions) for entry in spent))


def _entries(training: int, cpu_s: float, phases: Mapping[str, int]) -> list[Entry]:
    """What training took (one step, times the steps), and every phase of the search; controls are not part of understanding."""
    spent = [
        Entry("training", "compute", training, "FLOP", "derived", "flops", "train"),
        Entry("training", "compute", cpu_s, "s", *CPU, "train"),
    ]
    return spent + [
        Entry(phase, "compute", flops, "FLOP", "measured", "flops", "discover") for phase, flops in phases.items()
    ]


def applied(pair: tuple[Member, Member], setting: Setting, home: str) -> dict[str, Any]:
    """The sets of one network in the next one of its size, as JSON values; without figures where there are none."""
    torch.set_num_threads(1)
    first, second = pair
    row = {"from": first.name, "to": second.name, "size": str(first.size)}
    (one, known), (two, _) = (_opened(Path(home) / member.name) for member in pair)
    if not known:
        return row
    drawn, _ = questions(one, setting, first.seed)
    _, reference = questions(two, setting, second.seed)
    asked = drawn.take(torch.tensor([each["row"] for each in known]))
    sets = as_rows([each["set"] for each in known], Parts.of(two, drawn).count)
    try:
        found = apply(one, two, asked, sets, reference, replace(setting.search, penalty=second.penalty), second.seed)
    except NothingToExplainError:
        return row
    return {**row, **found.record(setting.shares)}


def _opened(folder: Path) -> tuple[Network, list[dict[str, Any]]]:
    """A network of the study from its run, and what was found in it."""
    run = open_run(folder)
    network = Transformer(Shape(**run.read_json("shape")))
    network.load_state_dict(run.load_tensors("weights"))
    return opened(network.eval()), run.read_json("sets")["decisions"]
