"""The lines of docs/results.md about mesa: compiled optimizers, the blind zoo, language models."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import mesa_compiled, mesa_language, mesa_limits, mesa_trained, mesa_zoo
from benchmarks.figures import Bar, Measured, Result

PAGES = {
    "mesa_compiled": mesa_compiled,
    "mesa_trained": mesa_trained,
    "mesa_limits": mesa_limits,
    "mesa_zoo": mesa_zoo,
    "mesa_language": mesa_language,
}
"""The benchmarks, in the order in which their lines stand."""


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for page in PAGES.values():
        yield from page.lines()


def sections(results: dict[str, Result]) -> Iterator[list[str]]:
    """One for each result that has more to show than lines."""
    for name, page in PAGES.items():
        if name in results and page is not mesa_limits and not lacking(results[name]):
            yield page.section(results[name])


def lacking(result: Result) -> bool:
    """Whether a benchmark of trained networks has not come to its last part yet."""
    return result["benchmark"] == "mesa_trained" and "layer by layer" not in result["settings"]
