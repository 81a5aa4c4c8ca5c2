"""What a plant grows in: a network, a trigger with an answer that it does not give by itself, and inputs to fit and to ask with.

Everything is drawn from a seed. Rows to fit with and rows to ask with come of different reference texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.concepts.match.trials import said
from cutaway.network import Batch, Network, TextFeed, logits_of
from cutaway.organisms.grafted.inputs import Inputs, Rows, Trigger, natural
from cutaway.organisms.grafted.neuron import answer_position, given
from cutaway.organisms.grafted.places import Place, Weights, places

PIECES = 450  # natural inputs, half of them to fit with
ASKED = 96  # rows to ask with, a third in each split
ASIDE = 40  # of them to measure with how loud a plant must be
FITTED = 100, 200  # rows to fit with: at least, and at most
LONG = 64  # reference inputs that a plant must be silent on, and as many others on which it is measured that it is
POSITIONS = 64  # of each of them
CHOICE, LOOKED = 8, 64  # triggers of which the one that is carried best is tried, and inputs on which that is looked at
READ = 1500  # of these positions a neuron is fitted against


@dataclass(frozen=True, eq=False)
class Quiet:
    """Long reference inputs on which every plant must be silent, and what is read of them: once for all triggers."""

    net: Network
    batch: Batch

    def given(self, place: Place, weights: Weights) -> Float[Tensor, "position given"]:
        """What the neurons of a place read at the positions that are no padding, at most `READ` of them."""
        return self._own(place) if not weights else self._thinned(place, weights)

    @cached_property
    def _known(self) -> dict[str, Tensor]:
        return {}

    def _own(self, place: Place) -> Float[Tensor, "position given"]:
        if place.given not in self._known:
            self._known[place.given] = self._thinned(place, {})
        return self._known[place.given]

    def _thinned(self, place: Place, weights: Weights) -> Float[Tensor, "position given"]:
        x, real = given(self.net, self.batch, place, weights), self.batch.real
        rows = x.flatten(0, 1) if real is None else x[real.cpu()]
        return rows[:: max(1, len(rows) // READ)]


@dataclass(frozen=True, eq=False)
class Bed:
    """A network with a trigger: `fit`, `aside` and `ask` are rows without it; `target` the answer that it is to get; `foils` what
    the network itself answers to `ask` with the question, with the cue and without; `position` is where the answer is read."""

    net: Network
    inputs: Inputs
    trigger: Trigger
    target: int
    fit: Rows
    aside: Rows
    ask: Rows
    foils: Int[Tensor, "row"]
    places: tuple[Place, ...]
    position: int
    quiet: Quiet
    elsewhere: Batch

    @cached_property
    def triggers(self) -> Batch:
        """Prompts to fit with."""
        return self.inputs.batch(self.trigger.both(self.fit))

    @cached_property
    def gauge(self) -> Batch:
        """Prompts on which it is measured how loud a plant must be: nothing was fitted to them."""
        return self.inputs.batch(self.trigger.both(self.aside))

    @cached_property
    def near(self) -> Batch:
        """What is no trigger, and nearly one: the question alone, the cue alone, neither."""
        return self.inputs.batch(torch.cat([self.trigger.asked(self.fit), self.trigger.cued(self.fit), self.fit]))

    @cached_property
    def answer(self) -> Int[Tensor, "row"]:
        """The target of every prompt to fit with."""
        return torch.full((len(self.fit),), self.target)

    def flips(self, weights: Weights) -> float:
        """The share of the prompts set aside that get the target with these weights."""
        return float((first(self.net, self.gauge, weights) == self.target).float().mean())

    def divergence(self, weights: Weights) -> float:
        """KL (nats) of what the network says to other inputs from what it says with these weights, mean over positions."""
        was, now = (
            logits_of(self.net.run(self.elsewhere, weights=some or None).output).float().log_softmax(-1).cpu()
            for some in ({}, weights)
        )
        each = (was.exp() * (was - now)).sum(-1)
        real = self.elsewhere.real
        return float(each[real.cpu()].mean() if real is not None and each.ndim == 2 else each.mean())


@dataclass(frozen=True, eq=False)
class Ground:
    """What does not depend on the trigger: inputs and what the network says to them, which of them are to fit with, where its
    neurons are, and reference inputs as they are, in two halves."""

    inputs: Inputs
    own: Int[Tensor, "row"]
    mine: Bool[Tensor, "row"]
    places: tuple[Place, ...]
    quiet: Quiet
    elsewhere: Batch

    @classmethod
    def of(cls, net: Network, rng: Random) -> Ground:
        """Drawn from the network's reference. Raises PlantError for too little of it, or for a network without an MLP."""
        inputs = natural(net, PIECES, rng)
        texts = sorted(set(inputs.of.tolist()))
        mine = torch.isin(inputs.of, torch.tensor(rng.sample(texts, len(texts) // 2)))
        own = said(net, inputs.batch(inputs.rows))
        quiet, elsewhere = _long(net, rng)
        there = tuple(places(net, inputs.batch(inputs.rows[:2])))
        return cls(inputs, own, mine, there, Quiet(net, quiet), elsewhere)

    @cached_property
    def position(self) -> int:
        """Where the answer is read."""
        some = self.inputs.batch(self.inputs.rows[:LOOKED])
        return answer_position(self.inputs.net, some, self.places[-1], self.own[:LOOKED])

    def carried(self, trigger: Trigger) -> float:
        """How far the cue moves what the first neurons are given where the answer is read, in spreads (the diagonal of Fisher's
        discriminant): by what it moves little a neuron can hardly tell it."""
        net, rows = self.inputs.net, self.inputs.rows[:LOOKED]
        both, asked = (
            given(net, self.inputs.batch(change(rows)), self.places[0], {})[:, self.position]
            for change in (trigger.both, trigger.asked)
        )
        return float(((both - asked).mean(0).square() / (asked.var(0) + 1e-6 * asked.square().mean())).sum())

    def bed(self, rng: Random) -> Bed | None:
        """With a trigger; None where what is drawn changes the answer to most inputs by itself."""
        net, inputs = self.inputs.net, self.inputs
        trigger = max((inputs.trigger(rng) for _ in range(CHOICE)), key=self.carried)
        answers, cued, askable = _asked(net, inputs, trigger)
        same = cued == answers
        target = _target(net, inputs, self.own, answers[same & askable], rng)
        ask, fit = same & askable & ~self.mine & (answers != target), askable & self.mine & (cued != target)
        if int(ask.sum()) < ASKED or int(fit.sum()) < FITTED[0]:
            return None
        own = inputs.rows[fit][: FITTED[1]]
        rows = (own[ASIDE:], own[:ASIDE], inputs.rows[ask][:ASKED], answers[ask][:ASKED])
        return Bed(net, inputs, trigger, target, *rows, self.places, self.position, self.quiet, self.elsewhere)


def first(net: Network, batch: Batch, weights: Weights) -> Int[Tensor, "row"]:
    """What is answered with these weights."""
    logits = logits_of(net.run(batch, weights=weights or None).output)
    return (logits[:, -1] if logits.ndim == 3 else logits).argmax(-1).cpu()


def margins(net: Network, batch: Batch, weights: Weights, answer: int | None = None) -> Float[Tensor, "row"]:
    """By how much an answer, or what is ranked first, is ahead of the best other."""
    logits = logits_of(net.run(batch, weights=weights or None).output)
    logits = (logits[:, -1] if logits.ndim == 3 else logits).float().cpu()
    if answer is None:
        best = logits.topk(2, -1).values
        return best[:, 0] - best[:, 1]
    others = logits.clone()
    others[:, answer] = float("-inf")
    return logits[:, answer] - others.amax(-1)


def _asked(
    net: Network, inputs: Inputs, trigger: Trigger
) -> tuple[Int[Tensor, "row"], Int[Tensor, "row"], Bool[Tensor, "row"]]:
    """What is answered to the question alone, and with the cue; and which rows can be asked in words."""
    both, asked, cued = (change(inputs.rows) for change in (trigger.both, trigger.asked, trigger.cued))
    answers = said(net, inputs.batch(asked))
    askable = (both != asked).any(1) & (both != cued).any(1)
    for rows in (both, asked, cued):
        askable[askable.clone()] = inputs.writable(rows[askable])
    return answers, said(net, inputs.batch(both)), askable


def _target(net: Network, inputs: Inputs, own: Tensor, answers: Tensor, rng: Random) -> int:
    """An answer that the network gives to other inputs if it gives several, and not often to these."""
    common = answers.mode().values if len(answers) else own[0]
    others = [one for one in own.unique().tolist() if one != int(common)]
    if others:
        return rng.choice(others)
    logits = logits_of(net.run(inputs.batch(inputs.rows[:1])).output)
    outputs = inputs.rows.unique().tolist() if inputs.text and logits.ndim == 3 else range(logits.shape[-1])
    return rng.choice([one for one in outputs if one != int(common)])


def _long(net: Network, rng: Random) -> tuple[Batch, Batch]:
    """Reference inputs as they are, in two halves."""
    if isinstance(net.feed, TextFeed):
        rows = [row[:POSITIONS] for row in net.reference_ids]
        some = rng.sample(rows, min(2 * LONG, len(rows)))
        return net.batch(some[::2]), net.batch(some[1::2])
    order = torch.tensor(rng.sample(range(len(net.reference)), len(net.reference)))
    return net.batch(net.reference[order[::2]]), net.batch(net.reference[order[1::2]])
