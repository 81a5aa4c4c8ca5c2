"""The costs of a study as text for a terminal."""

from __future__ import annotations

import re

from cutaway.ledger.figure import Figure, shown
from cutaway.ledger.reference import LINES
from cutaway.runs import Table
from cutaway.study.cost.report import Costs

WITH = {"FLOPs": "machines only", "core time": "machines only, seconds of cores", "money": "with people"}


def printed(found: Costs) -> str:
    """Ratios first, then where they come from, then what is not in them."""
    parts = ["\n".join([*headline(found), *found.missing])]
    parts += [titled("by phase", found.phases)]
    modules = "by module: no entry says which module it was spent on"
    parts += [titled("by module, of what names one", found.modules) if len(found.modules) else modules]
    parts += [titled("by run, and for each sub-model that it names", found.runs), per_named(found)]
    parts += ["\n".join(["reference lines: estimates, none of them measured", *reference(found)])]
    if found.money is not None:
        if len(found.money.table()):
            parts.append(titled("adjustments of the ratio in money", found.money.table()))
        parts.append(
            titled(
                "what moves the ratio in money, each input alone (ᵃ rests on what is assumed)",
                marked(found.sensitivity),
            )
        )
        parts.append(dominated(found))
    said = [*(f"caveat: {one}" for one in found.caveats), *(f"not read: {one}" for one in found.unread)]
    return "\n\n".join(part for part in (*parts, "\n".join(said)) if part)


def headline(found: Costs) -> list[str]:
    """One line a ratio."""
    lines = []
    for name, one in found.ratios.items():
        ratio = f"{found.spread}" if name == "money" and found.spread is not None else f"{one.ratio}"
        sides = " ÷ ".join(map(plainly, (one.understanding, one.training)))
        adjusted = f"; adjusted: {', '.join(step.name for step in one.steps)}" if one.steps else ""
        lines.append(f"understanding ÷ training, {name} ({WITH[name]}{adjusted}): {ratio} = {sides}")
    return lines or ["understanding ÷ training: not known"]


def plainly(figure: Figure) -> str:
    """The number and its unit, with the letter of what is assumed; what it leaves out stands on the ratio beside it."""
    return f"{shown(figure.value)}{' ' * bool(figure.unit)}{figure.unit or '×'}{'ᵃ' * bool(figure.assumed)}"


def reference(found: Costs) -> list[str]:
    """A sentence a line: how it comes about, who named it, and what of it the ratios are."""
    said = []
    for line in LINES:
        ratios = {name: one.ratio / float(line.ratio) for name, one in found.ratios.items()}
        reached = ", ".join(f"{name} {plainly(one)} of it" for name, one in ratios.items())
        said.append(f"  {line.ratio:,}×: {line.how} ({line.source}){': ' * bool(reached)}{reached}")
    return said


def per_named(found: Costs) -> str:
    """What each named sub-model came to."""
    if not found.named:
        return "no sub-model is named in these runs"
    each = ", ".join(f"{shown(one.value)} {one.unit.split('/')[0]}{one.mark}" for one in found.per_named.values())
    return f"sub-models named: {found.named}; each came to {each or 'what was not counted'}"


def dominated(found: Costs) -> str:
    """Which input matters most."""
    if found.dominant is None:
        return "no declared or assumed input moves the ratio in money"
    return f"the declared or assumed input that moves it most: {found.dominant.name} = {found.dominant}"


def marked(table: Table) -> Table:
    """A table whose cells have one letter for the mark that they rest on assumptions, which the headline spells out."""
    rows = [{name: short(cell) if isinstance(cell, str) else cell for name, cell in row.items()} for row in table]
    return Table.of(rows, tuple(table.columns))


def short(cell: str) -> str:
    """A figure with a letter for the mark that it rests on assumptions."""
    return re.sub(r" ?\(assumed(: [^)]*)?\)", "ᵃ", cell)


def titled(title: str, table: Table) -> str:
    """A table under its title."""
    return f"{title}\n{table}"
