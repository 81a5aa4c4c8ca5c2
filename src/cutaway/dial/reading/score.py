"""How far a rule text tells what the *network* does: agreement on fresh prompts, and the errors of the network that it foretells.

An error is foretold where less is said for the right answer than a threshold below which 5 % of the prompts lie that the network
gets right; it is chosen on one half of the pairs and used on the other, and back; each answer may have its own. The unit of every
share is the minimal pair, whose two prompts are nearly one: it counts as the share of those of its prompts that are asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from cutaway.dial.prune.masked import own_margins
from cutaway.dial.reading.beside import Says, distilled, of_ngram, of_program, of_rule_text
from cutaway.dial.reading.prompts import joined, unseen
from cutaway.dial.reading.rule_text import RuleText
from cutaway.dial.tasks import Examples, Task
from cutaway.dial.transformer import SparseTransformer

ALARMS = 0.05
"""The share of what the network gets right on which an alarm is raised."""
BATCH = 256
"""Prompts that pass the network at once."""


@dataclass(frozen=True)
class Share:
    """So many of `n` pairs; `interval` is Wilson's (1927) for 95 %.

    A pair counts as 0, ½ or 1, by how many of its prompts hit of those that are asked about; a pair with none of these is not
    among the `n`. A half varies less than 0 and 1 do: the interval is, if anything, too wide.
    """

    hits: float
    n: int

    @property
    def share(self) -> float:
        """NaN where there is nothing to count."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """From 0 to 1 where there is nothing to count."""
        if not self.n:
            return 0.0, 1.0
        z, p = 1.959964, self.share
        middle, half = p + z * z / (2 * self.n), z * sqrt(p * (1 - p) / self.n + z * z / (4 * self.n**2))
        return max(0.0, (middle - half) / (1 + z * z / self.n)), min(1.0, (middle + half) / (1 + z * z / self.n))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.3f} [{low:.3f}, {high:.3f}] of {self.n} pairs"


@dataclass(frozen=True)
class Scored:
    """One way to tell: its agreement with the network, the share of errors foretold, and of false alarms; bits where known."""

    name: str
    agreement: Share
    foretold: Share
    alarms: Share
    bits: float | None = None

    def __str__(self) -> str:
        bits = "" if self.bits is None else f" ({self.bits:.0f} bits)"
        said = f"foretells errors {self.foretold} at {self.alarms.share:.3f} false alarms"
        return f"{self.name}{bits}: agrees {self.agreement}; {said}"


@dataclass(frozen=True)
class ScoreCard:
    """A rule text, the true program, an n-gram and a distilled rule of equal bits, on the same fresh prompts."""

    task: str
    rows: tuple[Scored, ...]

    def row(self, name: str) -> Scored:
        """`rule text`, `program`, `n-gram` or `distilled`."""
        return next(row for row in self.rows if row.name == name)

    def __str__(self) -> str:
        return "\n".join([self.task, *map(str, self.rows)])


def score(
    rule: RuleText,
    network: SparseTransformer,
    task: Task,
    fresh: Examples,
    training: int = 2048,
    seed: int = 0,
) -> ScoreCard:
    """The card on `fresh` examples, which must not be of the training split; what stands beside is fitted to `training`."""
    beside = ways(rule, network, task, task.examples(training, "train", seed), seed)
    return card(task, beside, fresh, network_margins(network, fresh), seed)


def ways(
    rule: RuleText, network: SparseTransformer, task: Task, known: Examples, seed: int = 0
) -> dict[str, tuple[Says, float | None]]:
    """The ways to tell that a card compares, with their bits; two are fitted to what the network answers to known prompts."""
    answers = answered(network, known)
    tree = distilled(known, answers, rule.bits, seed)
    return {
        "rule text": (of_rule_text(rule), rule.bits),
        "program": (of_program(task), None),
        "n-gram": (of_ngram(known, answers, seed=seed), None),
        "distilled": (tree.says, tree.bits),
    }


def card(
    task: Task,
    ways: Mapping[str, tuple[Says, float | None]],
    fresh: Examples,
    own: Float[np.ndarray, "example"],
    seed: int = 0,
    by_answer: bool = False,
) -> ScoreCard:
    """The card of these ways on examples on which the network has these margins.

    `by_answer`: each right answer has a threshold of its own, for tasks with few answers, as more may be said for one than for
    the other wherever the network is right.
    """
    if "train" in {task.split(row) for row in fresh.rows()}:
        raise ValueError(
            "some of the fresh prompts are of the training split, on which the rule text was fitted; expected prompts of the "
            f"test split; try task.examples({len(fresh)}, 'test', seed)"
        )
    kinds = fresh.answer.numpy() if by_answer else None
    rows = (
        replace(scored(name, says(fresh), own, seed=seed, kinds=kinds), bits=bits)
        for name, (says, bits) in ways.items()
    )
    return ScoreCard(task.name, tuple(rows))


def scored(
    name: str,
    said: Float[np.ndarray, "example"],
    own: Float[np.ndarray, "example"],
    alarms: float = ALARMS,
    seed: int = 0,
    kinds: Int[np.ndarray, "example"] | None = None,
) -> Scored:
    """What is said for the right answers, against the network's own margins; rows 2i and 2i + 1 are a pair.

    Each kind of example has a threshold of its own.
    """
    errs = own <= 0
    alarmed = alarms_of(said, errs, alarms, seed, kinds)
    everywhere = np.ones(len(own), bool)
    return Scored(
        name,
        by_pairs((said > 0) == ~errs, everywhere),
        by_pairs(alarmed, errs),
        by_pairs(alarmed, ~errs),
    )


def by_pairs(hit: Bool[np.ndarray, "example"], asked: Bool[np.ndarray, "example"]) -> Share:
    """How often it hits among the prompts that are asked about, each pair that has such prompts counting once."""
    count = asked.reshape(-1, 2).sum(1)
    hits = (hit & asked).reshape(-1, 2).sum(1)[count > 0] / count[count > 0]
    return Share(float(hits.sum()), len(hits))


def alarms_of(
    said: Float[np.ndarray, "example"],
    errs: Bool[np.ndarray, "example"],
    alarms: float,
    seed: int,
    kinds: Int[np.ndarray, "example"] | None = None,
) -> Bool[np.ndarray, "example"]:
    """Where an error is foretold, each half of the pairs by the threshold of the other; equals are put in random order."""
    rng, half = np.random.default_rng(seed), halves(len(said) // 2, seed)
    kinds = np.zeros(len(said), int) if kinds is None else kinds
    rank = np.empty(len(said), int)
    rank[np.lexsort((rng.random(len(said)), said))] = np.arange(len(said))
    weight, alarmed = np.repeat(1 / (~errs).reshape(-1, 2).sum(1).clip(1), 2), np.zeros(len(said), bool)
    for kind in np.unique(kinds):
        for at in (0, 1):
            chosen, asked = (~errs & (half != at) & (kinds == kind)), (half == at) & (kinds == kind)
            alarmed[asked] = rank[asked] < threshold(rank[chosen], weight[chosen], alarms, rng.random())
    return alarmed


def halves(pairs: int, seed: int) -> Int[np.ndarray, "example"]:
    """Which half each prompt is in, 0 or 1; partners are in the same."""
    return np.repeat(np.random.default_rng((seed, 1)).permutation(pairs) % 2, 2)


def threshold(
    right: Int[np.ndarray, "example"], weight: Float[np.ndarray, "example"], alarms: float, chance: float
) -> float:
    """The highest threshold below which this share of as many others falls on average; −∞ where there are too few values.

    n values part the line into n + 1 parts that a new one falls into equally often (conformal prediction, Vovk et al. 2005).
    `chance`, drawn from 0 to 1, decides where the share is no whole number of parts.
    """
    if not len(right):
        return -np.inf
    order, part = right.argsort(), weight.mean()
    below = weight[order].cumsum() - weight[order]
    allowed = np.nonzero(below + chance * part <= alarms * (weight.sum() + part))[0]
    return float(right[order][allowed[-1]]) if len(allowed) else -np.inf


def collected(
    network: SparseTransformer, task: Task, errors: int = 100, most: int = 20_000, split: str = "test", seed: int = 0
) -> Examples:
    """Fresh examples, drawn 1,000 at a time until the network errs on so many of them or `most` were drawn.

    A pair with a prompt that was there before is dropped: there may be fewer than were drawn.
    """
    found: list[Examples] = []
    seen: set[tuple[int, ...]] = set()
    wrong = drawn = 0
    while wrong < errors and drawn < most:
        found.append(unseen(task.examples(1000, split, seed + len(found)), seen))
        wrong += int((network_margins(network, found[-1]) <= 0).sum()) if len(found[-1]) else 0
        drawn += 1000
    return joined(found, task.pad)


def answered(network: SparseTransformer, examples: Examples) -> list[int]:
    """Which of the two answers the network gives to each example."""
    right = torch.from_numpy(network_margins(network, examples) > 0)
    return torch.where(right, examples.answer, examples.other).tolist()


@torch.no_grad()
def network_margins(network: SparseTransformer, examples: Examples) -> Float[np.ndarray, "example"]:
    """The network's own logit of the answer less that of the other."""
    pairs = torch.arange(len(examples) // 2).split(BATCH // 2)
    return torch.cat([own_margins(network, examples.take(few)) for few in pairs]).double().numpy()
