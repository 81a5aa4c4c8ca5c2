"""A decision taken apart: which sub-models it used, in the order of the layers, and what each of them was worth.

First-order scores for every atom from one backward pass; exact reruns for the parts; two claims that are never one word
(`used`: removing it changes this decision beyond the floor; `selective`: more than chance); and the joint check whether
the named set is enough. The result is two tables and a page of figures, not an object graph.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from cutaway.decisions.decision import Decision, Posed
from cutaway.decisions.effects import Effect, effects
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.decisions.selective import selectivity
from cutaway.ledger.meter import Cost, meter
from cutaway.network import Edit, Network, Put, Site, Variant, gradients, sweep
from cutaway.runs.progress import Progress, silent
from cutaway.runs.table import Table
from cutaway.submodels import Baseline, SubModel, as_submodel, baseline as make_baseline, random_parts, take_away
from cutaway.submodels.baseline import Kind
from cutaway.submodels.slices import leaf_outputs, slices
from cutaway.submodels.submodel import sites_of

FLOOR = 0.01  # of the total effect
EDGE_COLUMNS = ("from", "to", "through", "knockout", "share", "telescoping")


@dataclass(frozen=True)
class Check:
    """A joint claim about the named set: `share` of the total effect, with the same for random sets of equal size."""

    what: str
    share: Estimate
    control: Estimate

    def __str__(self) -> str:
        return f"{self.what}: {self.share.mean:.0%} [{self.share.low:.0%}, {self.share.high:.0%}], random sets of equal size {self.control.mean:.0%}"


@dataclass(frozen=True)
class Trace:
    """A decision, step by step.

    `nodes`: one row a part, strongest first. `steps`: the decision as it stands after each block. `strengths`: the
    first-order effect of each part at each position. `edges`: links between parts (empty until they are traced).
    Effects are changes of the decision when a part is taken away: negative means that it spoke for the answer.
    """

    network: str
    decision: Decision
    answers: tuple[str, ...]
    insteads: tuple[str, ...]
    tokens: tuple[str, ...]
    metric: Estimate
    total: Estimate
    floor: float
    baseline: str
    nodes: Table
    steps: Table
    strengths: Table
    edges: Table
    checks: tuple[Check, ...]
    completeness: float | None
    cost: Cost
    seed: int
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def used(self) -> list[str]:
        """Addresses of the parts that this decision used, strongest first (neurons inside a part apart)."""
        return [row["part"] for row in self.nodes if row["state"] == "used" and row["within"] is None]

    @property
    def selective(self) -> list[str]:
        """Addresses of the used parts that matter more than chance (q ≤ 0.05)."""
        return [row["part"] for row in self.nodes if row["selective"] and row["state"] == "used"]

    def __str__(self) -> str:
        from cutaway.decisions.show import show

        return show(self)

    def _repr_html_(self) -> str:
        return self.nodes._repr_html_()


def trace(
    net: Network,
    decision: Decision,
    parts: Sequence[SubModel | str] | None = None,
    *,
    baseline: Kind | None = None,
    draws: int = 8,
    neurons: int = 6,
    most: int = 400,
    nulls: int = 40,
    floor: float = FLOOR,
    seed: int = 0,
    keep: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Trace:
    """Takes `decision` apart on `net`.

    `parts` are the sub-models to look at (default: every head and MLP; modules in networks without blocks). `baseline`
    is what stands in for a part that is taken away: by default the counterfactual if the decision has one, else values
    of `draws` other inputs from the reference, else zeros (then states stay undecided). The `most` strongest parts by
    first order are rerun exactly, and the `neurons` strongest neurons of each used MLP. `nulls` draws of each kind stand
    behind "selective" (0: not tested). `keep` is a folder where finished reruns are kept if the work is stopped.
    """
    with meter("trace") as costs:
        tracer = Tracer(net, decision.pose(net), parts, baseline, draws, neurons, most, nulls, floor, seed, keep, progress)
        result = tracer.run()
    return replace(result, cost=costs.cost)


@dataclass
class Tracer:
    """One trace in progress."""

    net: Network
    posed: Posed
    given: Sequence[SubModel | str] | None
    kind: Kind | None
    draws: int
    neurons: int
    most: int
    nulls: int
    floor_share: float
    seed: int
    keep: str | os.PathLike[str] | None
    progress: Progress
    notes: list[str] = field(default_factory=list)

    def run(self) -> Trace:
        """Parts, baseline, first order, exact, claims, checks."""
        net, posed = self.net, self.posed
        net.locate(posed.batch)
        self.parts = self._parts()
        self.values = self._baseline([site for part in self.parts for site in sites_of(net, part)])
        self.total_effect = self._jointly([part.name for part in self.parts])
        self.total = estimate(self.total_effect)
        self.floor = self.floor_share * abs(self.total.mean)
        if self.floor == 0:
            self.notes.append("nothing to explain: taking every part away changes nothing")
        first = self._first_order(self.parts)
        order = sorted(range(len(self.parts)), key=lambda i: -abs(first[i].sum()))[: self.most]
        if len(order) < len(self.parts):
            self.notes.append(f"exact reruns for the {len(order)} strongest of {len(self.parts)} parts by first order; the others are undecided")
        exact = self._exact([self.parts[i] for i in sorted(order)])
        rows = [self._row(part, first[i], exact.get(part.name)) for i, part in enumerate(self.parts)]
        self._claim_selective(rows)
        rows += self._inside(rows)
        rows.sort(key=lambda row: -abs(row["exact"] if row["exact"] is not None else row["total"]))
        clean = self._clean()
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
        if self.given is not None:
            return [as_submodel(part) for part in self.given]
        net, batch = self.net, self.posed.batch
        if net.layout.layers:
            kinds = ["heads", "mlps", "mixers"]
            if not net.sites("z.*"):
                kinds[0] = "attentions"
            found = [as_submodel(name) for one in slices(net, kinds, batch) for name in one.parts]
        else:
            self.notes.append("no residual stream was found: parts are the outputs of weighted modules, without direct effects or steps")
            found = [as_submodel(str(site)) for site in leaf_outputs(net)]
        if not found:
            raise ValueError(f"nothing to take apart was found in {net.name}; give parts=[…], e.g. ['path.MODULE:out']")
        return found

    def _baseline(self, sites: Sequence[Site]) -> Baseline:
        kind = self.kind
        if kind is None:
            has = self.net.reference is not None
            kind = "counterfactual" if self.posed.decision.counterfactual is not None else "resample" if has else "zero"
            if kind == "zero":
                self.notes.append("no reference and no counterfactual: parts are set to zero, and every state stays undecided")
        return make_baseline(self.net, self.posed.batch, sites, kind, self.draws, self.posed.decision.counterfactual, self.seed)

    def _said(self) -> str:
        if self.values.kind == "resample":
            return f"values of {self.values.draws} other inputs (resample)"
        return {"mean": "mean over other inputs", "zero": "zero", "counterfactual": "values on the counterfactual"}[self.values.kind]

    # figures --------------------------------------------------------------------------------------------------------

    def _clean(self) -> Tensor:
        rows = torch.arange(self.posed.batch.rows, device=self.net.device)
        return self.posed.metric(self.net.run(self.posed.batch).output, rows).cpu()

    def _jointly(self, names: Sequence[str]) -> Tensor:
        """Effect [draws, rows] of taking all these parts away together."""
        together = as_submodel([part for part in self.parts if part.name in set(names)])
        variants = [Variant(take_away(self.net, together, self.values, draw)) for draw in range(self.values.draws)]
        swept = sweep(self.net, self.posed.batch, variants, self.posed.metric)
        self.notes += swept.notes
        return swept.effect

    def _first_order(self, parts: Sequence[SubModel]) -> list[Tensor]:
        """Per part, [positions]: gradient · (baseline − value), summed over the part, mean over draws and rows."""
        sites = list(dict.fromkeys(site for part in parts for site in sites_of(self.net, part)))
        found = gradients(self.net, self.posed.batch, sites, self.posed.metric)
        moved: dict[Site, Tensor] = {}
        for site in sites:
            value, gradient = found.value[str(site)], found.gradient[str(site)]
            aim = torch.zeros_like(value)
            if self.values.kind != "zero":
                aim = sum(self.values.values[d][site].float() for d in range(self.values.draws)) / self.values.draws
            moved[site] = (gradient.float() * (aim - value.float())).mean(0, keepdim=True)
        return [self._by_position(part, moved) for part in parts]

    def _by_position(self, part: SubModel, moved: Mapping[Site, Tensor]) -> Tensor:
        length = self.posed.batch.positions or 1
        score = torch.zeros(length)
        for address in part.parts:
            if any(address in kind.parts for kind in part.decompositions):
                continue
            site = Site.parse(address)
            x = moved[site.whole]
            x = x[self.net.port(site).index_of(site, x.ndim)]
            spread = x.ndim > 2 and x.shape[1] == length and self.posed.batch.positions is not None
            score += (x[0].flatten(1).sum(1) if spread else x.sum() / length).cpu()
        return score

    def _exact(self, parts: Sequence[SubModel]) -> dict[str, Effect]:
        found, notes = effects(self.net, self.posed, parts, self.values, self.keep, self.progress)
        self.notes += notes
        return {part.name: effect for part, effect in zip(parts, found)}

    def _row(self, part: SubModel, first: Tensor, effect: Effect | None, within: str | None = None) -> dict[str, Any]:
        sites = sites_of(self.net, part)
        at = int(first.abs().argmax()) if self.posed.batch.positions else None
        measured = None if effect is None else estimate(effect.exact)
        direct = None if effect is None or effect.direct is None else float(effect.direct.mean())
        decided = "undecided" if measured is None or self.values.kind == "zero" or self.floor == 0 else measured.state(self.floor)
        return {
            "part": part.name,
            "layer": sites[0].layer,
            "kind": kind_of(part),
            "within": within,
            "at": at,
            "token": self.posed.batch.tokens[0][at] if self.posed.batch.tokens and at is not None else None,
            "direct": direct if direct == direct else None,
            "total": float(first.sum()),
            "exact": None if measured is None else measured.mean,
            "low": None if measured is None or not measured.known else measured.low,
            "high": None if measured is None or not measured.known else measured.high,
            "n": None if measured is None else measured.n,
            "share": None if measured is None or not self.total.mean else measured.mean / self.total.mean,
            "strength": None if effect is None else effect.moved,
            "state": decided,
            "p": None,
            "q": None,
            "selective": None,
            "labels": list(part.labels),
        }

    def _claim_selective(self, rows: list[dict[str, Any]]) -> None:
        """Tests every part that was rerun, so that the null is pooled over all of them; all parts count for the q-values."""
        if self.nulls == 0 or self.net.reference is None or self.values.kind == "zero":
            return
        named = {part.name: part for part in self.parts}
        tested = [row for row in rows if row["exact"] is not None]
        found = selectivity(self.net, self.posed, [named[row["part"]] for row in tested], len(rows), self.nulls, self.seed)
        for row, p, q in zip(tested, found.p, found.q):
            row["p"], row["q"] = p, q
            row["selective"] = None if q is None else q <= 0.05
        if found.draws and found.smallest * len(rows) > 0.05:
            self.notes.append(f"{found.draws} null draws give p = {found.smallest:.2g} at the smallest: too few to call one part of {len(rows)} selective")

    def _inside(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The strongest neurons of each used MLP, exactly."""
        used = [row for row in rows if row["state"] == "used" and row["kind"] == "mlp"]
        sites = [Site("mlp_act", row["layer"]) for row in used]
        pairs = [(row, site) for row, site in zip(used, sites) if (site.point, site.layer) in self.net.layout.ports]
        if not pairs or not self.neurons:
            return []
        kept, self.values = self.values, self._baseline([site for _, site in pairs])
        found: list[tuple[str, SubModel]] = []
        for row, site in pairs:
            whole = next(one for one in slices(self.net, ["neurons"], self.posed.batch) if one.site == site)
            candidates = [as_submodel(name) for name in whole.parts]
            scores = torch.stack(self._first_order(candidates)).sum(1).abs()
            found += [(row["part"], candidates[i]) for i in scores.topk(min(self.neurons, len(scores))).indices.tolist()]
        parts = [part for _, part in found]
        exact, first = self._exact(parts), self._first_order(parts)
        inner = [self._row(part, score, exact[part.name], within) for (within, part), score in zip(found, first)]
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
            here = [row["part"] for row in rows if row["layer"] == layer and row["state"] == "used" and row["within"] is None]
            table.append({"layer": layer, "decision": after[layer + 1], "change": after[layer + 1] - after[layer], "used": here})
        return Table.of(table)

    def _strengths(self, first: Sequence[Tensor]) -> Table:
        rows = [{"part": part.name, "by_position": score.tolist()} for part, score in zip(self.parts, first)]
        return Table.of(rows, columns=("part", "by_position"))

    def _checks(self, rows: Sequence[dict[str, Any]]) -> tuple[Check, ...]:
        """Is the named set enough, and is it needed: the complement away together, then the set itself."""
        named = [row["part"] for row in rows if row["state"] == "used" and row["within"] is None]
        everyone = [part.name for part in self.parts]
        if not named or self.total.mean == 0 or not self.total.known:
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
            Check("enough: decision that is left with only the named parts", estimate(1 - kept), estimate(1 - kept_random)),
            Check("needed: decision that is lost without the named parts", estimate(away), estimate(away_random)),
        )

    def _completeness(self, first: Sequence[Tensor]) -> float | None:
        """How far the first-order effects are from summing to the total, as a share of it."""
        if self.total.mean == 0:
            return None
        return float(sum(float(score.sum()) for score in first) - self.total.mean) / abs(self.total.mean)


def kind_of(part: SubModel) -> str:
    """What a part is, in a word."""
    if len(part.parts) != 1 or part.decompositions:
        return "sub-model"
    site = Site.parse(part.parts[0])
    for name in ("head", "neuron", "expert", "channel"):
        if name in dict(site.select):
            return name
    return {"mlp_out": "mlp", "attn_out": "attention", "mixer_out": "mixer", "path": "module"}.get(site.point, site.point)
