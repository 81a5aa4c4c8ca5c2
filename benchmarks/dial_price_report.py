"""What stands below the table about the price: every multiplier with its trend; of pressures with one setting only, a bound."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.dial_price import COUNTS, SIDES, section
from benchmarks.figures import Result
from cutaway.dial.setting import Setting, settings_of


def sections(result: Result) -> list[str]:
    """The multipliers, then single settings beside the cheapest dense one that does as well."""
    return [*section(result), *beside(result), ""]


def beside(result: Result) -> Iterator[str]:
    """A line for each pressed setting of which there is one only: no curve, so a bound instead of a multiplier."""
    for corpus, sides in SIDES.items():
        if corpus not in result["settings"]:
            continue
        settings = settings_of(result["settings"][corpus]["facts"]["networks"])
        single = [side.pressure for side in sides if len(side.rates) * len(side.tokens) < 2]
        for setting in (each for each in settings if each["pressure"] in single):
            for count, name in COUNTS.items():
                yield told(corpus, setting, [each for each in settings if each.dense], count, name)


def told(corpus: str, setting: Setting, dense: list[Setting], count: str, name: str) -> str:
    """How much more it took than the cheapest dense setting whose mean loss is no higher."""
    loss = setting.mean("loss")
    as_good = [each for each in dense if each.mean("loss") <= loss]
    said = f"- {corpus}, {setting}, loss {loss:.3f}, n = {len(setting)} runs"
    if not as_good:
        return f"{said}: no dense setting came as low"
    best = min(as_good, key=lambda each: each.mean(count))
    return f"{said}: {setting.mean(count) / best.mean(count):.2g}× the {name} of {best}, whose loss is {best.mean('loss'):.3f}"
