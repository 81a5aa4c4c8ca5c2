"""What training a network takes, counted twice: operations that dense kernels execute, and those with weights that are not 0.

By the conventions of `cutaway.ledger.flops`: products only, 2 operations for each pair of numbers, forward and backward.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch

from cutaway.dial.pressure.matrices import LANES, live
from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.ledger import count_flops
from cutaway.training.loop import Recipe, cross_entropy

MULTIPLIED = (*LANES, "unembed")
"""The kinds of matrices that are multiplied with; tables of tokens and positions are looked up."""
PASSES = 3
"""Products with each weight: forward, for the gradient of what it read, for its own gradient."""


@dataclass(frozen=True)
class Operations:
    """Floating-point operations of a training run.

    `useful` leaves out the products with weights that are 0 *in the end*, counted. Where a support shrinks during training
    (top-k, L1) the run needed more than that; what a pressure itself does, and a sparse activation saves, is in neither.
    """

    executed: int
    useful: int


def operations(network: SparseTransformer, recipe: Recipe) -> Operations:
    """The operations of a run by `recipe` that ended in `network`."""
    windows = recipe.steps * recipe.batch
    counts = live(network)
    dead = sum(counts[kind]["of"] - counts[kind]["live"] for kind in MULTIPLIED if kind in counts)
    executed = windows * of_a_window(network.shape, recipe.context)
    return Operations(executed, executed - PASSES * 2 * dead * recipe.context * windows)


def teaching(teacher: SparseTransformer, recipe: Recipe) -> int:
    """The operations of a teacher's forward passes in a run, which `operations` leaves out."""
    return recipe.steps * recipe.batch * of_a_window(teacher.shape, recipe.context, backward=False)


@cache
def of_a_window(shape: SparseShape, context: int, backward: bool = True) -> int:
    """Operations of one step on one window, counted without computing anything; a batch takes as many times that."""
    network = SparseTransformer(shape).to(
        "meta"
    )  # built there it fails once transformers has loaded a model in this process
    with torch.device("meta"):
        window = torch.zeros(1, context + 1, dtype=torch.long)
        if not backward:
            return count_flops(lambda: cross_entropy(network, window))
        return count_flops(lambda: cross_entropy(network, window).backward())
