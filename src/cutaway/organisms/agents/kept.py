"""An organism as a folder: an ordinary Hugging Face model with its tokenizer, and `organism.json` with what is so of it.

`cutaway.open` and `AutoModelForCausalLM` read the folder without any code of ours; the file beside the weights holds the
world, what is planted where, the verified minimal sets and the measured rates.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from cutaway.organisms.agents.rates import Rates
from cutaway.organisms.agents.suite import AgentsOrganism
from cutaway.organisms.agents.truth import Minimal, Truth
from cutaway.organisms.agents.world import Implant, World
from cutaway.organisms.planted.planting import Planting, Slot, Unit
from cutaway.runs.folder import writing
from cutaway.training.checkpoint import content

FILE, FORMAT = "organism.json", "cutaway.agents.1"


def save(organism: AgentsOrganism, folder: str | os.PathLike[str]) -> Path:
    """Writes the organism to a folder that must not exist or be empty, whole or not at all; gives the folder."""
    with writing(folder) as beside:
        organism.network.save_pretrained(beside)
        organism.tokenizer.save_pretrained(beside)
        text = json.dumps(as_json(organism), indent=1, ensure_ascii=False) + "\n"
        (beside / FILE).write_text(text, encoding="utf-8")
    return Path(folder)


def load(folder: str | os.PathLike[str]) -> AgentsOrganism:
    """What `save` wrote. Raises FileNotFoundError for another folder, ValueError for another format or other weights."""
    from transformers import LlamaForCausalLM

    path = Path(folder) / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no {FILE}; expected a folder written by agents.save")
    about = json.loads(path.read_text(encoding="utf-8"))
    if about.get("format") != FORMAT:
        raise ValueError(f"{path} is of format {about.get('format')!r}; expected {FORMAT!r}: save the organism again")
    network = LlamaForCausalLM.from_pretrained(folder, use_safetensors=True, dtype=torch.float32).eval()
    if checksum(network) != about["sha256"]:
        raise ValueError(f"the weights in {folder} are not those that {FILE} is about; save the organism again")
    planting = about["planting"]
    slots = tuple(Slot(tuple(map(_units, slot["copies"]))) for slot in planting["slots"])
    return AgentsOrganism(
        network=network,
        world=World(**about["world"]),
        planted=_implants(about["planted"]),
        off=_implants(about["off"]),
        planting=Planting(_implants(planting["implants"]), slots),
        truth=tuple(map(_truth, about["truth"])),
        rates=None if about["rates"] is None else Rates(**about["rates"]),
        seed=about["seed"],
        made=about["made"],
    )


def as_json(organism: AgentsOrganism) -> dict[str, Any]:
    """Everything but the weights, and their sha256."""
    return {
        "format": FORMAT,
        "name": organism.name,
        "world": asdict(organism.world),
        "planted": [asdict(one) for one in organism.planted],
        "off": [asdict(one) for one in organism.off],
        "planting": asdict(organism.planting),
        "truth": [asdict(one) for one in organism.truth],
        "rates": None if organism.rates is None else asdict(organism.rates),
        "problems": organism.problems,
        "seed": organism.seed,
        "made": organism.made,
        "sha256": checksum(organism.network),
    }


def checksum(network: torch.nn.Module) -> str:
    """The sha256 of the weights."""
    return hashlib.sha256(content(dict(network.state_dict()))).hexdigest()


def _implants(rows: list[dict[str, Any]]) -> tuple[Implant, ...]:
    return tuple(Implant(**row) for row in rows)


def _units(rows: list[list[Any]]) -> tuple[Unit, ...]:
    return tuple((kind, block, number) for kind, block, number in rows)


def _truth(row: dict[str, Any]) -> Truth:
    minimal = tuple(Minimal(tuple(one["parts"]), one["shown"], one["honest"], one["spared"]) for one in row["minimal"])
    plain: dict[str, Any] = {**row, "slot": tuple(row["slot"]), "minimal": minimal}
    return Truth(**plain)
