"""A decision: inputs, and one number per example that says which way the network goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from cutaway.decisions.same import same
from cutaway.network import Batch, Custom, LogitDifference, Metric, Network, TextFeed, logits_of
from cutaway.network.batch import Tokenizer
from cutaway.network.trees import leaves


class DecisionError(ValueError):
    """A decision that a network cannot be asked."""


@dataclass(frozen=True)
class Decision:
    """What the network is asked: `answer` rather than `instead`, read off as a difference of logits.

    `inputs` is a prompt, a list of prompts, or whatever the network's feed takes. `answer` and `instead` are tokens (text)
    or classes (numbers), one for all inputs or one each. `counterfactual` is a matched input whose right answer is
    `instead`: as many prompts, each of as many tokens. Prompts may be of different lengths. `metric` replaces all of this
    by any function from the module's output to one number per example; one without a gradient (a constant, a count of
    right answers) has a gradient of 0: its first-order figures say nothing, reruns are as exact as ever. Without answer and
    metric a network with one output (a regressor) is read as it is.

    >>> Decision("x = 'abc", answer="'", instead='"')
    Decision(inputs="x = 'abc", answer="'", instead='"', counterfactual=None, metric=None)
    """

    inputs: Any
    answer: Any = None
    instead: Any = None
    counterfactual: Any = None
    metric: Callable[[Any], Tensor] | None = None

    def pose(self, net: Network) -> Posed:
        """The decision as `net` sees it: a batch, and the metric on its tokens. Raises `DecisionError`."""
        batch = net.batch(self.inputs)
        if self.counterfactual is not None:
            other = net.batch(self.counterfactual)
            if same((other.args, other.kwargs), (batch.args, batch.kwargs)):
                raise DecisionError(
                    "the counterfactual is the prompt itself, so putting its values in a part's place changes nothing; "
                    "give a matched prompt whose right answer is another"
                )
            _check_match(batch, other)
        return Posed(self, batch, self._metric(net, batch), *self._names(batch))

    def _metric(self, net: Network, batch: Batch) -> Metric:
        if self.metric is not None:
            return Custom(_Graded(self.metric))
        if self.answer is None:
            return _single_output(net, batch)
        asked = {"answer": _each(batch, self.answer, "answer")}
        if self.instead is not None:
            asked["instead"] = _each(batch, self.instead, "instead")
        _check_classes(net, batch, asked)
        prompts = batch.text or (None,) * batch.rows
        ids = {
            role: torch.tensor([_id(net, one, prompt, role) for one, prompt in zip(values, prompts)])
            for role, values in asked.items()
        }
        answer, instead = ids["answer"], ids.get("instead")
        if instead is None:
            return LogitDifference(answer)
        if bool((answer == instead).any()):
            raise DecisionError(
                f"answer {self.answer!r} and instead {self.instead!r} are the same output, "
                "so there is nothing to decide; give two that differ"
            )
        return LogitDifference(answer, instead)

    def _names(self, batch: Batch) -> tuple[tuple[str, ...], tuple[str, ...]]:
        def names(what: Any) -> tuple[str, ...]:
            if what is None:
                return ()
            values = what.tolist() if isinstance(what, Tensor) else what
            return tuple(map(str, values)) if isinstance(values, (list, tuple)) else (str(values),) * batch.rows

        return names(self.answer), names(self.instead)

    def __eq__(self, other: object) -> bool:
        """By contents, tensors too."""
        return same(self, other)

    def __hash__(self) -> int:
        return hash(self.inputs if isinstance(self.inputs, str) else type(self.inputs))


@dataclass(frozen=True)
class Posed:
    """A decision on one network: its batch, its metric, the names of the answers per row."""

    decision: Decision
    batch: Batch
    metric: Metric
    answers: tuple[str, ...] = ()
    insteads: tuple[str, ...] = ()


def read_off(net: Network, posed: Posed, output: Any = None) -> float:
    """The size of the numbers that a decision is read off: what its rounding is a share of.

    Of two logits the larger, however small their difference; of a metric of one's own its value. `output` is the network's
    on these inputs, where it is there already.
    """
    output = net.run(posed.batch).output if output is None else output
    size = float(posed.metric(output, torch.arange(posed.batch.rows, device=net.device)).abs().max())
    metric = getattr(posed.metric, "inner", posed.metric)  # of some rows of a batch: what they are read off is the same
    if not isinstance(metric, LogitDifference):
        return size
    logits = logits_of(output)
    logits = logits[:, -1] if logits.ndim == 3 else logits
    named = metric.answer if metric.instead is None else torch.cat([metric.answer, metric.instead])
    return max(size, float(logits[:, named.to(logits.device)].abs().max()))


@dataclass(frozen=True)
class _Graded:
    """A metric that may be differentiated in any case: where it has no gradient, with one of 0, which is what it is."""

    function: Callable[[Any], Tensor]

    def __call__(self, output: Any) -> Tensor:
        value = self.function(output)
        through = [x for x in leaves(output) if x.requires_grad]
        if not isinstance(value, Tensor) or value.requires_grad or not through or not torch.is_grad_enabled():
            return value
        return value + (0 * through[0].flatten()[0]).nan_to_num().to(value.device, torch.float32)


def _check_match(batch: Batch, other: Batch) -> None:
    """Raises `DecisionError` for counterfactuals that are not as many as the prompts, or not as long as theirs."""
    wanted = "give prompts that match row by row, token by token, or none: then values of other inputs stand in"
    if other.rows != batch.rows:
        raise DecisionError(f"{other.rows} counterfactuals for {batch.rows} prompts; {wanted}")
    for row, (theirs, own) in enumerate(zip(_lengths(other), _lengths(batch))):
        if theirs != own:
            raise DecisionError(f"counterfactual {row} has {theirs} tokens and its prompt {own}; {wanted}")


def _lengths(batch: Batch) -> list[int]:
    """How many positions of each row are no padding; nothing where inputs have no positions."""
    if batch.positions is None:
        return []
    return [batch.positions] * batch.rows if batch.real is None else batch.real.sum(1).tolist()


def _each(batch: Batch, what: Any, role: str) -> list[Any]:
    """One answer for each input."""
    values = list(what) if isinstance(what, (list, tuple)) else [what] * batch.rows
    if isinstance(what, Tensor):
        values = what.tolist() if what.ndim else [int(what)] * batch.rows
    if len(values) != batch.rows:
        raise DecisionError(
            f"{role} has {len(values)} entries for {batch.rows} inputs; give one, or one for each input"
        )
    return values


def _id(net: Network, value: Any, prompt: str | None, role: str) -> int:
    return int(value) if isinstance(value, Integral) else token_of(net, value, prompt, role)


def token_of(net: Network, text: Any, prompt: str | None, role: str) -> int:
    """The one token that `text` is after `prompt`. Raises `DecisionError` if it is several, showing them."""
    if not isinstance(text, str):
        raise DecisionError(f"{role} is a {type(text).__name__}; expected text (a token) or a class number")
    if not isinstance(net.feed, TextFeed):
        raise DecisionError(
            f"{role} is the text {text!r}, but {net.name} was opened without a tokenizer; "
            "give a class number, or open it with feed=tokenizer"
        )
    tokenizer = net.feed.tokenizer
    ids: Sequence[int] = []
    if prompt is not None:
        before, after = _bare(tokenizer, prompt), _bare(tokenizer, prompt + text)
        if before and after[: len(before)] == before:
            ids = after[len(before) :]
    if not ids:
        ids = _bare(tokenizer, text)
    if not ids:
        tokenizer.encode(text)  # a tokenizer of words says itself which word it does not know
    if not ids:
        raise DecisionError(f"{role} {text!r} makes no token; give the text of one token")
    if len(ids) != 1:
        shown = " ".join(repr(tokenizer.decode([i])) for i in ids)
        raise DecisionError(
            f"{role} {text!r} is {len(ids)} tokens here ({shown}) and a decision is about one; put what both answers share "
            "into the prompt and give the first token in which they differ"
        )
    if tokenizer.decode(list(ids)).strip() != text.strip() and list(ids) == _unknown(tokenizer):
        raise DecisionError(
            f"{role} {text!r} is not in the vocabulary: this tokenizer makes {tokenizer.decode(list(ids))!r} of it, "
            "as of every word that it does not know; give a token that it has"
        )
    return int(ids[0])


def _unknown(tokenizer: Tokenizer) -> list[int]:
    """What a tokenizer makes of a letter that it does not know: several tokens or none where it knows every byte."""
    try:
        return _bare(tokenizer, "ꙮ")
    except LookupError:
        return []


def _bare(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of `text` without the tokens that every text gets at its start and end; none if it cannot be encoded."""
    try:
        ids = list(tokenizer.encode(text))
    except ValueError:
        return []
    start, end = _frame(tokenizer)
    framed = ids[: len(start)] == start and (not end or ids[-len(end) :] == end) and len(ids) >= len(start) + len(end)
    return ids[len(start) : len(ids) - len(end)] if framed else ids


def _frame(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """What a tokenizer puts before and after every text: where the empty text's tokens end before those of another begin."""
    try:
        empty, other = list(tokenizer.encode("")), list(tokenizer.encode("a"))
    except ValueError:
        return [], []
    cut = next((i for i, (a, b) in enumerate(zip(empty, other)) if a != b), min(len(empty), len(other)))
    return empty[:cut], empty[cut:]


def _check_classes(net: Network, batch: Batch, asked: Mapping[str, Sequence[Any]]) -> None:
    """Raises `DecisionError` for a number that is none of the network's outputs."""
    numbers = [(role, int(one)) for role, values in asked.items() for one in values if isinstance(one, Integral)]
    if not numbers:
        return
    count = logits_of(net.run(batch.take(torch.arange(1))).output).shape[-1]
    for role, number in numbers:
        if not 0 <= number < count:
            raise DecisionError(
                f"{role} is output {number}; this network has {count} outputs, give one of 0 to {count - 1}"
            )


def _single_output(net: Network, batch: Batch) -> Metric:
    shape = logits_of(net.run(batch.take(torch.arange(1))).output).shape
    if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1):
        return Custom(
            lambda output: logits_of(output).flatten(1)[:, 0] if logits_of(output).ndim > 1 else logits_of(output)
        )
    raise DecisionError(
        f"this network gives {tuple(shape)} numbers for one input, "
        "so a decision needs answer=… (and instead=…), or metric=a function of its output"
    )
