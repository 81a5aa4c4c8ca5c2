"""One compiled organism taken apart by `circuit`, and what it says against the edges found by cutting each of them alone.

The truth is `cutaway.organisms.compiled.truth`, in float64, with the same kind of stand-ins. Single cuts do not see the
edges of a redundant or backup group: of these the parts are known, and an edge that touches one of them is never counted
as falsely named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

import torch
from torch import Tensor

import cutaway as cw
from benchmarks.kept import RESULTS, Kept
from benchmarks.timing import seconds
from cutaway.decisions.circuit.circuit import Circuit, circuit
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.share import Shares, shares
from cutaway.decisions.graph.graph import graph
from cutaway.organisms import open_compiled
from cutaway.organisms.compiled import Organism, Truth, compile, compile_variant, truth
from cutaway.organisms.compiled.compiling import program_named
from cutaway.organisms.compiled.program import Program
from cutaway.runs import resumable, terminal
from cutaway.submodels import baseline
from cutaway.submodels.baseline import Kind

ENGINE = ("network", "submodels", "decisions/graph", "decisions/decision.py")
"""What every figure about edges depends on, beside `decisions/circuit` or the files of it that are measured."""
DEPENDS = (
    *ENGINE,
    "decisions/circuit",
    "decisions/estimate.py",
    "organisms/compiled",
    "circuit_judged.py",
)
QUICK = 3
"""Strata of the quick screening: 5 forward passes, one of them for the stand-ins, and 3 backward ones."""
OTHER_HALVES, MOVED = 128, 0.1
"""Random halves of what is not named, of another seed than the search's; what none of them may move, as a share of the total."""
PASSES, PER_EDGE, SINGLE = 10, 3, 40
"""The budget: forward passes, and runs with a single edge cut."""


def make(kind: str, program: str, seed: int) -> Organism:
    """An organism as it comes ("plain"), with many decoys and much noise ("noisy"), or a variant with a group."""
    if kind == "plain":
        return compile(program, seed)
    if kind == "noisy":
        return compile(program, seed, inert=8, decoys=4, noise=4)
    return compile_variant(program, seed, kind)  # ty: ignore[invalid-argument-type]


def source(program: str, seed: int) -> Program:
    """The program that `compile(program, seed)` writes into weights, to draw other decisions from."""
    return program_named(program, Random(f"{program}/{seed}"))


def asked(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], answers: Sequence[int], instead: Sequence[int]) -> Any:
    """Rows and their matched rows as one decision."""
    rows, others = (torch.tensor([pair[i] for pair in pairs]) for i in (0, 1))
    return cw.Decision(rows, answer=list(answers), instead=list(instead), counterfactual=others)


def decisions_of(organism: Organism) -> cw.Decision:
    """All decisions of an organism."""
    return asked(list(zip(organism.prompts, organism.counterfactuals)), organism.answers, organism.instead)


def cutter_of(organism: Organism, decision: cw.Decision, kind: Kind = "counterfactual") -> Cutter:
    """Its edges, ready to be cut in these decisions."""
    net = open_compiled(organism)
    posed = decision.pose(net)
    found = graph(net, posed.batch)
    sites = found.sites
    values = baseline(net, posed.batch, sites, kind, counterfactual=decision.counterfactual)
    return Cutter(net, posed, found, values)


def explained(cutter: Cutter) -> tuple[Circuit, float]:
    """The circuit at its default settings, and the CPU seconds that it took."""
    found: list[Circuit] = []
    spent = seconds(lambda: found.append(circuit(cutter)))
    return found[0], spent


def take_apart(kind: str, program: str, seed: int) -> dict[str, Any]:
    """One organism under matched counterfactuals: the ranking, the named edges, the groups, the runs."""
    organism = make(kind, program, seed)
    known, cutter = truth(organism), cutter_of(organism, decisions_of(organism))
    score = shares(cutter, QUICK, path="inputs")
    found, spent = explained(cutter)
    return {
        "kind": kind,
        "program": program,
        "seed": seed,
        "edges": len(cutter.graph),
        "true": len(known.edges),
        **ranking(cutter, score, known),
        **said(found),
        **against(organism, known, found),
        **grouped(organism, found),
        "other halves": other_halves(cutter, found, seed),
        "seconds": spent,
    }


def other_halves(cutter: Cutter, found: Circuit, seed: int) -> float:
    """How far the worst of many random halves of everything that is not named moves the decision: what the checks missed."""
    draw = torch.Generator().manual_seed(seed)
    unnamed = torch.tensor([cutter.graph.name(edge) not in found.names for edge in range(len(cutter.graph))])
    cuts = (torch.rand(OTHER_HALVES, len(cutter.graph), generator=draw) < 0.5) * unnamed.float()
    return float(cutter.effects(cuts).abs().mean(1).max()) / abs(found.total.mean)


def ranking(cutter: Cutter, score: Shares, known: Truth) -> dict[str, Any]:
    """How well the quick shares put the true edges first."""
    true = torch.tensor([cutter.graph.name(edge) in known.edges for edge in range(len(cutter.graph))])
    return {
        "AUROC": auroc(score.absolute, true),
        "quick passes": [score.forward, score.backward],
    }


def auroc(score: Tensor, true: Tensor) -> float:
    """The chance that a true edge ranks above a false one; ties count half."""
    above, below = score[true][:, None], score[~true][None, :]
    return float(((above > below).double() + 0.5 * (above == below).double()).mean())


def said(found: Circuit) -> dict[str, Any]:
    """What the circuit says of itself, and what it cost."""
    return {
        "verdict": found.verdict,
        "explained": found.explained,
        "named": len(found.names),
        "passes": list(found.passes),
        "runs": list(found.runs),
        "completeness": found.missing,
        "checks": {check.what: [check.moved.mean, check.limit, check.holds] for check in found.checks},
        "power": [[row["wrong set"], row["tried"], row["passed"]] for row in found.power],
        "notes": list(found.notes),
    }


def against(organism: Organism, known: Truth, found: Circuit) -> dict[str, Any]:
    """The named edges against the true ones; each wrong one with the share of the total that it moves alone."""
    extra, missing = found.names - known.edges, known.edges - found.names
    in_group = {edge for row in found.groups for edge in row["edges"]}
    near = {part for group in organism.groups for part in group.parts}
    shown = partial(shown_edges, known.effects, known.total)
    idle = organism.inert | organism.decoys | organism.noise
    return {
        "exact": found.names == known.edges,
        "missing": shown(missing),
        "extra": shown(edge for edge in extra if not near & ends(edge)),
        "extra, in a group": sorted(edge for edge in extra & in_group if not near & ends(edge)),
        "extra, at the known group": sorted(edge for edge in extra if near & ends(edge)),
        "extra, at an idle part": sorted(edge for edge in extra if idle & ends(edge)),
        "truth": {"all others": known.complement, "largest unused": known.largest_unused},
    }


def shown_edges(effects: Mapping[str, Tensor], total: float, edges: Iterable[str]) -> list[str]:
    """`embed → z.1[head=0]/v (mean 1.2%, most 5.0%)`: what each moves alone."""
    sizes = {
        edge: (float(effects[edge].mean().abs()) / total, float(effects[edge].abs().max()) / total) for edge in edges
    }
    return [f"{edge} (mean {mean:.1%}, most {most:.1%})" for edge, (mean, most) in sorted(sizes.items())]


def ends(edge: str) -> frozenset[str]:
    """The two parts of an edge's name."""
    writer, reader = edge.split(" → ")
    return frozenset((writer, reader.rpartition("/")[0] if "/" in reader else reader))


def edge_ends(edges: Iterable[str]) -> frozenset[str]:
    """The parts at the ends of these edges."""
    return frozenset().union(*map(ends, edges))


def grouped(organism: Organism, found: Circuit) -> dict[str, Any]:
    """Whether a group of edges touches every part of the known group, and whether its kind is right."""
    shown = [
        {"kind": row["kind"], "edges": row["edges"], "parts": sorted(edge_ends(row["edges"]))} for row in found.groups
    ]
    if not organism.groups:
        return {"groups": shown}
    (known,) = organism.groups
    touching = [group["kind"] for group in shown if set(known.parts) <= set(group["parts"])]
    return {
        "groups": shown,
        "known group": [known.kind, *known.parts],
        "group named": bool(touching),
        "kind right": known.kind in touching,
        "parts named": set(known.parts) <= edge_ends(found.names),
    }


def silent_miss(network: dict[str, Any]) -> bool:
    """Declared explained, though a true edge is missing, a part of the known group has no named edge, or the rest decides."""
    wrong = bool(network.get("missing")) or not network.get("parts named", True) or network["other halves"] > MOVED
    return network["explained"] and wrong


def within_budget(network: dict[str, Any]) -> bool:
    """Whether the runs were no more than 10 forward passes and 40 + 3 single-edge runs for each true edge."""
    return network["passes"][0] <= PASSES and network["runs"][0] <= SINGLE + PER_EDGE * network["true"]


def each_kept(kept: Kept, name: str, one: Callable[..., dict[str, Any]], items: Sequence[tuple[Any, ...]]) -> None:
    """`one(*item)` of every item under `name`, each kept as it is done; nothing is repeated."""
    kept.setting(name)["facts"]["networks"] = resumable(
        RESULTS / "circuits.tmp-networks",
        lambda item: one(*item),
        items,
        lambda item: {"item": item, "about": name, "code": kept.code},
        progress=terminal(),
    )
    kept.write()
