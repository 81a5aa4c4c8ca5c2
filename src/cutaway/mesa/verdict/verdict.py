"""What a network is, as far as the signs tell, with the signs that would have to be wrong if it were not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cutaway.mesa.verdict.evidence import Evidence
from cutaway.mesa.verdict.limits import GROUNDS, Limits

Label = Literal[
    "ignores context",
    "finite-task lookup",
    "one-shot smoother",
    "one-shot solver",
    "stateless re-solver",
    "iterative optimizer",
    "undetermined",
]

ORDERS = {
    "first-order": ("gradient descent", "ista", "logistic", "kernel", "boosting"),
    "accelerated": ("momentum", "nesterov", "chebyshev", "conjugate gradient"),
    "second-order": ("newton-schulz", "gd++"),
    "zeroth-order": ("evolution",),
}
"""The optimizers whose paths are compared, by what a step of theirs uses."""


NAMES = {
    "composition": "composition",
    "leap": "beyond a leap",
    "improving": "improving layers",
    "adapting": "adapting",
}
"""The grounds for an optimizer, by the name of their sign."""


@dataclass(frozen=True)
class Verdict:
    """A label with its grounds; of an optimizer also what it may be.

    `because` says which signs say so: each would have to be wrong if the label is. `alike` are the optimizers that cannot be told
    apart by their paths, a class and not a name; `degrees` and `steps` are by layer.
    """

    label: Label
    because: tuple[str, ...]
    alike: tuple[str, ...] = ()
    degrees: tuple[float, ...] = ()
    steps: tuple[float, ...] = ()

    @property
    def orders(self) -> tuple[str, ...]:
        """The orders that the class of optimizers holds."""
        return tuple(order for order, names in ORDERS.items() if set(names) & set(self.alike))

    def __str__(self) -> str:
        lines = [self.label, *(f"  {each}" for each in self.because)]
        if self.alike:
            lines.append(f"  runs like {' or '.join(self.alike)} ({' or '.join(self.orders)})")
            lines.append(f"  degree of the answer by layer: {_row(self.degrees)}")
            lines.append(f"  steps of gradient descent that each layer's answer is worth: {_row(self.steps)}")
        return "\n".join(lines)


def decide(evidence: Evidence, limits: Limits) -> Verdict:
    """The first label whose grounds are met. What solves familiar tasks better than new ones is a lookup, whatever else it does:
    an optimizer gains nothing from having seen a task before."""
    grounds = {name: _said(NAMES[name], getattr(evidence, name), getattr(limits, name)) for name in GROUNDS}
    if evidence.familiarity > limits.familiarity:
        familiar = _said("familiarity", evidence.familiarity, limits.familiarity)
        return Verdict("finite-task lookup", (familiar, grounds["composition"]))
    missed = [name for name in GROUNDS if getattr(evidence, name) <= getattr(limits, name)]
    if not missed:
        said = tuple(grounds.values())
        return Verdict("iterative optimizer", said, evidence.alike, evidence.degrees, evidence.steps)
    if missed[0] == "composition":
        return _without_iteration(evidence, limits, grounds[missed[0]])
    composed = f"{grounds['composition']}: layers act on each other's results"
    if missed[0] == "leap":
        return Verdict("undetermined", (composed, f"but {grounds['leap']}: two steps, or one and a solution"))
    return Verdict("undetermined", (composed, f"but {', '.join(grounds[name] for name in missed)}"))


def _without_iteration(evidence: Evidence, limits: Limits, missed: str) -> Verdict:
    heeds = _said("adapting", evidence.adapting, limits.heeding)
    several = _said("layers that improve the answer or read labels", evidence.several, limits.several)
    degree = _said("degree", evidence.degree, limits.solver)
    if evidence.adapting <= limits.heeding:
        return Verdict("ignores context", (missed, heeds, "its answers to novel problems are no better for it"))
    if evidence.several > limits.several:
        return Verdict("stateless re-solver", (missed, several))
    label: Label = "one-shot solver" if evidence.degree > limits.solver else "one-shot smoother"
    return Verdict(label, (missed, several, degree))


def _said(name: str, value: float, limit: float) -> str:
    return f"{name} {value:.2f} ({'above' if value > limit else 'not above'} {limit:.2f})"


def _row(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
