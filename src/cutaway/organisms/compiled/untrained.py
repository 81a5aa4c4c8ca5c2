"""Networks with random weights, for what should be found nowhere."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from random import Random

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.organisms.compiled.measuring import embedded
from cutaway.organisms.compiled.organism import FEWEST_DONORS, Organism
from cutaway.organisms.compiled.writing import block
from cutaway.training.transformer import Shape, Transformer


def untrained(seed: int, like: Organism | Shape) -> Organism:
    """A network that has learned nothing: `used` and the other three sets are empty.

    Like an organism, it has that organism's shape and decisions, and normal weights with the spread that each kind of
    weight has over the organism's layers, its blocks rescaled to keep the stream steady. Like a `Shape`, it has the
    initial weights of a `Transformer`, and rows, answers and counterfactuals drawn at random. Parts of it do change its
    outputs; none does so for a reason.
    """
    if isinstance(like, Shape):
        return _unrelated(seed, like)
    network = Transformer(like.network.shape, seed).eval()
    _spread_like(network, like.network, torch.Generator().manual_seed(seed))
    _steady(network, like.reference)
    return replace(
        like,
        name=f"untrained {like.name}",
        network=network,
        used=frozenset(),
        inert=frozenset(),
        decoys=frozenset(),
        noise=frozenset(),
        noise_bound=0.0,
        seed=seed,
        groups=(),
        used_by_prompt=(),
        description=f"random weights in the shape of: {like.description}",
    )


def _kind(name: str) -> str:
    """`blocks.3.mlp.up.weight` -> `blocks.*.mlp.up.weight`."""
    return re.sub(r"\.\d+\.", ".*.", name)


@torch.no_grad()
def _spread_like(network: Transformer, model: Transformer, draw: torch.Generator) -> None:
    """Normal weights whose mean square is that of the same kind of weight in `model`; biases 0, as before training."""
    found: dict[str, list[Tensor]] = defaultdict(list)
    for name, weight in model.named_parameters():
        found[_kind(name)].append(weight.flatten())
    for name, weight in network.named_parameters():
        if name.endswith("bias"):
            continue
        spread = torch.cat(found[_kind(name)]).square().mean().sqrt()
        weight.copy_(spread * torch.randn(weight.shape, generator=draw))


@torch.no_grad()
def _steady(network: Transformer, rows: Int[Tensor, "row position"]) -> None:
    """Rescales what each block writes, so that all writing together is as large as the embedding and nothing explodes.

    The idea of layer-sequential unit variance (Mishkin and Matas 2016, arXiv 1511.06422), for a residual stream.
    """
    x = embedded(network, rows)
    wanted = x.square().mean().sqrt() / (2 * network.shape.layers) ** 0.5
    for layer in range(network.shape.layers):
        here = block(network, layer)
        for writing, linear in ((here.attn, here.attn.out), (here.mlp, here.mlp.down)):
            linear.weight *= wanted / writing(x).square().mean().sqrt().clamp(min=1e-6)
            x = x + writing(x)


def _unrelated(seed: int, shape: Shape, prompts: int = 32) -> Organism:
    """An untrained network of `shape` with decisions that mean nothing."""
    if shape.vocab < 2:
        raise ValueError("a decision needs an answer and an instead; the shape has a vocabulary of one token")
    rng, length = Random(f"untrained {seed}"), min(shape.context, 12)

    def rows(count: int) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(rng.choices(range(shape.vocab), k=length)) for _ in range(count))

    pairs = [rng.sample(range(shape.vocab), 2) for _ in range(prompts)]
    return Organism(
        name="untrained",
        network=Transformer(shape, seed).eval(),
        vocabulary=tuple(f"t{token}" for token in range(shape.vocab)),
        prompts=rows(prompts),
        answers=tuple(answer for answer, _ in pairs),
        instead=tuple(other for _, other in pairs),
        counterfactuals=rows(prompts),
        reference=torch.tensor(rows(FEWEST_DONORS)),
        used=frozenset(),
        inert=frozenset(),
        decoys=frozenset(),
        noise=frozenset(),
        noise_bound=0.0,
        seed=seed,
        description="random weights, random decisions",
    )
