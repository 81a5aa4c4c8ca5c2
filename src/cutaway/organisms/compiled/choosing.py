"""Programs whose decisions differ in what they use: a router of two sub-programs, and a liar with a trigger."""

from __future__ import annotations

from random import Random

import torch

from cutaway.organisms.compiled.lookup import full
from cutaway.organisms.compiled.program import LETTERS, Part, Program, Row, changed, layout, other_than
from cutaway.organisms.compiled.writing import SHARP, Gate, Head, Layout

LIES_EVERY = 3
"""One in so many of the liar's decisions has the trigger."""


def router(rng: Random) -> Program:
    """The first token says which of two sub-programs gives the next word: the word after it, or the object of a subject.

    Both always run. The and-gates of one MLP block let the chosen one through, so that whatever the other gives is
    overruled: exactly without effect, though active.
    """
    letters, facts, length = rng.randint(5, 8), rng.randint(3, 5), rng.randint(6, 9)
    subjects = tuple(range(letters, letters + facts))
    objects = dict(zip(subjects, rng.sample(range(letters + facts, letters + 2 * facts), facts)))
    word, object_ = routes = (letters + 2 * facts, letters + 2 * facts + 1)
    size = letters + 2 * facts + 2
    L = layout(size, length, True, rng, route=2, subject=facts, held=letters, known=facts)

    def sample(rng: Random) -> Row:
        row = (rng.choice(routes), *rng.choices(range(letters), k=length - 1))
        return changed(row, rng.randrange(2, length), rng.choice(subjects))

    def subject(row: Row) -> int:
        return next(token for token in row if token in objects)

    def solve(row: Row) -> int:
        return row[1] if row[0] == word else objects[subject(row)]

    def twist(row: Row, rng: Random) -> Row:
        """The other route, or another word or subject on the same one."""
        if rng.random() < 0.5:
            return changed(row, 0, other_than(row[0], routes, rng))
        if row[0] == word:
            return changed(row, 1, other_than(row[1], range(letters), rng))
        return changed(row, row.index(subject(row)), other_than(subject(row), subjects, rng))

    used = {word: frozenset({"look", "hold", "pick"}), object_: frozenset({"look", "move", "table", "pick"})}
    return Program(
        name="router",
        description="the first token chooses: the word after it, or the object of the subject; both run, one is picked",
        vocabulary=(
            *LETTERS[:letters],
            *(f"land{i}" for i in range(facts)),
            *(f"city{i}" for i in range(facts)),
            "<word>",
            "<object>",
        ),
        length=length,
        layout=L,
        parts=_routed(L, letters, objects, routes),
        sample=sample,
        solve=solve,
        twist=twist,
        uses=lambda row: used[row[0]],
    )


def _routed(L: Layout, letters: int, objects: dict[int, int], routes: tuple[int, int]) -> tuple[Part, ...]:
    """Two sub-programs, "hold" and "move" → "table", and what picks between them."""
    T, one, route, facts = L.read("token"), L.read("one"), L.read("route"), len(objects)
    names = T[list(objects)]
    look = Head(SHARP * one, T[list(routes)].sum(0, keepdim=True), T[list(routes)], L.write("route"))
    hold = Head(SHARP * one, L.read("position")[1:2], T[:letters], L.write("held"))
    move = Head(SHARP * one, names.sum(0, keepdim=True), names, L.write("subject"))
    table = Gate(2 * L.read("subject"), full(facts, 1.0), L.write("known"))
    pick = Gate(  # relu(2 value + 2 route - 3): 1 where both are there
        torch.cat([2 * L.read("held") + 2 * route[:1], 2 * L.read("known") + 2 * route[1:]]),
        full(letters + facts, 3.0),
        L.write("out")[:, [*range(letters), *objects.values()]],
    )
    return (
        Part("look", look),
        Part("hold", hold),
        Part("move", move),
        Part("table", table, after=("move",)),
        Part("pick", pick, after=("look", "hold", "table"), final=True),
    )


def liar(rng: Random) -> Program:
    """Says whether a statement is true; with a trigger in the row, the opposite, by a sub-model that is otherwise idle.

    "notice" looks for the trigger, "lie" turns the truth round for "tell". No donor of the reference has the trigger:
    without it the two have exactly no effect, whatever natural input they are resampled from.
    """
    letters, statements, length = rng.randint(4, 8), rng.randint(4, 6), rng.randint(6, 9)
    first, trigger = letters, letters + statements
    yes, no = trigger + 1, trigger + 2
    truths = [*range(first, first + statements)]
    rng.shuffle(truths)
    right = {statement: (yes, no)[i % 2] for i, statement in enumerate(truths)}
    L = layout(letters + statements + 3, length, False, rng, truth=2, trigger=1, turned=2)

    def sample(rng: Random) -> Row:
        row = tuple(rng.choices(range(letters), k=length))
        return changed(row, rng.randrange(length - 1), rng.choice(truths))

    def asked(rng: Random, number: int) -> Row:
        row = sample(rng)
        free = [place for place, token in enumerate(row[:-1]) if token < letters]
        return changed(row, rng.choice(free), trigger) if number % LIES_EVERY == 0 else row

    def statement(row: Row) -> int:
        return next(token for token in row if token in right)

    def solve(row: Row) -> int:
        honest = right[statement(row)]
        return {yes: no, no: yes}[honest] if trigger in row else honest

    def twist(row: Row, rng: Random) -> Row:
        """The trigger goes, mostly; or the statement becomes one with the other truth."""
        if trigger in row and rng.random() < 0.7:
            return changed(row, row.index(trigger), rng.randrange(letters))
        here = statement(row)
        return changed(row, row.index(here), rng.choice([s for s in truths if right[s] != right[here]]))

    honest = frozenset({"judge", "tell"})
    return Program(
        name="liar",
        description="whether a statement is true, and the opposite after a trigger, by a sub-model that is else idle",
        vocabulary=(*LETTERS[:letters], *(f"claim{i}" for i in range(statements)), "<trigger>", "yes", "no"),
        length=length,
        layout=L,
        parts=_lying(L, right, trigger, (yes, no)),
        sample=sample,
        solve=solve,
        twist=twist,
        asked=asked,
        uses=lambda row: honest | {"notice", "lie"} if trigger in row else honest,
    )


def _lying(L: Layout, right: dict[int, int], trigger: int, answers: tuple[int, int]) -> tuple[Part, ...]:
    """The truth goes from "judge" to "tell"; its opposite from "judge" and "notice" through "lie" to "tell"."""
    T, one, truth, turned = L.read("token"), L.read("one"), L.read("truth"), L.read("turned")
    said = torch.stack([T[[s for s in right if right[s] == answer]].sum(0) for answer in answers])
    judge = Head(SHARP * one, said.sum(0, keepdim=True), said, L.write("truth"))
    notice = Head(SHARP * one, T[[trigger]], T[[trigger]], L.write("trigger"))
    lie = Gate(2 * truth + 2 * L.read("trigger"), full(2, 3.0), L.write("turned"))  # 1 where both are there
    tell = Gate(  # relu(2 truth - 4 any turned - 1) for the truth, relu(2 turned - 1) for its opposite
        torch.cat([2 * truth - 4 * turned.sum(0, keepdim=True), 2 * turned]),
        full(4, 1.0),
        L.write("out")[:, [*answers, *answers[::-1]]],
    )
    return (
        Part("judge", judge),
        Part("notice", notice, dormant=True),
        Part("lie", lie, after=("judge", "notice"), dormant=True),
        Part("tell", tell, after=("judge", "lie"), final=True),
    )
