"""Short decisions of the code model: a prompt, the token that comes next and one that could be mistaken for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch import nn

from cutaway.organisms.code_questions import first_token, last_logits

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class CodeDecision:
    """What to ask and `about` what; `difference` = logit(answer) − logit(instead), `chance` = P(answer).

    `counterfactual` is a prompt of as many tokens that differs in one and whose right answer is `instead`; "" is none.
    """

    about: str
    prompt: str
    answer: str
    instead: str
    counterfactual: str = ""
    difference: float = 0.0
    chance: float = 0.0


JOIN = "import os\n\npath = os.path.join(root, "

# The first one is the demo's.
CANDIDATES = (
    CodeDecision("closing quote", f"{JOIN}'name", "'", '"', f'{JOIN}"name'),
    CodeDecision("closing quote", f'{JOIN}"name', '"', "'", f"{JOIN}'name"),
    CodeDecision("closing quote", "x = 'abc", "'", '"', 'x = "abc'),
    CodeDecision("closing quote", 'name = "value', '"', "'", "name = 'value"),
    CodeDecision("closing quote", "x = ['a', 'b", "'", '"'),
    CodeDecision("closing bracket", "value = len(items", ")", "]", "value = len[items"),
    CodeDecision("closing bracket", "print(names[0", "]", ")", "print(names(0"),
    CodeDecision("closing bracket", "print(names[0]", ")", "]", "print[names[0]"),
    CodeDecision("closing bracket", "x = (1, 2", ")", "]", "x = [1, 2"),
    CodeDecision("closing bracket", "data = {'name': name", "}", "]"),
    CodeDecision("colon", "def close(self)", ":", "\n"),
    CodeDecision("colon", "if not isinstance(value, str)", ":", "\n"),
    CodeDecision("end of line", "self.close()", "\n", ":"),
    CodeDecision("copied argument", "def __init__(self, value, message):\n    self.value =", " value", " message"),
    CodeDecision(
        "copied argument", "def __init__(self, args, file):\n    self.args = args\n    self.file =", " file", " args"
    ),
    CodeDecision("copied argument", "def first(path):\n    return", " path", " value", "def first(value):\n    return"),
    CodeDecision("argument of a method", "class Name:\n    def close(", "self", ")"),
    CodeDecision("argument of a function", "import os\n\n\ndef main(", ")", "self"),
)


def clear(
    network: nn.Module, tokenizer: Tokenizer, candidates: Sequence[CodeDecision] = CANDIDATES, least: float = 2.0
) -> list[CodeDecision]:
    """The candidates that the network gets right by more than `least` in logit, in their order.

    One with a counterfactual is kept only if the network's choice turns round on it.
    """
    measured = [measure(network, tokenizer, one) for one in candidates]
    return [
        one
        for one in measured
        if one.difference > least
        and (not one.counterfactual or measure(network, tokenizer, mirrored(one)).difference > 0)
    ]


def measure(network: nn.Module, tokenizer: Tokenizer, one: CodeDecision) -> CodeDecision:
    """The decision with the network's logit difference and probability."""
    (row,) = last_logits(network, tokenizer, [one.prompt])
    answer, instead = (first_token(tokenizer, one.prompt, text) for text in (one.answer, one.instead))
    return replace(
        one, difference=round(float(row[answer] - row[instead]), 3), chance=round(float(row.softmax(0)[answer]), 4)
    )


def mirrored(one: CodeDecision) -> CodeDecision:
    """The decision asked the other way round."""
    return CodeDecision(one.about, one.counterfactual, one.instead, one.answer, one.prompt)
