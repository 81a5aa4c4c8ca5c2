"""From the name of a program and a seed to an organism, in named passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from random import Random

import torch

from cutaway.organisms.compiled.choosing import liar, router
from cutaway.organisms.compiled.copying import first_token, induction, previous_token, quote
from cutaway.organisms.compiled.counting import brackets, majority
from cutaway.organisms.compiled.distractors import NOISE_BOUND, Faint, decoy_part, inert_part, noise_part, write_faint
from cutaway.organisms.compiled.lookup import bigram, conditional, fact, pointer
from cutaway.organisms.compiled.measuring import Question, total_effect
from cutaway.organisms.compiled.ordering import reverse, sort
from cutaway.organisms.compiled.organism import FEWEST_DONORS, Group, Organism
from cutaway.organisms.compiled.placing import grid, place
from cutaway.organisms.compiled.program import Program, Row
from cutaway.organisms.compiled.rotate import random_rotation, rotated
from cutaway.organisms.compiled.tallying import count, histogram
from cutaway.organisms.compiled.writing import Gate, Head, Slot, blank, every_slot, write, write_embeddings
from cutaway.training.transformer import Shape, Transformer

_PROGRAMS: dict[str, Callable[[Random], Program]] = {
    "first-token": first_token,
    "previous-token": previous_token,
    "quote": quote,
    "induction": induction,
    "bigram": bigram,
    "fact": fact,
    "conditional": conditional,
    "pointer": pointer,
    "majority": majority,
    "brackets": brackets,
    "reverse": reverse,
    "sort": sort,
    "count": count,
    "histogram": histogram,
    "router": router,
    "liar": liar,
}
PROGRAMS: tuple[str, ...] = tuple(_PROGRAMS)
DRAWN = PROGRAMS[:10]
"""What random organisms are drawn from: a population keeps its networks when programs are added."""
PROMPTS = 32


@dataclass(frozen=True)
class Plan:
    """Which slot does what: used parts by name, the others by kind."""

    used: dict[str, Slot]
    inert: list[Slot]
    decoys: list[Slot]
    noise: list[Slot]


def names() -> tuple[str, ...]:
    """What can stand for NAME in `organism:NAME`; `NAME/7` is the same program with seed 7."""
    return PROGRAMS


@cache
def named(name: str) -> Organism:
    """The organism `organism:NAME` stands for: `named("induction")`, or `named("induction/7")` for another seed."""
    program, _, seed = name.partition("/")
    if program not in _PROGRAMS or not (seed or "0").isdecimal():
        raise ValueError(f"no organism {name!r}; try one of {', '.join(PROGRAMS)}, with /SEED for another network")
    return compile(program, int(seed or 0))


def compile(program: str, seed: int, inert: int = 4, decoys: int = 2, noise: int = 2) -> Organism:
    """A network that runs `program`, in random slots, with at least `inert`, and `decoys` and `noise` other parts.

    What is left of the grid of layers and heads is filled with inert parts. The same arguments give the same weights.
    >>> from cutaway.organisms.compiled import compile
    >>> sorted(compile("induction", seed=0).used)
    ['z.1[head=1]', 'z.3[head=3]']
    """
    rng = Random(f"{program}/{seed}")
    return build(program_named(program, rng), rng, seed, inert, decoys, noise)


def program_named(name: str, rng: Random) -> Program:
    """The program of this name, with random sizes."""
    if name not in _PROGRAMS:
        raise ValueError(f"no program {name!r}; expected one of {', '.join(PROGRAMS)}")
    return _PROGRAMS[name](rng)


def build(source: Program, rng: Random, seed: int, inert: int, decoys: int, noise: int) -> Organism:
    """The network of a program, in random slots among parts that it does not use."""
    if min(inert, decoys, noise) < 0:
        raise ValueError(f"inert={inert}, decoys={decoys}, noise={noise}: counts of parts cannot be negative")
    layers, heads = grid(source.parts, inert + decoys + noise, rng)
    plan = _plan(source, layers, heads, decoys, noise, rng)
    network = _written(source, plan, _shape(source, layers, heads), gain=rng.uniform(6, 12))
    decisions = source.decisions(PROMPTS, rng)
    reference = torch.tensor([source.sample(rng) for _ in range(FEWEST_DONORS)])
    question = _question(source, decisions, reference)
    _distract(network, source, plan, question, torch.Generator().manual_seed(rng.getrandbits(31)))
    turned = rotated(network, random_rotation(source.layout.width, rng.getrandbits(31)))
    return _organism(source, turned, plan, decisions, reference, seed)


def random_organism(seed: int) -> Organism:
    """A random program with random numbers of inert, decoy and noise parts: one draw from the population."""
    rng = Random(f"random organism {seed}")
    program = rng.choice(DRAWN)
    return compile(program, seed, inert=rng.randint(1, 8), decoys=rng.randint(0, 4), noise=rng.randint(0, 4))


def _shape(source: Program, layers: int, heads: int) -> Shape:
    """A transformer with room for every part of `source`."""
    whats = [part.what for part in source.parts]
    matched = [max(len(what.query), len(what.value_from)) for what in whats if isinstance(what, Head)]
    neurons = [len(what.when) for what in whats if not isinstance(what, Head)]
    return Shape(
        vocab=len(source.vocabulary),
        context=source.length,
        width=source.layout.width,
        layers=layers,
        heads=heads,
        d_head=max([4, *matched]),
        hidden=max([8, *neurons]),
        norm="none",
        positions="learned" if source.positional else "none",
        act="relu",
        bias=True,
        scale=1.0,
    )


def _plan(source: Program, layers: int, heads: int, decoys: int, noise: int, rng: Random) -> Plan:
    """Random slots for the used parts, then for decoys and noise; the rest is inert."""
    used = place(source.parts, layers, heads, rng)
    free = [slot for slot in every_slot(layers, heads) if slot not in used.values()]
    rng.shuffle(free)
    return Plan(used, free[decoys + noise :], free[:decoys], free[decoys : decoys + noise])


def _written(source: Program, plan: Plan, shape: Shape, gain: float) -> Transformer:
    """The bare program: every other slot is empty."""
    network = Transformer(shape).eval()
    blank(network)
    write_embeddings(network, source.layout, gain)
    for part in source.parts:
        write(network, plan.used[part.name], part.what)
    return network


def _question(source: Program, decisions: list[tuple[Row, Row]], reference: torch.Tensor) -> Question:
    """The decisions, with the reference and the counterfactuals as donors."""
    prompts, others = ([pair[i] for pair in decisions] for i in (0, 1))
    answers, instead = (torch.tensor([source.solve(row) for row in rows]) for rows in (prompts, others))
    return Question(torch.tensor(prompts), answers, instead, torch.cat([reference, torch.tensor(others)]))


def _distract(network: Transformer, source: Program, plan: Plan, question: Question, draw: torch.Generator) -> None:
    """Fills the slots that the program left."""
    for slot in plan.inert:
        write(network, slot, inert_part(source.layout, slot, draw))
    reference = replace(question, donors=question.donors[:FEWEST_DONORS])
    total = total_effect(network, reference, plan.used.values())
    write_faint(network, _faint_parts(source, plan, draw), question, total)


def _faint_parts(source: Program, plan: Plan, draw: torch.Generator) -> list[Faint]:
    """The decoys, modelled on any used part, and the noise, modelled on parts that write logits."""
    decoys = [
        decoy_part(source.layout, slot, _sometimes(_models(source, plan, slot), draw), draw) for slot in plan.decoys
    ]
    writers = replace(source, parts=tuple(part for part in source.parts if part.final))
    noise = [
        noise_part(source.layout, slot, _sometimes(_models(writers, plan, slot), draw), draw) for slot in plan.noise
    ]
    return decoys + noise


def _models(source: Program, plan: Plan, slot: Slot) -> list[Head | Gate]:
    """The parts of `source` that would do their work in `slot` too: of its kind, after what they read.

    No dormant ones: a copy that is faint while its model sleeps would be loud when both wake.
    """
    return [
        part.what
        for part in source.parts
        if not part.dormant
        and isinstance(part.what, Head) == (slot.head is not None)
        and all(plan.used[name].time < slot.time for name in part.after)
    ]


def _sometimes(models: list[Head | Gate], draw: torch.Generator) -> Head | Gate | None:
    """A random one of `models`, or one time in three none."""
    if not models or torch.rand(1, generator=draw) < 1 / 3:
        return None
    return models[int(torch.randint(len(models), (1,), generator=draw))]


def _organism(
    source: Program,
    network: Transformer,
    plan: Plan,
    decisions: list[tuple[Row, Row]],
    reference: torch.Tensor,
    seed: int,
) -> Organism:
    """The value that leaves the compiler."""

    def addresses(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(plan.used[name].address for name in names)

    prompts, others = (tuple(pair[i] for pair in decisions) for i in (0, 1))
    return Organism(
        name=source.name,
        network=network,
        vocabulary=source.vocabulary,
        prompts=prompts,
        answers=tuple(source.solve(row) for row in prompts),
        instead=tuple(source.solve(row) for row in others),
        counterfactuals=others,
        reference=reference,
        used=frozenset(slot.address for slot in plan.used.values()),
        inert=frozenset(slot.address for slot in plan.inert),
        decoys=frozenset(slot.address for slot in plan.decoys),
        noise=frozenset(slot.address for slot in plan.noise),
        noise_bound=NOISE_BOUND,
        seed=seed,
        description=source.description,
        groups=tuple(Group(group.kind, addresses(group.parts)) for group in source.groups),
        used_by_prompt=() if source.uses is None else tuple(frozenset(addresses(source.uses(row))) for row in prompts),
    )
