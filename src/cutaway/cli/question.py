"""What `trace` and `without` are asked: the answers compared, and what stands in for a part that is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cyclopts import Group, Parameter

from cutaway.cli.ending import WrongUse

if TYPE_CHECKING:
    from cutaway.decisions import Decision
    from cutaway.submodels.baseline import Kind

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
DECISION = Group("Decision", sort_key=1)


@Parameter(name="*", group=DECISION)
@dataclass(frozen=True)
class Question:
    """The decision that the command line asks for, apart from its prompt."""

    answer: str
    r"The token decided for; \n, \t, \r, \\ are decoded ('\n': end of line); a dash needs an =, as in --answer=-1."
    instead: str | None = None
    "The token that it is compared with, written like the answer; without one the log-odds of the answer are read."
    counterfactual: str | None = None
    "A prompt with as many tokens whose right answer is INSTEAD; its values then stand in for parts taken away."
    # "default" and not None: cyclopts would read `--baseline none` as None.
    baseline: Literal["default", "resample", "mean", "zero", "counterfactual"] = "default"
    "What stands in for them; by default the counterfactual, else other inputs' values, else zero."
    draws: int = 8
    "How many other inputs to take values from."

    def about(self, prompt: str) -> Decision:
        """The decision on this prompt, with shell escapes in the answers decoded."""
        import cutaway

        if not prompt:
            raise WrongUse('PROMPT is an empty text; expected the text before the decision, such as "x = \'abc"')
        instead = None if self.instead is None else unescaped(self.instead)
        return cutaway.Decision(
            prompt, answer=unescaped(self.answer), instead=instead, counterfactual=self.counterfactual
        )

    @property
    def stand_in(self) -> Kind | None:
        """The baseline as the package's verbs take it."""
        return None if self.baseline == "default" else self.baseline


def unescaped(text: str) -> str:
    r"""`text` with \n, \t, \r and \\ decoded; any other backslash stays.

    >>> unescaped(r"\n"), unescaped(r"\\n"), unescaped(r"\d")
    ('\n', '\\n', '\\d')
    """
    decoded, rest = "", text
    while rest:
        escape = ESCAPES.get(rest[1:2]) if rest[0] == "\\" else None
        decoded += rest[0] if escape is None else escape
        rest = rest[1:] if escape is None else rest[2:]
    return decoded
