"""Ratios and exponents that others have named, with where they come from: lines to hold a measured cost against.

The discussion is the one under D. Filan, "An Analytic Perspective on AI Alignment", Alignment Forum 2020
(alignmentforum.org/posts/8GdPargak863xaebm).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cutaway.runs import Table

DISCUSSION = 'Discussion under D. Filan, "An Analytic Perspective on AI Alignment", Alignment Forum 2020'
KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361"
PEARCE = "Pearce and Song 2024, arXiv 2406.12907"
HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556"
BESIROGLU = "Besiroglu et al. 2024, arXiv 2404.10102"


@dataclass(frozen=True)
class Line:
    """A ratio of understanding to training, how it comes about and who named it."""

    ratio: int
    how: str
    source: str


LINES = (
    Line(100, "even if modularity works out and cost is linear; no inputs are given", DISCUSSION),
    Line(
        625, "50,000 / (2 researchers · 2 hyperparameters · 10 data · 2 implementation)", f"{DISCUSSION}; computed here"
    ),
    Line(1_250, "50,000 / (2 researchers · 2 hyperparameters · 10 data)", f"{DISCUSSION}; computed here"),
    Line(50_000, "10 person-years · $250,000 / $50: a classifier of ImageNet", DISCUSSION),
)
"""From the lowest; all four are estimates, none was measured."""


@dataclass(frozen=True)
class Exponent:
    """cost ∝ N^value, N parameters; what it is the cost of, and the premise that it stands on."""

    value: Fraction
    of: str
    how: str
    source: str

    def __str__(self) -> str:
        """`training ~ N^1.6: how (source)`."""
        return f"{self.of} ~ N^{float(self.value):.3g}: {self.how} ({self.source})"


EXPONENTS = (
    Exponent(
        Fraction("0.08") / Fraction("0.05"),
        "training",
        "L ~ C^-0.05 and L ~ N^-0.08 equated: limits of one variable, not the joint optimum",
        f"{DISCUSSION}, after {KAPLAN}",
    ),
    Exponent(1 / Fraction("0.73"), "training", "N ~ C^0.73, the optimum of the same paper", f"{KAPLAN}, by {PEARCE}"),
    Exponent(Fraction("0.076") / Fraction("0.050"), "training", "as the first, exponents to three places", KAPLAN),
    Exponent(1 / Fraction("0.5"), "training", "N ~ C^0.5: parameters and data grow alike", HOFFMANN),
    Exponent(
        (Fraction("0.348") + Fraction("0.366")) / Fraction("0.366"),
        "training",
        "a refit of Hoffmann's third approach, α = .348, β = .366: C ~ N^((α+β)/β)",
        BESIROGLU,
    ),
    Exponent(
        Fraction(2, 3) + 1,
        "explaining neuron by neuron",
        "N^(2/3) neurons at a fixed aspect ratio, each looked at with passes that cost N; training N^2",
        "computed here",
    ),
)
"""They are read from papers or follow from them; none is this project's measurement. How parameters are counted alone moves
an exponent by .3 at small scale (Pearce and Song 2024)."""


def lines() -> Table:
    """The ratios as a table."""
    return Table.of({"ratio": f"{line.ratio:,}×", "how": line.how, "source": line.source} for line in LINES)


def exponents() -> Table:
    """The exponents as a table, next to what understanding N^1 would be on training's compute."""
    return Table.of(
        {
            "cost": one.of,
            "exponent of N": float(one.value),
            "exponent of compute if understanding ~ N": float(1 / one.value) if one.of == "training" else None,
            "how": one.how,
            "source": one.source,
        }
        for one in EXPONENTS
    )
