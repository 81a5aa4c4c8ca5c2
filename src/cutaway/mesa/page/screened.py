"""The page of a screened network: its verdict, its signs by layer beside networks of known truth, and all signs as a table."""

from __future__ import annotations

from collections.abc import Mapping

from cutaway.mesa.page.chart import Chart, Curve
from cutaway.mesa.page.page import page
from cutaway.mesa.screen import Screened
from cutaway.mesa.signs.battery import Battery
from cutaway.runs import Table

CHARTS = (
    ("composition", "degree that each layer has alone, on a blank state", "degree", 1),
    ("improving layers", "by how much a layer lowers the error, as a logarithm", "gain", 1),
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
        along = "layer" if sign in ("composition", "improving layers") else "layers run"
        charts.append(
            Chart(title, up, [*curves, Curve(name, _course(found.battery, sign), "this", first)], along=along)
        )
    verdict = f"{name}: {found.verdict.label}"
    grounds = "; ".join(found.verdict.because)
    return page(verdict, f"{grounds}. {ABOUT} Limits {found.limits}.", charts, [("Every sign", signs(found))])


def signs(found: Screened) -> Table:
    """The table of signs as a page shows it: by layer in words, without what each took."""
    rows = found.table().rows()
    return Table.of(
        {
            "sign": row["sign"],
            "asks": row["asks"],
            "value": row["value"],
            "a ground": "yes" if row["a ground"] else "",
            "by layer": ", ".join(f"{0.0 + each:.3g}" for each in row["by layer"]),
        }
        for row in rows
    )


def _course(battery: Battery, sign: str) -> tuple[float, ...]:
    course = battery.readings[sign].course
    course = course[:-1] if sign == "composition" else course  # the last is of all layers side by side
    return course or (battery.readings[sign].value,)
