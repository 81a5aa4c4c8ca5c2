"""Programs in which one head, or two, look for a token and bring what kind it is of."""

from __future__ import annotations

from collections.abc import Callable

from cutaway.dial.planted.parts import CONTEXT, SHARP, STEP, layers, looking
from cutaway.dial.planted.source import LINE, Body, Source, one_of
from cutaway.dial.planted.wiring import Wiring


def marked(w: Wiring) -> Source:
    """One head looks for the mark; its value goes straight to the answers."""
    mark, kind, answer = w.channels(3)
    tokens, source = marked_tokens(w)
    w.feature(mark, {tokens[0]: 1, tokens[1]: 1})
    w.feature(kind, dict(zip(tokens, (-1, 1, -1, 1))))
    looking(w, layers(w)[0], {mark: SHARP}, {kind: 1}, {answer: 1})
    w.decide(answer)
    return source


def marked_neuron(w: Wiring) -> Source:
    """The same, and one neuron reads what the head brought."""
    mark, kind, brought, answer = w.channels(4)
    tokens, source = marked_tokens(w)
    first, then = layers(w)
    w.feature(mark, {tokens[0]: 1, tokens[1]: 1})
    w.feature(kind, {tokens[1]: 1, tokens[3]: 1})
    looking(w, first, {mark: SHARP}, {kind: 1}, {brought: 1})
    w.neuron(then, {brought: 1}, 0.5, {answer: 2})
    w.decide(answer, 0.5, 0.5)
    return source


def marked_votes(w: Wiring) -> Source:
    """The same with a neuron for each answer, which fires only where the question is asked."""
    mark, kind, brought, asked, *votes = w.channels(6)
    tokens, source = marked_tokens(w)
    first, then = layers(w)
    w.feature(mark, {tokens[0]: 1, tokens[1]: 1})
    w.feature(kind, dict(zip(tokens, (-1, 1, -1, 1))))
    w.feature(asked, {w.query: 1})
    looking(w, first, {mark: SHARP}, {kind: 1}, {brought: 1})
    for sign, vote in zip((-1, 1), votes):
        w.neuron(then, {brought: sign, asked: 1}, 1.5, {vote: 2})
    w.vote(votes)
    return source


def marked_tokens(w: Wiring) -> tuple[tuple[int, ...], Source]:
    """Marked tokens of both kinds and others of both kinds; the answer is the kind of the one that is marked."""
    tokens = w.tokens(4)

    def solve(body: Body) -> int | None:
        found = one_of(tokens[:2], body)
        return None if found is None else tokens.index(found)

    return tokens, Source("the kind of the marked token", ((*tokens,),) * 5 + ((w.query,),), solve)


def at_place(w: Wiring) -> Source:
    """One head looks at one place, whatever stands there."""
    here, kind, answer = w.channels(3)
    tokens, place = w.tokens(2), w.rng.randrange(5)
    w.place(here, [float(at == LINE + 1 + place) for at in range(CONTEXT)])
    w.feature(kind, dict(zip(tokens, (-1, 1))))
    looking(w, layers(w)[0], {here: SHARP}, {kind: 1}, {answer: 1})
    w.decide(answer)
    return Source(
        f"the kind of token {place} of the body",
        (tokens,) * 5 + ((w.query,),),
        lambda body: tokens.index(body[place]),
    )


def last_mark(w: Wiring) -> Source:
    """Two tokens are marked; the later one counts: keys rise with the place."""
    return graded_by_place(w, 1, "the kind of the last marked token", lambda found: found[-1])


def first_mark(w: Wiring) -> Source:
    """Two tokens are marked; the earlier one counts: keys fall with the place."""
    return graded_by_place(w, -1, "the kind of the first marked token", lambda found: found[0])


def graded_by_place(w: Wiring, sign: int, about: str, pick: Callable[[Body], int]) -> Source:
    """In the first layer, whose norm is the same everywhere: keys are compared by little."""
    mark, ramp, kind, answer = w.channels(4)
    tokens = w.tokens(4)
    w.feature(mark, {tokens[0]: 1, tokens[1]: 1})
    w.feature(kind, dict(zip(tokens, (-1, 1, -1, 1))))
    w.place(ramp, [2 * at / CONTEXT - 1 for at in range(CONTEXT)])
    slope = STEP * CONTEXT / 2
    looking(w, 0, {mark: 2 * slope + SHARP, ramp: sign * slope}, {kind: 1}, {answer: 1})
    w.decide(answer)

    def solve(body: Body) -> int | None:
        found = tuple(token for token in body if token in tokens[:2])
        return tokens.index(pick(found)) if len(found) == 2 else None

    return Source(about, (tokens,) * 5 + ((w.query,),), solve)


def strongest(w: Wiring) -> Source:
    """Tokens of three strengths and two kinds; the strongest counts."""
    strength, kind, answer = w.channels(3)
    tokens = w.tokens(6)
    w.feature(strength, {token: 0.5 * (index // 2) for index, token in enumerate(tokens)})
    w.feature(kind, {token: 2 * (index % 2) - 1 for index, token in enumerate(tokens)})
    looking(w, layers(w)[0], {strength: 2 * SHARP}, {kind: 1}, {answer: 1})
    w.decide(answer)

    def solve(body: Body) -> int | None:
        ranks = [tokens.index(token) for token in body[:-1]]
        best = [rank for rank in ranks if rank // 2 == max(ranks) // 2]
        return best[0] % 2 if len(best) == 1 else None

    return Source("the kind of the strongest token", (tokens,) * 5 + ((w.query,),), solve)


def asked_mark(w: Wiring) -> Source:
    """The last token says which of two marks counts: the query reads it."""
    mark, kind, asks, answer = w.channels(4)
    tokens, asked = w.tokens(6), w.tokens(2)
    w.feature(mark, dict(zip(tokens, (-1, -1, 1, 1))))
    w.feature(kind, {token: 2 * (index % 2) - 1 for index, token in enumerate(tokens)})
    w.feature(asks, dict(zip(asked, (-1, 1))))
    looking(w, layers(w)[0], {mark: SHARP}, {kind: 1}, {answer: 1}, query={asks: 1})
    w.decide(answer)

    def solve(body: Body) -> int | None:
        found = [one_of(tokens[2 * which : 2 * which + 2], body) for which in (0, 1)]
        if None in found:
            return None
        return tokens.index(found[asked.index(body[-1])]) % 2

    return Source("the kind of the token with the mark that is asked for", (tokens,) * 5 + (asked,), solve)


def different_kinds(w: Wiring) -> Source:
    """Two heads look for two marks; two neurons compare what they bring."""
    marks, (kind, answer), brought = w.channels(2), w.channels(2), w.channels(2)
    tokens = w.tokens(6)
    first, then = layers(w)
    w.feature(kind, {token: 1 for token in tokens[1::2]})
    for which, (mark, to) in enumerate(zip(marks, brought)):
        w.feature(mark, {token: 1 for token in tokens[2 * which : 2 * which + 2]})
        looking(w, first, {mark: SHARP}, {kind: 1}, {to: 1})
    for one, other in (brought, brought[::-1]):
        w.neuron(then, {one: 1, other: -1}, 0.5, {answer: 2})
    w.decide(answer, 0.5, 0.5)

    def solve(body: Body) -> int | None:
        found = [one_of(tokens[2 * which : 2 * which + 2], body) for which in (0, 1)]
        if found[0] is None or found[1] is None:
            return None
        return int(tokens.index(found[0]) % 2 != tokens.index(found[1]) % 2)

    return Source("whether the two marked tokens are of different kinds", (tokens,) * 5 + ((w.query,),), solve)
