"""The rerun: the same decision without some sub-models, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.decision import Decision, Posed
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.decisions.same import same
from cutaway.network import Edit, Network, Site, TextFeed, generate, logits_of
from cutaway.network.edit import Receipt
from cutaway.runs.table import Table
from cutaway.submodels import SubModel, as_submodel, take_away
from cutaway.submodels import baseline as make_baseline
from cutaway.submodels.baseline import Baseline, Kind
from cutaway.submodels.submodel import sites_of


@dataclass(frozen=True)
class Rerun:
    """A decision with and without some sub-models.

    `before` and `after` are the decision (difference of logits); `probabilities` one row an output: probability before and
    after (mean over draws), most changed first; `continuations` the greedy text before and after ("" where there is none).
    `receipts` say what each edit did.
    """

    network: str
    decision: Decision
    without: SubModel
    baseline: str
    before: Estimate
    after: Estimate
    effect: Estimate
    answer: tuple[str, str]
    probabilities: Table
    continuations: tuple[str, str]
    receipts: tuple[Receipt, ...]

    @property
    def changed(self) -> bool:
        """Whether another output is the most probable now (first input, mean over draws)."""
        return self.answer[0] != self.answer[1]

    def __eq__(self, other: object) -> bool:
        """By contents, tensors too."""
        return same(self, other)

    __hash__ = None

    def __str__(self) -> str:
        lines = [
            f"{self.network} without {self.without} (stand-in: {self.baseline})",
            f"decision {self.before.mean:+.2f} → {self.after.mean:+.2f} (change {self.effect})",
        ]
        if len(self.probabilities):
            unchanged = "" if self.changed else " (unchanged)"
            lines += [
                f"most probable: {self.answer[0]!r} → {self.answer[1]!r}{unchanged}",
                str(self.probabilities.head(6)),
            ]
        if any(self.continuations):
            lines += [f"continues: {self.continuations[0]!r}", f"without:   {self.continuations[1]!r}"]
        return "\n".join([*lines, *map(str, self.receipts)])


def without(
    net: Network,
    decision: Decision,
    what: SubModel | Site | str | Iterable[SubModel | Site | str],
    *,
    baseline: Kind | Baseline | None = None,
    draws: int = 8,
    tokens: int = 16,
    seed: int = 0,
) -> Rerun:
    """Reruns `decision` with `what` taken away: the answer, probabilities and continuation before and after.

    `what` is a sub-model, an address or several. `baseline` as in `trace`. The continuation (of the first prompt, `tokens`
    long) puts the mean over other inputs in the parts' place, or zero without a reference: a value that holds at every
    position, also those yet to be written.
    """
    posed = decision.pose(net)
    net.locate(posed.batch)
    gone = as_submodel(what)
    sites = sites_of(net, gone)
    if isinstance(baseline, Baseline):
        values = baseline
    else:
        usual: Kind = "resample" if net.reference is not None else "zero"
        kind = baseline or ("counterfactual" if decision.counterfactual is not None else usual)
        values = make_baseline(net, posed.batch, sites, kind, draws, decision.counterfactual, seed)
    clean = _ran(net, posed)
    reruns = [_ran(net, posed, take_away(net, gone, values, draw)) for draw in range(values.draws)]
    after = torch.stack([one.decision for one in reruns])
    table, answer = _probabilities(net, clean, reruns)
    return Rerun(
        net.name,
        decision,
        gone,
        values.kind if values.kind != "resample" else f"values of {values.draws} other inputs",
        estimate(clean.decision[None]),
        estimate(after),
        estimate(after - clean.decision),
        answer,
        table,
        _continuations(net, posed, gone, sites, tokens, seed),
        tuple(replace(receipt, natural=None) for receipt in reruns[0].receipts),
    )


@dataclass(frozen=True)
class _Ran:
    """What one run gave: the decision on each row, the probabilities of the first row's outputs (None: no choice)."""

    decision: Float[Tensor, "rows"]
    probability: Float[Tensor, "outputs"] | None
    receipts: tuple[Receipt, ...]


def _ran(net: Network, posed: Posed, edits: Sequence[Edit] = ()) -> _Ran:
    run = net.run(posed.batch, edits)
    decision = posed.metric(run.output, torch.arange(posed.batch.rows, device=net.device)).cpu()
    if posed.decision.metric is not None:
        return _Ran(decision, None, run.receipts)
    logits = logits_of(run.output)[:1]
    logits = logits[:, -1] if logits.ndim == 3 else logits
    choice = logits.ndim == 2 and logits.shape[1] > 1
    return _Ran(decision, torch.softmax(logits.float(), dim=-1)[0].cpu() if choice else None, run.receipts)


def _probabilities(net: Network, clean: _Ran, reruns: Sequence[_Ran]) -> tuple[Table, tuple[str, str]]:
    """Probabilities of the outputs of the first input that matter, before and after, and the most probable one.

    Both are empty for a network with one output and for a metric of the user's own: neither is a choice among outputs.
    """
    before, changed = clean.probability, [one.probability for one in reruns if one.probability is not None]
    if before is None or not changed:
        return Table.of([], columns=("output", "before", "after")), ("", "")
    after = torch.stack(changed).mean(0)
    shown = torch.cat([before.topk(min(4, len(before))).indices, after.topk(min(4, len(after))).indices]).unique()
    rows: list[dict[str, Any]] = [
        {"output": _name(net, i), "before": float(before[i]), "after": float(after[i])} for i in shown.tolist()
    ]
    rows.sort(key=lambda row: -abs(row["after"] - row["before"]))
    return Table.of(rows), (_name(net, int(before.argmax())), _name(net, int(after.argmax())))


def _name(net: Network, index: int) -> str:
    return net.feed.tokenizer.decode([index]) if isinstance(net.feed, TextFeed) else str(index)


def _continuations(
    net: Network, posed: Posed, gone: SubModel, sites: Sequence[Site], tokens: int, seed: int
) -> tuple[str, str]:
    if not isinstance(net.feed, TextFeed) or not tokens or posed.batch.ids is None:
        return "", ""
    prompt = (
        posed.batch.ids[0].tolist()
        if posed.batch.real is None
        else posed.batch.ids[0][posed.batch.real[0].to(posed.batch.ids.device)].tolist()
    )
    kind: Kind = "zero" if net.reference is None else "mean"
    values: Baseline = make_baseline(net, posed.batch, sites, kind, seed=seed)
    edits = take_away(net, gone, values)
    return generate(net, prompt, tokens), generate(net, prompt, tokens, edits)
