"""Any opened network as a subject: problems are fed as rows of one query each, and layers are rerun by writing the residual stream.

For networks in which the context does not see the query (causal ones whose query comes last): its states are then shared by
all queries of a problem, which is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State, Tokens
from cutaway.network import Edit, Network, Put, Site

TOLERANCE = 1e-4
"""How far the context's states may differ between queries, relative to their size, before a network is refused."""


@dataclass(frozen=True)
class Fed:
    """What a network is given: rows of one query each, all queries of a problem after each other, the query at the last position.

    `labels` are the positions that hold the points' labels, which stand for the points.
    """

    inputs: Any
    labels: Sequence[int]


@dataclass(frozen=True)
class Opened:
    """A network, how problems are fed to it, and how its output [row, …] becomes an answer for each row.

    Layers are its blocks: `resid_pre.0` is the state before the first, `resid_post.k` after block k.
    """

    network: Network
    feed: Callable[[Prompts], Fed]
    read: Callable[[Any], Float[Tensor, "row"]]
    _known: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def depth(self) -> int:
        """How many blocks. Errors: a network in which no residual stream was found."""
        if "depth" not in self._known:
            self._known["depth"] = len(self.network.sites("resid_post.*"))
        if not self._known["depth"]:
            raise ValueError(
                f"{self.network.name} has no residual stream that was found; expected blocks that add what their attn "
                "and mlp children give: declare it with sites=… of cutaway.open, or run the network once on a batch"
            )
        return self._known["depth"]

    def start(self, prompts: Prompts) -> State:
        """The state before the first block."""
        fed, queries = self.feed(prompts), prompts.queries.shape[1]
        if not isinstance(fed, Fed):
            raise TypeError(
                f"`feed` gave a {type(fed).__name__}; expected Fed(inputs, labels): see cutaway.mesa.opened"
            )
        batch = self.network.batch(fed.inputs)
        if batch.rows != prompts.count * queries:
            raise ValueError(
                f"{batch.rows} rows were fed for {prompts.count} problems of {queries} queries; expected one each"
            )
        self.network.locate(batch)
        stream = self.network.read(batch, "resid_pre.0")["resid_pre.0"]
        count = stream.shape[1]
        labels = [position % count for position in fed.labels]
        others = [position for position in range(count - 1) if position not in set(labels)]
        tokens = Tokens(len(labels), queries, len(others))
        return _gathered(stream, State(stream, tokens, _Rows(batch, (*labels, *others))))

    def run(self, state: State, first: int, last: int) -> State:
        """The state after block `last`, given the one after block `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        if first == last:
            return state
        after = f"resid_post.{last - 1}"
        put = Edit(Site.parse(f"resid_pre.{first}"), Put(_spread(state)))
        stream = self.network.run(_batch(state), edits=(put,), read=(after,)).read[after]
        return _gathered(stream, state)

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers, given the state after its last block."""
        put = Edit(Site.parse(f"resid_post.{self.depth - 1}"), Put(_spread(state)))
        found = self.read(self.network.run(_batch(state), edits=(put,)).output)
        rows = len(state.stream) * state.tokens.queries
        if found.shape != (rows,):
            raise ValueError(f"`read` gave {tuple(found.shape)} for {rows} rows; expected one number a row: [{rows}]")
        return found.reshape(len(state.stream), state.tokens.queries)


@dataclass(frozen=True)
class _Rows:
    """The batch that a state belongs to, and the positions of its context in the order of the state's tokens."""

    batch: Any
    context: tuple[int, ...]


def _batch(state: State) -> Any:
    """As many rows as the state has: the signs run some problems alone, or several times over.

    Everything that is computed of a row is written into the stream before it is used, so any row of the batch will do.
    """
    rows, batch = len(state.stream) * state.tokens.queries, state.inputs.batch
    return batch if rows == batch.rows else batch.take(torch.arange(rows) % batch.rows)


def _gathered(stream: Float[Tensor, "row position width"], state: State) -> State:
    """Rows as a state: the context once for each problem, the last position of every row as its query."""
    rows, tokens = stream.unflatten(0, (-1, state.tokens.queries)), state.tokens
    context = rows[:, :, list(state.inputs.context)]
    apart = (context - context[:, :1]).abs().max() if tokens.queries > 1 else stream.new_zeros(())
    if apart > TOLERANCE * context.abs().max():
        raise ValueError(
            "the context's states differ between queries: it sees the query; expected a causal network whose query comes last"
        )
    points, work = context[:, 0, : tokens.points], context[:, 0, tokens.points :]
    return State(torch.cat([points, rows[:, :, -1], work], 1), tokens, state.inputs)


def _spread(state: State) -> Float[Tensor, "row position width"]:
    """A state as rows of one query each."""
    queries, context = state.tokens.queries, torch.cat([state.told, state.stream[:, state.tokens.spare]], 1)
    rows = state.stream.new_empty(len(state.stream), queries, context.shape[1] + 1, state.stream.shape[2])
    rows[:, :, list(state.inputs.context)] = context.unsqueeze(1)
    rows[:, :, -1] = state.asked
    return rows.flatten(0, 1)
