"""The examples of a decision: each once, half to choose edges on and half to report on; and whether anything is in them."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.decision import read_off
from cutaway.decisions.estimate import FEWEST
from cutaway.network import Custom
from cutaway.network.shortcuts import rounding

ROUNDING = 1e-5  # of the numbers that a decision is read off: a total effect below this is no effect


def distinct(whole: Cutter) -> tuple[Cutter, list[str]]:
    """Every example once: a copy is no new evidence, and must not report what its twin chose.

    A metric of the user's own may tell rows apart by their place, so that nothing is taken for a copy there.
    """
    batch, metric = whole.posed.batch, whole.posed.metric
    if isinstance(metric, Custom):
        return whole, []
    ids = [
        x for x in (*batch.args, *batch.kwargs.values()) if isinstance(x, Tensor) and x.ndim and len(x) == batch.rows
    ]
    ids += [x for one in whole.values.values for x in one.values() if x.ndim and len(x) == batch.rows > 1]
    ids += [x for x in (getattr(metric, "answer", None), getattr(metric, "instead", None)) if isinstance(x, Tensor)]
    first: dict[bytes, int] = {}
    for row in range(batch.rows):
        first.setdefault(b"".join(x[row].detach().float().cpu().contiguous().numpy().tobytes() for x in ids), row)
    if len(first) == batch.rows:
        return whole, []
    return whole.rows(torch.tensor(list(first.values()))), [
        f"{batch.rows - len(first)} prompts are given twice: each counts once"
    ]


def halves(whole: Cutter, seed: int) -> tuple[Cutter, Cutter, list[str]]:
    """The examples to choose on and those to report on: half of the prompts each, or half of the stand-ins for few prompts."""
    whole, notes = distinct(whole)
    generator = torch.Generator().manual_seed(seed)
    rows, draws = whole.posed.batch.rows, whole.values.draws
    if rows >= 2 * FEWEST:
        order = torch.randperm(rows, generator=generator)
        answers = getattr(whole.posed.metric, "answer", None)
        if answers is not None:  # rows with the same answer are dealt to both
            order = order[answers.cpu()[order].argsort(stable=True)]
        return whole.rows(order[::2].sort().values), whole.rows(order[1::2].sort().values), notes
    if draws >= 2:
        first, second = whole.values.values[: draws // 2], whole.values.values[draws // 2 :]
        parts = [replace(whole, values=replace(whole.values, values=values)) for values in (first, second)]
        note = f"{rows} prompts: chosen with one half of the stand-ins, reported with the other"
        return parts[0], parts[1], [*notes, note]
    note = f"{rows} prompts with one stand-in: what chose the edges also reports them, so every state stays undecided"
    return whole, whole, [*notes, note]


def rounded(whole: Cutter) -> float:
    """What rounding alone may change the decision by."""
    net, everything = whole.net, torch.ones(1, len(whole.graph))
    values = whole.decide(torch.cat([0 * everything, everything]))
    size = max(read_off(net, whole.posed), float(values.nan_to_num(0.0, 0.0, 0.0).abs().max()))
    return max(ROUNDING, rounding(net.dtype)) * size


def nothing_in(moved: Float[Tensor, "draws 1 rows"], least: float) -> tuple[str, str] | None:
    """Verdict and note where what cutting every edge changes is nothing, no number, or cancels over the examples."""
    if not bool(moved.isfinite().all()):
        said = "not explained: no number comes out with every edge cut"
        return said, said
    if abs(float(moved.mean())) > least:
        return None
    each = float(moved.abs().mean())
    if each <= least:
        return "nothing to explain", "nothing to explain: cutting every edge changes nothing"
    said = f"not explained: the changes cancel over the examples (each moves by {each:.3g}, their mean by nothing)"
    return said, f"{said}; ask prompts that have the same answer, or give each its own"
