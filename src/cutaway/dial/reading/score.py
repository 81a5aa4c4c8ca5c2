"""How far a rule text tells what the *network* does: agreement on fresh prompts, and the errors of the network that it foretells.

An error is foretold where little is said for the right answer: below the highest threshold that raises a false alarm on at most
5 % of the prompts that the network gets right. The same holds for what stands beside it, each on the same prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import torch
from jaxtyping import Float

from cutaway.dial.prune.masked import own_margins
from cutaway.dial.reading.beside import Says, distilled, of_ngram, of_program, of_rule_text
from cutaway.dial.reading.rule_text import RuleText
from cutaway.dial.tasks import Examples, Task
from cutaway.dial.transformer import SparseTransformer

ALARMS = 0.05
"""The share of the prompts that the network gets right on which an alarm may be raised."""
BATCH = 256
"""Prompts that pass the network at once."""


@dataclass(frozen=True)
class Share:
    """So many of `n`; `interval` is Wilson's (1927) for 95 %."""

    hits: int
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
        return f"{self.share:.3f} [{low:.3f}, {high:.3f}] of {self.n}"


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
    if "train" in {task.split(row) for row in fresh.rows()}:
        raise ValueError(
            "some of the fresh prompts are of the training split, on which the rule text was fitted; expected prompts of the "
            f"test split; try task.examples({len(fresh)}, 'test', seed)"
        )
    known = task.examples(training, "train", seed)
    answers = answered(network, known)
    tree = distilled(known, answers, rule.bits)
    ways: Mapping[str, tuple[Says, float | None]] = {
        "rule text": (of_rule_text(rule), rule.bits),
        "program": (of_program(task), None),
        "n-gram": (of_ngram(known, answers), None),
        "distilled": (tree.says, tree.bits),
    }
    own = network_margins(network, fresh)
    return ScoreCard(
        task.name, tuple(replace(scored(name, says(fresh), own), bits=bits) for name, (says, bits) in ways.items())
    )


def scored(
    name: str, said: Float[np.ndarray, "example"], own: Float[np.ndarray, "example"], alarms: float = ALARMS
) -> Scored:
    """What is said for the right answers, against the network's own margins."""
    errs = own <= 0
    alarmed = said < threshold(said[~errs], alarms)
    return Scored(
        name,
        Share(int(((said > 0) == ~errs).sum()), len(own)),
        Share(int(alarmed[errs].sum()), int(errs.sum())),
        Share(int(alarmed[~errs].sum()), int((~errs).sum())),
    )


def threshold(right: Float[np.ndarray, "example"], alarms: float) -> float:
    """The highest threshold with at most this share of the values below it; infinite where there are no values."""
    if not len(right):
        return np.inf
    return float(np.sort(right)[int(alarms * len(right))])


def collected(
    network: SparseTransformer, task: Task, errors: int = 100, most: int = 20_000, split: str = "test", seed: int = 0
) -> Examples:
    """Fresh examples, drawn 1,000 at a time until the network errs on so many of them or `most` were drawn.

    Prompts may recur between the draws of a task that has few.
    """
    found: list[Examples] = []
    wrong = 0
    while wrong < errors and sum(map(len, found)) < most:
        found.append(task.examples(1000, split, seed + len(found)))
        wrong += int((network_margins(network, found[-1]) <= 0).sum())
    return joined(found, task.pad)


def joined(parts: list[Examples], pad: int) -> Examples:
    """Examples one after the other, padded to one length."""
    longest = max(part.prompts.shape[1] for part in parts)
    prompts = [torch.nn.functional.pad(part.prompts, (0, longest - part.prompts.shape[1]), value=pad) for part in parts]
    last, answer, other = (torch.cat([getattr(part, name) for part in parts]) for name in ("last", "answer", "other"))
    return Examples(torch.cat(prompts), last, answer, other)


def answered(network: SparseTransformer, examples: Examples) -> list[int]:
    """Which of the two answers the network gives to each example."""
    right = torch.from_numpy(network_margins(network, examples) > 0)
    return torch.where(right, examples.answer, examples.other).tolist()


@torch.no_grad()
def network_margins(network: SparseTransformer, examples: Examples) -> Float[np.ndarray, "example"]:
    """The network's own logit of the answer less that of the other."""
    pairs = torch.arange(len(examples) // 2).split(BATCH // 2)
    return torch.cat([own_margins(network, examples.take(few)) for few in pairs]).double().numpy()
