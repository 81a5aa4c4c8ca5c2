"""A sub-model planted into a copy of any network, and the questions that show it: where it is, is known.

Kinds: *rank-one*, one neuron; *distributed*, several in several blocks, of which none is enough; *backup*, a second neuron that
fires only where the first does not. Beside a plant of rank one can stand a *decoy*, which reads the trigger and writes as
much in a direction in which no answer lies, or one that is *inert*, and writes nothing: to name these is a false claim.

A strength of 1 is where the plant turns half of some prompts that are asked about no more; 0 is a plant that writes nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

from cutaway.concepts.match import Questions, Share
from cutaway.concepts.match.trials import askable
from cutaway.concepts.splitting import SPLITS
from cutaway.network import Network
from cutaway.organisms.grafted.bed import Bed, Ground, first, margins
from cutaway.organisms.grafted.inputs import Numbered, Rows, named
from cutaway.organisms.grafted.neuron import AT_MOST, HALVINGS, OFF, Planted, direction, given, idle, reader
from cutaway.organisms.grafted.places import Place, PlantError, Weights, biased

KINDS = ("rank-one", "distributed", "backup", "decoy", "inert")
PARTS = 4  # neurons of a distributed plant
DRAWS = 100  # triggers, of which the first is taken that the network carries to where it is to be read
NEARLY, EVER = 0.98, 0.999  # of what is nearly a trigger, and of other positions, must leave the neuron silent
DIRECTIONS, EVERY = 36, 6  # that are drawn for a decoy; after so many it is half as loud
ALMOST = 0.7  # of the decisions must be askable in words
CLOSE = 0.01  # nats: how far a copy may be from the original elsewhere


@dataclass(frozen=True, eq=False)
class Grafted:
    """A copy of a network with a sub-model in it.

    `asked` are the questions that show it, `net` the copy, by which they can be asked. `planted` are the addresses of its
    neurons and `beside` those of a decoy; `shown` how many prompts to ask with get its answer; `divergence` the KL (nats) of
    what the copy says to other inputs from what the original says; `louder`: by how much the plant is ahead of any other
    answer, over what the network itself is in all but a twentieth of its own answers: above 1 it is louder than the network.
    """

    net: Network
    asked: Questions
    kind: str
    strength: float
    planted: tuple[str, ...]
    beside: tuple[str, ...]
    shown: Share
    divergence: float
    louder: float
    seed: int


def graft(net: Network, kind: str = "rank-one", strength: float = 2.0, seed: int = 0) -> Grafted:
    """Plants a sub-model into a copy of `net`, which stays as it is.

    Raises PlantError where nothing can be planted: no MLP, too few reference inputs, no trigger that the network carries.

    >>> graft(cw.open("organism:code"), "backup", strength=1.0).planted  # doctest: +SKIP
    ('mlp_act.1[neuron=77]', 'mlp_act.3[neuron=409]')
    """
    if kind not in KINDS or not 0 <= strength < float("inf"):
        raise ValueError(
            f"given a plant {kind!r} of strength {strength}; expected one of {', '.join(KINDS)}, and a finite strength from 0 on"
        )
    rng = Random(f"plant {seed}")
    ground, why = Ground.of(net, rng), "every cue and question that was drawn changes most answers by itself"
    for _ in range(DRAWS):
        if (bed := ground.bed(rng)) is None:
            continue
        try:
            neurons, beside, weights = _grown(bed, kind, strength, rng)
            return _grafted(bed, kind, strength, neurons, beside, weights, seed)
        except Unread as error:
            why = str(error)
    raise PlantError(
        f"in {DRAWS} draws no {kind} plant took in {net.name}: {why}; try another kind, or a larger reference=…"
    )


class Unread(PlantError):
    """A trigger that this network does not carry to where it is to be read."""


def _grafted(
    bed: Bed, kind: str, strength: float, planted: Sequence[Planted], beside: Sequence[Planted], weights: Weights, seed: int
) -> Grafted:  # fmt: skip
    if not (far := bed.divergence(weights)) <= CLOSE:
        raise Unread(f"the copy is {far:.2g} nats from the original elsewhere, expected {CLOSE}")
    prompts = bed.inputs.batch(bed.trigger.both(bed.ask))
    ahead = float(margins(bed.net, prompts, weights, bed.target).median())
    own = float(margins(bed.net, bed.inputs.batch(bed.inputs.rows), {}).quantile(0.95))
    shown = int((first(bed.net, prompts, weights) == bed.target).sum())
    module = copy.deepcopy(bed.net.module)
    module.load_state_dict(weights, strict=False)
    net = replace(bed.net, module=module, name=f"{bed.net.name} + {kind}", _layouts={}, _matching={})
    asked_net, asked = _questions(net, bed)
    addresses, others = ([_address(bed, one) for one in some] for some in (planted, beside))
    return Grafted(
        asked_net, asked, kind, strength, tuple(addresses), tuple(others), Share.of(shown, len(bed.ask)), far,
        ahead / own, seed,
    )  # fmt: skip


def _address(bed: Bed, one: Planted) -> str:
    """Where it is in the network that is asked: one of tensors is asked by name, and lies inside what knows the names."""
    return one.address if bed.inputs.text else one.address.replace("path.", "path.module.", 1)


# the questions ------------------------------------------------------------------------------------------------------


def _questions(net: Network, bed: Bed) -> tuple[Network, Questions]:
    """What shows the plant: prompts with the trigger, partners without the cue; and what must stay as it is."""
    change = bed.trigger
    sides = {"both": change.both(bed.ask), "asked": change.asked(bed.ask), "cued": change.cued(bed.ask), "own": bed.ask}
    if bed.inputs.text:
        names = {side: bed.inputs.names(rows) for side, rows in sides.items()}
    else:
        net = named(net, torch.cat(list(sides.values())))
        numbers = iter(range(sum(map(len, sides.values()))))
        names = {side: [Numbered().decode([next(numbers)]) for _ in rows] for side, rows in sides.items()}
    targets = torch.full((len(bed.ask),), bed.target)
    rows = askable(net, _rows(bed, sides, names, "both", "asked", targets, bed.foils))
    if len(rows) < ALMOST * len(bed.ask):
        raise Unread(f"{len(rows)} of {len(bed.ask)} decisions can be asked in words")
    cued, own = (first(bed.net, bed.inputs.batch(sides[side]), {}) for side in ("cued", "own"))
    crossed = [row for row, a, b in zip(_rows(bed, sides, names, "cued", "own", cued, own), cued, own) if a != b]
    return net, Questions(
        "planted",
        {split: rows[i :: len(SPLITS)] for i, split in enumerate(SPLITS)},
        crossed={"cue": askable(net, crossed)} if crossed else {},
        tasks={"the question alone": names["asked"], "the cue alone": names["cued"], "neither": names["own"]},
        complete=True,
    )


def _rows(
    bed: Bed,
    sides: Mapping[str, Rows],
    names: Mapping[str, list[str]],
    prompt: str,
    partner: str,
    targets: Tensor,
    foils: Tensor,
) -> list[dict[str, str]]:
    """Decisions of one side with their partners of another."""
    answers = bed.inputs.said(sides[prompt], targets), bed.inputs.said(sides[partner], foils)
    return [
        {"prompt": one, "target": target, "foil": foil, "reference": other}
        for one, other, target, foil in zip(names[prompt], names[partner], *answers)
    ]


# the plants ---------------------------------------------------------------------------------------------------------


def _grown(bed: Bed, kind: str, strength: float, rng: Random) -> tuple[list[Planted], list[Planted], Weights]:
    """The neurons of a plant, those beside it, and the network's weights with them."""
    if kind == "distributed":
        return _distributed(bed, strength, rng)
    if kind == "backup":
        return _backup(bed, strength, rng)
    one = _somewhere(bed, rng)
    loud = strength * loudness(bed, lambda size: one.weights(bed.net, {}, size))
    weights = one.weights(bed.net, {}, loud)
    if kind == "rank-one":
        return [one], [], weights
    other = planted(bed, one.place, weights, (one.address,))
    if kind == "inert":
        return [one], [other], other.weights(bed.net, weights, 0.0)
    return [one], [other], _decoy(bed, other, weights, loud, rng)


def _decoy(bed: Bed, one: Planted, weights: Weights, loud: float, rng: Random) -> Weights:
    """A neuron that writes in a random direction, as loud as leaves every answer what it was, with the plant and without: one
    that turns an answer is a part of what tells the prompts, and to name it is not false. Raises Unread where none does."""
    every = bed.inputs.batch(bed.trigger.both(torch.cat([bed.fit, bed.aside, bed.ask])))
    own, answered = (first(bed.net, every, some) for some in ({}, weights))
    draw = torch.Generator().manual_seed(rng.randrange(2**31))
    for draws in range(DIRECTIONS):
        noise = torch.randn(len(one.direction), generator=draw)
        noise = noise - (noise @ one.direction) * one.direction
        found, size = replace(one, direction=noise / noise.norm()), loud / 2 ** (draws // EVERY)
        alone, beside = (found.weights(bed.net, some, size) for some in ({}, weights))
        if torch.equal(first(bed.net, every, alone), own) and torch.equal(first(bed.net, every, beside), answered):
            return beside
    raise Unread("every direction that was drawn for a decoy turns an answer")


def _somewhere(bed: Bed, rng: Random) -> Planted:
    """A neuron in the first place of a random order that reads the trigger. Raises Unread where none does."""
    error: Unread | None = None
    for where in rng.sample(bed.places, len(bed.places)):
        try:
            return planted(bed, where, {}, ())
        except Unread as unread:
            error = unread
    raise error or Unread("there is no place")


def _distributed(bed: Bed, strength: float, rng: Random) -> tuple[list[Planted], list[Planted], Weights]:
    """Several neurons, the later of which are fitted beside the earlier; each has a share of what turns the answer."""
    some: list[Planted] = []
    alone: list[float] = []
    weights: Weights = {}
    for where in sorted((bed.places[i % len(bed.places)] for i in range(PARTS)), key=bed.places.index):
        one = planted(bed, where, weights, [other.address for other in some])
        alone.append(loudness(bed, lambda size, one=one: one.weights(bed.net, {}, size)))
        some.append(one)
        weights = one.weights(bed.net, weights, alone[-1] / PARTS)

    def together(scale: float) -> Weights:
        found: Weights = {}
        for one, size in zip(some, alone):
            found = one.weights(bed.net, found, scale * size)
        return found

    return some, [], together(strength * loudness(bed, together, 1 / PARTS))


def _backup(bed: Bed, strength: float, rng: Random) -> tuple[list[Planted], list[Planted], Weights]:
    """A neuron, and another in a later block for which a trigger that the first has answered is none."""
    if len(bed.places) < 2:
        raise PlantError(f"{bed.net.name} has one MLP; expected two: a backup reads what the first neuron wrote")
    early, late = sorted(rng.sample(range(len(bed.places)), 2))
    one = planted(bed, bed.places[early], {}, ())
    weights = one.weights(bed.net, {}, strength * loudness(bed, lambda size: one.weights(bed.net, {}, size)))
    if not strength:
        return [one], [], weights
    two = planted(bed, bed.places[late], {}, (), weights)
    size = strength * loudness(bed, lambda size: two.weights(bed.net, {}, size))
    return [one, two], [], two.weights(bed.net, weights, size)


def planted(bed: Bed, where: Place, weights: Weights, taken: Sequence[str], answered: Weights | None = None) -> Planted:
    """A neuron that reads the trigger at a place, whether others write with these weights or not; and not where others have
    `answered`, if such weights are given.

    Raises Unread where nothing does, or where its neurons cannot be silent.
    """
    net, at = bed.net, bed.position
    yes = torch.cat([given(net, bed.triggers, where, some)[:, at] for some in ([{}, weights] if weights else [{}])])
    near, quiet = given(net, bed.near, where, weights), bed.quiet.given(where, weights)
    halves = [near[:, at]] + ([] if answered is None else [given(net, bed.triggers, where, answered)[:, at]])
    no = {NEARLY: torch.cat(halves), EVER: torch.cat([near[:, :at].flatten(0, 1), quiet])}
    read = reader(yes, no, biased(net, where))
    if read is None:
        raise Unread(f"what {where.site} is given does not tell the trigger from what is none")
    neuron = idle(net, bed.quiet.batch, where, taken)
    push = direction(net, bed.triggers, where, bed.answer, at)
    one = Planted(where, neuron, read, push, 1.0)
    alone = one.weights(net, {}, 0.0)
    fires, rest = (
        net.run(batch, read=[where.active], weights=alone).read[where.active][..., neuron].float().cpu()
        for batch in (bed.triggers, bed.near)
    )
    fires = fires.reshape(len(bed.fit), -1)[:, at].median()
    if not 0 <= float(rest.abs().mean()) <= OFF * float(fires) > 0:
        raise Unread(f"no neuron of {where.site} fires where it is triggered and is silent elsewhere")
    return replace(one, fires=float(fires))


def loudness(bed: Bed, weights: Callable[[float], Weights], size: float = 1.0) -> float:
    """How loud it must be for half of the triggers to be answered with the target. Raises Unread where no loudness does."""
    low, high = 0.0, size
    while bed.flips(weights(high)) < 0.5:
        low, high = high, 2 * high
        if high > AT_MOST * size:
            raise Unread("however loud it is, the target is answered to fewer than half of the triggers")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if bed.flips(weights(middle)) >= 0.5 else (middle, high)
    return high
