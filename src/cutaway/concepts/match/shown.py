"""A concept on a trace: what its sub-model is in the decision that was traced, and at which steps it stands.

A trace says what each part is worth, and knows no concepts; a verdict on a decision knows no steps. Here they are put side by
side: every step with the parts of the named sets that lie in its block, and the state of their set. Where nothing is named,
what READ says of the network, *topic only* or *absent*, is all that can be said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cutaway.concepts.match.each import Decided, State, decided
from cutaway.decisions.decision import Decision, DecisionError
from cutaway.decisions.trace import Trace
from cutaway.network import Network, Site
from cutaway.runs.table import Table

Unnamed = Literal["topic only", "absent"]


@dataclass(frozen=True)
class Shown:
    """What a concept is in a traced decision.

    `states`: one for each prompt. `steps`: block by block the decision, its change, and under the concept's name the parts of
    its sets that lie there, each with the state of its set (of the first prompt).
    """

    concept: str
    states: tuple[State | Unnamed, ...]
    decided: tuple[Decided, ...]
    steps: Table

    def __str__(self) -> str:
        counted = {state: self.states.count(state) for state in dict.fromkeys(self.states)}
        several = ", ".join(f"{state} in {count}" for state, count in counted.items())
        if len(self.states) > 1:
            return f"{self.concept}: {several} of {len(self.states)} decisions\n{self.steps}"
        return f"{self.concept}: {self.decided[0] if self.decided else self.states[0]}\n{self.steps}"


def shown(
    net: Network,
    trace: Trace,
    concept: str,
    sets: Sequence[Sequence[str]] = (),
    *,
    usual: float | None = None,
    unnamed: Unnamed | None = None,
    target: Any = None,
) -> Shown:
    """The state of a concept in the decision of `trace`, and its parts at each step.

    `sets` and `usual` as in `decided`; the decision's counterfactual is the partner. `target` is what the concept would have
    answered, if that is not the decision's answer (which then is the foil). Without sets `unnamed` is the state: READ's
    verdict for this network.

    Raises DecisionError for a decision without a counterfactual or an alternative, ValueError as `decided` does.
    """
    if not sets and unnamed is not None:
        return Shown(concept, (unnamed,) * max(1, len(trace.answers)), (), _steps(trace, concept, {}))
    found = decided(net, sets, _rows(trace.decision, target), usual)
    of_parts = {part: state for one, state in zip(sets, found[0].sets) for part in one}
    return Shown(concept, tuple(one.state for one in found), tuple(found), _steps(trace, concept, of_parts))


def _rows(decision: Decision, target: Any) -> list[dict[str, Any]]:
    """The decision as `decided` takes it."""
    if decision.counterfactual is None or decision.instead is None:
        raise DecisionError(
            f"given a decision without {'counterfactual' if decision.counterfactual is None else 'instead'}; what a concept is "
            "in it is told by a matched prompt in which it is not at stake: expected Decision(…, instead=…, counterfactual=…)"
        )
    prompts = _listed(decision.inputs, 1)
    others, answers, foils = (
        _listed(one, len(prompts)) for one in (decision.counterfactual, decision.answer, decision.instead)
    )
    if target is not None:
        answers, foils = _listed(target, len(prompts)), answers
    columns = zip(prompts, answers, foils, others)
    return [dict(zip(("prompt", "target", "foil", "reference"), row)) for row in columns]


def _listed(what: Any, count: int) -> list[Any]:
    return list(what) if isinstance(what, list | tuple) else [what] * count


def _steps(trace: Trace, concept: str, of_parts: dict[str, State]) -> Table:
    """The steps of the trace with a column for the concept."""
    by_block: dict[int | None, dict[State, list[str]]] = {}
    for part, state in of_parts.items():
        by_block.setdefault(Site.parse(part).layer, {}).setdefault(state, []).append(part)
    rows = []
    for step in trace.steps:
        here = by_block.get(step["layer"], {})
        said = "; ".join(f"{state}: {_few(parts)}" for state, parts in here.items())
        rows.append({**{name: step[name] for name in ("layer", "decision", "change")}, concept: said or None})
    return Table.of(rows, columns=("layer", "decision", "change", concept))


def _few(parts: Sequence[str]) -> str:
    return ", ".join(parts[:3]) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")
