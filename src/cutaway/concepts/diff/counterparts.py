"""Which part of one network is which of the other: the same address, or where that fails what is most alike in what it does.

Further training leaves parts where they are. Somebody who wants to hide what was done can write heads and neurons down in
another order, which changes no answer. So where the parts of a tensor are not like those of their own address, they are paired
one to one by how alike they are on the same prompts (cosine of their values; Kuhn 1955, doi 10.1002/nav.3800020109).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.concepts.diff.transplant import Parts, Way

SAME = 0.5  # of the parts of a tensor are most like that of their own address: then nothing was written down in another order
LOST = 0.5  # of the likeness of the best pairing is left with every part at its own address: then neither
TIE = 1e-6  # by which a part's own address is preferred


def counterparts(source: Parts, into: Parts, prompts: Sequence[str]) -> Way:
    """The parts of two networks of one shape, paired; the names are the addresses in `source`."""
    theirs, ours = (one.net.read(one.net.batch(list(prompts)), *one.sites) for one in (source, into))
    places: dict[str, tuple[str, str]] = {}
    for site in source.sites:
        one = next(each for each in source.of.values() if each.site == site)
        addresses = list(one.parts)
        alike = likeness(
            *(each.encode({site: x[str(site)]}) for each, x in ((one, theirs), (into.of[addresses[0]], ours))),
            one.count,
        )
        places |= {there: (there, addresses[here]) for there, here in zip(addresses, paired(alike))}
    return Way(source, into, places)


def likeness(
    theirs: Float[Tensor, "*lead atoms"], ours: Float[Tensor, "*lead atoms"], count: int
) -> Float[Tensor, "part part"]:
    """The cosine of the values of each part there and each here."""
    flat = [
        torch.nn.functional.normalize(
            x.detach().cpu().float().unflatten(-1, (count, -1)).movedim(-2, 0).flatten(1), dim=1
        )
        for x in (theirs, ours)
    ]
    return flat[0] @ flat[1].T


def paired(alike: Float[Tensor, "part part"]) -> list[int]:
    """For each part there the one here."""
    from scipy.optimize import linear_sum_assignment

    own = torch.arange(len(alike))
    alike = alike + TIE * torch.eye(len(alike))
    if float((alike.argmax(1) == own).float().mean()) >= SAME:
        return own.tolist()
    best = torch.from_numpy(linear_sum_assignment(-alike.numpy())[1])
    stays = float(alike.diagonal().sum()) >= LOST * float(alike[own, best].sum())
    return (own if stays else best).tolist()
