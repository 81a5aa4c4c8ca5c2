"""What `trace` and `without` are asked: the answers compared, and what stands in for a part that is taken away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Group, Parameter

from cutaway.cli.ending import WrongUse

if TYPE_CHECKING:
    from cutaway.decisions import Decision
    from cutaway.submodels.baseline import Kind

FRESH = '{"prompt": …, "answer": …, "instead": …, "counterfactual": …}'
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

    def reworded(self, texts: Sequence[str]) -> Decision:
        """The same decision in other words: a prompt, and a counterfactual where this one has it."""
        expected = ["a prompt"] if self.counterfactual is None else ["a prompt", "its counterfactual"]
        if len(texts) != len(expected):
            raise WrongUse(
                f"--rephrased was given {len(texts)} texts; expected {' and '.join(expected)}, each in quotes"
            )
        return replace(self, counterfactual=texts[1] if len(texts) > 1 else None).about(texts[0])

    @property
    def stand_in(self) -> Kind | None:
        """The baseline as the package's verbs take it."""
        return None if self.baseline == "default" else self.baseline


def asked_in(file: Path) -> Decision:
    """The decision on the prompts of a file of lines: {"prompt": …, "answer": …, "instead": …, "counterfactual": …}."""
    import cutaway

    if not file.is_file():
        raise WrongUse(
            f"--inputs was given {file}, which is no file; expected one JSON object a line, with prompt and answer"
        )
    rows: list[dict[str, str]] = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise WrongUse(f"{file}, line {number}: no JSON ({error.msg}); expected {FRESH}") from None
        if not isinstance(row, dict) or not {"prompt", "answer"} <= row.keys():
            raise WrongUse(f"{file}, line {number}: expected {FRESH}")
        rows.append(row)
    if not rows:
        raise WrongUse(f"{file} holds no prompt; expected one JSON object a line: {FRESH}")
    columns: dict[str, Any] = {}
    for name in ("instead", "counterfactual"):
        given = [row[name] for row in rows if row.get(name) is not None]
        if given and len(given) != len(rows):
            raise WrongUse(f"{file}: {len(given)} of {len(rows)} lines have {name!r}; give it in every line or in none")
        columns[name] = given or None
    prompts, answers = [row["prompt"] for row in rows], [row["answer"] for row in rows]
    return cutaway.Decision(prompts, answer=answers, **columns)


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
