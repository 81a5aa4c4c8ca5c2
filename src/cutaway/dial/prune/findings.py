"""What pruning a task came to: the circuit and its size told in four ways, what it is worth on fresh examples, what is claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cutaway.decisions.claims import CLAIMS, Claim
from cutaway.dial.prune.adversary import curves
from cutaway.dial.prune.bits import Bits, description
from cutaway.dial.prune.claims import checks_of, checks_table, claimed, said, shortened
from cutaway.dial.prune.fresh import ON, Fresh, fresh
from cutaway.dial.prune.null import counting_null
from cutaway.dial.prune.prune import Pruned, Settings, frozen
from cutaway.dial.prune.reruns import COUNT, Reruns
from cutaway.dial.prune.saved import KIND, Saved, saved_of, write
from cutaway.dial.prune.show import by_site, edges_of, nodes_of, searches_of, sizes
from cutaway.dial.tasks import Examined
from cutaway.dial.transformer import SparseTransformer
from cutaway.runs import Table, new_run

MOST = 40
"""Edges that are printed; all are saved."""
MEANING = {
    "holds": "the whole interval is where it should be (of an edge the loss itself, on the very examples on which it was "
    "tried); it is claimed, and cutaway verify runs it again",
    "fails": "the whole interval is on the wrong side",
    "undecided": "the interval reaches over the limit; nothing is claimed",
    "redundant": "without the circuit the rest of the network can still do some of the task, or all of it",
}


@dataclass(frozen=True)
class Worth:
    """What a circuit is worth: on `fresh` examples; its `bits`; every check with what was measured; under an `adversary`.

    `null`: the median of edges between the nodes of random connected sets of as many nodes.
    """

    null: float
    bits: Bits
    fresh: Fresh
    checks: tuple[Claim, ...]
    adversary: Table

    def numbers(self) -> dict[str, Any]:
        """What is no table."""
        fresh = {name: getattr(self.fresh, name) for name in ("count", "own", "solved")}
        return {"null": self.null, "bits": {**asdict(self.bits), "total": self.bits.total}, "fresh": fresh}

    def __str__(self) -> str:
        bits, fresh = self.bits, self.fresh
        coarse = f"{bits.each or 16} bit{'s' * (bits.each != 1)} each{'' if bits.each else ', too coarse to meet the target'}"
        return "\n".join(
            [
                f"random connected sets of as many nodes have {self.null:g} edges in the median",
                f"told in {bits.total:.0f} bits: {bits.nodes:.0f} for which nodes, {bits.edges:.0f} for which edges, "
                f"{bits.weights:.0f} for weights of {coarse}",
                "",
                f"On {fresh.count} fresh examples the circuit alone answers {fresh.solved:.1%} right. Its loss (guessing: 0.693; "
                f"the whole network: {fresh.own:.3f}), with its 95 % interval:",
                str(checks_table(shortened(self.checks))),
                *(f"{word}: {about}" for word, about in MEANING.items() if word in map(said, self.checks)),
                "",
                "Would a wrong circuit pass too? None should, but one that is less an edge which brings no more than the search's "
                f"margin. On {min(ON, fresh.count)} of the examples:",
                str(fresh.power),
                *self._attacked(),
            ]
        )

    def _attacked(self) -> list[str]:
        """The curve, where there was an adversary."""
        steps = [name for name in self.adversary.columns if name.endswith("steps")]
        if steps == ["0 steps"]:
            return []
        said = "Loss when the rest is set to do the worst it can, after so many steps of making it worse:"
        return ["", said, str(self.adversary)]


@dataclass(frozen=True)
class Findings:
    """What pruning a task came to, without its tensors.

    `own` is the network's own loss in nats, `target` the circuit's. `nodes`: address and mean over the corpus; `edges`: from
    node to node, the weight between them; both without rows, and `minimal` and `worth` None, where no search found a circuit.
    """

    task: str
    own: float
    target: float
    seed: int
    searches: Table
    nodes: Table
    edges: Table
    minimal: bool | None = None
    worth: Worth | None = None

    def __str__(self) -> str:
        lines = [f"{self.task}: the network's own loss {self.own:.3f}, target {self.target:g}", str(self.searches), ""]
        if self.minimal is None:
            return "\n".join([*lines, "no circuit: no search met the target with the rest masked at random"])
        left = len(self.edges) - MOST
        more = [f"… {left} more edges"] if left > 0 else []
        lines += [sizes(len(self.edges), len(self.nodes), self.minimal), str(self.worth), ""]
        return "\n".join([*lines, str(by_site(self.nodes)), "", str(self.edges.head(MOST)), *more])

    def save(self, folder: Path | str, saved: Saved | None, arguments: Mapping[str, Any] | None = None) -> Path:
        """Writes tables as parquet, `circuit.json`, the tensors of `saved`, and what is claimed, into a new run folder."""
        numbers: dict[str, Any] = {name: getattr(self, name) for name in ("task", "own", "target", "minimal")}
        with new_run(folder, KIND, seed=self.seed, arguments=arguments) as run:
            for name in ("nodes", "edges", "searches"):
                run.save_table(getattr(self, name), name)
            if self.worth is not None and saved is not None:
                worth = self.worth
                run.save_table(checks_table(worth.checks), "checks")
                run.save_table(worth.fresh.power, "power")
                run.save_table(worth.adversary, "adversary")
                (run.path / CLAIMS).write_text("".join(f"{one.line()}\n" for one in claimed(worth.checks)), "utf-8")
                numbers |= worth.numbers() | write(saved, run)
            run.write_json(KIND, numbers)
        return Path(folder)


def findings(
    pruned: Pruned,
    network: SparseTransformer,
    task: Examined,
    settings: Settings,
    source: str | None = None,
    count: int = COUNT,
    steps: Sequence[int] = (0, 20, 80),
) -> Findings:
    """What pruning `network` for `task` found, and what that is worth on `count` fresh examples, and after an adversary's `steps`.

    `source` is the folder of the network, which claims name.
    """
    about = (pruned.task, pruned.own, settings.target, settings.seed, searches_of(pruned))
    saved = saved_of(pruned, network, settings)
    if saved is None:
        return Findings(*about, Table({"node": [], "mean": []}), Table({"from": [], "to": [], "weight": []}))
    reruns = Reruns(frozen(network), saved, task, settings.seed, count)
    circuit = saved.circuit
    tables = nodes_of(circuit), edges_of(circuit, network)
    return Findings(*about, *tables, minimal=circuit.minimal, worth=worth_of(reruns, source, steps))


def worth_of(reruns: Reruns, source: str | None, steps: Sequence[int]) -> Worth:
    """What the circuit of these reruns is worth."""
    circuit, network, seed = reruns.saved.circuit, reruns.network, reruns.seed
    nodes = circuit.size[1]
    return Worth(
        null=counting_null(network, circuit.nodes, nodes, seed=seed) if nodes else 0.0,
        bits=description(reruns.tried, circuit),
        fresh=fresh(reruns),
        checks=tuple(checks_of(reruns, source)),
        adversary=curves(reruns.tried, circuit.kept, reruns.fresh.examples, steps, seed=seed),
    )
