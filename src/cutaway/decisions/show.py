"""A trace as text for a terminal, and as Markdown: the same pieces, each a title with lines and tables under it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cutaway.decisions.show_circuit import Piece, pieces
from cutaway.runs.table import Table

if TYPE_CHECKING:
    from cutaway.decisions.trace import Trace

COLUMNS = ("part", "kind", "token", "direct", "exact", "low", "high", "n", "share", "state", "selective")


def show(trace: Trace, most: int = 14) -> str:
    """The decision, the steps, the strongest parts, the circuit, the checks, the cost."""
    first, *others = _pieces(trace, most)
    lines = [first[0], *first[1]]
    for title, body in others:
        lines += ["", title, *body] if title else body
    return "\n".join(map(str, lines))


def markdown(trace: Trace, most: int = 40) -> str:
    """The same as GitHub-flavoured Markdown; whatever a prompt or a name holds, it cannot become markup."""
    text: list[str] = []
    for number, (title, body) in enumerate(_pieces(trace, most)):
        text += [f"{'##' if number else '#'} {_escaped(title[:1].upper() + title[1:])}"] if title else []
        lines = [f"- {_escaped(line)}" for line in body if isinstance(line, str)]
        text += [_cells_escaped(table).to_markdown() for table in body if isinstance(table, Table)]
        text += ["\n".join(lines)] if lines else []
    return "\n\n".join(text) + "\n"


def _pieces(trace: Trace, most: int) -> list[Piece]:
    nothing = trace.metric.mean + trace.total.mean
    spread = f" (change {trace.total})" if trace.total.known else ""
    stands = f"decision {trace.metric.mean:+.2f}; with every part taken away {nothing:+.2f}{spread}"
    found: list[Piece] = [(heading(trace), [stands, f"stand-in: {trace.baseline}"])]
    if len(trace.steps):
        found.append(("step by step (the decision as it stands after each block)", [_steps(trace)]))
    found.append(_parts(trace, most))
    found += pieces(trace.circuit, most) if trace.circuit is not None else []
    end: list[str | Table] = []
    if trace.completeness is not None:
        share = 1 + trace.completeness * (1 if trace.total.mean > 0 else -1)
        end.append(f"first-order effects sum to {share:.0%} of the total effect; exact effects are reruns")
    return [*found, ("", [*end, *(f"note: {note}" for note in trace.notes), str(trace.cost)])]


def _parts(trace: Trace, most: int) -> Piece:
    """The strongest parts, and what the used ones do together."""
    rows = [row for row in trace.nodes if row["state"] == "used"] or trace.nodes.rows()
    shown = [{name: _cell(name, row) for name in COLUMNS} for row in rows[:most]]
    used = sum(1 for row in trace.nodes if row["state"] == "used" and row["within"] is None)
    whole = sum(1 for row in trace.nodes if row["within"] is None)
    lines: list[str | Table] = [Table.of(shown)]
    if len(rows) > most:
        lines.append(f"… {len(rows) - most} more in .nodes")
    title = f"{used} of {whole} parts used, strongest first (effect: change of the decision without it)"
    return title, [*lines, *map(str, trace.checks)]


def _escaped(text: str) -> str:
    """Text on one line in which nothing means anything to Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#&~])", r"\\\1", " ".join(text.split()))


def _cells_escaped(table: Table) -> Table:
    """The same table; the table itself takes care of what would be HTML or end a cell."""
    cells = {
        name: [re.sub(r"([\\`*_\[\]~])", r"\\\1", cell) if isinstance(cell, str) else cell for cell in column]
        for name, column in table.columns.items()
    }
    return Table(cells)


def heading(trace: Trace) -> str:
    """`network: "prompt" → answer rather than instead`."""
    prompt = trace.decision.inputs
    asked = (
        repr(prompt)
        if isinstance(prompt, str)
        else f"{len(prompt)} inputs"
        if hasattr(prompt, "__len__")
        else "its input"
    )
    if not trace.answers:
        return f"{trace.network}: {asked}"
    answers, insteads = dict.fromkeys(trace.answers), dict.fromkeys(trace.insteads)
    answer = repr(trace.answers[0]) if len(answers) == 1 else f"{len(answers)} answers"
    instead = (
        f" rather than {trace.insteads[0]!r}"
        if len(insteads) == 1
        else " rather than its alternative"
        if insteads
        else ""
    )
    return f"{trace.network}: {asked} → {answer}{instead}"


def _steps(trace: Trace) -> Table:
    rows = [
        {
            "block": "embedding" if row["layer"] is None else row["layer"],
            "decision": row["decision"],
            "change": row["change"],
            "used": ", ".join(row["used"][:5]) + (f" +{len(row['used']) - 5}" if len(row["used"]) > 5 else ""),
        }
        for row in trace.steps
    ]
    return Table.of(rows)


def _cell(name: str, row: dict) -> object:
    value = row[name]
    if name == "token" and value is not None:
        return f"{value!r}@{row['at']}"
    if name == "part" and row["within"]:
        return f"  {value}"
    if name == "share" and value is not None:
        return f"{value:.0%}"
    if name == "selective":
        return {True: "yes", False: "no", None: None}[value]
    return value
