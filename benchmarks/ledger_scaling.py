"""How often the fit of a scaling law is right, over simulated studies whose exponent is planted.

Coverage of the 95 % interval, and verdicts, for exponents below, at and above 1, equal and growing noise, costs that were
not reached, bent lines, exponentials, and four noisy sizes. The settings were fixed on other seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.figures import Bar, Measured, Result, share
from benchmarks.kept import Kept
from cutaway.ledger.scaling import Point, bootstrap, fits

SEED = 8000
STUDIES = 1000
SEEDS, DECADES, NOISE = 3, 2.5, 0.15
DEPENDS = ("ledger/scaling/*.py", "ledger_scaling.py")
MINUTES = 3.0
PLAIN: dict[str, Any] = {"exponent": 1.0, "sizes": 8, "grows": 1.0, "cap": None, "bend": 0.0, "form": "power"}
SETTINGS: dict[str, dict[str, Any]] = {
    "exponent .8": {"exponent": 0.8},
    "exponent 1": {},
    "exponent 1.2": {"exponent": 1.2},
    "exponent 1, 12 sizes": {"sizes": 12},
    "noise grows 4×": {"grows": 4.0},
    "noise grows 10×": {"grows": 10.0},
    "top 15 % not reached": {"cap": 0.85, "sizes": 10},
    "top 30 % not reached": {"cap": 0.7, "sizes": 10},
    "top 30 % not reached, noise grows 4×": {"cap": 0.7, "sizes": 10, "grows": 4.0},
    "four noisy sizes": {"sizes": 4, "noise": 1.0},
    "bent": {"bend": 0.08},
    "exponential": {"form": "exponential"},
}
FREE = tuple(name for name, given in SETTINGS.items() if "cap" not in given and given.get("form", "power") == "power")
"""Settings in which every size is reached: of these the bootstrap is measured as well."""
POWERS = tuple(name for name in SETTINGS if name not in ("four noisy sizes", "bent", "exponential"))


def study(seed: int, number: int, place: int = 0, **given: Any) -> list[Point]:
    """One simulated study: three seeds of each size; size and seed each add normal noise to the logarithm of the cost.

    cap: costs above this share of the way from the smallest to the largest size are not reached. grows: the noise of the
    largest size over that of the smallest. bend: the quadratic term. place: of the setting, so that each draws its own.
    """
    of = {**PLAIN, "noise": NOISE, **given}
    draw, count = np.random.default_rng([seed, place, number]), of["sizes"]
    place = np.linspace(0, 1, count)
    x = 10 ** (5 + DECADES * place)
    log = np.log(x / x[0])
    mean = 4 * x / x[-1] if of["form"] == "exponential" else of["exponent"] * log + of["bend"] * (log - log.mean()) ** 2
    noise = of["noise"] * of["grows"] ** (place - 0.5)
    y = (mean + noise * draw.standard_normal(count))[:, None] + noise[:, None] * draw.standard_normal((count, SEEDS))
    cap = np.inf if of["cap"] is None else of["cap"] * of["exponent"] * log[-1]
    return [Point(float(x[i]), float(np.exp(min(one, cap))), bool(one < cap)) for i in range(count) for one in y[i]]


def one(seed: int, number: int, place: int, name: str) -> dict[str, Any]:
    """The verdict on a study, and whether its interval holds the planted exponent."""
    given = SETTINGS[name]
    (found,) = fits({"cost": study(seed, number, place, **given)})
    planted = given.get("exponent", 1.0)
    if found.interval is None or found.power is None:
        return {"verdict": found.verdict, "fitted": False, "holds": False, "width": None, "drawn": None}
    return {
        "verdict": found.verdict,
        "fitted": True,
        "holds": planted in found.interval,
        "width": found.interval.width,
        "drawn": planted in bootstrap(found.power, number) if name in FREE else None,
    }


def measure(kept: Kept, repetitions: int) -> None:
    """A thousand studies of each setting; nothing is repeated."""
    for place, name in enumerate(SETTINGS):
        known = kept.setting(name)
        if not known["facts"]:
            known["facts"] = summed([one(SEED, number, place, name) for number in range(STUDIES)])
            kept.write()
        print(f"  {name}: {known['facts']}", flush=True)


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts over studies."""
    fitted = [row for row in rows if row["fitted"]]
    return {
        "studies": len(rows),
        "fitted": len(fitted),
        "holds": sum(row["holds"] for row in fitted),
        "drawn": sum(bool(row["drawn"]) for row in fitted),
        "median width": float(np.median([row["width"] for row in fitted])) if fitted else None,
        "verdicts": dict(Counter(row["verdict"] for row in rows).most_common()),
    }


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what = "scaling, 1,000 planted studies each: "
    for name in POWERS:
        yield (
            f"{what}coverage of the 95 % interval, {name}",
            Bar(0.93, True, "{:.1%}"),
            "ledger_scaling",
            coverage(name),
        )
    for name in POWERS:
        yield f"{what}the same, not above, {name}", Bar(0.97, False, "{:.1%}"), "ledger_scaling", coverage(name)
    for name in (name for name in POWERS if name in FREE):
        yield (
            f"{what}coverage of the bootstrap, {name}",
            Bar(0.93, True, "{:.1%}"),
            "ledger_scaling",
            coverage(name, "drawn"),
        )
    for name, word in (("four noisy sizes", "undecided"), ("exponential", "not a power law")):
        yield f"{what}{name} called {word}", Bar(0.95, True, "{:.1%}"), "ledger_scaling", called(name, word)


def coverage(name: str, interval: str = "holds") -> Any:
    """The share of studies whose interval holds the planted exponent."""

    def figure(result: Result) -> Measured:
        facts = result["settings"][name]["facts"]
        return share(facts[interval], facts["fitted"], "studies")

    return figure


def called(name: str, word: str) -> Any:
    """The share of studies with this verdict."""

    def figure(result: Result) -> Measured:
        facts = result["settings"][name]["facts"]
        return share(facts["verdicts"].get(word, 0), facts["studies"], "studies")

    return figure
