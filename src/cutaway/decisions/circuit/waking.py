"""Is a redundant group a backup? Then one of its parts only wakes when another is gone.

Two parts of which one is enough look alike to every cut, whether both were at work or one stood by. What tells them apart
is what the second *writes*: a part that stood by writes something else once the first is taken away, a part that was at
work already does not (McGrath et al. 2023, arXiv 2307.15771, on self-repair; the backup heads of Wang et al. 2022, arXiv
2211.00593).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.fewer_rows import on_rows
from cutaway.decisions.circuit.find import Group
from cutaway.decisions.graph.parts import ERROR, REST, START, Writer
from cutaway.submodels import as_submodel, take_away

WOKEN = 0.25  # of what a part writes where it writes most: that much of it new when another is gone, and it stood by


def told_apart(cutter: Cutter, groups: Sequence[Group]) -> list[Group]:
    """The groups, those with a part that wakes as "backup"."""
    found = []
    for group in groups:
        pairs = stand_ins_among(cutter, group) if group.kind == "redundant" else []
        woken = any(wakes(cutter, first, second) > WOKEN for first, second in pairs)
        found.append(replace(group, kind="backup") if woken else group)
    return found


def stand_ins_among(cutter: Cutter, group: Group) -> list[tuple[Writer, Writer]]:
    """Pairs of parts that could stand in for one another, the earlier first: of two edges whose they are."""
    pairs: dict[tuple[str, str], tuple[Writer, Writer]] = {}
    for one, other in permutations(group.edges, 2):
        for a in _ends(cutter, one):
            for b in _ends(cutter, other):
                apart = a not in _ends(cutter, other) and b not in _ends(cutter, one)
                if apart and a.time < b.time:
                    pairs[a.part, b.part] = (a, b)
    return list(pairs.values())


def wakes(cutter: Cutter, first: Writer, second: Writer) -> float:
    """How much of what `second` writes is new with `first` taken away: a share, at most all of it.

    The largest change at a position over the largest of what is written there before or after; mean over rows and draws,
    since not every row takes from `first` what it had.
    """

    def some(few: Cutter, _: Tensor) -> Float[Tensor, "draws rows"]:
        return _woken(few, first, second)

    return float(on_rows(cutter, some, lambda found: torch.cat(list(found), 1), "backups").mean())


def _woken(cutter: Cutter, first: Writer, second: Writer) -> Float[Tensor, "draws rows"]:
    """The same of each row and draw."""
    net, batch, read = cutter.net, cutter.posed.batch, second.site
    clean = _own(second, net.read(batch, read)[str(read)])
    new = []
    for draw in range(cutter.values.draws):
        gone = take_away(net, as_submodel(_address(first)), cutter.values, draw)
        after = _own(second, net.run(batch, gone, (read,)).read[str(read)])
        most = torch.maximum(after.norm(dim=2), clean.norm(dim=2)).amax(1).clamp(min=1e-30)
        new.append(((after - clean).norm(dim=2).amax(1) / most).clamp(max=1))
    return torch.stack(new)


def _ends(cutter: Cutter, edge: int) -> list[Writer]:
    """Whose edge it is: the writer's, or where that is the embedding, the reader's. What cannot be taken away is left out."""
    graph = cutter.graph
    writer, reader = graph.edges[edge]
    fed = [graph.writers[i] for i in graph.feeds[reader].nonzero()[:, 0].tolist()]
    mine = fed if graph.writers[writer].time == START else [graph.writers[writer]]
    return [part for part in mine if part.made_by is None and not part.part.endswith((REST, ERROR))]


def _address(writer: Writer) -> str:
    """What takes this writer away: itself, or for a whole part what it adds to the stream, which is what stands in for it."""
    return writer.part if writer.site.point in ("z", "mlp_act") else str(writer.site)


def _own(writer: Writer, x: Tensor) -> Tensor:
    """What this writer writes, [rows, positions, everything else]."""
    own = x if writer.head is None else x[:, :, writer.head]
    return own.float().flatten(2) if own.ndim > 2 else own.float()[:, None]
