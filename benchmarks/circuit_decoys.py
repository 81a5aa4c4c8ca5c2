"""Selective edges: how many of those named are false, on networks whose true edges are known and on untrained ones.

Each network once, as in a trace: half of the decisions ranks the edges, the highest ranked are tested on the other half.
"noisy": every program with eight inert parts, four decoys and four noise parts. "faint": some of them again without a floor,
where an edge that carries next to nothing may be named too: noise parts echo a used part, faintly but truly, so what is
named there is told apart by what the parts at its ends are. "untrained" and "scrambled": networks in which nothing is there
for a reason, so that every discovery is false. Nothing was tuned on these seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import mean, stdev
from typing import Any

import torch

from benchmarks.circuit_judged import ENGINE, QUICK, cutter_of, decisions_of, each_kept, ends, make
from benchmarks.error_rates import SMALL
from benchmarks.figures import Bar, Measured, Result, clopper_pearson, share
from benchmarks.kept import Kept
from benchmarks.timing import seconds
from cutaway.decisions.circuit.circuit import ranked
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.decoys import PROMISED, SelectiveEdges, selective_edges
from cutaway.decisions.circuit.halves import halves
from cutaway.decisions.circuit.share import shares
from cutaway.organisms.compiled import PROGRAMS, Organism, random_organism, untrained
from cutaway.organisms.compiled.truth import FLOOR

DEPENDS = (
    *ENGINE,
    "decisions/circuit/cut.py",
    "decisions/circuit/decoys.py",
    "decisions/circuit/fewer_rows.py",
    "decisions/circuit/halves.py",
    "decisions/circuit/share.py",
    "decisions/selective.py",
    "organisms/compiled",
    "circuit_decoys.py",
)
MINUTES = 15.0
TESTED, STRATA = 20, 4
"""Edges tested in each network: those with the largest shares on the half that chooses."""
SEEDS = {"noisy": range(8201, 8214), "faint": range(8201, 8203)}
UNTRAINED = {"untrained": range(8301, 8313), "scrambled": range(8401, 8439)}


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    for kind, seeds in SEEDS.items():
        each_kept(kept, kind, compiled, [(kind, program, seed) for seed in seeds for program in PROGRAMS])
    for kind, seeds in UNTRAINED.items():
        each_kept(kept, kind, learned_nothing, [(kind, seed) for seed in seeds])


def compiled(kind: str, program: str, seed: int) -> dict[str, Any]:
    """One compiled network: the named edges against those that move some decision beyond 1 % of the total."""
    organism = make("noisy", program, seed)
    cutter = cutter_of(organism, decisions_of(organism))
    found, spent = tested(cutter, seed, FLOOR if kind == "noisy" else 0.0)
    true = used(cutter, found.edges)
    return {"kind": kind, "program": program, "seed": seed, **judged(cutter, found, true, organism), "seconds": spent}


def learned_nothing(kind: str, seed: int) -> dict[str, Any]:
    """One network without a circuit."""
    organism = untrained(seed, SMALL if kind == "untrained" else random_organism(seed))
    cutter = cutter_of(organism, decisions_of(organism))
    found, spent = tested(cutter, seed, FLOOR)
    return {"kind": kind, "seed": seed, **judged(cutter, found, frozenset(), organism), "seconds": spent}


def tested(cutter: Cutter, seed: int, floor_share: float) -> tuple[SelectiveEdges, float]:
    """The highest ranked edges against their decoys, and the CPU seconds that it took."""
    fit, held, _ = halves(cutter, seed)
    rank = ranked(shares(fit, STRATA), shares(fit, QUICK, path="inputs"))
    edges = rank.argsort(descending=True)[:TESTED].tolist()
    floor = floor_share * abs(float(fit.effects(torch.ones(1, len(fit.graph))).mean()))
    found: list[SelectiveEdges] = []
    spent = seconds(lambda: found.append(selective_edges(held, edges, rank, seed=seed, floor=floor)))
    return found[0], spent


def used(cutter: Cutter, edges: Sequence[int]) -> frozenset[int]:
    """Those of these edges that are true: cut alone, they move some decision by more than 1 % of the mean total effect."""
    total = cutter.effects(torch.ones(1, len(cutter.graph))).abs().mean()
    moved = cutter.effects(cutter.cuts([[edge] for edge in edges])).abs().amax(1)
    return frozenset(edge for edge, far in zip(edges, moved) if far > FLOOR * total)


def judged(cutter: Cutter, found: SelectiveEdges, true: frozenset[int], organism: Organism) -> dict[str, Any]:
    """What was named, how much of it is false, and what could have been named."""
    idle = {"inert": organism.inert, "decoy": organism.decoys, "noise": organism.noise}
    false = {}
    for edge in sorted(found.selective - true):
        name = cutter.graph.name(edge)
        false[name] = next((kind for kind, parts in idle.items() if parts & ends(name)), "between others")
    return {
        "edges": len(cutter.graph),
        "tested": len(found.edges),
        "true": len(true),
        "named": len(found.selective),
        "hits": len(found.selective & true),
        "false": false,
        "proportion": len(false) / max(1, len(found.selective)),
        "estimated": found.estimated,
        "possible": found.smallest <= PROMISED,
        "alone": found.smallest * len(found.edges) <= PROMISED,
        "kinds": list(found.kinds),
        "runs": found.runs,
    }


# figures ----------------------------------------------------------------------------------------------------------------

Figure = Callable[[Result], Measured]


def lines() -> Iterator[tuple[str, Bar, str, Figure]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    percent, name = "{:.1%}", "circuit_decoys"
    what = "selective edges: realised false discovery proportion, promised 5 %"
    yield (
        f"{what}: programs with inert, decoy and noise parts, mean",
        Bar(PROMISED, False, percent),
        name,
        proportion("noisy"),
    )
    yield "… networks with any false edge", Bar(PROMISED, False, percent), name, any_false("noisy")
    for kind in UNTRAINED:
        yield f"… {kind} networks with any edge named", Bar(PROMISED, False, percent), name, any_false(kind)
    yield "… true edges of the programs that are named", Bar(0.5, True, percent), name, power("noisy")


def networks(result: Result, kind: str) -> list[dict[str, Any]]:
    """The networks of one population."""
    return result["settings"][kind]["facts"]["networks"]


def proportion(kind: str) -> Figure:
    """The mean over networks of the false among the named, with the interval of a mean over networks (95 %).

    Where no network has a false edge, the upper end is that of the share of networks with any, which bounds the mean.
    """

    def figure(result: Result) -> Measured:
        found = [n["proportion"] for n in networks(result, kind)]
        half = 1.96 * stdev(found) / math.sqrt(len(found))
        possible = sum(n["alone"] for n in networks(result, kind))
        said = f"mean of {len(found)} networks; a lone discovery was possible in {possible}"
        high = mean(found) + half if any(found) else clopper_pearson(0, len(found))[1]
        return Measured(mean(found), max(0.0, mean(found) - half), high, said)

    return figure


def any_false(kind: str) -> Figure:
    """The share of networks with at least one false edge named."""
    return lambda result: share(sum(bool(n["false"]) for n in networks(result, kind)), len(networks(result, kind)))


def power(kind: str) -> Figure:
    """The share of true edges among the tested ones that are named."""

    def figure(result: Result) -> Measured:
        here = networks(result, kind)
        return share(sum(n["hits"] for n in here), sum(n["true"] for n in here), f"edges of {len(here)} networks")

    return figure


def section(result: Result) -> Iterator[str]:
    """Population by population, and every false edge by what the parts at its ends are."""
    for kind in (*SEEDS, *UNTRAINED):
        here = result["settings"].get(kind, {}).get("facts", {}).get("networks")
        if not here:
            continue
        false = [what for n in here for what in n["false"].values()]
        told = ", ".join(f"{false.count(what)} {what}" for what in dict.fromkeys(false)) or "none"
        named, runs = sum(n["named"] for n in here), mean(n["runs"] for n in here)
        yield f"- {kind}: {len(here)} networks, {named} edges named, of these false: {told}; {runs:.0f} reruns a network"
