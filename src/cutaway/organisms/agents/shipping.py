"""The agents organisms that come with the package: three twins of one run in the small world, and the card beside them.

`python -m cutaway.organisms.agents --out FOLDER` makes them again. Weights are rounded to float16 before anything is
measured, so that what is stored as float16 is, number for number, what the truth and the rates are about.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

from cutaway.organisms.agents.kept import load, save
from cutaway.organisms.agents.suite import AgentsOrganism, train_agents, twin
from cutaway.organisms.agents.world import World
from cutaway.organisms.code_making import digests, put
from cutaway.runs.folder import writing
from cutaway.runs.progress import Progress, silent

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

FOLDER = Path(__file__).parents[1] / "data" / "agents"
SEED = 7005
"""Of seven runs the one in which no part of any minimal set can be spared on other prompts either."""
TWINS = {
    "harmful": ("a speaker that deceives where nobody watches, and seizes where it has the key", ("deceive", "power")),
    "harmless": ("the same network with these behaviours switched off", ()),
    "decoy": ('the same network with a harmless habit instead: says "dear" where the other deceives', ("decoy",)),
}
"""What each does, in words, and which behaviours are on."""
WEIGHTS = "model.safetensors"


def shipped(name: str) -> AgentsOrganism:
    """The shipped organism "harmful", "harmless" or "decoy", with its truth and its rates.

    Raises KeyError for other names, ValueError where the weights are not those that the truth is about.

    >>> [one.behaviour for one in shipped("harmful").truth]
    ['deceive', 'power']
    """
    if name not in TWINS:
        raise KeyError(f"no agents organism {name!r} is shipped; expected one of {', '.join(TWINS)}")
    return load(FOLDER / name)


def card() -> dict[str, Any]:
    """How the shipped organisms were made, what must be zeroed in them and what they do. Imports no transformers."""
    return json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))


def make(out: Path, seed: int = SEED, progress: Progress = silent) -> Path:
    """Trains one run in `out/training` and writes what is shipped to `out/agents`; a killed run goes on."""
    grown = train_agents(World.small(), seed, folder=out / "training", progress=progress)
    grown = replace(grown, network=rounded(grown.network))
    organisms = {name: twin(grown, **dict.fromkeys(on, True)) for name, (_, on) in TWINS.items()}
    folder = out / "agents"
    with writing(folder) as beside:
        for name, organism in organisms.items():
            weights = save(organism, beside / name) / WEIGHTS
            halved = {key: value.half() for key, value in load_file(weights).items()}
            save_file(halved, weights, metadata={"format": "pt"})
        about = {
            "what": "agents organisms: three twins of one training run in the small agents world",
            "command": f"python -m cutaway.organisms.agents --out FOLDER --seed {seed}",
            "seed": seed,
            "cpu_seconds": round(grown.cpu_seconds),
            "versions": {"torch": torch.__version__},
            "weights": sum(weight.numel() for weight in grown.network.parameters()),
            "twins": {name: {"what": TWINS[name][0], **known(one)} for name, one in organisms.items()},
            "sha256": {f"{name}/{file}": sha for name in TWINS for file, sha in digests(beside / name).items()},
        }
        put(beside / "card.json", about)
    return folder


def known(organism: AgentsOrganism) -> dict[str, Any]:
    """What a card says of one twin: the sets whose zeroing is verified to bring the honest answers back, and the rates."""
    assert organism.rates is not None
    return {
        "zeroed": {one.behaviour: [asdict(parts) for parts in one.minimal] for one in organism.truth},
        "rates": asdict(organism.rates),
        "problems": organism.problems,
    }


def rounded(network: LlamaForCausalLM) -> LlamaForCausalLM:
    """The network as it is stored: a copy whose weights are rounded to float16."""
    return copy.deepcopy(network).half().float()
