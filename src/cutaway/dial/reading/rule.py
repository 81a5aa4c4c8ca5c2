"""Writes the rule text of a small circuit: levels and thresholds are fitted on prompts of the training split alone.

Nodes are written in the order of computation. The thresholds of a neuron are sought among the inputs that the lines before it
give, not among those that it has in the network. How much each node says for each answer is read off the weights, never fitted
to answers: a circuit that does not solve the task has a text that does not either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
from jaxtyping import Float

from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.reading.graph import READS, WRITES, Node
from cutaway.dial.reading.levels import Curve, Levels, curve, levels, short, steps
from cutaway.dial.reading.measured import Measured, measured
from cutaway.dial.reading.rule_text import Adds, Answer, Look, RuleText, Sum, Values
from cutaway.dial.tasks import Examples, Task
from cutaway.dial.transformer import SITES, Block, SparseTransformer

RARE = 1e-3
"""What all tokens together weigh that the training prompts may lack, against those that they have."""
STEPS = 3
"""Levels of a neuron at most."""
MOSTLY = 0.8
"""The share of a head's attention that a remark on it must cover."""
NAMED = 6
"""Tokens that a remark names at most."""


@dataclass(frozen=True)
class Fit:
    """How finely to write: at most `levels` levels, fewer where they lose at most the share `lost` of a node's variance.

    A neuron has thresholds where they lose at most the share `stepped`, else it rises with its input.
    """

    levels: int = 6
    lost: float = 0.002
    stepped: float = 0.01
    examples: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        if self.levels < 2 or not 0 <= self.lost < 1:
            raise ValueError(
                f"Fit.levels={self.levels}, lost={self.lost}; expected 2 levels or more, and a share from 0 to below 1"
            )


def rule_text(
    circuit: TaskCircuit, network: SparseTransformer, task: Task, texts: Sequence[str], fit: Fit = Fit()
) -> RuleText:
    """The rule text of a circuit; `texts` are those of the tokens, by id."""
    examples = task.examples(fit.examples, "train", fit.seed)
    writer = _Writer(measured(network, circuit, examples), fit, texts)
    lines = writer.lines()
    answers = writer.answers(examples)
    named = {
        token
        for line in lines
        if isinstance(line, Sum) and line.token
        for group in line.token.groups
        for token in group
    }
    named |= {token for answer in answers for group in (*answer.last.groups, (answer.token,)) for token in group}
    return RuleText(circuit.task, lines, answers, tuple((token, texts[token]) for token in sorted(named)), len(texts))


class _Writer:
    """The lines so far, and what they give on the training prompts."""

    def __init__(self, m: Measured, fit: Fit, texts: Sequence[str]) -> None:
        self.m, self.fit, self.network, self.texts = m, fit, m.network, texts
        self.rows = np.arange(len(m.prompts))
        self.found: Values = {}

    @cached_property
    def embedded(self) -> Float[np.ndarray, "token channel"]:
        return self.network.embed.weight.detach().double().numpy()

    @cached_property
    def placed(self) -> Float[np.ndarray, "place channel"]:
        length, table = self.m.prompts.shape[1], self.network.position
        if table is None:
            return np.zeros((length, self.network.shape.width))
        return table.weight.detach().double().numpy()[:length]

    def lines(self) -> tuple[Sum | Look, ...]:
        """Every node's, layer by layer, the heads after their values."""
        lines: list[Sum | Look] = []

        def write(line: Sum | Look) -> None:
            lines.append(line)
            self.found.update(line.work_out(self.m.prompts, self.found))

        for layer in range(self.network.shape.layers):
            for site in SITES:
                for node in self.m.graph.at(layer, site):
                    write(self.reading(node) if site in READS else self.summing(node))
                for look in self.looks(layer) if site == "v" else ():
                    write(look)
        return tuple(lines)

    def reading(self, node: Node) -> Sum:
        """A node that reads a channel of the residual stream: levels of the token, of the place, and what was written."""
        gain, there = self.gain(node), self.m.there(node)
        rest = self.m.at_mean(node.layer, node.step)[node.index]
        tolerance = self.fit.lost * float(self.m.values[node][there].var()) + 1e-12
        gains, tokens = gain[there], self.m.prompts[there]
        places = np.nonzero(there)[1]
        said = _mean_by(tokens, gains, len(self.embedded)) * (self.embedded[:, node.index] + rest)
        token = levels(said, _weights(tokens, len(said)), tolerance, self.fit.levels)
        return Sum(
            node.address,
            0.0 if token.groups else token.other,
            token if token.groups else None,
            self.place(_mean_by(places, gains, len(self.placed)) * self.placed[:, node.index], places, tolerance),
            tuple(
                (writer.address, short(_slope(gains, self.m.values[writer][there])))
                for writer in self.m.graph.writers(node)
            ),
        )

    def place(self, said: np.ndarray, places: np.ndarray, tolerance: float) -> Levels | Curve | None:
        """What the places say: nothing if that loses little, else few levels, a line or parabola, or as many levels as may be."""
        weights = _weights(places, len(said))
        if float(np.average(said**2, weights=weights)) <= tolerance:
            return None
        few = levels(said, weights, tolerance, 3)
        if np.average((few.at(np.arange(len(said))) - said) ** 2, weights=weights) <= tolerance:
            return few
        return curve(said, weights, tolerance) or levels(said, weights, tolerance, self.fit.levels)

    def gain(self, node: Node) -> Float[np.ndarray, "example position"]:
        """What the norm makes of 1 on the channel that a node reads; 0 where AbsTopK drops it."""
        block = cast(Block, self.network.blocks[node.layer])
        norm = block.norm_attn if node.site == "attn_in" else block.norm_mlp
        alive = (self.m.values[node] != 0) | (self.network.shape.keep == 1)
        return float(norm.weight[node.index]) * self.m.inverse[node.place] * alive

    def summing(self, node: Node) -> Sum:
        """A query, key, value, neuron, or what a sublayer writes."""
        matrix = {"q": "attn.query", "k": "attn.key", "v": "attn.value", "attn_out": "attn.out"}.get(
            node.site, "mlp.up" if node.site == "mlp_act" else "mlp.down"
        )
        bias = self.network.get_parameter(f"blocks.{node.layer}.{matrix}.bias")[node.index]
        line = Sum(
            node.address,
            short(float(bias)),
            adds=tuple((brought(edge.start), short(edge.weight)) for edge in self.m.graph.into(node)),
        )
        if node.site != "mlp_act":
            return line
        there = self.m.there(node)
        inputs = line.work_out(self.m.prompts, self.found)[node.address][there]
        found = steps(inputs, self.m.values[node][there], self.fit.stepped, min(STEPS, self.fit.levels))
        return Sum(line.name, line.constant, adds=line.adds, steps=found)

    def looks(self, layer: int) -> list[Look]:
        """The heads of a layer whose values are nodes."""
        size, found = self.m.graph.d_head, []
        for head in sorted({value.index // size for value in self.m.graph.at(layer, "v")}):
            values = [value for value in self.m.graph.at(layer, "v") if value.index // size == head]
            products, same = self.products(layer, head)
            attention = cast(Block, self.network.blocks[layer]).attn
            slope = 0.0 if attention.slope is None else float(attention.slope[head])
            look = Look(
                f"head.{layer}[{head}]",
                products,
                short(float(attention.sink[head]) - same),
                tuple((value.address, brought(value)) for value in values),
                slope=short(slope),
            )
            found.append(replace(look, mostly=self.remark(look, values)))
        return found

    def products(self, layer: int, head: int) -> tuple[tuple[tuple[float, str, str], ...], float]:
        """The products of a head's score, and what is the same in all of them; a channel that is no node is at its mean."""
        size, nodes = self.m.graph.d_head, self.m.circuit.nodes
        known, found, same = (
            {(node.site, node.index): node.address for node in self.m.graph.at(layer, "q", "k")},
            [],
            0.0,
        )
        for index in range(head * size, (head + 1) * size):
            ends = [known.get((site, index), "") for site in ("q", "k")]
            weight = size**-0.5
            for site, end in zip(("q", "k"), ends):
                weight *= 1.0 if end else float(nodes.means[nodes.slices[f"{site}.{layer}"]][index])
            if any(ends):
                found.append((short(weight), *ends))
            else:
                same += weight
        return tuple(found), same

    def remark(self, look: Look, values: Sequence[Node]) -> str:
        """Where a head looks on the training prompts: so many places back, or at which tokens."""
        readers = {edge.end for value in values for edge in self.m.graph.edges if edge.start == value}
        last = self.m.last[:, None] == np.arange(self.m.prompts.shape[1])
        asked = self.m.there(next(iter(readers))) if readers else last
        shares = look.scores(self.m.prompts, self.found)
        rows, places = np.nonzero(asked)
        back, total = places[:, None] - np.arange(shares.shape[2]), max(float(shares[asked].sum()), 1e-12)
        by_back = np.bincount(back[back >= 0], shares[asked][back >= 0]) / total
        if len(places) > len(self.rows) and by_back.max() >= MOSTLY:
            return f"mostly {by_back.argmax()} back"
        by_token = np.bincount(self.m.prompts[rows].ravel(), shares[asked].ravel()) / total
        order = by_token.argsort()[::-1]
        few = int(np.searchsorted(by_token[order].cumsum(), MOSTLY)) + 1
        if few > NAMED:
            return "at many tokens"
        return "mostly at " + ", ".join(repr(self.texts[token]) for token in sorted(order[:few].tolist()))

    def answers(self, examples: Examples) -> tuple[Answer, ...]:
        """The answers of the training examples, each against the first."""
        tokens = sorted(set(examples.answer.tolist()) | set(examples.other.tolist()))
        nothing = Answer(tokens[0], Levels((), (), 0.0), ())
        return (nothing, *(self.answer(token, tokens[0]) for token in tokens[1:]))

    def answer(self, token: int, first: int) -> Answer:
        """One answer against the first, from the weights: the last token's own say, and that of what was written."""
        apart = (self.network.unembed.weight[token] - self.network.unembed.weight[first]).detach().double().numpy()
        apart = apart * self.network.norm.weight.detach().double().numpy()
        gains = self.m.inverse["final"][self.rows, self.m.last]
        last = self.m.prompts[self.rows, self.m.last]
        rest = self.m.at_mean(self.network.shape.layers, 0)
        said = _mean_by(last, gains, len(self.embedded)) * ((self.embedded + rest) @ apart)
        said += _mean_by(last, gains * (self.placed[self.m.last] @ apart), len(said))
        if self.network.bigram is not None:
            table = self.network.bigram.weight.detach().double().numpy()
            said += table[:, token] - table[:, first]
        writers = [node for node in self.m.graph.nodes if node.site in WRITES and apart[node.index]]
        values = [self.m.values[writer][self.rows, self.m.last] for writer in writers]
        adds: Adds = tuple(
            (writer.address, short(_slope(gains, value) * apart[writer.index]))
            for writer, value in zip(writers, values)
        )
        total = said[last] + sum(weight * value for (_, weight), value in zip(adds, values))
        tolerance = self.fit.lost * float(total.var()) + 1e-12
        own = _known(levels(said, _weights(last, len(said)), tolerance, self.fit.levels), last)
        return Answer(token, own, adds)


def brought(node: Node) -> str:
    """The name under which a node is read by the next one: a value has another name (`z`) where a head has brought it."""
    return node.address.replace("v.", "z.", 1) if node.site == "v" else node.address


def _mean_by(ids: np.ndarray, values: np.ndarray, size: int) -> Float[np.ndarray, "id"]:
    """The mean of the values for each id; that of all where an id does not occur."""
    count = np.bincount(ids, minlength=size)
    return np.where(count > 0, np.bincount(ids, values, minlength=size) / count.clip(1), values.mean())


def _known(found: Levels, ids: np.ndarray) -> Levels:
    """Only groups of ids that occur; all others have the level that occurs most often."""
    seen, values = set(ids.tolist()), found.at(ids)
    levels, count = np.unique(values, return_counts=True)
    other = float(levels[count.argmax()])
    by_value: dict[float, list[int]] = {}
    for token in sorted(seen):
        by_value.setdefault(float(found.at(np.array([token]))[0]), []).append(token)
    named = {value: tuple(tokens) for value, tokens in by_value.items() if value != other}
    return Levels(tuple(named.values()), tuple(named), other)


def _weights(ids: np.ndarray, size: int) -> Float[np.ndarray, "id"]:
    """How often each id occurs, and a little for those that do not."""
    count = np.bincount(ids, minlength=size).astype(float)
    return count + RARE * count.sum() / size


def _slope(gains: np.ndarray, values: np.ndarray) -> float:
    """The one gain that serves best in place of many."""
    total = float((values**2).sum())
    return float((gains * values**2).sum() / total) if total else float(gains.mean())
