"""A decision in words: what was asked, of what, and how to ask it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from cutaway.decisions import Decision

SHOWN_SPACE = {"\n": "⏎", "\t": "⇥", "\r": "␍", " ": "·"}
LONGEST = 4000  # characters of a prompt that a page shows


@dataclass(frozen=True)
class Question:
    """`ask` (“Which token next”), the answer and the alternative (None: there is none to show)."""

    ask: str
    answer: str | None
    instead: str | None


def question(decision: Decision, answers: tuple[str, ...], insteads: tuple[str, ...]) -> Question:
    """What the network was asked."""
    if decision.metric is not None:
        name = getattr(decision.metric, "__qualname__", None) or getattr(decision.metric, "name", "a function")
        return Question(f"The number that {name} gives", None, None)
    if not answers:
        return Question("The network's one output", None, None)
    text = isinstance(decision.answer, str) or (
        isinstance(decision.answer, list | tuple) and isinstance(decision.answer[0], str)
    )
    return Question("Which token next" if text else "Which class", _one(answers), _one(insteads) if insteads else None)


def _one(names: tuple[str, ...]) -> str:
    different = list(dict.fromkeys(names))
    first = visible(different[0])
    return first if len(different) == 1 else f"{first} (and {len(different) - 1} more, one for each input)"


def prompts(decision: Decision) -> list[str]:
    """The prompts, if the inputs are text; else none."""
    inputs = decision.inputs
    several = [inputs] if isinstance(inputs, str) else list(inputs) if isinstance(inputs, list | tuple) else []
    return several if several and all(isinstance(one, str) for one in several) else []


def inputs_in_words(inputs: Any) -> str:
    """What inputs that are no text are."""
    if hasattr(inputs, "shape"):
        return f"a tensor of {' × '.join(map(str, inputs.shape))}"
    if hasattr(inputs, "__len__"):
        return f"{len(inputs)} inputs of kind {type(inputs).__name__}"
    return f"an input of kind {type(inputs).__name__}"


def clipped(text: str) -> str:
    """A prompt that fits on a page; what was left out is said."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"


def visible(token: str) -> str:
    """A token whose spaces and line ends can be seen, and whose other control characters do nothing."""
    return "".join(SHOWN_SPACE.get(c) or printable(c) for c in token) or "∅"


def printable(text: str) -> str:
    """Text on one line, whose control characters do nothing."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def again_in_python(network: str, decision: Decision, part: str, source: str | None = None) -> str:
    """The lines of Python that rerun the decision without `part`; `source` is where the network was opened from."""
    arguments = {"answer": decision.answer, "instead": decision.instead, "counterfactual": decision.counterfactual}
    given = [repr(decision.inputs), *(f"{name}={value!r}" for name, value in arguments.items() if value is not None)]
    plain = prompts(decision) and decision.metric is None
    asked = f"cw.Decision({', '.join(given)})" if plain else "…  # the decision, as it was asked"
    opened = f"cw.open(…)  # {printable(network)}" if source is None else f"cw.open({source!r})"
    lines = ["import cutaway as cw", "", f"net = {opened}", f"decision = {asked}"]
    return "\n".join([*lines, f"print(cw.without(net, decision, [{part!r}]))"])


def again_on_the_command_line(decision: Decision, part: str, source: str | None = None) -> str | None:
    """The same as a command; None for what the command line cannot ask."""
    if not isinstance(decision.inputs, str) or not isinstance(decision.answer, str) or decision.metric is not None:
        return None
    words = ["cutaway", "without", source or "NETWORK", decision.inputs, part, "--answer", decision.answer]
    if isinstance(decision.instead, str):
        words += ["--instead", decision.instead]
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    """A word for the shell; in double quotes where nothing in it means something there, which reads better."""
    plain = shlex.quote(word) == word
    return word if plain else f'"{word}"' if not set(word) & set('"$`\\!\n') else shlex.quote(word)
