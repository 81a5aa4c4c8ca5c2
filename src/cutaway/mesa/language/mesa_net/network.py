"""A small network trained on in-context regression, one of whose layers solves it by conjugate gradients: a certain positive.

Its other layers are MLPs, which see one token each: whatever is read from the context is read by that layer, and the number of its
steps is a dial. With 0 or 1 steps the truth is not certain: the MLPs behind act on the moments that were read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.mesa.language.mesa_net.layer import MesaLayer
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.fitting import Fitted, fitted
from cutaway.mesa.reference.transformer import MLP, Shape
from cutaway.mesa.subject import State, Tokens, answers
from cutaway.mesa.tasks import Regression
from cutaway.training.loop import Recipe

Stream = Float[Tensor, "prompt token width"]


class MesaNetwork(nn.Module):
    """Points (x, y, 1) and queries (x, 0, 0) -> an MLP, the solving layer with its MLP, an MLP -> answers; a `Subject`."""

    depth = 3

    def __init__(self, shape: Shape, steps: int, seed: int) -> None:
        super().__init__()
        self.shape = shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed, self.readout = nn.Linear(shape.dim + 2, shape.width), nn.Linear(shape.width, 1)
            self.mesa = MesaLayer(shape.width, shape.heads, shape.head, steps)
            self.mlps = nn.ModuleList(nn.Sequential(nn.LayerNorm(shape.width), MLP(shape)) for _ in range(self.depth))

    def start(self, prompts: Prompts) -> State:
        """The state before the first layer."""
        given = prompts.to(self.readout.weight.dtype)
        xs, points = torch.cat([given.xs, given.queries], 1), given.points
        labels = xs.new_zeros(*xs.shape[:2], 2)
        labels[:, :points, 0], labels[:, :points, 1] = given.ys, 1.0
        return State(self.embed(torch.cat([xs, labels], 2)), Tokens(points, xs.shape[1] - points))

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        x = state.stream
        for layer in range(first, last):
            if layer == 1:
                x = x + self.mesa(x, state.tokens)
            x = x + self.mlps[layer](x)
        return state.having(x)

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers."""
        return self.readout(state.asked).squeeze(-1)


@dataclass(frozen=True)
class MesaNet:
    """How such a network is made: the task, `solves` steps of conjugate gradients in its layer, and the training's numbers."""

    solves: int = 4
    task: Regression = field(default_factory=lambda: Regression(condition=4.0))
    shape: Shape = field(default_factory=lambda: Shape(4, width=32, heads=2, layers=3, hidden=64, d_head=8))
    steps: int = 2000
    batch: int = 64
    lr: float = 3e-3
    seed: int = 7001

    def trained(self) -> Fitted[MesaNetwork]:
        """The network, trained from end to end on the answers."""
        recipe = Recipe(self.steps, self.batch, lr=self.lr, schedule="cosine", decay=0.0, seed=self.seed)

        def loss(network: MesaNetwork, number: int) -> Float[Tensor, ""]:
            prompts = self.task.draw(self.batch, self.seed * 1_000_003 + number).to(torch.float32)
            return (answers(network, prompts) - prompts.answers).square().mean()

        return fitted(MesaNetwork(self.shape, self.solves, self.seed), loss, recipe)
