"""The same edges with something else in their place: always the mean, and zero as a diagnostic; disagreement in words.

Another input's values keep the network where it naturally is, and show what differs between inputs. A mean also takes away
what is the same for all of them, and zero a constant that is always there: an edge that lives under zero only carries that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import is_used, over_draws
from cutaway.decisions.circuit.share import shares
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.runs.table import Table
from cutaway.submodels import baseline
from cutaway.submodels.baseline import Kind, NoReference

MOST_LOOKED_AT = 16  # edges that no other stand-in named, of the highest shares under this one
QUICK = 3  # strata of their ranking
COLUMNS = ("from", "to", "through", "here", "mean", "zero", "words")
EVERYTHING, REST = "every edge", "everything else"


def others(
    fit: Cutter, held: Cutter, named: Sequence[int], together: Mapping[int, str], floor: float, seed: int
) -> Table:
    """How the named edges fare under the mean and under zero, and which edges live only there.

    `fit`: the examples that choose which other edges to look at, `held` those that are reported; "here" is their own
    stand-in, `floor` what an edge must move the decision by, `together` says of edges that were named for what they do
    with others how they do it ("redundant", "spread"). The first two rows are every edge, and everything but the named
    ones, cut at once. A stand-in that cannot be had (no reference) leaves its column empty.
    """
    cutters = {"here": held, **{kind: _with(held, kind, seed) for kind in ("mean", "zero")}}
    choosing = [_with(fit, kind, seed) for kind in ("mean", "zero") if kind != fit.values.kind]
    extra = {e for cutter in choosing if cutter is not None for e in _alive(cutter, named, floor, seed)}
    edges = [*named, *sorted(extra)]
    joint = torch.stack([torch.ones(len(held.graph)), 1 - held.cuts([named])[0]])
    found = {
        kind: None if cutter is None else [estimate(x) for x in _effects(cutter, joint, edges)]
        for kind, cutter in cutters.items()
    }
    rows: list[dict[str, object]] = [{"from": EVERYTHING, "words": ""}, {"from": REST, "words": ""}]
    for edge in edges:
        writer, reader = (held.graph.writers[held.graph.edges[edge][0]], held.graph.readers[held.graph.edges[edge][1]])
        used = {kind: None if all_ is None else alive(all_[len(rows)], floor) for kind, all_ in found.items()}
        words = in_words(used, together.get(edge), held.values.kind)
        rows.append({"from": writer.part, "to": reader.part, "through": reader.through, "words": words})
    for kind, all_ in found.items():
        for row, effect in zip(rows, all_ or [None] * len(rows)):
            row[kind] = None if effect is None else effect.mean
    return Table.of(rows, columns=COLUMNS)


def alive(effect: Estimate, floor: float) -> bool | None:
    """Whether an edge is used; None where the interval does not tell."""
    if is_used(effect, floor):
        return True
    inert = effect.state(floor) == "inert" if effect.known else abs(effect.mean) <= floor
    return False if inert else None


def in_words(used: dict[str, bool | None], together: str | None, here: str) -> str:
    """What it means that an edge is used under some stand-ins and not under others (None: not known)."""
    mean, zero = used["mean"], used["zero"]
    if used["here"]:
        dead = [name for name, there in (("the mean", mean), ("zero", zero)) if there is False]
        return f"alive under {here}, dead under {' and '.join(dead)}" if dead else ""
    if used["here"] is None:
        return ""
    if together is not None:
        elsewhere = [name for name, there in (("the mean", mean), ("zero", zero)) if there]
        return f"dead alone, alive jointly: {together}{f' (alive alone under {elsewhere[0]})' if elsewhere else ''}"
    if zero and mean is False:
        return f"dead under {here}, alive under zero: carries a constant"
    if mean and zero is False:
        return f"dead under {here}, alive under the mean: leaving its natural values is what matters"
    return f"dead under {here}, alive under mean and zero: carries what these inputs share" if mean and zero else ""


def _with(held: Cutter, kind: Kind, seed: int) -> Cutter | None:
    """The same with another stand-in; None without a reference to take it from."""
    if kind == held.values.kind:
        return held
    try:
        values = baseline(held.net, held.posed.batch, held.graph.sites, kind, seed=seed)
    except NoReference:
        return None
    return replace(held, values=values)


def _alive(cutter: Cutter, named: Sequence[int], floor: float, seed: int) -> list[int]:
    """Edges that are not named, and used alone under this stand-in: among those that rank highest under it."""
    rank = shares(cutter, QUICK, seed).absolute.argsort(descending=True).tolist()
    looked = [edge for edge in rank if edge not in set(named)][:MOST_LOOKED_AT]
    effects = over_draws(cutter, cutter.cuts([[edge] for edge in looked])).transpose(0, 1) if looked else ()
    return [edge for edge, effect in zip(looked, effects) if is_used(estimate(effect), floor)]


def _effects(cutter: Cutter, joint: Tensor, edges: Sequence[int]) -> Float[Tensor, "sets draws rows"]:
    """What the joint cuts move, then what each edge alone does."""
    return over_draws(cutter, torch.cat([joint, cutter.cuts([[edge] for edge in edges])])).transpose(0, 1)
