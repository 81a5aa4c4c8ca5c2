"""What two networks answer to the same decisions: how often each gives the target, and whether that differs beyond chance.

Both sides of a decision count: a network that lies where nobody watches differs from an honest one in prompts, one that lies
always differs from it in the partners. Answers are compared as text, so that two tokenizers can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Bool, Int
from torch import Tensor

from cutaway.concepts.match.share import Share
from cutaway.concepts.match.trials import Trials, said
from cutaway.network import Network, TextFeed

Side = Literal["prompts", "partners"]
NORMAL = 1.959964  # of a two-sided 95 % interval


@dataclass(frozen=True)
class Behaviour:
    """One side of a concept's decisions in two networks.

    `a`, `b`: how often each gives the answer that belongs there, the target to prompts and the foil to partners. `difference`
    is a less b with its 95 % interval (Agresti and Min 2005, doi 10.1002/sim.1781), `p` that both give it as often (McNemar's
    exact test over the decisions that only one answers so).
    """

    side: Side
    a: Share
    b: Share
    difference: float
    low: float
    high: float
    p: float

    @classmethod
    def of(cls, side: Side, a: Bool[Tensor, "rows"], b: Bool[Tensor, "rows"]) -> Behaviour:
        """From whether each network answers so, decision by decision."""
        from scipy.stats import binomtest

        n, only_a, only_b = len(a), int((a & ~b).sum()), int((b & ~a).sum())
        middle = (only_a - only_b) / (n + 2)
        half = NORMAL * max(0.0, (only_a + only_b + 1) / (n + 2) - middle**2) ** 0.5 / (n + 2) ** 0.5
        p = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
        shares = (Share.of(int(one.sum()), n) for one in (a, b))
        return cls(side, *shares, (only_a - only_b) / n, max(-1.0, middle - half), min(1.0, middle + half), p)


def behaviours(a: Trials, b: Trials) -> tuple[Behaviour, Behaviour]:
    """Of the same decisions in two networks: their prompts, and their partners."""
    return Behaviour.of("prompts", a.answered, b.answered), Behaviour.of("partners", a.understood, b.understood)


def otherwise(a: Network, b: Network, prompts: Sequence[str]) -> Share:
    """How many prompts are answered with another word in one network than in the other; of none where one cannot read them."""
    try:
        batches = [(net, net.batch(list(prompts))) for net in (a, b)]
    except ValueError:  # words that a tokenizer does not know, or more than a network can read
        return Share.of(0, 0)
    pairs = zip(*(words(net, said(net, batch)) for net, batch in batches))
    return Share.of(sum(one != other for one, other in pairs), len(prompts))


def words(net: Network, answers: Int[Tensor, "rows"]) -> list[str]:
    """Answers as words, whatever white space a tokenizer puts around them; one that is all white space stays as it is."""
    assert isinstance(net.feed, TextFeed)  # a pair has refused others
    said = (net.feed.tokenizer.decode([one]) for one in answers.tolist())
    return [one.strip() or one for one in said]
