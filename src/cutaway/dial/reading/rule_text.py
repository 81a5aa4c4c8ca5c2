"""A circuit as a text: one short condition for each node, which says an answer without the network.

A `RuleText` is made of lines in the order in which they are worked out. It is frozen as JSON, which is all that `decide` uses,
and as words.

What is lost against the circuit. A token or place has one of a few levels, whatever the norm makes of it elsewhere; a neuron has
at most three levels, or rises with its input; what a norm divides by is one number for what earlier sublayers wrote; the
last token speaks for its whole embedding, wherever it stands; AbsTopK and limits on attention are left out. Against the network,
all is lost that is not in the circuit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from math import comb, log2
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cutaway.dial.reading.levels import Curve, Levels, Rise, Steps

NUMBER = 12.0
"""Bits of a number of three digits with its sign and power of ten."""
BATCH = 128
"""Prompts that are worked out at once."""

Values = dict[str, np.ndarray]
Adds = tuple[tuple[str, float], ...]
"""Names of earlier lines, each with a weight."""


@dataclass(frozen=True)
class Sum:
    """A node: what the token and the place say, and what earlier nodes say here; then steps, for a neuron.

    A node that reads is its token's level, its place's and what was written; a query, key, value, a neuron's input and what a
    sublayer writes are weighted sums.
    """

    name: str
    constant: float
    token: Levels | None = None
    place: Levels | Curve | None = None
    adds: Adds = ()
    steps: Steps | Rise | None = None

    def work_out(self, prompts: Int[np.ndarray, "example position"], found: Values) -> Values:
        """The node's value at each position."""
        total = np.full(prompts.shape, self.constant)
        if self.token is not None:
            total = total + self.token.at(prompts)
        if self.place is not None:
            total = total + self.place.at(np.arange(prompts.shape[1]))
        for name, weight in self.adds:
            total = total + weight * found[name]
        return {self.name: total if self.steps is None else self.steps.at(total)}


@dataclass(frozen=True)
class Look:
    """A head: each position takes the average of what earlier ones and itself hold, a position counting exp(score).

    The score is a sum of products: a weight, a query here (`""`: 1) and a key there (`""`: 1), less `slope` for each position
    back. exp(`sink`) counts for nothing.
    `brings` are names of values and of what they are called here. `mostly` is a remark: where it looked on the train split.
    """

    name: str
    products: tuple[tuple[float, str, str], ...]
    sink: float
    brings: tuple[tuple[str, str], ...]
    mostly: str = ""
    slope: float = 0.0

    def scores(self, prompts: Int[np.ndarray, "example position"], found: Values) -> np.ndarray:
        """The share of each position (last axis) for each position."""
        one = np.ones(prompts.shape)
        places = np.arange(prompts.shape[1])
        scores = np.repeat(self.slope * (places - places[:, None])[None], len(prompts), axis=0)
        for weight, query, key in self.products:
            scores += weight * found.get(query, one)[:, :, None] * found.get(key, one)[:, None, :]
        scores = np.where(np.tri(prompts.shape[1], dtype=bool), scores, -np.inf)
        top = np.maximum(scores.max(-1, keepdims=True), self.sink)
        counts = np.exp(scores - top)
        return counts / (counts.sum(-1, keepdims=True) + np.exp(self.sink - top))

    def work_out(self, prompts: Int[np.ndarray, "example position"], found: Values) -> Values:
        """What is brought to each position."""
        shares = self.scores(prompts, found)
        return {here: np.einsum("epk,ek->ep", shares, found[there]) for there, here in self.brings}


@dataclass(frozen=True)
class Answer:
    """How much more is said for an answer than for the first one: by the last token, and by nodes at the last position."""

    token: int
    last: Levels
    adds: Adds


@dataclass(frozen=True)
class RuleText:
    """The lines, the answers, the texts of the tokens that they name, and how many tokens there are to name.

    >>> from cutaway.dial.reading.levels import Levels
    >>> from cutaway.dial.reading.rule_text import Answer, RuleText, Sum
    >>> seen = Sum("q", 0.0, token=Levels(((3,),), (1.0,), 0.0))
    >>> answers = Answer(7, Levels((), (), 0.0), ()), Answer(8, Levels((), (), -0.5), (("q", 1.0),))
    >>> rule = RuleText("which", (seen,), answers, (), vocab=32)
    >>> rule.decide([1, 3]), rule.decide([3, 1])
    (8, 7)
    """

    task: str
    lines: tuple[Sum | Look, ...]
    answers: tuple[Answer, ...]
    texts: tuple[tuple[int, str], ...]
    vocab: int

    def __post_init__(self) -> None:
        largest = max([answer.token for answer in self.answers] + [token for token, _ in self.texts], default=0)
        if largest >= self.vocab:
            raise ValueError(
                f"RuleText.vocab is {self.vocab}, but token {largest} is named; expected more than that; give the number of "
                "tokens that the network knows"
            )

    def decide(self, tokens: Sequence[int], between: Sequence[int] = ()) -> int:
        """The answer to a prompt, or the better one of some answers."""
        prompt = np.array([tokens])
        said = self.preferences(prompt, np.array([len(tokens) - 1]))[0]
        asked = [self.place(token) for token in between] or range(len(self.answers))
        return self.answers[max(asked, key=lambda at: said[at])].token

    def preferences(
        self, prompts: Int[np.ndarray, "example position"], last: Int[np.ndarray, "example"]
    ) -> Float[np.ndarray, "example answer"]:
        """What is said for each answer after each prompt, whose last token is at `last`."""
        return np.concatenate(
            [self._said(prompts[at : at + BATCH], last[at : at + BATCH]) for at in range(0, len(prompts), BATCH)]
        )

    def _said(self, prompts: np.ndarray, last: np.ndarray) -> np.ndarray:
        found, rows = self.values(prompts), np.arange(len(prompts))
        columns = []
        for answer in self.answers:
            total = answer.last.at(prompts[rows, last])
            for name, weight in answer.adds:
                total = total + weight * found[name][rows, last]
            columns.append(total)
        return np.stack(columns, axis=1)

    def values(self, prompts: Int[np.ndarray, "example position"]) -> Values:
        """The value of each line at each position."""
        found: Values = {}
        for line in self.lines:
            found.update(line.work_out(prompts, found))
        return found

    def place(self, token: int) -> int:
        """Which of the answers a token is."""
        found = next((at for at, answer in enumerate(self.answers) if answer.token == token), None)
        if found is None:
            raise ValueError(
                f"token {token} is no answer of the rule text for {self.task!r}; expected one of "
                f"{[answer.token for answer in self.answers]}; write it with more examples"
            )
        return found

    @cached_property
    def bits(self) -> float:
        """Its description length: sets of tokens as combinations, `NUMBER` bits for a number, names by their count."""
        names = log2(sum(1 for _ in self.lines) + 2)
        return sum(_bits(part, names, self.vocab) for part in (*self.lines, *self.answers))

    def json(self) -> str:
        """The text as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def parse(text: str) -> RuleText:
        """The rule text of `json`; ValueError where the text is no such JSON."""
        try:
            known = json.loads(text)
            lines = tuple(_made(line) for line in known["lines"])
            answers = tuple(_made(answer) for answer in known["answers"])
            texts = tuple((token, said) for token, said in known["texts"])
            return RuleText(known["task"], lines, answers, texts, known["vocab"])
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"this is no rule text ({error}); expected what RuleText.json gives") from error


_KINDS = {
    frozenset(field.name for field in fields(kind)): kind for kind in (Levels, Curve, Steps, Rise, Sum, Look, Answer)
}


def _made(value: Any) -> Any:
    """JSON as the values it was made from: mappings by their keys, lists as tuples."""
    if isinstance(value, Mapping):
        return _KINDS[frozenset(value)](**{key: _made(each) for key, each in value.items()})
    return tuple(map(_made, value)) if isinstance(value, list) else value


def _bits(value: Any, names: float, vocab: int) -> float:
    """Bits of a part; what a line is called, and a remark, cost nothing."""
    if isinstance(value, Levels):
        sets = sum((log2(comb(max(vocab, len(group)), len(group))) + log2(vocab) for group in value.groups), 0.0)
        return sets + NUMBER * (len(value.values) + 1)
    if isinstance(value, str):
        return names
    if isinstance(value, float):
        return NUMBER
    if isinstance(value, tuple):
        return sum((_bits(each, names, vocab) for each in value), 0.0)
    if isinstance(value, Sum | Look | Answer | Curve | Steps | Rise):
        kept = (getattr(value, field.name) for field in fields(value) if field.name not in ("name", "mostly"))
        return sum((_bits(each, names, vocab) for each in kept if each is not None), 0.0)
    return log2(vocab)
