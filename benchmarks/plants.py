"""How many plants does `match` find in five architectures, and does what some of them tell hold of others?

In each network plants of three kinds are grown at three strengths, and some without any; decoys and inert neurons beside one
more. From the first of them recall is predicted, as a 95 % interval of how many of the others are found; the others are then
counted. A seed in whose draws no plant takes is followed by the next, up to `TRIES` times as many as are wanted: what took and
what did not are both counted. The copy's distance from the original is that of every plant, on reference inputs that it was
not fitted to. Network after network; a killed run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

import cutaway
from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, exact, share
from benchmarks.kept import Kept
from cutaway.network import Network, wrap
from cutaway.organisms.grafted.graft import CLOSE
from cutaway.study.plants import Plant, Sensitivity, one_plant, plants_of
from cutaway.study.plants.plants import REAL

DEPENDS = (
    "network",
    "submodels",
    "concepts/match",
    "organisms/grafted",
    "study/plants",
    "plants.py",
)
NETWORKS = {
    "MLP": 3.0,
    "encoder": 8.0,
    "decoder": 10.0,
    "grouped-query decoder": 8.0,
    "code model": 24.0,
}  # seconds of a plant
SHIPPED = {"encoder": "organism:reader", "decoder": "organism:agents-harmless", "code model": "organism:code"}
SEED, HELD, APART = 8001, 18001, 40  # seeds of the first cell, and how far apart cells are
GROWN = (0.0, 1.0, 2.0, 4.0)
EACH, HELD_EACH = 4, 7  # of each kind and strength that took: to predict from, and to count
TRIES = 2  # times as many are grown, at most
LEAST = 60  # held-out plants must have taken, for a network to say that its interval holds
WORDS, FIRST, TEXTS, LONG = 32, 5, 400, 20  # of the grouped-query decoder: words, texts and their length
BACK, NOISE, STEPS = 3, 0.2, 400  # a word follows from the one so far before it, or by lot; steps of training
CELLS = [
    *((False, one.kind, one.strength) for one in plants_of(1, GROWN)),
    *((True, one.kind, one.strength) for one in plants_of(1, GROWN[1:], kinds=REAL)),
]
WANTED = {False: EACH, True: HELD_EACH}
MINUTES = sum(NETWORKS.values()) * sum(WANTED[held] for held, *_ in CELLS) / 60


class Written:
    """A tokenizer of w0, w1, …"""

    def encode(self, text: str) -> list[int]:
        """The numbers of the words."""
        return [int(word[1:]) for word in text.split()]

    def decode(self, ids: list[int]) -> str:
        """The words."""
        return " ".join(f"w{one}" for one in ids)


@cache
def network(name: str) -> Network:
    """One of the five, the same every time."""
    if name in SHIPPED:
        return cutaway.open(SHIPPED[name])
    torch.manual_seed(SEED)
    return digits() if name == "MLP" else grouped()


def grouped() -> Network:
    """A grouped-query decoder that was taught which word follows: a fixed other one for the word `BACK` places before."""
    import transformers as hf

    config = hf.Qwen2Config(
        vocab_size=WORDS,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=128,
        max_position_embeddings=48,
    )
    module, drawn = hf.Qwen2ForCausalLM(config), torch.Generator().manual_seed(SEED)
    follows = FIRST + torch.randperm(WORDS - FIRST, generator=drawn)

    def draw(count: int) -> Int[Tensor, "rows positions"]:
        rows = torch.randint(FIRST, WORDS, (count, LONG), generator=drawn)
        by_lot = torch.rand(count, LONG, generator=drawn) < NOISE
        for i in range(BACK, LONG):
            rows[:, i] = torch.where(by_lot[:, i], rows[:, i], follows[rows[:, i - BACK] - FIRST])
        return rows

    optimiser = torch.optim.Adam(module.parameters(), 3e-3)
    with torch.enable_grad():
        for _ in range(STEPS):
            rows = draw(64)
            optimiser.zero_grad()
            module(rows, labels=rows).loss.backward()
            optimiser.step()
    texts = [Written().decode(row) for row in draw(TEXTS).tolist()]
    return wrap(module.eval(), Written(), texts, name="grouped-query decoder")


def digits() -> Network:
    """An MLP that reads handwritten digits (1,797 of 64 pixels, shipped with scikit-learn)."""
    from sklearn.datasets import load_digits

    data = load_digits()
    x, right = torch.from_numpy(data.data).float() / 16, torch.from_numpy(data.target)
    module = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))
    optimiser = torch.optim.Adam(module.parameters(), 3e-3)
    with torch.enable_grad():
        for _ in range(300):
            loss = nn.functional.cross_entropy(module(x), right)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return wrap(module.eval(), reference=x, name="MLP")


def measure(kept: Kept, repetitions: int) -> None:
    """One row a plant, each kept as it is done; nothing is repeated. Networks follow each other, so that some are whole."""
    items: list[tuple[Any, ...]] = []
    facts = kept.setting("plants")["facts"]
    for name in NETWORKS:
        rows: list[dict[str, Any]] = []
        while more := missing(name, rows):
            items += more
            each_kept(kept, "plants", row, items)
            rows = [one for one in facts["networks"] if one["in"] == name]


def missing(name: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The plants to grow next in a network: of each cell as many as still have to take, while there are seeds left."""
    found: list[tuple[Any, ...]] = []
    for i, cell in enumerate(CELLS):
        held, kind, strength = cell
        there = [one["took"] for one in rows if (one["held"], one["kind"], one["strength"]) == cell]
        more = min(WANTED[held] - sum(there), TRIES * WANTED[held] - len(there))
        begin = (HELD if held else SEED) + APART * i + len(there)
        found += [(name, kind, strength, begin + k) for k in range(more)]
    return found


def row(name: str, kind: str, strength: float, seed: int) -> dict[str, Any]:
    """One plant."""
    return {"in": name, "held": seed >= HELD, **one_plant(network(name), Plant(kind, strength, seed))}


def rows_of(result: Result, name: str, held: bool) -> list[dict[str, Any]]:
    """The plants of one network. Raises KeyError where none were grown yet, or not all."""
    rows = [one for one in result["settings"]["plants"]["facts"]["networks"] if one["in"] == name]
    if missing(name, rows):
        raise KeyError(name)
    return [one for one in rows if one["held"] == held]


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for name in NETWORKS:
        yield (
            f"plants in the {name}: held-out ones found, of those that took",
            Bar(0.0, True, "{:.1%}"),
            "plants",
            found(name),
        )
        inside = f"… is that in the 95 % interval predicted from {EACH} of each ({LEAST} took at least)"
        yield inside, Bar(1.0, True, "{:.0f}"), "plants", as_predicted(name)
        yield "… present, but none of the neurons named", Bar(0.05, False, "{:.1%}"), "plants", elsewhere(name)
        yield "… false claims (decoy, inert, strength 0)", Bar(0.05, False, "{:.1%}"), "plants", false(name)
        yield "… KL of the copies elsewhere, the largest", Bar(CLOSE, False, "{:.4f}"), "plants", far(name)
    yield "plants in all five networks: false claims", Bar(0.05, False, "{:.1%}"), "plants", false(*NETWORKS)


def found(name: str) -> Any:
    """The share of held-out plants of which a neuron was named."""

    def figure(result: Result) -> Measured:
        rows = rows_of(result, name, True)
        took = [one for one in rows if one["took"]]
        return share(sum(one["found"] for one in took), len(took), f"plants; {len(rows) - len(took)} did not take")

    return figure


def elsewhere(name: str) -> Any:
    """Held-out plants that are called present somewhere else: in what carries their cue, say."""

    def figure(result: Result) -> Measured:
        took = [one for one in rows_of(result, name, True) if one["took"]]
        return share(sum(bool(one["named"]) and not one["found"] for one in took), len(took), "plants")

    return figure


def as_predicted(name: str) -> Any:
    """1 if as many as predicted, of enough."""

    def figure(result: Result) -> Measured:
        known = Sensitivity.of(name, rows_of(result, name, False), SEED)
        n, hits, low, high = known.holds(rows_of(result, name, True))
        inside = n >= LEAST and low <= hits <= high
        return exact(float(inside), f"{hits} of {n} found, predicted {low} to {high}")

    return figure


def false(*names: str) -> Any:
    """False claims, of the plants in these networks that can give rise to one."""

    def figure(result: Result) -> Measured:
        rows = [one for name in names for held in (False, True) for one in rows_of(result, name, held)]
        first = Sensitivity.of("", rows, SEED).false
        return Measured(first.value, first.low, first.high, f"{first.n} plants", sampled=True)

    return figure


def far(name: str) -> Any:
    """How far the farthest copy is."""

    def figure(result: Result) -> Measured:
        took = [one["divergence"] for held in (False, True) for one in rows_of(result, name, held) if one["took"]]
        return exact(max(took), f"{len(took)} copies")

    return figure
