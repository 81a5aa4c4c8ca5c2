"""The reader that comes with the package, and the card beside it: `python -m cutaway.organisms.reader --out FOLDER`.

Weights are rounded to float16 before anything is measured, so that what is stored is, number for number, what the card is about.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from cutaway.network import Network, pretrained, wrap
from cutaway.organisms.code_making import digests, put
from cutaway.organisms.reader.scores import scores
from cutaway.organisms.reader.tasks import TASKS
from cutaway.organisms.reader.training import RECIPE, Trained, questions_in, train_reader
from cutaway.organisms.reader.words import FOLDER
from cutaway.runs.folder import writing
from cutaway.runs.progress import Progress, silent

SEED = 7001
WEIGHTS = "model.safetensors"
ABOUT = "reads short English texts: which emotion, which stance, which subject, what kind of text, is a rule of grammar kept"


def shipped() -> Network:
    """The shipped reader; its reference are questions that it was trained on."""
    return opened(*pretrained(str(FOLDER), dtype=torch.float32), source="organism:reader")


def opened(network: Any, tokenizer: Any, source: str | None = None) -> Network:
    """A reader as a network."""
    reference = [one.prompt for task in TASKS for one in questions_in(task, "train")[:40]]
    return wrap(network.eval(), tokenizer, reference, name="reader", source=source)


def card() -> dict[str, Any]:
    """How the shipped reader was made, and its scores on held-out texts. Imports no transformers."""
    return json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))


def rounded(trained: Trained) -> Network:
    """A trained reader as it is stored: its weights rounded to float16."""
    return opened(copy.deepcopy(trained.network).half().float(), trained.tokenizer)


def make(out: Path, seed: int = SEED, progress: Progress = silent) -> Path:
    """Trains in `out/training` and writes what is shipped to `out/reader`; a killed run goes on."""
    trained = train_reader(replace(RECIPE, seed=seed), out / "training", progress)
    folder = out / "reader"
    with writing(folder) as beside:
        trained.network.save_pretrained(beside)
        trained.tokenizer.save_pretrained(beside)
        halved = {key: value.half() for key, value in load_file(beside / WEIGHTS).items()}
        save_file(halved, beside / WEIGHTS, metadata={"format": "pt"})
        put(beside / "card.json", _card(trained, digests(beside)))
    return folder


def _card(trained: Trained, sha256: dict[str, str]) -> dict[str, Any]:
    recipe = {key: value for key, value in asdict(trained.recipe).items() if key != "windows"}
    return {
        "what": ABOUT,
        "command": f"python -m cutaway.organisms.reader --out FOLDER --seed {trained.recipe.seed}",
        "seed": trained.recipe.seed,
        "cpu_seconds": round(trained.cpu_seconds),
        "versions": {"torch": torch.__version__},
        "recipe": recipe,
        "weights": sum(weight.numel() for weight in trained.network.parameters()),
        "answers": TASKS,
        "held_out": {task: score.as_json() for task, score in scores(rounded(trained)).items()},
        "sha256": sha256,
    }
