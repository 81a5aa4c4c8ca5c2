"""Taking a decision apart: first order for every part, exact reruns, the two claims, the joint checks."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from cutaway.decisions.checks import checks
from cutaway.decisions.circuit.checks import CURVE
from cutaway.decisions.circuit.circuit import Circuit, circuit
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.halves import ROUNDING
from cutaway.decisions.circuit.tables import COLUMNS
from cutaway.decisions.dealt import Dealt, deal, values_of
from cutaway.decisions.decision import Decision, DecisionError, Posed, read_off
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.decisions.graph.graph import NoGraphError, graph
from cutaway.decisions.graph.zoom import closer
from cutaway.decisions.inside import places, strongest
from cutaway.decisions.measuring import Measuring, Whole
from cutaway.decisions.parts import Given, parts_of
from cutaway.decisions.rows import nested
from cutaway.decisions.selective import selectivity
from cutaway.decisions.steps import steps
from cutaway.decisions.trace import FLOOR, SELECTIVE, Check, Trace
from cutaway.ledger.meter import Cost, meter
from cutaway.network import Network, Site
from cutaway.network.shortcuts import rounding
from cutaway.runs.progress import Progress, silent
from cutaway.runs.table import Table
from cutaway.submodels import Baseline, Decomposition, SubModel
from cutaway.submodels import baseline as make_baseline
from cutaway.submodels.baseline import Kind
from cutaway.submodels.submodel import sites_of

DECOYS = 24  # of each kind, for each of the strongest edges: enough for one that beats them all to be named
AGAIN = 64  # parts that are measured again with more donors, at most
FEWEST_NULLS, MOST_NULLS = 20, 400  # draws of each kind for a part; few parts share a null of few places, so draw more
Refined = Sequence[SubModel | Decomposition | Site | str] | Literal["neurons"]
SAID = {"mean": "mean over other inputs", "counterfactual": "values on the counterfactual", "value": "given values"}


def trace(
    net: Network,
    decision: Decision,
    parts: Given = None,
    *,
    baseline: Kind | Baseline | None = None,
    draws: int = 8,
    neurons: int = 6,
    most: int = 400,
    nulls: int | None = None,
    floor: float = FLOOR,
    edges: bool = False,
    refine: Refined = (),
    rephrased: Decision | None = None,
    adversary: int = 20,
    seed: int = 0,
    keep: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Trace:
    """Takes `decision` apart on `net`.

    `parts` are the sub-models to look at: addresses, sub-models or kinds ("heads", "mlps", "neurons", "channels", …;
    default: every head and MLP; modules in networks without blocks). `baseline` is what stands in for a part that is
    taken away: by default the counterfactual if the decision has one, else values of `draws` other inputs from the
    reference, else zeros (then states stay undecided). The `most` strongest parts by first order are rerun exactly,
    and the `neurons` strongest neurons of each used MLP. `nulls` draws of each kind stand behind "selective" for each
    used part (0: not tested; default: as many as the q-values need; edges have 24 decoys of each kind, or none).
    `edges`: also the links between parts, and whether they explain the decision; `refine` names sub-models or
    addresses inside its parts that become nodes of their own (`mlp_act.2[neuron=3]`, directions, features; "neurons":
    groups of neurons of the MLPs that turn out to be in the circuit), and `rephrased` is the same decision in other
    words: are the same links used there? `adversary` is how many steps it takes to find the cuts of everything else that
    move the decision most (0, 20, 80 or 320: the checks ask at each of them up to this). `keep` is a folder where finished
    reruns are kept if the work is stopped, of parts and with cut edges (the shares of edges, the adversary and decoys are
    done again).
    """
    if not isinstance(decision, Decision) or not isinstance(net, Network):
        raise TypeError(
            f"trace was given a {type(net).__name__} and a {type(decision).__name__}; expected a network (cw.open) "
            "and a cw.Decision(inputs, answer=…, instead=…)"
        )
    if isinstance(refine, str) and refine != "neurons":
        raise DecisionError(f"refine={refine!r} is no list; give refine=[{refine!r}], or refine='neurons'")
    if not edges and (refine or rephrased is not None):
        raise DecisionError("refine and rephrased are about links between parts; trace with edges=True")
    if adversary not in CURVE:
        raise DecisionError(
            f"adversary={adversary}; expected {', '.join(map(str, CURVE))}: the steps at which it is asked"
        )
    with meter("trace") as costs:
        tracer = Tracer(
            net, decision.pose(net), parts, baseline, draws, neurons, most, nulls, floor, edges, refine, rephrased,
            adversary, seed, keep, progress,
        )  # fmt: skip
        result = tracer.run()
    return replace(result, cost=costs.cost)


@dataclass
class Tracer:
    """One trace in progress."""

    net: Network
    posed: Posed
    given: Given
    kind: Kind | Baseline | None
    draws: int
    neurons: int
    most: int
    nulls: int | None
    floor_share: float
    edges: bool
    refine: Refined
    rephrased: Decision | None
    adversary: int
    seed: int
    keep: str | os.PathLike[str] | None
    progress: Progress
    notes: list[str] = field(default_factory=list)
    refined: tuple[str, ...] = ()

    def run(self) -> Trace:
        """Parts, baseline, first order, exact, claims, checks."""
        net, posed = self.net, self.posed
        net.locate(posed.batch)
        clean, size = self._clean()
        parts = parts_of(net, posed.batch, self.given, self.notes)
        at = self._against(_sites(net, parts))
        whole = self._whole(at, parts, size)
        first = at.first_order(parts)
        exact = at.exact(self._most(parts, first))
        rows = [at.row(part, score, exact.get(part.name), whole) for part, score in zip(parts, first)]
        self._decide(rows, parts, first, whole, at)
        self._claim_selective(rows, parts, at)
        rows = nested(rows + self._inside(rows, whole))
        links = self._links(rows) if self.edges else None
        source = getattr(net, "source", None)
        return Trace(
            net.name,
            posed.decision,
            posed.answers,
            posed.insteads,
            posed.batch.tokens[0] if posed.batch.tokens else (),
            estimate(clean[None]),
            whole.total,
            whole.floor,
            _said(at.values),
            Table.of(rows),
            steps(net, posed, rows),
            _strengths(parts, first),
            Table({name: [] for name in COLUMNS}) if links is None else links.edges,
            self._checks(rows, parts, whole, at),
            _completeness(first, whole),
            Cost("trace", None, {}, 0, 0.0, 0.0, 0, 0),
            self.seed,
            tuple(dict.fromkeys(self.notes)),
            {
                "baseline": at.values.kind,
                "draws": at.values.draws,
                "nulls": self.nulls,
                "most": self.most,
                "floor": self.floor_share,
            }
            | ({"refined": list(self.refined)} if self.refined else {})
            | ({} if source is None else {"source": str(source)}),
            links,
        )

    def _links(self, rows: Sequence[dict[str, Any]]) -> Circuit | None:
        """The circuit, with the same kind of stand-ins; None, and a note, where the stream is no sum."""
        refine = () if isinstance(self.refine, str) else self.refine
        labels = {row["part"]: row["labels"] for row in rows}
        try:
            found = self._circuit(refine, labels)
        except NoGraphError as error:
            self.notes.append(str(error))
            return None
        if isinstance(self.refine, str):
            parts = sorted({*found.edges["from"], *found.edges["to"]})
            inside = closer(self.net, self.posed.batch, parts)
            found = self._circuit(inside, labels) if inside else found
        self.notes += found.notes
        return found

    def _circuit(
        self, refine: Sequence[SubModel | Decomposition | Site | str], labels: dict[str, list[str]]
    ) -> Circuit:
        """The circuit with these parts as nodes of their own."""
        links = graph(self.net, self.posed.batch, refine)
        self.refined = links.pieces
        keep = None if self.keep is None else Path(self.keep) / "links"
        cutter = Cutter(self.net, self.posed, links, self._baseline(links.sites), keep=keep)
        words = self._in_other_words(cutter)
        decoys = DECOYS if self.nulls != 0 else 0
        return circuit(
            cutter,
            floor_share=self.floor_share,
            steps=[step for step in CURVE if step <= self.adversary],
            seed=self.seed,
            labels=labels,
            rephrased=words,
            decoys=decoys,
        )

    def _in_other_words(self, cutter: Cutter) -> Cutter | None:
        """The same edges in the rephrased decision."""
        if self.rephrased is None:
            return None
        if isinstance(self.kind, Baseline):
            self.notes.append(
                "given values stand in: they are about these prompts, so the rephrased ones are not looked at"
            )
            return None
        posed = self.rephrased.pose(self.net)
        matched = [one.counterfactual is not None for one in (self.posed.decision, self.rephrased)]
        if self.kind is None and matched[0] != matched[1]:
            raise DecisionError(
                "one of the decision and the rephrased one has counterfactuals: give them to both, or say baseline=…"
            )
        return replace(cutter, posed=posed, values=self._baseline(cutter.graph.sites, posed))

    # what stands in -------------------------------------------------------------------------------------------------

    def _against(self, sites: Sequence[Site]) -> Measuring:
        return self._measuring(self._baseline(sites))

    def _measuring(self, values: Baseline) -> Measuring:
        return Measuring(self.net, self.posed, values, self.notes, self.keep, self.progress)

    def _baseline(self, sites: Sequence[Site], posed: Posed | None = None) -> Baseline:
        kind, posed = self.kind, posed or self.posed
        if isinstance(kind, Baseline):
            return kind
        if kind is None:
            has = self.net.reference is not None
            kind = "counterfactual" if posed.decision.counterfactual is not None else "resample" if has else "zero"
            if kind == "zero":
                self.notes.append(
                    "no reference and no counterfactual: parts are set to zero, and every state stays undecided"
                )
        return make_baseline(self.net, posed.batch, sites, kind, self.draws, posed.decision.counterfactual, self.seed)

    @cached_property
    def _dealt(self) -> Dealt:
        """Donors that did not decide first."""
        return deal(self.net, self.posed.batch, self.draws, self.seed)

    # figures --------------------------------------------------------------------------------------------------------

    def _clean(self) -> tuple[Tensor, float]:
        """The decision on each row, and the size of the numbers that it is read off: what rounding is a share of."""
        output = self.net.run(self.posed.batch).output
        metric = self.posed.metric
        clean = metric(output, torch.arange(self.posed.batch.rows, device=self.net.device)).cpu()
        if not bool(clean.isfinite().all()):
            row = int((~clean.isfinite()).nonzero()[0])
            raise DecisionError(
                f"the decision is {float(clean[row])} on input {row}, so no change of it can be measured; "
                "look at that input, or at the metric"
            )
        return clean, read_off(self.net, self.posed, output)

    def _whole(self, at: Measuring, parts: Sequence[SubModel], size: float) -> Whole:
        """The effect of taking every part away, and the floor that follows; notes where there is none."""
        moved = at.jointly([parts])[0]
        total, known, least = estimate(moved), math.isfinite, max(ROUNDING, rounding(self.net.dtype)) * size
        floor = self.floor_share * abs(total.mean) if known(total.mean) else 0.0
        if not known(total.mean):
            self.notes.append(
                "no number comes out with every part taken away: no floor, so every state stays undecided"
            )
        elif abs(total.mean) <= least:
            each = float(moved.abs().mean())
            self.notes.append(
                "nothing to explain: taking every part away changes nothing"
                if each <= least
                else f"the total effect is 0 because changes cancel over the examples (each moves by {each:.3g}): "
                "ask prompts that have the same answer, or give each its own"
            )
            return Whole(Estimate(0.0, 0.0, 0.0, total.n, total.over), 0.0)
        elif total.known and total.low <= 0 <= total.high:
            self.notes.append(
                f"the total effect is unsure ({total}): so are the floor and every share; give more draws"
            )
        if not total.known and at.values.kind != "zero":
            self.notes.append("fewer than four prompts and donors: effects are shown, nothing is claimed")
        return Whole(total, floor)

    def _most(self, parts: Sequence[SubModel], first: Sequence[Tensor]) -> list[SubModel]:
        """The strongest parts by first order, in their own order: those that are rerun exactly."""
        strength = [-abs(float(score.sum().nan_to_num(math.inf))) for score in first]
        order = sorted(range(len(parts)), key=lambda i: strength[i])[: self.most]
        if len(order) < len(parts):
            self.notes.append(
                f"exact reruns for the {len(order)} strongest of {len(parts)} parts by first order; the others are undecided"
            )
        return [parts[i] for i in sorted(order)]

    def _decide(
        self,
        rows: list[dict[str, Any]],
        parts: Sequence[SubModel],
        first: Sequence[Tensor],
        whole: Whole,
        at: Measuring,
    ) -> None:
        """Measures again, with more and other donors, what was left undecided though it lies beyond the floor."""
        beyond = [
            i for i, row in enumerate(rows) if row["state"] == "undecided" and abs(row["exact"] or 0) > whole.floor > 0
        ]
        open_ = sorted(beyond, key=lambda i: -abs(rows[i]["exact"]))[:AGAIN]
        if at.values.kind != "resample" or isinstance(self.kind, Baseline) or not open_ or self._dealt.again is None:
            return
        again = self._measuring(
            replace(values_of(self.net, self._dealt.again, _sites(self.net, parts)), natural=at.values.natural)
        )
        exact = again.exact([parts[i] for i in open_])
        now = Whole(estimate(again.jointly([parts])[0]), whole.floor)  # a share of the total with the same donors
        for i in open_:
            rows[i].update(again.row(parts[i], first[i], exact.get(parts[i].name), now))

    def _claim_selective(self, rows: list[dict[str, Any]], parts: Sequence[SubModel], at: Measuring) -> None:
        """Tests the used parts; every part that was looked at counts for the q-values (the others with p = 1)."""
        tested = [row for row in rows if row["state"] == "used"]
        if self.nulls == 0 or self.net.reference is None or at.values.kind == "zero" or not tested:
            return
        named = {part.name: part for part in parts}
        enough = math.ceil(1.2 * len(rows) / SELECTIVE / len(tested))
        draws = self.nulls or min(MOST_NULLS, max(FEWEST_NULLS, enough))
        found = selectivity(self.net, self.posed, [named[row["part"]] for row in tested], len(rows), draws, self.seed)
        for row, p, q in zip(tested, found.p, found.q):
            row["p"], row["q"] = p, q
            row["selective"] = None if q is None else q <= SELECTIVE
        if found.smallest * len(rows) > SELECTIVE:
            self.notes.append(
                f"{found.draws} null draws give p = {found.smallest:.2g} at the smallest: "
                f"too few to call a single part of {len(rows)} selective; give nulls=…"
            )

    def _inside(self, rows: Sequence[dict[str, Any]], whole: Whole) -> list[dict[str, Any]]:
        """The strongest neurons of each used MLP, and channels of each used module, exactly."""
        within = places(self.net, rows) if self.neurons else []
        if isinstance(self.kind, Baseline):
            within = [place for place in within if place.site in self.kind.values[0]]
        if not within:
            return []
        at = self._against([place.site for place in within])
        found = strongest(at, within, self.neurons)
        exact = at.exact([one.part for one in found])
        return [at.row(one.part, one.first, exact.get(one.part.name), whole, one.within) for one in found]

    def _checks(
        self, rows: Sequence[dict[str, Any]], parts: Sequence[SubModel], whole: Whole, at: Measuring
    ) -> tuple[Check, ...]:
        """The joint checks of the used parts, with donors that had no say in which those are, where there are any."""
        used = [row["part"] for row in rows if row["state"] == "used" and row["within"] is None]
        if not used or not whole.explains or not whole.total.known:
            return ()
        fresh = None
        if at.values.kind == "resample" and not isinstance(self.kind, Baseline):
            fresh = self._dealt.scoring
        if fresh is None:
            scarce = at.values.kind == "resample" and not isinstance(self.kind, Baseline)
            why = "the reference has no others" if scarce else _said(at.values)
            self.notes.append(f"the checks are scored with the values that also chose the named parts ({why})")
            return checks(at, parts, used, self.seed)
        return checks(self._measuring(values_of(self.net, fresh, _sites(self.net, parts))), parts, used, self.seed)


def _sites(net: Network, parts: Sequence[SubModel]) -> list[Site]:
    return [site for part in parts for site in sites_of(net, part)]


def _said(values: Baseline) -> str:
    """What stands in, in words."""
    if values.kind == "resample":
        return f"values of {values.draws} other inputs (resample)"
    return SAID.get(values.kind, values.kind)


def _strengths(parts: Sequence[SubModel], first: Sequence[Tensor]) -> Table:
    rows = [{"part": part.name, "by_position": score.tolist()} for part, score in zip(parts, first)]
    return Table.of(rows, columns=("part", "by_position"))


def _completeness(first: Sequence[Tensor], whole: Whole) -> float | None:
    """How far the first-order effects are from summing to the total, as a share of it."""
    summed = sum(float(score.sum()) for score in first)
    if not whole.explains or not math.isfinite(summed):
        return None
    return (summed - whole.total.mean) / abs(whole.total.mean)
