"""A rule text as words: a line for each node, head and answer, in the order in which they are worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from cutaway.dial.reading.levels import Curve, Levels, Rise, Steps
from cutaway.dial.reading.rule_text import Answer, Look, RuleText, Sum


def words(rule: RuleText) -> tuple[str, ...]:
    """The lines of a rule text; places count from 0, `here` is where a head looks from and `there` what it looks at."""
    texts = dict(rule.texts)
    lines = [_sum(line, texts) if isinstance(line, Sum) else _look(line) for line in rule.lines]
    first = repr(texts[rule.answers[0].token])
    return (*lines, *(_answer(answer, first, texts) for answer in rule.answers[1:]))


def number(value: float) -> str:
    """A number of three digits, with a minus sign that is one."""
    return f"{value:.3g}".replace("-", "−")


def added(parts: Sequence[str]) -> str:
    """The parts as a sum, what is negative taken away."""
    return " + ".join(parts).replace("+ −", "− ")


def _sum(line: Sum, texts: Mapping[int, str]) -> str:
    parts = []
    if line.token is not None:
        parts.append(f"({_levels(line.token, texts)})" if line.place or line.adds else _levels(line.token, texts))
    if isinstance(line.place, Levels):
        parts.append(f"({_levels(line.place, None)})")
    elif isinstance(line.place, Curve):
        powers = ("", " × place", " × place²")
        parts.append(f"({added([number(value) + power for value, power in zip(line.place.powers, powers)])})")
    parts += [f"{number(weight)} × {name}" for name, weight in line.adds]
    if line.constant or not parts:
        parts.append(number(line.constant))
    said = added(parts)
    return f"{line.name} = {said if line.steps is None else f'{_steps(line.steps)}, of {said}'}"


def _levels(levels: Levels, texts: Mapping[int, str] | None) -> str:
    """The groups with their values; without texts, groups of places."""
    at = "at" if texts is not None else "at place"
    groups = [f"{number(value)} {at} {_members(group, texts)}" for value, group in zip(levels.values, levels.groups)]
    return "; ".join([*groups, f"else {number(levels.other)}"]) if groups else number(levels.other)


def _members(group: tuple[int, ...], texts: Mapping[int, str] | None) -> str:
    if texts is not None:
        return " ".join(repr(texts[token]) for token in group)
    breaks = [at for at, (one, other) in enumerate(pairwise(group), 1) if other != one + 1]
    runs = [group[start:end] for start, end in pairwise([0, *breaks, len(group)])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _steps(steps: Steps | Rise) -> str:
    if isinstance(steps, Rise):
        return "as far as it is above 0 (GELU)"
    if not steps.thresholds:
        return f"always {number(steps.values[0])}"
    above = [f"{number(value)} above {number(limit)}" for limit, value in zip(steps.thresholds, steps.values[1:])]
    return ", ".join([f"{number(steps.values[0])} up to {number(steps.thresholds[0])}", *above])


def _look(look: Look) -> str:
    products = [
        " × ".join([number(weight), *([f"{query} here"] if query else []), *([f"{key} there"] if key else [])])
        for weight, query, key in look.products
    ]
    values = ", ".join(f"{here} = average of {there}" for there, here in look.brings)
    if look.slope:
        products.append(f"{number(-look.slope)} × how far back")
    counts = f"exp({added(products)})" if products else "1"
    remark = f"  # {look.mostly}" if look.mostly else ""
    return f"{look.name}: {values}, a position counts {counts}, nothing exp({number(look.sink)}){remark}"


def _answer(answer: Answer, first: str, texts: Mapping[int, str]) -> str:
    parts = [f"{number(weight)} × {name}" for name, weight in answer.adds]
    if answer.last.groups:
        parts.append(f"({_levels(answer.last, texts)})")
    elif answer.last.other or not parts:
        parts.append(number(answer.last.other))
    return f"{texts[answer.token]!r} rather than {first}: {added(parts)} > 0"
