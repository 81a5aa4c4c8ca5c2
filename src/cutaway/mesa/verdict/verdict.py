"""What a network is, as far as the signs tell, with the signs that would have to be wrong if it were not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cutaway.mesa.verdict.evidence import Evidence
from cutaway.mesa.verdict.limits import Limits

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
    """The first label whose grounds are met."""
    composed = _said("composition", evidence.composition, limits.composition)
    improves = _said("improving layers", evidence.improving, limits.improving)
    adapts = _said("adapting", evidence.adapting, limits.adapting)
    if evidence.composition > limits.composition:
        if evidence.improving > limits.improving and evidence.adapting > limits.adapting:
            grounds = (composed, improves, adapts)
            return Verdict("iterative optimizer", grounds, evidence.alike, evidence.degrees, evidence.steps)
        return Verdict("undetermined", (f"{composed}: layers act on each other's results", f"but {improves}, {adapts}"))
    return _without_iteration(evidence, limits, composed)


def _without_iteration(evidence: Evidence, limits: Limits, composed: str) -> Verdict:
    familiar = _said("familiarity", evidence.familiarity, limits.familiarity)
    heeds = _said("adapting", evidence.adapting, limits.heeding)
    several = _said("layers that improve the answer or read labels", evidence.several, limits.several)
    degree = _said("degree", evidence.degree, limits.solver)
    if evidence.familiarity > limits.familiarity:
        return Verdict("finite-task lookup", (composed, familiar))
    if evidence.adapting <= limits.heeding:
        return Verdict("ignores context", (composed, heeds, "its answers to novel problems are no better for it"))
    if evidence.several > limits.several:
        return Verdict("stateless re-solver", (composed, several))
    label: Label = "one-shot solver" if evidence.degree > limits.solver else "one-shot smoother"
    return Verdict(label, (composed, several, degree))


def _said(name: str, value: float, limit: float) -> str:
    return f"{name} {value:.2f} ({'above' if value > limit else 'not above'} {limit:.2f})"


def _row(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
