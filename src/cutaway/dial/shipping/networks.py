"""The shipped networks by name, and the run folders they lie in: float16 weights, of sparse matrices only those that live.

Weights are rounded before anything is measured or searched, so that records and circuits are about what is shipped.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cutaway.dial.corpora import corpus_named
from cutaway.dial.pressure import live
from cutaway.dial.store import Stored, load, record_of
from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.runs import RunError, new_run, open_run
from cutaway.training.loop import held_out_loss
from cutaway.training.tokenizer import read_tokenizer

FOLDER = Path(__file__).parent / "data"
PREFIX = "shipped:"
NAMES = {
    "sparse": "tiny Python, one weight in 32 alive",
    "dense": "tiny Python, nothing pressed, of the same loss",
}
"""What is shipped, and what it is."""
TASK = "quote_kind"
"""The task whose circuits are shipped."""
KIND = "packed network"
PLACES = " places"
"""After a matrix's name: which of its entries live, as indices into the flat matrix; under the name itself are their values."""


def network_named(name: str) -> Stored:
    """The network `shipped:NAME`, or that of a folder which `dial train` wrote."""
    return shipped(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else load(name)


def shipped(name: str) -> Stored:
    """The shipped network "sparse" or "dense". Raises ValueError for other names, RunError for files that were changed.

    >>> shipped("sparse").record.pressures[0].partition("(")[0]
    'Regrowth'
    """
    if name not in NAMES:
        raise ValueError(f"there is no {PREFIX}{name}; expected {' or '.join(PREFIX + known for known in NAMES)}")
    return read(FOLDER / name)


def circuit_folder(name: str, task: str = TASK, folder: Path = FOLDER) -> Path:
    """Where the circuit of a shipped network lies."""
    return folder / f"{name}-{task}"


def rounded(stored: Stored) -> Stored:
    """The same with weights that float16 holds exactly; loss and live weights are measured again."""
    network = copy.deepcopy(stored.network).half().float()
    context = network.shape.context
    loss = held_out_loss(network, corpus_named(stored.record.corpus).held_out, context)
    return replace(stored, network=network, record=replace(stored.record, held_out=loss, live=live(network)))


def write(stored: Stored, folder: Path, arguments: Mapping[str, Any]) -> Path:
    """Writes a rounded network as a run, which says with what `arguments` it was made."""
    with new_run(folder, KIND, seed=stored.record.seed, arguments=arguments) as run:
        run.write_json("config", asdict(stored.network.shape))
        run.write_json("record", asdict(stored.record))
        run.save_tensors(packed(stored.network.state_dict()), "model")
        run.save_tensors({"windows": stored.windows.short()}, "windows")
        stored.tokenizer.save(str(run.path / "tokenizer.json"))
    return folder


def read(folder: Path) -> Stored:
    """What `write` wrote, as float32 in evaluation mode. Raises RunError where a file is not what its `run.json` says."""
    run = open_run(folder, verify=True)
    if run.kind != KIND:
        raise RunError(f"{run.path}: is a run of kind {run.kind!r}; expected a {KIND}")
    network = SparseTransformer(SparseShape(**run.read_json("config"))).eval()
    network.load_state_dict(unpacked(run.load_tensors("model"), network.state_dict()))
    tokenizer = read_tokenizer((run.path / "tokenizer.json").read_text(encoding="utf-8"))
    return Stored(network, tokenizer, record_of(run), run.load_tensors("windows")["windows"].long())


def packed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in float16; of a matrix of which less than a third lives, what lives and where."""
    found = {}
    for name, weight in weights.items():
        places = weight.flatten().nonzero()[:, 0]
        if 3 * len(places) < weight.numel():  # four bytes for a place and two for a value, against two for every entry
            found[name + PLACES], weight = places.int(), weight.flatten()[places]
        found[name] = weight.half()
    return found


def unpacked(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What was packed, in the shapes of `like`."""
    found = {}
    for name, weight in like.items():
        values, places = tensors[name].float(), tensors.get(name + PLACES)
        flat = values.flatten() if places is None else torch.zeros(weight.numel()).scatter(0, places.long(), values)
        found[name] = flat.view_as(weight)
    return found
