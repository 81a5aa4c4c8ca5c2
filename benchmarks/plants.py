"""How many plants does `match` find in five architectures, and does what some of them tell hold of others?

In each network plants of three kinds are grown at four strengths. From the first of them recall is predicted, as a 95 %
interval of how many of the others are found; the others are then counted. The copy's distance from the original is that of
every plant, on reference inputs that it was not fitted to. A killed run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import nn

import cutaway
from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, exact, share
from benchmarks.kept import Kept
from cutaway.network import Network, wrap
from cutaway.organisms.grafted.graft import CLOSE
from cutaway.study.plants import STRENGTHS, Plant, Sensitivity, one_plant, plants_of
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
    "decoder": 12.0,
    "grouped-query decoder": 12.0,
    "encoder": 8.0,
    "MLP": 4.0,
    "code model": 60.0,
}  # seconds of a plant
SEED, HELD = 8001, 18001
EACH, HELD_EACH = 5, 6  # of each kind and strength: to predict from, and to count
WORDS, TEXTS, LONG = 32, 400, 20  # of the networks with random weights
STRONG = tuple(strength for strength in STRENGTHS if strength)
FIRST, SECOND = plants_of(EACH, STRENGTHS, SEED), plants_of(HELD_EACH, STRONG, HELD, REAL)
MINUTES = sum(NETWORKS.values()) * (len(FIRST) + len(SECOND)) / 60


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
    """One of the five, the same every time. Weights of the second and third are random."""
    if name == "decoder":
        return cutaway.open("organism:agents-harmless")
    if name == "code model":
        return cutaway.open("organism:code")
    torch.manual_seed(SEED)
    return digits() if name == "MLP" else of_words(name)


def of_words(name: str) -> Network:
    """A grouped-query decoder or an encoder that sorts texts into five classes, on texts drawn by lot."""
    import transformers as hf

    sizes = {"vocab_size": WORDS, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 128, "max_position_embeddings": 48}
    if name == "encoder":
        config = hf.BertConfig(**sizes, num_labels=5, initializer_range=0.2)
        module: nn.Module = hf.BertForSequenceClassification(config)
    else:
        module = hf.Qwen2ForCausalLM(hf.Qwen2Config(**sizes, num_key_value_heads=2, initializer_range=0.15))
    draws = torch.randint(5, WORDS, (TEXTS, LONG), generator=torch.Generator().manual_seed(SEED)).tolist()
    return wrap(module.eval(), Written(), [Written().decode(row) for row in draws], name=name)


def digits() -> Network:
    """An MLP that reads handwritten digits (1,797 of 64 pixels, shipped with scikit-learn)."""
    from sklearn.datasets import load_digits

    data = load_digits()
    x, right = torch.from_numpy(data.data).float() / 16, torch.from_numpy(data.target)
    module = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimiser = torch.optim.Adam(module.parameters(), 3e-3)
    with torch.enable_grad():
        for _ in range(300):
            loss = nn.functional.cross_entropy(module(x), right)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return wrap(module.eval(), reference=x, name="MLP")


def measure(kept: Kept, repetitions: int) -> None:
    """One row a plant, each kept as it is done; nothing is repeated."""
    items = [(name, one.kind, one.strength, one.seed) for name in NETWORKS for one in (*FIRST, *SECOND)]
    each_kept(kept, "plants", row, items)


def row(name: str, kind: str, strength: float, seed: int) -> dict[str, Any]:
    """One plant."""
    return {"in": name, "held": seed >= HELD, **one_plant(network(name), Plant(kind, strength, seed))}


def rows_of(result: Result, name: str, held: bool) -> list[dict[str, Any]]:
    """The plants of one network."""
    return [
        one for one in result["settings"]["plants"]["facts"]["networks"] if (one["in"], one["held"]) == (name, held)
    ]


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for name in NETWORKS:
        yield (
            f"plants in the {name}: held-out ones found, of those that took",
            Bar(0.0, True, "{:.1%}"),
            "plants",
            found(name),
        )
        inside = f"… is that in the 95 % interval predicted from {EACH} of each"
        yield inside, Bar(1.0, True, "{:.0f}"), "plants", as_predicted(name)
        yield "… false claims (decoy, inert, strength 0)", Bar(0.05, False, "{:.1%}"), "plants", false(name)
        yield "… KL of the copies elsewhere, the largest", Bar(CLOSE, False, "{:.4f}"), "plants", far(name)


def found(name: str) -> Any:
    """The share of held-out plants of which a neuron was named."""

    def figure(result: Result) -> Measured:
        took = [one for one in rows_of(result, name, True) if one["took"]]
        return share(sum(one["found"] for one in took), len(took), "plants")

    return figure


def as_predicted(name: str) -> Any:
    """1 if as many as predicted."""

    def figure(result: Result) -> Measured:
        known = Sensitivity.of(name, rows_of(result, name, False), SEED)
        n, hits, low, high = known.holds(rows_of(result, name, True))
        return exact(float(low <= hits <= high), f"{hits} of {n} found, predicted {low} to {high}")

    return figure


def false(name: str) -> Any:
    """False claims over all of a network's plants."""

    def figure(result: Result) -> Measured:
        first = Sensitivity.of(name, rows_of(result, name, False), SEED).false
        return Measured(first.value, first.low, first.high, f"{first.n} plants")

    return figure


def far(name: str) -> Any:
    """How far the farthest copy is."""

    def figure(result: Result) -> Measured:
        took = [one["divergence"] for held in (False, True) for one in rows_of(result, name, held) if one["took"]]
        return exact(max(took), f"{len(took)} copies")

    return figure
