"""The lines of docs/results.md about mesa: compiled optimizers, the blind zoo, language models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import (
    mesa_compiled,
    mesa_dial,
    mesa_language,
    mesa_limits,
    mesa_pretraining,
    mesa_steps,
    mesa_taught,
    mesa_trained,
    mesa_zoo,
)
from benchmarks.figures import Bar, Measured, Result, exact
from cutaway.mesa.verdict.rates import rate
from cutaway.mesa.zoo import LATER_FAMILIES

PAGES = {
    "mesa_compiled": mesa_compiled,
    "mesa_trained": mesa_trained,
    "mesa_limits": mesa_limits,
    "mesa_zoo": mesa_zoo,
    "mesa_taught": mesa_taught,
    "mesa_steps": mesa_steps,
    "mesa_dial": mesa_dial,
    "mesa_language": mesa_language,
    "mesa_pretraining": mesa_pretraining,
}
"""The benchmarks, in the order in which their lines stand."""

LAST = {
    "mesa_trained": "layer by layer",
    "mesa_dial": mesa_dial.SHALLOW,
    "mesa_language": mesa_language.LARGE,
    "mesa_pretraining": "mesa net",
}
"""What the longest of them measure last."""


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for page in PAGES.values():
        yield from page.lines()
    what = "mesa, blind zoo, families of which less than a tenth is called an optimizer: controls called one, 95 % upper bound"
    yield what, Bar(0.01, False, "{:.2%}"), "mesa_zoo", limited
    what = (
        "mesa, blind zoo, the families alone that were written after the limits: controls called one, 95 % upper bound"
    )
    yield what, Bar(0.01, False, "{:.1%}"), "mesa_zoo", later
    yield "mesa, blind zoo: networks whose signs took > 30 CPU s", Bar(0.0, False, "{:.0f}"), "mesa_zoo", slow


def sections(results: dict[str, Result]) -> Iterator[list[str]]:
    """One for each result that has more to show than lines."""
    for name, page in PAGES.items():
        if name in results and page is not mesa_limits and not lacking(name, results[name]):
            yield page.section(results[name])


def lacking(name: str, result: Result) -> bool:
    """Whether a benchmark has not come to its last part yet."""
    return LAST.get(name, "") not in {"", *result["settings"]}


def limited(result: Result) -> Measured:
    """The bound where the claim is limited to families whose own rate is below 10 %; which ones are left out is said."""
    rows = mesa_zoo.sides(result, False)
    called = {
        family: rate(row["label"] == mesa_zoo.ITERATIVE for row in rows if row["family"] == family)
        for family in families(rows)
    }
    left = [family for family, found in called.items() if found.value < 0.1]
    found = rate(row["label"] == mesa_zoo.ITERATIVE for row in rows if row["family"] in left)
    out = ", ".join(family for family in called if family not in left) or "none"
    of = f"{found.hits} of {found.of} controls of {len(left)} families; left out: {out}"
    return Measured(found.upper, found.value, found.upper, of)


def later(result: Result) -> Measured:
    """The bound of families that had no part in the choice of limits, nor in their development."""
    names = {family.name for family in LATER_FAMILIES}
    rows = [row for row in mesa_zoo.sides(result, False) if row["family"] in names]
    found = rate(row["label"] == mesa_zoo.ITERATIVE for row in rows)
    return Measured(
        found.upper, found.value, found.upper, f"{found.hits} of {found.of} controls of {len(names)} families"
    )


def slow(result: Result) -> Measured:
    """How many networks took longer than the bar, on a machine with other work."""
    times = [row["cpu seconds"] for row in mesa_zoo.rows_of(result)]
    return exact(sum(each > 30 for each in times), f"of {len(times)} networks, the largest {max(times):.0f} s")


def families(rows: list[dict[str, Any]]) -> list[str]:
    """The families of rows, each once."""
    return sorted({row["family"] for row in rows})
