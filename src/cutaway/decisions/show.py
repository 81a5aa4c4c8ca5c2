"""A trace and a rerun as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.runs.table import Table

if TYPE_CHECKING:
    from cutaway.decisions.circuit.circuit import Circuit
    from cutaway.decisions.trace import Trace

COLUMNS = ("part", "kind", "token", "direct", "exact", "low", "high", "n", "share", "state", "selective")


def show(trace: Trace, most: int = 14) -> str:
    """The decision, the steps, the strongest parts, the checks, the cost."""
    lines = [heading(trace)]
    nothing = trace.metric.mean + trace.total.mean
    spread = f" (change {trace.total})" if trace.total.known else ""
    lines.append(f"decision {trace.metric.mean:+.2f}; with every part taken away {nothing:+.2f}{spread}")
    lines.append(f"stand-in: {trace.baseline}")
    if len(trace.steps):
        lines += ["", "step by step (the decision as it stands after each block)", str(_steps(trace))]
    rows = [row for row in trace.nodes if row["state"] == "used"] or trace.nodes.rows()
    shown = [{name: _cell(name, row) for name in COLUMNS} for row in rows[:most]]
    used = sum(1 for row in trace.nodes if row["state"] == "used" and row["within"] is None)
    whole = sum(1 for row in trace.nodes if row["within"] is None)
    lines += [
        "",
        f"{used} of {whole} parts used, strongest first (effect: change of the decision without it)",
        str(Table.of(shown)),
    ]
    if len(rows) > most:
        lines.append(f"… {len(rows) - most} more in .nodes")
    lines += [str(check) for check in trace.checks]
    lines += _circuit(trace.circuit) if trace.circuit is not None else []
    if trace.completeness is not None:
        share = 1 + trace.completeness * (1 if trace.total.mean > 0 else -1)
        lines.append(f"first-order effects sum to {share:.0%} of the total effect; exact effects are reruns")
    lines += [f"note: {note}" for note in trace.notes]
    lines.append(str(trace.cost))
    return "\n".join(lines)


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


def _circuit(found: Circuit, most: int = 14) -> list[str]:
    """The links, what they leave unexplained, and the checks."""
    rows = [{**row, "to": row["to"], "share": f"{row['share']:.0%}"} for row in found.edges]
    lines = ["", f"{len(rows)} links, strongest first (knockout: change of the decision without it)"]
    if rows:
        lines.append(str(Table.of(rows[:most])))
    if len(rows) > most:
        lines.append(f"… {len(rows) - most} more in .edges")
    lines += [f"{group['kind']} group {group['group']}: {', '.join(group['parts'])}" for group in found.groups]
    lines += [f"{check} {'' if check.holds else '← fails'}".rstrip() for check in found.checks]
    passed = [f"{row['passed']} of {row['tried']} {row['wrong set']}" for row in found.power]
    lines += [f"wrong sets that pass as sufficient: {', '.join(passed)}"] if passed else []
    lines.append(f"shares miss the total by {found.missing:.0%}; {found.runs[0]} single and {found.runs[1]} joint cuts")
    weak = next((row for row in found.power if row["wrong set"] == "less one edge" and row["passed"]), None)
    smaller = (
        f", but so do {weak['passed']} of {weak['tried']} sets with one link less" if weak and found.explained else ""
    )
    return [*lines, f"links: {found.verdict}{smaller}"]


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
