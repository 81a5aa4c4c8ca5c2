"""A rule text without lines that always say the same: what a node without inputs says goes into the lines that read it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cutaway.dial.reading.levels import Levels, short
from cutaway.dial.reading.rule_text import Adds, Answer, Look, RuleText, Sum


def folded(rule: RuleText) -> RuleText:
    """The same text, but for rounding to three digits, with fewer lines.

    A value that a head brings is kept also where it is the same everywhere: how much of it arrives says where the head looks.
    """
    always: dict[str, float] = {}
    lines: list[Sum | Look] = []
    brought = {there for line in rule.lines if isinstance(line, Look) for there, _ in line.brings}
    for line in rule.lines:
        if isinstance(line, Look):
            lines.append(_look(line, always))
            continue
        less = replace(line, constant=line.constant + _same(line.adds, always), adds=_left(line.adds, always))
        if less.token is None and less.place is None and not less.adds and line.name not in brought:
            always[line.name] = less.constant if less.steps is None else float(less.steps.at(np.array(less.constant)))
        else:
            lines.append(replace(less, constant=short(less.constant)))
    answers = tuple(_answer(answer, always) for answer in rule.answers)
    tokens = {
        token
        for line in lines
        if isinstance(line, Sum) and line.token
        for group in line.token.groups
        for token in group
    }
    tokens |= {token for answer in answers for group in (*answer.last.groups, (answer.token,)) for token in group}
    return replace(
        rule, lines=tuple(lines), answers=answers, texts=tuple(each for each in rule.texts if each[0] in tokens)
    )


def _same(adds: Adds, always: dict[str, float]) -> float:
    return sum(weight * always[name] for name, weight in adds if name in always)


def _left(adds: Adds, always: dict[str, float]) -> Adds:
    return tuple((name, weight) for name, weight in adds if name not in always)


def _look(look: Look, always: dict[str, float]) -> Look:
    """What is the same wherever a head looks counts less for nothing instead."""
    products, same = [], 0.0
    for weight, *ends in look.products:
        for end in ends:
            weight *= always.get(end, 1.0)
        query, key = ("" if end in always else end for end in ends)
        if query or key:
            products.append((short(weight), query, key))
        else:
            same += weight
    return replace(look, products=tuple(products), sink=short(look.sink - same))


def _answer(answer: Answer, always: dict[str, float]) -> Answer:
    same, last = _same(answer.adds, always), answer.last
    moved = Levels(last.groups, tuple(short(value + same) for value in last.values), short(last.other + same))
    return Answer(answer.token, moved, _left(answer.adds, always))
