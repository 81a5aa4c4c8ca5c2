"""How the shipped code model is made: corpus, tokenizer, training, what it can do, and the folder that is shipped."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cutaway.organisms.code_decisions import clear
from cutaway.organisms.code_questions import questions, score
from cutaway.organisms.code_reference import snippets
from cutaway.runs.folder import writing
from cutaway.runs.progress import Progress, silent
from cutaway.training.corpus import Corpus, standard_library
from cutaway.training.export import FILES, save
from cutaway.training.loop import Recipe, Trained, held_out_loss, train
from cutaway.training.tokenizer import stream, train_tokenizer
from cutaway.training.transformer import Shape, Transformer
from cutaway.training.windows import Windows

VOCAB = 1024
SHAPE = Shape(vocab=VOCAB, context=128, width=128, layers=4, heads=8, d_head=16, hidden=512)
STEPS = 3200
LICENCE = (
    "The snippets in reference.json are cut from the Python standard library, Copyright (c) Python Software "
    "Foundation, under the PSF License Agreement (https://docs.python.org/3/license.html); the weights were trained on "
    "its sources."
)


def make(
    out: Path, seed: int = 0, steps: int = STEPS, library: Corpus | None = None, progress: Progress = silent
) -> Path:
    """Train the code model in `out/training` and write what is shipped to `out/code`; a killed run goes on."""
    library = library or standard_library()
    tokenizer = train_tokenizer(library.train, VOCAB)
    bos, newline = tokenizer.encode("\n").ids
    plan = recipe(bos, newline, seed, steps)
    tokens = stream(tokenizer, library.train)
    trained = train(Transformer(SHAPE, seed), tokens, plan, out / "training", progress=progress)
    return write(trained, tokenizer, library, out / "code")


def recipe(bos: int, newline: int, seed: int, steps: int) -> Recipe:
    """Three windows in four begin with <|bos|> and a whole line, as a prompt does."""
    return Recipe(steps=steps, batch=32, context=128, lr=3e-3, seed=seed, windows=Windows(bos, newline, share=0.75))


def write(trained: Trained, tokenizer, library: Corpus, folder: Path) -> Path:
    """The shipped folder: model, reference snippets, clear decisions, and the card that vouches for the other files."""
    network = rounded(trained.network)
    reference = snippets(library.validation, fits=lambda text: len(tokenizer.encode(text).ids) <= SHAPE.context)
    with writing(folder) as beside:
        save(network, tokenizer, beside / "model", torch.float16)
        for name in FILES:
            (beside / "model" / name).rename(beside / name)
        (beside / "model").rmdir()
        put(beside / "reference.json", {"licence": LICENCE, "snippets": reference})
        put(beside / "decisions.json", [asdict(decision) for decision in clear(network, tokenizer)])
        put(beside / "card.json", card(trained, network, tokenizer, library, digests(beside)))
    return folder


def card(trained: Trained, network: nn.Module, tokenizer, library: Corpus, sha256: dict[str, str]) -> dict[str, Any]:
    """What was trained on what, for how long, and how well it does on the held-out files."""
    held_out = stream(tokenizer, library.validation)
    nats = held_out_loss(network, held_out, SHAPE.context)
    size = sum(len(text.encode()) for text in library.validation)
    asked = questions(library.validation)
    untrained = Transformer(SHAPE, seed=trained.recipe.seed).eval()
    return {
        "what": "code model: predicts the next token of Python source",
        "command": f"python -m cutaway.organisms.code_model --out FOLDER --seed {trained.recipe.seed} "
        f"--steps {trained.recipe.steps}",
        "licence": LICENCE,
        "versions": {"python": library.python_version, "torch": torch.__version__},
        "corpus": {
            "source": "the standard library of this Python",
            "sha256": library.hash,
            "training_files": len(library.train),
            "held_out_files": len(library.validation),
            "held_out_tokens": len(held_out),
            "held_out_bytes": size,
        },
        "recipe": asdict(trained.recipe),
        "tokens": trained.tokens,
        "cpu_seconds": round(trained.cpu_seconds),
        "weights": sum(weight.numel() for weight in network.parameters()),
        "held_out_nats_per_token": round(nats, 4),
        "held_out_bits_per_byte": round(nats * len(held_out) / size / math.log(2), 4),
        "held_out_questions": {one.kind: one.as_json() for one in score(network, tokenizer, asked)},
        "held_out_questions_untrained": {one.kind: one.as_json() for one in score(untrained, tokenizer, asked)},
        "sha256": sha256,
    }


def rounded(network: nn.Module) -> Transformer:
    """The network as it is stored: its weights rounded to float16."""
    copy = Transformer(SHAPE)
    copy.load_state_dict({name: weight.half().float() for name, weight in network.state_dict().items()})
    return copy.eval()


def put(path: Path, value: Any) -> None:
    """Write a JSON value."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
