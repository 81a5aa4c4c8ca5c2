"""A few-shot report as text: what was learned, in words, then the figures with their nulls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.mesa.language.hats import HatSigns
from cutaway.mesa.language.over_tasks import OverTasks
from cutaway.runs.table import Row, Table

if TYPE_CHECKING:
    from cutaway.mesa.language.report import FewShotReport

ASKS = {
    "symmetry": ("symmetry", "does input i count for j as j does for i?"),
    "crossed": ("… with another task's transpose", "would it for any two tasks?"),
    "one_layer": ("… after one block", "does it at once?"),
    "commutation": ("commutation", "do layers share their directions?"),
    "growth": ("shape growth", "does the matrix change its shape from layer to layer?"),
    "order": ("eigen-order", "are strong directions solved before weak ones?"),
    "specific": ("specific share", "how much of it depends on query and label both?"),
}


def rendered(report: FewShotReport) -> str:
    """The report as text."""
    parts = [
        f"{report.name}: {_shots(report)}, {report.depth} blocks, {report.tokens / 1e3:.0f}k tokens read, seed {report.seed}",
        learned(report),
        str(Table.of([_panel(panel) for panel in report.panels])),
        f"familiar − novel: {report.gap}. 95 % intervals over tasks; half is guessing.",
        budget(report),
    ]
    if report.signs is not None and report.null_signs is not None:
        parts += [str(Table.of(_signs(report.signs, report.null_signs))), _caution(report)]
    if report.zero_shot is not None:
        parts += ["", rendered(report.zero_shot)]
    elif report.shots:
        parts.append(
            "Zero-shot: not asked. It takes tasks told in an instruction; a network that reads none has no such panel."
        )
    return "\n".join(parts)


def learned(report: FewShotReport) -> str:
    """Whether novel tasks are learned, in a sentence."""
    novel, what = report.panel("novel").by_labels, "the demonstrations" if report.shots else "the instruction"
    if report.learned:
        gap = "; familiar ones are answered better" if report.gap.above(0) else ""
        return f"Novel tasks are learned from {what}: {novel} right by the labels, above every null{gap}."
    known = report.panel("familiar").accuracy
    lookup = f" Familiar tasks are answered ({known} right): by what training left." * known.above(0.5)
    return f"Nothing was learned from {what} of novel tasks: {novel} right by the labels, not above every null.{lookup}"


def budget(report: FewShotReport) -> str:
    """How many layers improve the answer, of how many there are."""
    novel, null = report.panel("novel"), report.panel("novel", "random weights")
    one = f"after one block {novel.one_block} are right by the labels, in the end {novel.by_labels}"
    once = " One layer does it: not told apart from a one-shot smoother." * (report.learned and novel.live < 1.5)
    return (
        f"Serial budget: {novel.live:.1f} live layers of {report.depth} (random weights {null.live:.1f}); {one}.{once}"
    )


def _shots(report: FewShotReport) -> str:
    return f"{report.shots} demonstrations" if report.shots else "zero-shot, from an instruction"


def _panel(panel) -> Row:
    return {
        "network": panel.network,
        "tasks": panel.tasks,
        "right": str(panel.accuracy),
        "by the labels": str(panel.by_labels),
        "… after one block": str(panel.one_block),
        "live layers": round(panel.live, 1),
        "loss by layer": [round(loss, 2) for loss in panel.losses],
    }


def _signs(given: HatSigns, null: HatSigns) -> list[Row]:
    return [
        {
            "hat matrices": what,
            "given": _shown(getattr(given, name)),
            "random weights": _shown(getattr(null, name)),
            "asks": asks,
        }
        for name, (what, asks) in ASKS.items()
    ]


def _shown(sign: OverTasks | float) -> str:
    return str(sign) if isinstance(sign, OverTasks) else f"{sign:.2f}"


def _caution(report: FewShotReport) -> str:
    """What the signs can be taken for."""
    if not report.learned:
        return "As nothing was learned, these signs say nothing of how."
    if report.signs is not None and not report.signs.readable:
        return "No layer before the last can be read by its lens, so there are no signs between layers."
    return "Signs, not a verdict: they are of few tasks, and what passes them is not thereby an optimizer."
