"""Trains and prunes the shipped pair: `python -m cutaway.dial.shipping --out FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from cutaway.dial.shipping.making import SEED, Recipe, make
from cutaway.runs.progress import terminal


def main() -> None:
    """Parses the arguments, trains and prunes."""
    parser = argparse.ArgumentParser(prog="python -m cutaway.dial.shipping", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="for networks and circuits; a killed run goes on")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    torch.set_num_threads(1)  # the order of sums, and so the weights, depends on the number of threads
    make(options.out, Recipe(seed=options.seed), terminal())


if __name__ == "__main__":
    main()
