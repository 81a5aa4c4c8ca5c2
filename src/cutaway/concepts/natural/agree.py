"""AGREE: has an independently trained network a sub-model for the same concept, that does the same and is active on the same?

What is natural other minds should find too (Wentworth and Lorell 2025, arXiv 2509.03780): REDUNDANT and MEDIATES say of one
network why it may be so, AGREE looks at another one, of another seed, width, depth or half of the corpus. Like representations
are no evidence, for two networks that see the same inputs are alike in most of what they compute (Kornblith et al. 2019, arXiv
1905.00414); so what is compared are the sets that `match` names, by what deleting them does to answers and by how active they
are, against permuted inputs and against other parts of the same networks (see `alike`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Literal

from cutaway.concepts.match import Match, Questions, match
from cutaway.concepts.match.match import FEWEST
from cutaway.concepts.natural.alike import DECISIONS, Alike, Does, Inputs, alike
from cutaway.concepts.read.score import LEVEL
from cutaway.network import Network

MOST = 0.5  # of the inputs whose answers either set changes: so many both change alike, for certain
Verdict = Literal["yes", "no", "not testable"]
KINDS = ("heads", "neurons")


@dataclass(frozen=True)
class Agree:
    """Whether two networks agree on a concept, why, and what it rests on.

    `sets` are the parts compared in each; `effect` and `activation` None where nothing was.
    """

    concept: str
    networks: tuple[str, str]
    verdict: Verdict
    why: str
    sets: tuple[tuple[str, ...], ...]
    effect: Alike | None
    activation: Alike | None
    seed: int

    @property
    def p(self) -> float:
        """The largest of the four: both must hold, against both nulls. 1 where nothing was compared."""
        scores = [one for one in (self.effect, self.activation) if one is not None]
        return max((p for one in scores for p in (one.p, one.p_random)), default=1.0)

    def row(self) -> dict[str, Any]:
        """One line of a table."""
        effect, activation = self.effect, self.activation
        return {
            "concept": self.concept,
            "network": self.networks[0],
            "other": self.networks[1],
            "AGREE": self.verdict,
            "effect": effect and effect.value,
            "effect low": effect and effect.low,
            "effect permuted": effect and effect.chance,
            "activation": activation and activation.value,
            "activation low": activation and activation.low,
            "activation random": activation and max(activation.random, default=None),
            "p": self.p,
            "why": self.why,
        }

    def __str__(self) -> str:
        lines = [f"{self.concept} in {' and '.join(self.networks)}: AGREE {self.verdict} ({self.why}; p {self.p:.2g})"]
        lines += [f"  by effect {self.effect}"] if self.effect else []
        lines += [f"  by activation {self.activation}"] if self.activation else []
        return "\n".join(lines)


def agree(nets: Sequence[Network], asked: Questions, kinds: Sequence[str] = KINDS, seed: int = 0) -> Agree:
    """Whether two networks have a sub-model each for the same concept that do the same on the same inputs.

    - yes: both are *present* by `match`; of the inputs whose answers either set changes, both change more than half alike,
      for certain; and both this and what the activity of each tells of the other's are more than with inputs permuted and
      with random sets of other parts (p ≤ 0.05, each of the four)
    - no: one of the networks lacks the concept, or what is said is not so
    - not testable: `match` is not testable in one of them, or no effect could have been told from chance

    Networks of different tokenizers are compared by text. Raises ValueError for any number of networks but two.
    """
    if len(nets) != 2:
        raise ValueError(f"given {len(nets)} networks; expected two; `shared` takes several")
    return pairs(nets, [match(net, asked, kinds, seed) for net in nets], asked, kinds, seed)[0]


def agree_between(
    nets: Sequence[Network],
    sets: Sequence[Sequence[str]],
    asked: Questions,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
) -> Agree:
    """The same of sets that somebody offers, one for each network: whether they are alike, not whether they may have the name.

    Raises ValueError for any number of networks or sets but two, and for an empty set.
    """
    if len(nets) != 2 or len(sets) != 2 or not all(sets):
        raise ValueError(
            f"given {len(nets)} networks, sets of {[len(one) for one in sets]} parts; expected two, none empty"
        )
    inputs = Inputs.of(asked, nets)
    one, other = (_Named(net, tuple(parts), inputs, kinds, seed) for net, parts in zip(nets, sets))
    return _compared(one, other, asked.name, inputs, seed)


@dataclass(frozen=True, eq=False)
class _Named:
    """A network and its named set; what they do is found out once, for all pairs."""

    net: Network
    parts: tuple[str, ...]
    inputs: Inputs
    kinds: Sequence[str]
    seed: int

    @cached_property
    def does(self) -> Does:
        """On the inputs."""
        return Does.of(self.net, self.parts, self.inputs, self.kinds, self.seed)


def pairs(
    nets: Sequence[Network], found: Sequence[Match], asked: Questions, kinds: Sequence[str], seed: int
) -> list[Agree]:
    """Every pair of networks."""
    present = [net for net, one in zip(nets, found) if one.named is not None]
    inputs = Inputs.of(asked, present)
    named = [
        None if one.named is None else _Named(net, one.named.parts, inputs, kinds, seed)
        for net, one in zip(nets, found)
    ]
    return [
        _without(asked.name, (found[a], found[b]), seed)
        if one is None or other is None
        else _compared(one, other, asked.name, inputs, seed)
        for (a, one), (b, other) in combinations(enumerate(named), 2)
    ]


def _without(concept: str, found: tuple[Match, Match], seed: int) -> Agree:
    """Of two networks in which the concept is not present in both."""
    lacks = [one for one in found if one.verdict == "absent"]
    because = lacks or [one for one in found if one.verdict == "not testable"]
    verdict: Verdict = "no" if lacks else "not testable"
    why = "; ".join(f"{one.verdict} in {one.network}: {one.why}" for one in because)
    sets = tuple(() if one.named is None else one.named.parts for one in found)
    return Agree(concept, (found[0].network, found[1].network), verdict, why, sets, None, None, seed)


def _compared(one: _Named, other: _Named, concept: str, inputs: Inputs, seed: int) -> Agree:
    """Of two named sets."""
    names, sets = (one.net.name, other.net.name), (one.parts, other.parts)
    asked = inputs.kinds.count(DECISIONS)
    if asked < 2 * FEWEST:
        why = f"{asked} prompts and partners can be asked of both; expected {2 * FEWEST}"
        return Agree(concept, names, "not testable", why, sets, None, None, seed)
    effect, activation = alike(one.does, other.does, inputs, seed)
    verdict, why = _judged(effect, activation)
    return Agree(concept, names, verdict, why, sets, effect, activation, seed)


def _judged(effect: Alike, activation: Alike) -> tuple[Verdict, str]:
    """The verdict, and why."""
    if effect.chance >= effect.value > MOST:
        return "not testable", "deleting the sets changes all answers of a kind alike: no input tells effects apart"
    if (others := len(effect.random)) < 1 / LEVEL - 1:
        return "not testable", f"there are {others} other sets of as many parts; expected {1 / LEVEL - 1:.0f}"
    common = f"both change {effect.value:.0%} of the answers alike, for certain {effect.low:.0%}"
    lacks = [] if effect.low > MOST else [common]
    for name, one in (("effects", effect), ("activity", activation)):
        lacks += [] if one.p <= LEVEL else [f"{name} no more alike than with inputs permuted"]
        lacks += [] if one.p_random <= LEVEL else [f"{name} no more alike than those of random sets"]
    if lacks:
        return "no", "; ".join(lacks)
    return "yes", f"{common}; R² of activity {activation.value:.2f}"
