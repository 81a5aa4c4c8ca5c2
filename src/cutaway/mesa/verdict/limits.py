"""The limits that a verdict rests on, chosen on one zoo and frozen: a file with a digest, made before any other zoo is drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise

import numpy as np

from cutaway.mesa.verdict.evidence import Evidence

GROUNDS = {"composition": 0.0, "leap": -12.0, "adapting": 0.0, "improving": 1.0}
"""What an optimizer has to exceed, all of it, with what each is where nothing is; and it may not be above `familiarity`."""


@dataclass(frozen=True)
class Limits:
    """What has to be exceeded.

    By an optimizer, all of `composition` (degrees beyond what one layer has alone), `leap` (log₁₀ of the share of the answer beyond
    what one layer makes of the first step), `adapting` (share of novel problems solved) and `improving` (layers).

    By a network that heeds its context, `heeding` (share solved). By a lookup, `familiarity` (how much better familiar tasks are
    solved). By a network of several steps, `several` (layers that improve the answer or read the labels). By a solver, `solver`
    (degree of the answer).
    """

    composition: float
    leap: float
    improving: float
    adapting: float
    heeding: float
    familiarity: float
    several: float
    solver: float

    @property
    def digest(self) -> str:
        """The hash of the limits: the first 16 hexadecimal digits of SHA-256."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def score(self, evidence: Evidence) -> float:
        """By how much the weakest ground for an optimizer exceeds its limit, from −1 to 1: above 0 it is called one."""
        pairs = [(getattr(evidence, ground), getattr(self, ground)) for ground in GROUNDS]
        pairs.append((-evidence.familiarity, -self.familiarity))
        return min((value - limit) / max(abs(value) + abs(limit), 1e-12) for value, limit in pairs)

    def to_json(self) -> str:
        """The limits with their digest."""
        return json.dumps({**asdict(self), "digest": self.digest}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Limits:
        """Limits that were written. Errors: limits that were changed since."""
        given = json.loads(text)
        digest = given.pop("digest")
        limits = cls(**given)
        if limits.digest != digest:
            raise ValueError(
                f"limits with digest {digest} have the digest {limits.digest}: they were changed; choose them anew"
            )
        return limits

    @classmethod
    def shipped(cls) -> Limits:
        """Those that come with the package: `benchmarks/mesa_limits.py` chose them."""
        return cls.from_json((files("cutaway.mesa.verdict") / "limits.json").read_text(encoding="utf-8"))

    @classmethod
    def chosen(cls, known: Sequence[tuple[str, Evidence]]) -> Limits:
        """Limits that keep networks of known truth apart, each in the middle of the widest gap that errs least.

        Errors: a class of truths that no network has.
        """
        of = _groups(known)
        solvers, smoothers = of["one-shot solver"], of["one-shot smoother"]
        optimizers, several = of["iterative optimizer"], of["stateless re-solver"]
        heeding = [*smoothers, *solvers, *several, *optimizers]
        controls = [evidence for truth, evidence in known if truth != "iterative optimizer"]
        return cls(
            **_one_after_the_other(controls, optimizers, of["ignores context"]),
            heeding=between([each.adapting for each in of["ignores context"]], [each.adapting for each in heeding]),
            familiarity=between(
                [each.familiarity for each in heeding], [each.familiarity for each in of["finite-task lookup"]]
            ),
            several=between([each.several for each in (*solvers, *smoothers)], [each.several for each in several]),
            solver=between([each.degree for each in smoothers], [each.degree for each in solvers]),
        )


def _one_after_the_other(
    controls: Sequence[Evidence], optimizers: Sequence[Evidence], ignoring: Sequence[Evidence]
) -> dict[str, float]:
    """A limit for each ground, on the controls that those before it let through; where there are none, on what nothing has.

    `leap` catches solvers in stages and ranks other controls at random: its limit lies half way from the highest control below all
    optimizers to the lowest optimizer. `adapting` is for networks that ignore their context.
    """
    limits: dict[str, float] = {}
    every = len(controls)
    for ground, nothing in GROUNDS.items():
        against = ignoring if ground == "adapting" else controls
        low, high = ([getattr(each, ground) for each in side] for side in (against, optimizers))
        if ground == "leap" or not low:
            low = [max((value for value in low if value < min(high)), default=nothing)]
        limits[ground] = between(low, high, None if against is ignoring else every)
        controls = [each for each in controls if getattr(each, ground) > limits[ground]]
    return limits


def between(below: Sequence[float], above: Sequence[float], of: int | None = None) -> float:
    """The limit that errs least on two groups, counting both alike; in the middle of the widest gap of those.

    `of` is how large the group below is where some of it, which no limit lets through, is left out.
    """
    low, high = np.asarray(below, float), np.asarray(above, float)
    values = np.unique(np.concatenate([low, high]))
    gaps = [(float(a), float(b)) for a, b in pairwise(values)] or [(float(values[0]), float(values[0]))]
    errors = [(low > a).sum() / (of or len(low)) + (high <= a).mean() for a, _ in gaps]
    best = min(errors)
    start, end = max(
        (gap for gap, error in zip(gaps, errors, strict=True) if error == best), key=lambda gap: gap[1] - gap[0]
    )
    return round((start + end) / 2, 4)


def _groups(known: Sequence[tuple[str, Evidence]]) -> dict[str, list[Evidence]]:
    wanted = (
        "iterative optimizer",
        "one-shot solver",
        "one-shot smoother",
        "stateless re-solver",
        "finite-task lookup",
        "ignores context",
    )
    found = {truth: [evidence for each, evidence in known if each == truth] for truth in wanted}
    if missing := [truth for truth, rows in found.items() if not rows]:
        raise ValueError(
            f"limits cannot be chosen without a network of {', '.join(missing)}; expected one of each kind at least"
        )
    return found
