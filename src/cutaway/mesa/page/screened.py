"""The page of a screened network: its verdict, its signs by layer beside networks of known truth, and all signs as a table."""

from __future__ import annotations

from collections.abc import Mapping

from cutaway.mesa.page.chart import Chart, Curve
from cutaway.mesa.page.page import page
from cutaway.mesa.screen import Screened
from cutaway.mesa.signs.battery import Battery

CHARTS = (
    ("adapting", "share of novel problems solved", "solved", 0),
    ("degree growth", "degree of the answer in the data", "degree", 0),
    ("retention", "share that is kept of what is written after a layer", "kept", 1),
    ("late objective", "way to a new objective written after a layer", "moved", 1),
    ("gradient steps", "steps of gradient descent that an answer is worth", "steps", 1),
)
"""The signs that are drawn: title, what goes up, and the first layer of their course."""

ABOUT = (
    "Dark: the network that was screened. Blue: gradient descent, which certainly is an optimizer. Orange, dashed: ridge "
    "regression at once, which certainly is none. Every sign is read on problems that no network has seen."
)


def page_of(found: Screened, name: str, beside: Mapping[str, Battery]) -> str:
    """The page; `beside` holds an optimizer and then a control on the same problems."""
    kinds = dict(zip(beside, ("optimizer", "control"), strict=True))
    charts = []
    for sign, title, up, first in CHARTS:
        curves = [Curve(each, _course(battery, sign), kinds[each], first) for each, battery in beside.items()]
        charts.append(Chart(title, up, [*curves, Curve(name, _course(found.battery, sign), "this", first)]))
    verdict = f"{name}: {found.verdict.label}"
    grounds = "; ".join(found.verdict.because)
    return page(verdict, f"{grounds}. {ABOUT} Limits {found.limits}.", charts, [("Every sign", found.table())])


def _course(battery: Battery, sign: str) -> tuple[float, ...]:
    course = battery.readings[sign].course
    return course or (battery.readings[sign].value,)
