"""The code model: a small transformer trained on the Python standard library, shipped with the package.

`python -m cutaway.organisms.code_model --out FOLDER` makes it again from the sources of the running Python. Its card
says with which command, seed, data and time the shipped one was made, and how well it answers about held-out code.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cutaway.organisms.code_reference import load_reference
from cutaway.training.export import load
from cutaway.training.transformer import Transformer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FOLDER = Path(__file__).parent / "data" / "code"


class CodeModel(NamedTuple):
    """A network in evaluation mode, its tokenizer, and the code that means and donors are drawn from."""

    network: Transformer
    tokenizer: Tokenizer
    reference: tuple[str, ...]


def load_code_model() -> CodeModel:
    """The shipped code model; raises ValueError if a file is missing or is not the one that the card names.

    >>> network, tokenizer, reference = load_code_model()
    >>> network(torch.tensor([tokenizer.encode("x = 'abc").ids])).shape    # [batch, position, vocab]
    torch.Size([1, 8, 1024])
    """
    check(FOLDER)
    return CodeModel(*load(FOLDER), load_reference().code)


def card() -> dict[str, Any]:
    """How the shipped model was made and how well it does."""
    return json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))


def decisions() -> list[dict[str, Any]]:
    """Decisions that the shipped model gets clearly right: prompt, answer, instead, about, difference, chance."""
    return json.loads((FOLDER / "decisions.json").read_text(encoding="utf-8"))


def check(folder: Path) -> None:
    """Compare the files with the sha256 on the card."""
    for name, expected in json.loads((folder / "card.json").read_text(encoding="utf-8"))["sha256"].items():
        path = folder / name
        given = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no such file"
        if given != expected:
            raise ValueError(
                f"{name} of the code model is damaged: sha256 {given[:12]}, expected {expected[:12]}; reinstall cutaway"
            )


def main() -> None:
    """Train the code model and write it to a folder."""
    import torch

    from cutaway.organisms.code_making import STEPS, make
    from cutaway.runs.progress import terminal

    parser = argparse.ArgumentParser(prog="python -m cutaway.organisms.code_model", description=__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for checkpoints and the model; a killed run goes on"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    torch.set_num_threads(1)  # the order of sums, and so the weights, depends on the number of threads
    make(options.out, options.seed, options.steps, progress=terminal())


if __name__ == "__main__":
    main()
