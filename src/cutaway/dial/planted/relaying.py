"""Programs of heads that look one place back, and of a second layer that reads what the first one brought."""

from __future__ import annotations

from cutaway.dial.planted.parts import SHARP, looking, previous
from cutaway.dial.planted.source import Body, Source, one_of
from cutaway.dial.planted.wiring import Wiring


def one_back(w: Wiring) -> Source:
    """One head looks one place back."""
    kind, answer = w.channels(2)
    tokens = w.tokens(2)
    w.feature(kind, dict(zip(tokens, (-1, 1))))
    previous(w, {kind: 1}, {answer: 1})
    w.decide(answer)
    return Source(
        "the kind of the token before the last",
        (tokens,) * 5 + ((w.query,),),
        lambda body: tokens.index(body[-2]),
    )


def before_mark(w: Wiring) -> Source:
    """Every token is told the kind of the one before; a second head looks for the mark and brings what it was told."""
    mark, kind, told, answer = w.channels(4)
    tokens, (word,) = w.tokens(2), w.tokens(1)
    w.feature(mark, {word: 1})
    w.feature(kind, dict(zip(tokens, (-1, 1))))
    previous(w, {kind: 1}, {told: 1})
    looking(w, 1, {mark: SHARP}, {told: 1}, {answer: 1})
    w.decide(answer)

    def solve(body: Body) -> int | None:
        at = body.index(word) if one_of((word,), body) == word else 0
        return tokens.index(body[at - 1]) if at else None

    return Source("the kind of the token before the mark", ((*tokens, word),) * 5 + ((w.query,),), solve)


def after_mark(w: Wiring) -> Source:
    """Every token is told whether the one before is the mark; a second head looks for the one that was told so."""
    mark, kind, told, answer = w.channels(4)
    tokens, (word,) = w.tokens(2), w.tokens(1)
    w.feature(mark, {word: 1})
    w.feature(kind, dict(zip(tokens, (-1, 1))))
    previous(w, {mark: 1}, {told: 1})
    looking(w, 1, {told: SHARP}, {kind: 1}, {answer: 1})
    w.decide(answer)

    def solve(body: Body) -> int | None:
        at = body.index(word) if one_of((word,), body) == word else 4
        return tokens.index(body[at + 1]) if at < 4 else None

    return Source("the kind of the token after the mark", ((*tokens, word),) * 5 + ((w.query,),), solve)


def induction(w: Wiring) -> Source:
    """A kind follows each name; the last token is a name again (Olsson et al. 2022, arXiv 2209.11895)."""
    name, kind, told, answer = w.channels(4)
    names, kinds = w.tokens(2), w.tokens(2)
    w.feature(name, dict(zip(names, (-1, 1))))
    w.feature(kind, dict(zip(kinds, (-1, 1))))
    previous(w, {name: 1}, {told: 1})
    looking(w, 1, {told: SHARP}, {kind: 1}, {answer: 1}, query={name: 1})
    w.decide(answer)

    def solve(body: Body) -> int | None:
        if body[0] == body[2] or body[-1] not in names:
            return None
        return kinds.index(body[body.index(body[-1]) + 1])

    return Source("the kind that followed this name before", (names, kinds, names, kinds, w.fillers, names), solve)


def flagged(w: Wiring) -> Source:
    """A flag somewhere before says which of two marks counts: one head brings it here, the query of the next reads it."""
    is_flag, says, told, mark, kind, answer = w.channels(6)
    tokens, flags = w.tokens(6), w.tokens(2)
    w.feature(is_flag, {flag: 1 for flag in flags})
    w.feature(says, dict(zip(flags, (-1, 1))))
    w.feature(mark, dict(zip(tokens, (-1, -1, 1, 1))))
    w.feature(kind, {token: 2 * (index % 2) - 1 for index, token in enumerate(tokens)})
    looking(w, 0, {is_flag: SHARP}, {says: 1}, {told: 1})
    looking(w, 1, {mark: SHARP}, {kind: 1}, {answer: 1}, query={told: 1})
    w.decide(answer)

    def solve(body: Body) -> int | None:
        flag, *found = (one_of(few, body) for few in (flags, tokens[:2], tokens[2:4]))
        if flag is None or None in found:
            return None
        return tokens.index(found[flags.index(flag)]) % 2

    return Source(
        "the kind of the token with the mark that a flag names", ((*tokens, *flags),) * 5 + ((w.query,),), solve
    )
