"""The meter against closed forms on fourteen architectures, and what it adds to a training step that it knows.

In each round the same steps run without the meter, as known steps, and counted one by one; one meter is open all along, so
the calls that are counted again to be sure are in the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from benchmarks.figures import Bar, Measured, Result, ratio
from benchmarks.kept import Kept
from benchmarks.ledger_architectures import VOCAB, Transformer, architectures
from benchmarks.timing import interleave
from cutaway.ledger.meter import Meter, meter

PARTS = ("children", "count", "counting", "flops", "formulas", "light", "meter", "signature", "steps", "useful")
DEPENDS = (*(f"ledger/{part}.py" for part in PARTS), "ledger_meter.py", "ledger_architectures.py")
MINUTES = 1.0
SEED = 8000
ROUNDS = 15  # a few per cent are to be told from the noise of a shared machine
CALLS = 16
KNOWN = 64  # calls of a step until it is counted only now and then
SIZES = {"width 128": (128, 16, 64), "width 32": (32, 8, 32)}
"""Width, batch and context of the step that is timed."""


def measure(kept: Kept, repetitions: int) -> None:
    """Counts first, they take no time."""
    forms(kept)
    for name, (width, batch, context) in SIZES.items():
        torch.manual_seed(SEED)
        network, tokens = Transformer(width), torch.randint(VOCAB, (batch, context))
        with meter("train", flops=True) as running:
            timed = ways(running, network, tokens)
            for _ in range(KNOWN):
                timed["known"]()
            interleave(kept, name, timed, max(ROUNDS, 3 * repetitions), dict, calls=CALLS)
        kept.setting(name)["facts"] = {"doubts": len(running.cost.doubts)}
        kept.write()


def forms(kept: Kept) -> None:
    """Operations counted and worked out; operators without a formula."""
    torch.manual_seed(SEED)
    known = kept.setting("closed forms")
    for name, one in architectures().items():
        with meter(name, flops=True) as running:
            one.step()
        cost = running.cost
        known["facts"][name] = {"counted": cost.flops, "form": one.operations, "uncounted": cost.uncounted}
    kept.write()


def ways(running: Meter, network: Transformer, tokens: torch.Tensor) -> dict[str, Callable[[], object]]:
    """A training step without the meter, as a step that it knows, and counted."""
    optimiser = torch.optim.AdamW(network.parameters())

    def plain() -> None:
        network(tokens).backward()
        optimiser.step()
        optimiser.zero_grad()

    def unmetered() -> None:
        with torch.utils._python_dispatch._disable_current_modes():
            plain()

    def known() -> None:
        with running.step(network, tokens):
            plain()

    return {"plain": unmetered, "known": known, "counted": plain}


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what = "meter against closed forms, largest deviation over the architectures (an operator without a formula counts as 1)"
    yield what, Bar(0.01, False, "{:.4f}"), "ledger_meter", furthest
    for name, (width, batch, context) in SIZES.items():
        what = (
            f"a metered training step that is known against the plain one, width {width}, 2 layers, {batch} × {context}"
        )
        yield what, Bar(1.02, False, "{:.3f}×"), "ledger_meter", over(name)


def furthest(result: Result) -> Measured:
    """The largest relative deviation of a count from its closed form."""
    facts = result["settings"]["closed forms"]["facts"].values()
    off = [1.0 if one["uncounted"] else abs(one["counted"] / one["form"] - 1) for one in facts]
    return Measured(max(off), max(off), max(off), f"{len(off)} architectures")


def over(name: str) -> Callable[[Result], Measured]:
    """A known step over the plain step."""
    return lambda result: ratio(result, name, "known", "plain")
