"""Taking a decision apart: first order for every part, exact reruns, the two claims, the joint checks."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from cutaway.decisions.decision import Decision, DecisionError, Posed
from cutaway.decisions.effects import Effect, effects
from cutaway.decisions.estimate import estimate
from cutaway.decisions.first_order import first_order
from cutaway.decisions.rows import kind_of, nested
from cutaway.decisions.selective import selectivity
from cutaway.decisions.trace import EDGE_COLUMNS, FLOOR, SELECTIVE, Check, Trace
from cutaway.ledger.meter import Cost, meter
from cutaway.network import Edit, Network, Put, Site, Variant, sweep
from cutaway.runs.progress import Progress, silent
from cutaway.runs.table import Table
from cutaway.submodels import Baseline, SubModel, as_submodel, random_parts, take_away
from cutaway.submodels import baseline as make_baseline
from cutaway.submodels.baseline import Kind
from cutaway.submodels.slices import KINDS, leaf_outputs, slice_of, slices
from cutaway.submodels.submodel import sites_of

ROUNDING = 1e-5  # of the decision: a total effect below this is no effect
AGAIN = 64  # parts that are measured again with more donors, at most
FEWEST_NULLS, MOST_NULLS = 20, 400  # draws of each kind for a part; few parts share a null of few places, so draw more


def trace(
    net: Network,
    decision: Decision,
    parts: SubModel | str | Sequence[SubModel | str] | None = None,
    *,
    baseline: Kind | Baseline | None = None,
    draws: int = 8,
    neurons: int = 6,
    most: int = 400,
    nulls: int | None = None,
    floor: float = FLOOR,
    seed: int = 0,
    keep: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Trace:
    """Takes `decision` apart on `net`.

    `parts` are the sub-models to look at: addresses, sub-models or kinds ("heads", "mlps", "neurons", "channels", …;
    default: every head and MLP; modules in networks without blocks). `baseline`
    is what stands in for a part that is taken away: by default the counterfactual if the decision has one, else values
    of `draws` other inputs from the reference, else zeros (then states stay undecided). The `most` strongest parts by
    first order are rerun exactly, and the `neurons` strongest neurons of each used MLP. `nulls` draws of each kind
    stand behind "selective" for each used part (0: not tested; default: as many as the q-values need). `keep`
    is a folder where finished reruns are kept if the work is stopped.
    """
    if not isinstance(decision, Decision) or not isinstance(net, Network):
        raise TypeError(
            f"trace was given a {type(net).__name__} and a {type(decision).__name__}; expected a network (cw.open) "
            "and a cw.Decision(inputs, answer=…, instead=…)"
        )
    with meter("trace") as costs:
        tracer = Tracer(
            net, decision.pose(net), parts, baseline, draws, neurons, most, nulls, floor, seed, keep, progress
        )
        result = tracer.run()
    return replace(result, cost=costs.cost)


@dataclass
class Tracer:
    """One trace in progress."""

    net: Network
    posed: Posed
    given: SubModel | str | Sequence[SubModel | str] | None
    kind: Kind | Baseline | None
    draws: int
    neurons: int
    most: int
    nulls: int | None
    floor_share: float
    seed: int
    keep: str | os.PathLike[str] | None
    progress: Progress
    notes: list[str] = field(default_factory=list)

    def run(self) -> Trace:
        """Parts, baseline, first order, exact, claims, checks."""
        net, posed = self.net, self.posed
        net.locate(posed.batch)
        clean = self._clean()
        self.parts = self._parts()
        self.values = self._baseline([site for part in self.parts for site in sites_of(net, part)])
        self.total_effect = self._jointly([part.name for part in self.parts])
        self.total = estimate(self.total_effect)
        self.floor = self.floor_share * abs(self.total.mean) if math.isfinite(self.total.mean) else 0.0
        if not math.isfinite(self.total.mean):
            self.notes.append(
                "no number comes out with every part taken away: no floor, so every state stays undecided"
            )
        elif abs(self.total.mean) <= ROUNDING * max(1.0, float(clean.abs().max())):
            self.floor = 0.0
            self.notes.append("nothing to explain: taking every part away changes nothing")
        elif self.total.known and self.total.low <= 0 <= self.total.high:
            self.notes.append(
                f"the total effect is unsure ({self.total}): so are the floor and every share; give more draws"
            )
        if not self.total.known and self.values.kind != "zero":
            self.notes.append("fewer than four prompts and donors: effects are shown, nothing is claimed")
        first = self._first_order(self.parts)
        strongest = [-abs(float(score.sum().nan_to_num(math.inf))) for score in first]
        order = sorted(range(len(self.parts)), key=lambda i: strongest[i])[: self.most]
        if len(order) < len(self.parts):
            self.notes.append(
                f"exact reruns for the {len(order)} strongest of {len(self.parts)} parts by first order; the others are undecided"
            )
        exact = self._exact([self.parts[i] for i in sorted(order)])
        rows = [self._row(part, first[i], exact.get(part.name)) for i, part in enumerate(self.parts)]
        self._decide(rows)
        self._claim_selective(rows)
        rows += self._inside(rows)
        rows = nested(rows)
        return Trace(
            net.name,
            posed.decision,
            posed.answers,
            posed.insteads,
            posed.batch.tokens[0] if posed.batch.tokens else (),
            estimate(clean[None]),
            self.total,
            self.floor,
            self._said(),
            Table.of(rows),
            self._steps(rows, clean),
            self._strengths(first),
            Table({name: [] for name in EDGE_COLUMNS}),
            self._checks(rows),
            self._completeness(first),
            Cost("trace", None, {}, 0, 0.0, 0.0, 0, 0),
            self.seed,
            tuple(dict.fromkeys(self.notes)),
            {"draws": self.values.draws, "nulls": self.nulls, "most": self.most, "floor": self.floor_share},
        )

    # what is looked at ----------------------------------------------------------------------------------------------

    def _parts(self) -> list[SubModel]:
        if self.given is not None and not self.given:
            raise ValueError(
                "parts is empty, so there is nothing to look at; give addresses or sub-models, or leave parts out"
            )
        net, batch = self.net, self.posed.batch
        if self.given is not None:
            given = [self.given] if isinstance(self.given, str | SubModel) else list(self.given)
            kinds = [part for part in given if isinstance(part, str) and part in (*KINDS, "channels", "modules")]
            found = [as_submodel(name) for one in slices(net, kinds, batch) for name in one.parts] if kinds else []
            return found + [as_submodel(part) for part in given if part not in kinds]
        if net.layout.layers:
            kinds = ["heads", "mlps", "mixers"]
            if not net.sites("z.*"):
                kinds[0] = "attentions"
            found = [as_submodel(name) for one in slices(net, kinds, batch) for name in one.parts]
        else:
            self.notes.append(
                "no residual stream was found: parts are the outputs of weighted modules, without direct effects or steps"
            )
            found = [as_submodel(str(site)) for site in leaf_outputs(net)]
        if not found:
            raise ValueError(f"nothing to take apart was found in {net.name}; give parts=[…], e.g. ['path.MODULE:out']")
        return found

    def _baseline(self, sites: Sequence[Site]) -> Baseline:
        kind = self.kind
        if isinstance(kind, Baseline):
            return kind
        if kind is None:
            has = self.net.reference is not None
            kind = "counterfactual" if self.posed.decision.counterfactual is not None else "resample" if has else "zero"
            if kind == "zero":
                self.notes.append(
                    "no reference and no counterfactual: parts are set to zero, and every state stays undecided"
                )
        return make_baseline(
            self.net, self.posed.batch, sites, kind, self.draws, self.posed.decision.counterfactual, self.seed
        )

    def _said(self) -> str:
        if self.values.kind == "resample":
            return f"values of {self.values.draws} other inputs (resample)"
        said = {
            "mean": "mean over other inputs",
            "counterfactual": "values on the counterfactual",
            "value": "given values",
        }
        return said.get(self.values.kind, self.values.kind)

    # figures --------------------------------------------------------------------------------------------------------

    def _clean(self) -> Tensor:
        rows = torch.arange(self.posed.batch.rows, device=self.net.device)
        clean = self.posed.metric(self.net.run(self.posed.batch).output, rows).cpu()
        if not bool(clean.isfinite().all()):
            row = int((~clean.isfinite()).nonzero()[0])
            raise DecisionError(
                f"the decision is {float(clean[row])} on input {row}, so no change of it can be measured; "
                "look at that input, or at the metric"
            )
        return clean

    def _jointly(self, names: Sequence[str]) -> Tensor:
        """Effect [draws, rows] of taking all these parts away together."""
        together = as_submodel([part for part in self.parts if part.name in set(names)])
        variants = [Variant(take_away(self.net, together, self.values, draw)) for draw in range(self.values.draws)]
        swept = sweep(self.net, self.posed.batch, variants, self.posed.metric)
        self.notes += swept.notes
        return swept.effect

    def _first_order(self, parts: Sequence[SubModel]) -> list[Tensor]:
        scores = first_order(self.net, self.posed, parts, self.values)
        lost = [part.name for part, score in zip(parts, scores) if not bool(score.isfinite().all())]
        if lost:
            self.notes.append(
                f"the gradient of the decision is not a number at {', '.join(lost[:4])}: no first-order figure there"
            )
        return scores

    def _exact(self, parts: Sequence[SubModel]) -> dict[str, Effect]:
        found, notes = effects(self.net, self.posed, parts, self.values, self.keep, self.progress)
        self.notes += notes
        lost = [part.name for part, effect in zip(parts, found) if not bool(effect.exact.isfinite().all())]
        if lost:
            self.notes.append(
                f"no number comes out without {', '.join(lost[:4])}: no exact figure there, and undecided"
            )
        return {part.name: effect for part, effect in zip(parts, found) if part.name not in lost}

    def _row(self, part: SubModel, first: Tensor, effect: Effect | None, within: str | None = None) -> dict[str, Any]:
        sites = sites_of(self.net, part)
        at = int(first.abs().argmax()) if self.posed.batch.positions else None
        measured = None if effect is None else estimate(effect.exact)
        direct = None if effect is None or effect.direct is None else float(effect.direct.mean())
        decided = (
            "undecided"
            if measured is None or self.values.kind == "zero" or not self._explains
            else measured.state(self.floor)
        )
        return {
            "part": part.name,
            "layer": sites[0].layer,
            "kind": kind_of(part),
            "within": within,
            "at": at,
            "token": self.posed.batch.tokens[0][at] if self.posed.batch.tokens and at is not None else None,
            "direct": direct if direct == direct else None,
            "total": float(first.sum()) if math.isfinite(float(first.sum())) else None,
            "exact": None if measured is None else measured.mean,
            "low": None if measured is None or not measured.known else measured.low,
            "high": None if measured is None or not measured.known else measured.high,
            "n": None if measured is None else measured.n,
            "share": None if measured is None or not self._explains else measured.mean / self.total.mean,
            "moved": None if effect is None else effect.moved,
            "distance": None if effect is None else effect.distance,
            "state": decided,
            "p": None,
            "q": None,
            "selective": None,
            "labels": list(part.labels),
        }

    @property
    def _explains(self) -> bool:
        """Whether there is a total effect to explain."""
        return math.isfinite(self.total.mean) and self.total.mean != 0

    def _decide(self, rows: list[dict[str, Any]]) -> None:
        """Measures again, with four times as many and other donors, what eight left undecided though it lies beyond the floor."""
        open_ = [row for row in rows if row["state"] == "undecided" and abs(row["exact"] or 0) > self.floor > 0]
        open_ = sorted(open_, key=lambda row: -abs(row["exact"]))[:AGAIN]
        if self.values.kind != "resample" or not open_:
            return
        named = {part.name: part for part in self.parts}
        parts = [named[row["part"]] for row in open_]
        sites = [site for part in self.parts for site in sites_of(self.net, part)]
        kept, total, first = self.values, self.total, self._first_order(parts)
        self.values = make_baseline(self.net, self.posed.batch, sites, "resample", 4 * self.draws, seed=self.seed + 1)
        exact, self.total = self._exact(parts), estimate(self._jointly([part.name for part in self.parts]))
        for row, part, score in zip(open_, parts, first):
            row.update(self._row(part, score, exact.get(part.name)))  # a share of the total with the same donors
        self.values, self.total = kept, total

    def _claim_selective(self, rows: list[dict[str, Any]]) -> None:
        """Tests the used parts; every part that was looked at counts for the q-values (the others with p = 1)."""
        tested = [row for row in rows if row["state"] == "used"]
        if self.nulls == 0 or self.net.reference is None or self.values.kind == "zero" or not tested:
            return
        named = {part.name: part for part in self.parts}
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

    def _inside(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The strongest neurons of each used MLP, and channels of each used module, exactly."""
        places = {
            "mlp": lambda row: (Site("mlp_act", row["layer"]), "neuron"),
            "module": lambda row: (Site.parse(row["part"]), "channel"),
        }
        used = [row for row in rows if row["state"] == "used" and row["kind"] in places and "[" not in row["part"]]
        pairs = [(row["part"], *places[row["kind"]](row)) for row in used]
        pairs = [
            (part, site, by)
            for part, site, by in pairs
            if site.path or (site.point, site.layer) in self.net.layout.ports
        ]
        if isinstance(self.kind, Baseline):
            pairs = [(part, site, by) for part, site, by in pairs if site in self.kind.values[0]]
        if not pairs or not self.neurons:
            return []
        sites = [site for _, site, _ in pairs]
        kept, self.values = self.values, self._baseline(sites)
        shapes = self.net.read(self.posed.batch, *sites)
        found: list[tuple[str, SubModel]] = []
        for part, site, by in pairs:
            candidates = [as_submodel(name) for name in slice_of(self.net, site, by, shapes[str(site)]).parts]
            scores = torch.stack(self._first_order(candidates)).sum(1).abs()
            found += [(part, candidates[i]) for i in scores.topk(min(self.neurons, len(scores))).indices.tolist()]
        parts = [part for _, part in found]
        exact, first = self._exact(parts), self._first_order(parts)
        inner = [self._row(part, score, exact.get(part.name), within) for (within, part), score in zip(found, first)]
        self.values = kept
        return inner

    def _steps(self, rows: Sequence[dict[str, Any]], clean: Tensor) -> Table:
        """The decision read off the stream after each block, and the parts of the block that were used."""
        net, layers = self.net, self.net.layout.layers
        last = ("resid_post", layers - 1)
        if not layers or last not in net.layout.ports or not self.posed.metric.last or not net.layout.additive:
            return Table.of([], columns=("layer", "decision", "change", "used"))
        sites = [Site("resid_pre", 0), *(Site("resid_post", layer) for layer in range(layers))]
        values = net.read(self.posed.batch, *sites)
        variants = [Variant((Edit(Site(*last), Put(values[str(site)])),)) for site in sites]
        after = sweep(net, self.posed.batch, variants, self.posed.metric).value.mean(1).tolist()
        table = [{"layer": None, "decision": after[0], "change": None, "used": []}]
        for layer in range(layers):
            here = [
                row["part"]
                for row in rows
                if row["layer"] == layer and row["state"] == "used" and row["within"] is None
            ]
            table.append(
                {"layer": layer, "decision": after[layer + 1], "change": after[layer + 1] - after[layer], "used": here}
            )
        return Table.of(table)

    def _strengths(self, first: Sequence[Tensor]) -> Table:
        rows = [{"part": part.name, "by_position": score.tolist()} for part, score in zip(self.parts, first)]
        return Table.of(rows, columns=("part", "by_position"))

    def _checks(self, rows: Sequence[dict[str, Any]]) -> tuple[Check, ...]:
        """Is the named set enough, and is it needed: the complement away together, then the set itself."""
        named = [row["part"] for row in rows if row["state"] == "used" and row["within"] is None]
        everyone = [part.name for part in self.parts]
        if not named or not self._explains or not self.total.known:
            return ()
        rest = [name for name in everyone if name not in named]
        controls = [list(random_parts(self.net, everyone, len(named), self.seed + i).parts) for i in range(3)]
        nothing = torch.zeros_like(self.total_effect)

        def share(names: Sequence[str]) -> Tensor:
            return (self._jointly(names) if names else nothing) / self.total.mean

        kept = share(rest)
        kept_random = torch.stack([share([n for n in everyone if n not in c]) for c in controls]).mean(0)
        away, away_random = share(named), torch.stack([share(c) for c in controls]).mean(0)
        return (
            Check(
                "enough: decision that is left with only the named parts", estimate(1 - kept), estimate(1 - kept_random)
            ),
            Check("needed: decision that is lost without the named parts", estimate(away), estimate(away_random)),
        )

    def _completeness(self, first: Sequence[Tensor]) -> float | None:
        """How far the first-order effects are from summing to the total, as a share of it."""
        summed = sum(float(score.sum()) for score in first)
        if not self._explains or not math.isfinite(summed):
            return None
        return (summed - self.total.mean) / abs(self.total.mean)
