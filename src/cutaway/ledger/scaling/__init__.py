"""How a cost grows with the size of a network: fits with intervals, bounds, a test of the form, and a verdict."""

from cutaway.ledger.scaling.bootstrap import bootstrap
from cutaway.ledger.scaling.censored import NotFitted
from cutaway.ledger.scaling.extrapolate import Extrapolated, Refused, extrapolate
from cutaway.ledger.scaling.points import Point, Sizes, by_size
from cutaway.ledger.scaling.power import Interval, Power
from cutaway.ledger.scaling.verdict import Fit, fits, holm, table

__all__ = [
    "Extrapolated",
    "Fit",
    "Interval",
    "NotFitted",
    "Point",
    "Power",
    "Refused",
    "Sizes",
    "bootstrap",
    "by_size",
    "extrapolate",
    "fits",
    "holm",
    "table",
]
