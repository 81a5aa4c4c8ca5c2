"""A circuit as two tables: what each node responds to and what it writes, and what each edge carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.dial.prune.edges import wired
from cutaway.dial.prune.masked import losses, margins
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.reading.graph import Edge, Graph, Node, graph_of
from cutaway.dial.tasks import CHANCE, Examples
from cutaway.dial.transformer import SparseTransformer

NEAR = 0.05
"""The share of the largest distance from the middle token below which no token is named."""
FEWEST = 3
"""Occurrences of a token that its mean takes."""
BATCH = 64
"""Windows that pass at once."""

Named = tuple[tuple[str, float], ...]
"""Texts of tokens, each with a number."""


@dataclass(frozen=True)
class NodeRow:
    """A node of the circuit, as the whole network runs.

    `high` and `low`: the tokens at which it is most above and below what it is at the middle token, with its means there (of
    a key: of what it adds to the score where its query is at its mean). `away`: the share of positions at which it is more
    than its standard deviation from its mean. `pushes`: by how many nats of log odds the answer gains on the other one with it,
    against it at its mean, in the circuit alone, on average. `raises` and `lowers`: output tokens and the logits that one
    standard deviation more of it adds straight to the output; empty where no weights of the circuit lead straight there. Empty
    means not straight to the output, not that it does nothing. `by_token` and `by_place`: the shares of its variance that the
    token alone and the place alone explain; where the place says more, the tokens named are those that stand there.
    """

    address: str
    high: Named
    low: Named
    away: float
    by_token: float
    by_place: float
    pushes: float
    raises: Named
    lowers: Named

    def __str__(self) -> str:
        said = f"{self.address}: high at {_listed(self.high)}, low at {_listed(self.low)}; away {self.away:.0%}"
        said += f", by token {self.by_token:.0%}, by place {self.by_place:.0%}"
        written = f"; raises {_listed(self.raises)}, lowers {_listed(self.lowers)}" if self.raises else ""
        return f"{said}; pushes {self.pushes:+.2f}{written}"


@dataclass(frozen=True)
class EdgeRow:
    """A weight of the circuit; `without` is the task's loss in nats when it alone is cut from the circuit.

    `share` is that loss from the circuit's own (0) to chance (1); more than 1 is worse than guessing.
    """

    start: str
    end: str
    weight: float
    without: float
    share: float

    def __str__(self) -> str:
        return f"{self.start} → {self.end}: {self.weight:+.3g}, loss {self.without:.3f} without it ({self.share:.0%})"


@dataclass(frozen=True)
class Table:
    """The rows of a circuit, whose own loss on the examples is `loss`."""

    task: str
    loss: float
    nodes: tuple[NodeRow, ...]
    edges: tuple[EdgeRow, ...]

    def __str__(self) -> str:
        edges, nodes = len(self.edges), len(self.nodes)
        return "\n".join(
            [
                f"{self.task}: {edges} edges, {nodes} nodes, loss {self.loss:.3f}",
                *map(str, self.nodes),
                *map(str, self.edges),
            ]
        )


@torch.no_grad()
def table(
    circuit: TaskCircuit,
    network: SparseTransformer,
    windows: Int[Tensor, "window position"],
    examples: Examples,
    texts: Sequence[str],
    most: int = 4,
) -> Table:
    """The tables; `windows` of a corpus say what nodes respond to, `examples` of the task what they do; `most` tokens a row."""
    graph = graph_of(circuit, network)
    alone = wired(network, circuit.nodes, circuit.edges)
    seen = _seen(network, graph, windows)
    own = _loss(alone, circuit, examples)
    sure = margins(alone, circuit.nodes, examples, circuit.kept.float()[None])
    places, rows = torch.arange(windows.shape[1]).expand_as(windows), []
    for node in graph.nodes:
        means, count = _by_token(seen[node] * _sign(circuit, graph, node), windows, network.shape.vocab)
        known = (count >= FEWEST).nonzero()[:, 0]
        ends = _ends(means[known], [texts[token] for token in known.tolist()], most, means[known].median())
        spread = float(seen[node].std())
        fewer = circuit.kept.clone()
        fewer[circuit.nodes.slices[node.place].start + node.index] = False
        pushes = float((sure - margins(alone, circuit.nodes, examples, fewer.float()[None])).mean())
        written = _written(network, graph, node) * spread
        names = _ends(written, texts, most) if written.any() else ((), ())
        away = float(((seen[node] - seen[node].mean()).abs() > spread).double().mean())
        shares = (_explained(seen[node], windows), _explained(seen[node], places))
        rows.append(NodeRow(node.address, *ends, away, *shares, pushes, *names))
    edges = [_edge(edge, network, alone, circuit, examples, own) for edge in graph.edges]  # wires `alone` anew
    return Table(circuit.task, own, tuple(rows), tuple(edges))


def _edge(
    edge: Edge,
    network: SparseTransformer,
    spare: SparseTransformer,
    circuit: TaskCircuit,
    examples: Examples,
    own: float,
) -> EdgeRow:
    fewer = circuit.without(edge.matrix, edge.end.index, edge.start.index)
    without = _loss(wired(network, circuit.nodes, fewer.edges, into=spare), circuit, examples)
    share = (without - own) / (CHANCE - own)
    return EdgeRow(edge.start.address, edge.end.address, edge.weight, without, share)


def _loss(alone: SparseTransformer, circuit: TaskCircuit, examples: Examples) -> float:
    """The loss of a circuit alone, given the network with only its edges."""
    return float(losses(alone, circuit.nodes, examples, circuit.kept.float()[None]).mean())


def _seen(
    network: SparseTransformer, graph: Graph, windows: Int[Tensor, "window position"]
) -> dict[Node, Float[Tensor, "window position"]]:
    """What each node of the circuit is at in the whole network."""
    found: dict[Node, list[Tensor]] = {node: [] for node in graph.nodes}

    def note(place: str, x: Tensor) -> Tensor:
        for node in graph.nodes:
            if node.place == place:
                found[node].append(x[..., node.index].double())
        return x

    for part in windows.split(BATCH):
        network.stream(part, at=note)
    return {node: torch.cat(parts) for node, parts in found.items()}


def _by_token(
    values: Float[Tensor, "window position"], windows: Int[Tensor, "window position"], vocab: int
) -> tuple[Float[Tensor, "token"], Float[Tensor, "token"]]:
    """The mean at each token, and how often it occurs."""
    count = torch.bincount(windows.flatten(), minlength=vocab).double()
    return torch.bincount(windows.flatten(), values.flatten(), minlength=vocab) / count.clamp(min=1), count


def _explained(values: Float[Tensor, "window position"], ids: Int[Tensor, "window position"]) -> float:
    """The share of the variance that lies between the means of the ids."""
    means, _ = _by_token(values, ids, int(ids.max()) + 1)
    return float(means[ids].var() / values.var().clamp(min=1e-300))


def _sign(circuit: TaskCircuit, graph: Graph, node: Node) -> float:
    """Of a key: what its query is at on average, as an entry of the scores; otherwise 1."""
    if node.site != "k":
        return 1.0
    query = circuit.nodes.means[circuit.nodes.slices[f"q.{node.layer}"]][node.index]
    return float(query) * graph.d_head**-0.5 or 1.0


def _written(network: SparseTransformer, graph: Graph, node: Node) -> Float[Tensor, "token"]:
    """The logits that 1 more of a node adds straight to the output, by weights of the circuit; the last norm left out."""
    if node.site in ("attn_out", "mlp_out"):
        return (network.unembed.weight[:, node.index] * network.norm.weight[node.index]).double()
    onward = [edge for edge in graph.edges if edge.start == node and edge.end.site in ("attn_out", "mlp_out")]
    nothing = torch.zeros(network.shape.vocab, dtype=torch.double)
    return sum((edge.weight * _written(network, graph, edge.end) for edge in onward), nothing)


def _ends(
    values: Float[Tensor, "token"], texts: Sequence[str], most: int, centre: Tensor | float = 0.0
) -> tuple[Named, Named]:
    """The tokens with the highest values and with the lowest, those left out that are near the centre."""
    apart = values - centre
    order, least = apart.argsort(descending=True, stable=True).tolist(), NEAR * float(apart.abs().max())
    high = [token for token in order[:most] if apart[token] > least]
    low = [token for token in order[::-1][:most] if apart[token] < -least]
    named = [tuple((texts[token], float(values[token])) for token in few) for few in (high, low)]
    return named[0], named[1]


def _listed(named: Named) -> str:
    return ", ".join(f"{text!r} {value:.2g}" for text, value in named) or "nothing"
