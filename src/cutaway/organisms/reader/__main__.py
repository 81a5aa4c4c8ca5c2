"""Trains the shipped reader and writes it to a folder: `python -m cutaway.organisms.reader --out FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from cutaway.organisms.reader.shipping import SEED, make
from cutaway.runs.progress import terminal


def main() -> None:
    """Parses the arguments, and trains."""
    parser = argparse.ArgumentParser(prog="python -m cutaway.organisms.reader", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="for checkpoints and the reader; a killed run goes on")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    torch.set_num_threads(1)  # the order of sums, and so the weights, depends on the number of threads
    make(options.out, options.seed, progress=terminal())


if __name__ == "__main__":
    main()
