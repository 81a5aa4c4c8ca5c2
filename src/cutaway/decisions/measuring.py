"""One decision against one baseline: what taking parts away does to first order, exactly, and jointly."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.decision import Posed
from cutaway.decisions.effects import Effect, effects
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.decisions.first_order import first_order
from cutaway.decisions.rows import kind_of
from cutaway.network import Network, Variant, sweep
from cutaway.runs.progress import Progress, silent
from cutaway.submodels import Baseline, SubModel, as_submodel, take_away
from cutaway.submodels.submodel import sites_of


@dataclass(frozen=True)
class Whole:
    """What a part's effect is held against: the effect of taking every part away, and the floor under which it is nothing."""

    total: Estimate
    floor: float

    @property
    def explains(self) -> bool:
        """Whether there is a total effect to explain."""
        return math.isfinite(self.total.mean) and self.total.mean != 0


@dataclass(frozen=True)
class Measuring:
    """One decision, and what stands in for the parts that are taken away. What it notices it adds to `notes`."""

    net: Network
    posed: Posed
    values: Baseline
    notes: list[str]
    keep: str | os.PathLike[str] | None = None
    progress: Progress = silent

    def jointly(self, sets: Sequence[Sequence[SubModel]]) -> Float[Tensor, "sets draws rows"]:
        """Effect of taking all the parts of a set away together, for each set: zero for an empty one."""
        plain = replace(self.values, natural={})  # nobody reads how natural these are
        variants = [
            Variant(take_away(self.net, as_submodel(one), plain, draw)) for one in sets for draw in range(plain.draws)
        ]
        swept = sweep(self.net, self.posed.batch, variants, self.posed.metric)
        self.notes.extend(swept.notes)
        return swept.effect.unflatten(0, (len(sets), plain.draws))

    def first_order(self, parts: Sequence[SubModel]) -> list[Tensor]:
        """The first-order effect of each part at each position."""
        scores = first_order(self.net, self.posed, parts, self.values)
        lost = [part.name for part, score in zip(parts, scores) if not bool(score.isfinite().all())]
        if lost:
            self.notes.append(
                f"the gradient of the decision is not a number at {', '.join(lost[:4])}: no first-order figure there"
            )
        return scores

    def exact(self, parts: Sequence[SubModel]) -> dict[str, Effect]:
        """The exact effect of each part by its name, where it is a number."""
        found, notes = effects(self.net, self.posed, parts, self.values, self.keep, self.progress)
        self.notes.extend(notes)
        lost = [part.name for part, effect in zip(parts, found) if not bool(effect.exact.isfinite().all())]
        if lost:
            self.notes.append(
                f"no number comes out without {', '.join(lost[:4])}: no exact figure there, and undecided"
            )
        return {part.name: effect for part, effect in zip(parts, found) if part.name not in lost}

    def row(
        self, part: SubModel, first: Tensor, effect: Effect | None, whole: Whole, within: str | None = None
    ) -> dict[str, Any]:
        """A row of the nodes: where the part is, what it does, and the state that follows."""
        tokens, at = self.posed.batch.tokens, int(first.abs().argmax()) if self.posed.batch.positions else None
        return {
            "part": part.name,
            "layer": sites_of(self.net, part)[0].layer,
            "kind": kind_of(part),
            "within": within,
            "at": at,
            "token": tokens[0][at] if tokens and at is not None else None,
            **self._figures(first, effect, whole),
            "p": None,
            "q": None,
            "selective": None,
            "labels": list(part.labels),
        }

    def _figures(self, first: Tensor, effect: Effect | None, whole: Whole) -> dict[str, Any]:
        measured = None if effect is None else estimate(effect.exact)
        direct = None if effect is None or effect.direct is None else float(effect.direct.mean())
        state = (
            "undecided"
            if measured is None or self.values.kind == "zero" or not whole.explains
            else measured.state(whole.floor)
        )
        return {
            "direct": direct if direct == direct else None,
            "total": float(first.sum()) if math.isfinite(float(first.sum())) else None,
            "exact": None if measured is None else measured.mean,
            "low": None if measured is None or not measured.known else measured.low,
            "high": None if measured is None or not measured.known else measured.high,
            "n": None if measured is None else measured.n,
            "share": None if measured is None or not whole.explains else measured.mean / whole.total.mean,
            "moved": None if effect is None else effect.moved,
            "distance": None if effect is None else effect.distance,
            "state": state,
        }
