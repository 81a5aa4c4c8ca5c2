"""A network, a stream and a recipe so small that a run takes a blink, and ways to interrupt one."""

from tests.training.test_loop import TOKENS, KillAfter, KilledError, same

from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.training.loop import Recipe

SHAPE = SparseShape(vocab=11, context=8, width=16, layers=1, d_head=4, hidden=24)
RECIPE = Recipe(steps=12, batch=4, context=8, lr=1e-2)


def network(seed: int = 7000, shape: SparseShape = SHAPE) -> SparseTransformer:
    """An untrained network."""
    return SparseTransformer(shape, seed)


__all__ = ["RECIPE", "SHAPE", "TOKENS", "KillAfter", "KilledError", "network", "same"]
