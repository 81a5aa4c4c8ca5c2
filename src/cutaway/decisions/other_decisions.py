"""Does a displacement move *this* decision more than it moves others of the same network?

Taking a part away moves every output a little: it changes the size of the stream before the last norm, and with it all
logits at once. Random displacements of equal size do not undo that, so on untrained networks they alone let some parts
pass. The same rerun is therefore read off for other decisions: every output that the decision is about is given the place
of another one, the same in every row, drawn at random. No further rerun is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.decision import Posed
from cutaway.network import LogitDifference, Network, Variant, logits_of

OTHERS = 4000  # other decisions; fewer possible ones than half as many are no test


def against_other_decisions(
    net: Network, posed: Posed, displaced: Sequence[Variant], generator: torch.Generator
) -> list[float] | None:
    """The p-value of each displacement among `OTHERS` other decisions; None where there are none to draw.

    That is: for a decision that is no difference of two outputs, and for networks with too few outputs.
    """
    metric = posed.metric
    if not isinstance(metric, LogitDifference) or metric.instead is None:
        return None
    asked, inverse = torch.stack([metric.answer, metric.instead]).unique(return_inverse=True)
    clean = _logits(net, posed, Variant(()))
    outputs = clean.shape[1]
    if len(asked) > outputs or math.perm(outputs, len(asked)) < OTHERS / 2:
        return None
    elsewhere = torch.rand(OTHERS, outputs, generator=generator).argsort(dim=1)[:, : len(asked)]
    answers, insteads = elsewhere[:, inverse[0]], elsewhere[:, inverse[1]]
    found = []
    for variant in displaced:
        change = _logits(net, posed, variant) - clean
        own = _moved(change, metric.answer[None], metric.instead[None])
        others = _moved(change, answers, insteads)
        found.append((1 + int((~(others < own)).sum())) / (1 + OTHERS))
    return found


def _moved(change: Float[Tensor, "rows outputs"], answer: Tensor, instead: Tensor) -> Float[Tensor, "draws"]:
    """|mean over rows| of the change of these differences."""
    rows = torch.arange(len(change))
    return (change[rows, answer] - change[rows, instead]).mean(1).abs()


def _logits(net: Network, posed: Posed, variant: Variant) -> Float[Tensor, "rows outputs"]:
    logits = logits_of(net.run(posed.batch, variant.edits).output)
    return (logits[:, -1] if logits.ndim == 3 else logits).double().cpu()
