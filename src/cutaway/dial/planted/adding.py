"""Programs in which a head adds up and neurons are thresholds: counts, depth, and what logic makes of two or three cues."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cutaway.dial.planted.parts import SHARP, UNIT, adding, layers, looking
from cutaway.dial.planted.source import Body, Source, one_of
from cutaway.dial.planted.wiring import Wiring


def majority(w: Wiring) -> Source:
    """No neuron: the sum itself is the answer."""
    sign, answer = w.channels(2)
    tokens = w.tokens(2)
    w.feature(sign, dict(zip(tokens, (-1, 1))))
    adding(w, layers(w)[0], (sign, answer))
    w.decide(answer, margin=UNIT)

    def solve(body: Body) -> int | None:
        found = body.count(tokens[1]) - body.count(tokens[0])
        return int(found > 0) if found else None

    return Source("which of two tokens there is more of", ((*tokens, *w.fillers[:2]),) * 5 + ((w.query,),), solve)


def counted(
    w: Wiring, worth: Sequence[int], steps: Sequence[tuple[float, float]], about: str, right: Callable
) -> Source:
    """Tokens of some worth; each step is the threshold of a neuron and what it writes."""
    said, total, answer = w.channels(3)
    tokens = w.tokens(len(worth))
    first, then = layers(w)
    w.feature(said, dict(zip(tokens, worth)))
    adding(w, first, (said, total))
    for threshold, written in steps:
        w.neuron(then, {total: 1 / UNIT}, threshold, {answer: written})
    w.decide(answer, 0.5, 0.5)

    def solve(body: Body) -> int | None:
        return right([worth[tokens.index(token)] for token in body if token in tokens])

    return Source(about, ((*tokens, *w.fillers[:3]),) * 5 + ((w.query,),), solve)


def two_or_more(w: Wiring) -> Source:
    """One neuron with its threshold between one and two."""

    def right(found: list[int]) -> int | None:
        return int(len(found) >= 2) if len(found) <= 3 else None

    return counted(w, [1], [(1.5, 2)], "whether a token occurs twice or more", right)


def worth_three(w: Wiring) -> Source:
    """Tokens are worth one or two."""

    def right(found: list[int]) -> int | None:
        return int(sum(found) >= 3) if sum(found) <= 4 else None

    return counted(w, [1, 2], [(2.4, 2)], "whether the tokens are worth three or more", right)


def exactly_one(w: Wiring) -> Source:
    """Two neurons: the second takes back what the first says, and more."""

    def right(found: list[int]) -> int | None:
        return int(len(found) == 1) if len(found) <= 2 else None

    return counted(w, [1], [(0.5, 2), (1.4, -10)], "whether a token occurs exactly once", right)


def depth(w: Wiring) -> Source:
    """Whether a bracket is open: openers add, closers take away."""

    def right(found: list[int]) -> int | None:
        levels = [sum(found[: end + 1]) for end in range(len(found))]
        return int(bool(levels) and levels[-1] > 0) if all(0 <= level <= 2 for level in levels) else None

    return counted(w, [1, -1], [(0.5, 2)], "whether a bracket is still open", right)


def cues(w: Wiring, count: int, layer: int) -> tuple[tuple[int, ...], list[tuple[int, ...]], list[int]]:
    """The channels that say which cues are there, the tokens of each place, and the cues.

    Each is at a place of its own or not there; the more cues, the oftener, as all but one should not be rare.
    """
    said, there, tokens = w.channels(count), w.channels(count), w.tokens(count)
    for channel, token in zip(said, tokens):
        w.feature(channel, {token: 1})
    adding(w, layer, *zip(said, there))
    slots = [w.fillers[:3]] * 5
    for place, token in zip(w.rng.sample(range(5), count), tokens):
        slots[place] = (*(token,) * 2 ** (count - 1), *w.fillers[:2])
    return there, [*slots, (w.query,)], list(tokens)


Neuron = tuple[tuple[float, ...], float, float]
"""How it reads the cues, its threshold, what it writes to the answer."""


def logical(w: Wiring, count: int, neurons: Sequence[Neuron], about: str, right: Callable[..., bool]) -> Source:
    """Cues that are there or not, and the neurons that decide."""
    first, then = layers(w)
    there, slots, tokens = cues(w, count, first)
    (answer,) = w.channels(1)
    for weights, threshold, written in neurons:
        w.neuron(
            then, {channel: weight / UNIT for channel, weight in zip(there, weights)}, threshold, {answer: written}
        )
    w.decide(answer, 0.5, 0.5)
    return Source(about, tuple(slots), lambda body: int(right(*(token in body for token in tokens))))


def both(w: Wiring) -> Source:
    """One neuron that either cue alone does not wake."""
    return logical(w, 2, [((1, 1), 1.5, 2)], "whether both cues are there", lambda a, b: a and b)


def either(w: Wiring) -> Source:
    """One neuron that either cue wakes."""
    return logical(w, 2, [((1, 1), 0.5, 2)], "whether a cue is there", lambda a, b: a or b)


def one_without_other(w: Wiring) -> Source:
    """One neuron that one cue wakes and the other one silences."""
    return logical(w, 2, [((1, -1), 0.5, 2)], "whether one cue is there without the other", lambda a, b: a and not b)


def one_of_two(w: Wiring) -> Source:
    """Exclusive or: a neuron for each cue without the other."""
    neurons: list[Neuron] = [((1, -1), 0.5, 2), ((-1, 1), 0.5, 2)]
    return logical(w, 2, neurons, "whether exactly one of two cues is there", lambda a, b: a != b)


def all_three(w: Wiring) -> Source:
    """One neuron that takes three cues to wake."""
    return logical(w, 3, [((1, 1, 1), 2.4, 1 / 0.6)], "whether all three cues are there", lambda a, b, c: a and b and c)


def one_and_either(w: Wiring) -> Source:
    """One neuron with unequal weights: one cue, and one or both of the others."""
    neurons: list[Neuron] = [((2, 1, 1), 2.5, 2)]
    return logical(w, 3, neurons, "whether one cue is there with another", lambda a, b, c: a and (b or c))


def both_or_third(w: Wiring) -> Source:
    """Two layers of neurons: the first says whether both cues are there, the second whether that or a third one holds."""
    there, slots, tokens = cues(w, 3, 0)
    pair, answer = w.channels(2)
    w.neuron(0, {there[0]: 1 / UNIT, there[1]: 1 / UNIT}, 1.5, {pair: 2})
    w.neuron(1, {pair: 1, there[2]: 1 / UNIT}, 0.5, {answer: 2})
    w.decide(answer, 0.5, 0.5)

    def solve(body: Body) -> int:
        a, b, c = (token in body for token in tokens)
        return int((a and b) or c)

    return Source("whether both cues are there, or a third one", tuple(slots), solve)


def own_and_cue(w: Wiring) -> Source:
    """One neuron for the last token itself and a cue before it."""
    first, then = layers(w)
    there, slots, (cue,) = cues(w, 1, first)
    own, answer = w.channels(2)
    asked = w.tokens(2)
    w.feature(own, {asked[1]: 1})
    w.neuron(then, {own: 1, there[0]: 1 / UNIT}, 1.5, {answer: 2})
    w.decide(answer, 0.5, 0.5)
    return Source(
        "whether the last token is of one kind and a cue is there",
        (*slots[:-1], asked),
        lambda body: int(body[-1] == asked[1] and cue in body),
    )


def negated(w: Wiring) -> Source:
    """The kind of the marked token, turned round where a word says not."""
    mark, kind, brought, says, there, answer = w.channels(6)
    tokens, (word,) = w.tokens(4), w.tokens(1)
    first, then = layers(w)
    w.feature(mark, {tokens[0]: 1, tokens[1]: 1})
    w.feature(kind, {tokens[1]: 1, tokens[3]: 1})
    w.feature(says, {word: 1})
    looking(w, first, {mark: SHARP}, {kind: 1}, {brought: 1})
    adding(w, first, (says, there))
    for sign in (1, -1):
        w.neuron(then, {brought: sign, there: -sign / UNIT}, 0.5, {answer: 2})
    w.decide(answer, 0.5, 0.5)

    def solve(body: Body) -> int | None:
        found = one_of(tokens[:2], body)
        return None if found is None else int((found == tokens[1]) != (word in body))

    slots = [tokens] * 5
    slots[w.rng.randrange(5)] = (word, w.fillers[0])
    return Source("the kind of the marked token, or the other one after a word", (*slots, (w.query,)), solve)
