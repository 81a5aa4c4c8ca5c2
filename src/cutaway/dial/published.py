"""What others have published of the price, and the sentence that sets a result against it: only like is compared with like."""

from __future__ import annotations

from dataclasses import dataclass

from cutaway.dial.price import Price
from cutaway.dial.resampling import Estimate

NEAR = 2.0
"""A share of live weights within this factor of the published one is called the same."""


@dataclass(frozen=True)
class Published:
    """A multiplier from the literature: at which share of live weights, in which loss regime, with circuits how much smaller.

    `tokens` of natural text is from how many on we call the loss regime the same: losses themselves, in other tokens of other
    text, do not compare.
    """

    source: str
    multiplier: tuple[float, float]
    share: float
    smaller: float
    tokens: int


GAO = Published("Gao et al. 2025 (arXiv 2511.13653)", (100.0, 1000.0), 1 / 1000, 16.0, 10**9)


def against(price: Price, share: float, corpus: str, tokens: int, smaller: Estimate | None, by: Published = GAO) -> str:
    """A sentence: a price beside the published one, and whether sparsity, loss regime and readability match.

    `share` of its parameters live, it predicted `tokens` of `corpus` in training; `smaller` is how many times smaller its circuits
    are in edges, at equal validation loss, None where that was not measured.
    """
    said = "no multiplier" if price.overall is None else f"{price.overall}×"
    low, high = by.multiplier
    apart = [
        _sparsity(share, by),
        _regime(corpus, tokens, by),
        _readability(smaller, by),
        "outside what was measured" if price.extrapolated else "",
    ]
    unlike = [each for each in apart if each]
    if price.overall is None:
        unlike.append("there is no multiplier here")
    verdict = (
        f"not comparable ({'; '.join(unlike)})" if unlike else "comparable: sparsity, loss regime and readability match"
    )
    return f"{price.pressure}: {said} here, {low:g}–{high:g}× in {by.source}: {verdict}"


def _sparsity(share: float, by: Published) -> str:
    same = by.share / NEAR <= share <= by.share * NEAR
    return "" if same else f"sparsity 1:{1 / share:.3g} here, about 1:{1 / by.share:.0f} there"


def _regime(corpus: str, tokens: int, by: Published) -> str:
    if corpus == "tiny":
        return "loss regime: a made language of small programs here, natural code there"
    return (
        "" if tokens >= by.tokens else f"loss regime: {tokens:.3g} tokens of training here, over {by.tokens:.0g} there"
    )


def _readability(smaller: Estimate | None, by: Published) -> str:
    if smaller is None:
        return f"readability: not measured at equal loss here, circuits {by.smaller:g}× smaller there"
    same = smaller.value >= by.smaller
    return "" if same else f"readability: circuits {smaller.value:.3g}× smaller here, {by.smaller:g}× there"
