"""What lowers the price of sparse weights: each idea at equal work beside plain regrowth, and training steps with sparse layers.

Tiny Python, width 128, 1 weight in 16, 300,000 tokens in all. *Annealed* begins from a dense network that had half of them;
*distilled* learns from that network while it takes as much work as the other half is, or from one that had as many tokens as
itself, which is more work. A network that others begin or learn from is trained on programs of another seed, but for the last.
Steps: 2,048 tokens, ten in a round, one of which exchanges weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import RESULTS, Kept
from benchmarks.timing import interleave
from cutaway.dial.plan import Plan, carried_out
from cutaway.dial.pressure import Regrowth
from cutaway.dial.pressure.words import DENSE
from cutaway.dial.sparse.on_support import OnSupport
from cutaway.dial.sparse.training import Layers
from cutaway.dial.store import Origin, is_network, load, save
from cutaway.dial.train import Pressed, one_step
from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.training.loop import Recipe, adamw

DEPENDS = (
    *(f"dial/{name}" for name in ("pressure", "sparse", "tiny_python")),
    *(f"dial/{name}.py" for name in ("corpora", "operations", "origin", "plan", "train", "transformer")),
    "training/loop.py",
    "dial_lower.py",
)
MINUTES = 9.0
SEEDS = (8001, 8002, 8003)
AGAIN = 100
"""Between the seed of a run and that of the network it begins from: other programs."""
TOKENS = 300_000
PLAIN = "regrowth=1/16"
ROUNDS, CALLS = 2, 10


@dataclass(frozen=True)
class Idea:
    """A run: its pressure in words, its tokens, what it begins from or learns from (a name in `IDEAS` or `ORIGINS`)."""

    pressure: str = PLAIN
    tokens: int = TOKENS
    start: str | None = None
    teacher: str | None = None
    again: int = 0
    lr: float | None = None


IDEAS = {
    "dense": Idea(DENSE),
    "plain": Idea(),
    "annealed": Idea(tokens=TOKENS // 2, start="half", lr=1e-2),
    "distilled, equal work": Idea(tokens=3 * TOKENS // 8, teacher="half"),  # a teacher's pass is a third of a step
    "distilled": Idea(teacher="dense"),
    "grown": Idea(f"{PLAIN}:first=1/64"),
    "top-k": Idea("topk=1/16", lr=3e-2),
    "erdos-renyi": Idea(f"{PLAIN}:densities=erdos-renyi"),
}
ORIGINS = IDEAS | {"half": Idea(DENSE, TOKENS // 2, again=AGAIN)}


def measure(kept: Kept, repetitions: int) -> None:
    """One row a run, each kept as it is done; then steps. Nothing is repeated."""
    each_kept(kept, "ideas", partial(row, kept.code), [(idea, seed) for seed in SEEDS for idea in IDEAS])
    for width in (128, 256, 512):
        for fraction in (16, 64, 256):
            ways = ("dense", "everywhere" if width == 128 else "fastest")
            steps = {way: Steps(width, fraction, way) for way in ways}
            timed: dict[str, Callable[[], object]] = {way: each.one for way, each in steps.items()}
            facts = partial(sparse_of, steps)
            interleave(kept, f"steps, width {width}, 1:{fraction}", timed, ROUNDS, facts, calls=CALLS)


def row(code: str, idea: str, seed: int) -> dict[str, Any]:
    """What a run reached and took, and what the networks took that it came from."""
    record = load(trained(idea, seed, code)).record
    origins = [origin for origin in (record.start, record.teacher) if origin is not None]
    return {
        "idea": idea,
        "seed": seed,
        "loss": record.held_out,
        "live": list(record.alive),
        "own": {"executed": record.executed, "cpu seconds": record.cpu_seconds, "tokens": record.tokens},
        "origins": [before(origin) for origin in origins],
        "executed": record.executed + sum(origin.executed + origin.teaching for origin in origins),
        "useful": record.useful + sum(origin.useful + origin.teaching for origin in origins),
        "cpu seconds": record.cpu_seconds + sum(origin.cpu_seconds for origin in origins),
    }


def before(origin: Origin) -> dict[str, Any]:
    """What there is to say of the network that a run came from."""
    found = {"loss": origin.held_out, "executed": origin.executed, "teaching": origin.teaching}
    return {"name": origin.name, **found, "cpu seconds": origin.cpu_seconds}


def trained(name: str, seed: int, code: str) -> Path:
    """The folder of a network of an idea; it is trained once."""
    folder = RESULTS / f"dial_lower.tmp-{code}" / f"{name.replace(' ', '-')}-{seed}"
    if not is_network(folder):
        idea = ORIGINS[name]
        start, teacher = (one and str(trained(one, seed, code)) for one in (idea.start, idea.teacher))
        plan = Plan(
            tokens=idea.tokens, pressure=idea.pressure, seed=seed + idea.again, lr=idea.lr, start=start, teacher=teacher
        )
        save(carried_out(plan), folder)
    return folder


class Steps:
    """Training steps of a network, ready to be timed: all layers dense, those sparse that are chosen, or all."""

    def __init__(self, width: int, fraction: int, way: str) -> None:
        shape, regrowth = SparseShape(vocab=122, context=64, width=width), Regrowth(1 / fraction, every=CALLS)
        self.recipe = Recipe(steps=100_000, batch=32, context=shape.context, lr=1e-2, warmup=0.0)
        self.pressed = Pressed(SparseTransformer(shape, seed=7000), (regrowth,))
        self.kept = self.pressed.sparsely(self.recipe, "fastest" if way == "fastest" else "dense")  # ends with this
        self.pressed.layers = everywhere(self.pressed) if way == "everywhere" else self.kept.__enter__()
        self.optimiser = adamw(self.pressed, self.recipe)
        self.numbers = count(self.recipe.steps // 2)
        self.tokens = torch.randint(shape.vocab, (100_000,), generator=torch.Generator().manual_seed(7001))

    def one(self) -> float:
        """The next step."""
        batch = self.recipe.windows.draw(self.tokens, self.recipe.batch, self.recipe.context)
        return one_step(self.pressed, self.optimiser, batch, self.recipe, next(self.numbers))


def everywhere(pressed: Pressed) -> Layers:
    """Every linear layer sparse, whether it gains by it or not."""
    (regrowth,), made = (one for one in pressed.each), {}
    assert isinstance(regrowth.pressure, Regrowth)
    for name, mask in regrowth.supports.named_buffers():
        owner = name.replace("/", ".").removesuffix(".weight")
        if isinstance(linear := pressed.network.get_submodule(owner), nn.Linear):
            made[owner] = OnSupport(linear, mask)
            pressed.network.set_submodule(owner, made[owner])
    return Layers(regrowth.pressure, made)


def sparse_of(steps: dict[str, Steps]) -> dict[str, Any]:
    """Which layers are sparse in each."""
    return {"sparse layers": {way: list(each.pressed.layers.each) for way, each in steps.items()}}
