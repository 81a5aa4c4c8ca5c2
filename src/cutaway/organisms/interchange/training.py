"""A small transformer trained to implement a program part by part and edge by edge.

Each step takes pairs of rows, cuts edges of the first row at random so that they carry what they carry on the second, and
demands the logits that go with the program's answer under the same cuts. Fixed logits are demanded, not a high likelihood:
an edge that ought to carry nothing is then held to nothing, and does not hide behind a saturated softmax.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from random import Random

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.organisms.compiled.organism import FEWEST_DONORS, Organism
from cutaway.organisms.interchange.exchange import Exchanger, How
from cutaway.organisms.interchange.forward import Edges, run
from cutaway.organisms.interchange.program import Program, link_names, placed
from cutaway.organisms.interchange.programs import program_named
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import Recipe, TrainingDivergedError, adamw, reported
from cutaway.training.transformer import Shape, Transformer

HEADS, WIDTH, STEPS, BATCH = 4, 32, 1500, 96
LOGIT = 4.0
"""The logit of the right answer over all others that training demands."""
ZEROED = 8
"""One row in so many has zeros in place of another row's values, in edges that the program does not have."""
PROMPTS = 48
INITIAL = 0.3
"""The spread of token and position vectors before training: small ones turn faster."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A network and the program that it was trained to implement; nothing is known of it before it is checked.

    `organism` holds its decisions, without used parts; `places` says which part was to make each variable; `links` names
    the edges of the program. `cpu_seconds` is the time that training took, `loss` the mean squared error of its logits at
    the end.
    """

    organism: Organism
    program: Program
    places: dict[str, str]
    links: tuple[str, ...]
    how: How
    recipe: Recipe
    loss: float
    cpu_seconds: float

    @property
    def network(self) -> Transformer:
        return self.organism.network


def train(
    name: str, seed: int = 0, norm: str = "none", how: How = "edges", steps: int = STEPS, progress: Progress = silent
) -> Trained:
    """A network that was trained on the program `name`; `seed` draws weights, batches, places and decisions.

    `norm` "none" or "rms"; `how` "edges" (strict on edges), "parts" (whole parts only) or "task" (no interchange at all).
    Raises ValueError for other names, TrainingDivergedError where the error is no longer a number.
    """
    start = untrained_start(name, seed, norm, how, steps)
    network, recipe = start.network.train(), start.recipe
    edges = Edges(network.shape)
    exchanger = Exchanger(edges, tuple(edges.numbers[link] for link in start.links), how)
    optimiser = adamw(network, recipe)
    generator = torch.Generator().manual_seed(Random(f"batches {name}/{seed}").getrandbits(31))
    began, loss = time.process_time(), 0.0
    with reported(progress, steps) as advance:
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(step)
            loss = _step(network, optimiser, start.program, exchanger, recipe, generator)
            if not loss < float("inf"):
                raise TrainingDivergedError(
                    f"step {step}: squared error {loss:.3g}; expected a number; try another seed"
                )
            advance(1)
    network.eval()
    return replace(start, loss=loss, cpu_seconds=time.process_time() - began)


def untrained_start(name: str, seed: int, norm: str, how: How, steps: int = STEPS) -> Trained:
    """The network as training finds it: random weights, the places already drawn."""
    if norm not in ("none", "rms") or how not in ("edges", "parts", "task"):
        raise ValueError(f"given norm={norm!r}, how={how!r}; expected none or rms, and edges, parts or task")
    program, rng = program_named(name), Random(f"interchange {name}/{seed}")
    network = initial(program, norm, rng.getrandbits(31))
    draw = torch.Generator().manual_seed(rng.getrandbits(31))
    places = placed(program, HEADS, rng)
    recipe = recipe_of(program, seed, steps)
    organism = asked(program, network, seed, f"{name}-{norm}-{how}", draw)
    return Trained(organism, program, places, link_names(program.links, places), how, recipe, float("inf"), 0.0)


def recipe_of(program: Program, seed: int, steps: int) -> Recipe:
    """How it is trained."""
    return Recipe(
        steps,
        BATCH,
        program.length,
        lr=5e-3,
        warmup=0.05,
        schedule="cosine",
        betas=(0.9, 0.99),
        decay=0.01,
        seed=seed,
    )


def initial(program: Program, norm: str, seed: int) -> Transformer:
    """Random weights; tokens and positions begin as large as what blocks write."""
    shape = Shape(
        vocab=len(program.vocabulary),
        context=program.length,
        width=WIDTH,
        layers=program.layers,
        heads=HEADS,
        d_head=WIDTH // HEADS,
        hidden=4 * WIDTH,
        norm=norm,  # ty: ignore[invalid-argument-type]
        positions="learned",
        bias=True,
    )
    network, draw = Transformer(shape, seed).eval(), torch.Generator().manual_seed(seed)
    assert network.position is not None
    with torch.no_grad():
        for table in (network.embed, network.position):
            table.weight.copy_(INITIAL * torch.randn(table.weight.shape, generator=draw))
    return network


def asked(program: Program, network: Transformer, seed: int, name: str, draw: torch.Generator) -> Organism:
    """The network with decisions of the program; each counterfactual is another row, in which every used link differs."""
    rows, others = program.decisions(PROMPTS, draw)
    as_rows = (tuple(map(tuple, some.tolist())) for some in (rows, others))
    prompts, counterfactuals = as_rows
    nothing: frozenset[str] = frozenset()
    return Organism(
        name=name,
        network=network,
        vocabulary=program.vocabulary,
        prompts=prompts,
        answers=tuple(program.answers(rows).tolist()),
        instead=tuple(program.answers(others).tolist()),
        counterfactuals=counterfactuals,
        reference=program.sample(FEWEST_DONORS, draw),
        used=nothing,
        inert=nothing,
        decoys=nothing,
        noise=nothing,
        noise_bound=0.0,
        seed=seed,
        description=program.description,
    )


def _step(
    network: Transformer,
    optimiser: torch.optim.Optimizer,
    program: Program,
    exchanger: Exchanger,
    recipe: Recipe,
    generator: torch.Generator,
) -> float:
    """One batch of pairs; gives the mean squared error."""
    rows, others = (program.sample(recipe.batch, generator) for _ in range(2))
    strength = exchanger.draw(recipe.batch, generator)
    given = run(network, others)
    standing = list(given.written)
    if exchanger.how == "edges":
        zeroed = slice(0, recipe.batch // ZEROED)
        strength[zeroed, list(exchanger.links)] = 0
        keep = torch.ones(recipe.batch, 1, 1)
        keep[zeroed] = 0
        standing = [written * keep for written in standing]
    found = run(network, rows, standing, strength)
    wanted = program.answers(rows, others, exchanger.cut(strength))
    loss = squared(found.logits, wanted) + 0.25 * squared(given.logits, program.answers(others))
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
    optimiser.step()
    return loss.item()


def squared(logits: Float[Tensor, "row vocab"], answers: Int[Tensor, "row"]) -> Float[Tensor, ""]:
    """Squared distance from the wanted logits, summed over the vocabulary, mean over rows."""
    size = logits.shape[1]
    wanted = LOGIT * (F.one_hot(answers, size).to(logits) - 1 / size)
    return (logits - wanted).square().sum(1).mean()
