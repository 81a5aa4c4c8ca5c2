"""First-order effects: what the gradient guesses that taking a part away would do, at every position.

gradient · (what stands in − the value), summed over the part: attribution patching (Nanda 2023; Syed et al. 2023, arXiv
2310.10348). It is blind where softmax or ReLU is saturated: truly used parts can score 0, so it never decides a state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.decision import Posed
from cutaway.network import Gradients, Network, Site, gradients
from cutaway.submodels import Baseline, Decomposition, SubModel, mask_without
from cutaway.submodels.submodel import picked_of, sites_of


def first_order(
    net: Network, posed: Posed, parts: Sequence[SubModel], values: Baseline
) -> list[Float[Tensor, "position"]]:
    """Per part, [positions]: gradient · (baseline − value), summed over the part, mean over draws and rows."""
    sites = list(dict.fromkeys(site for part in parts for site in sites_of(net, part)))
    found = gradients(net, posed.batch, sites, posed.metric)
    moved: dict[Site, Tensor] = {}
    for site in sites:
        value, gradient = found.value[str(site)], found.gradient[str(site)]
        aim = torch.zeros_like(value)
        if values.kind != "zero":
            aim = sum(values.values[d][site].float() for d in range(values.draws)) / values.draws
        moved[site] = (gradient.float() * (aim - value.float())).mean(0, keepdim=True)
    work = _FirstOrder(net, posed, values, moved, found)
    return [work.by_position(part) for part in parts]


@dataclass(frozen=True)
class _FirstOrder:
    """Everything that the scores of one decision's parts share."""

    net: Network
    posed: Posed
    values: Baseline
    moved: Mapping[Site, Tensor]
    found: Gradients

    def by_position(self, part: SubModel) -> Tensor:
        score = torch.zeros(self.posed.batch.positions or 1)
        for address in part.parts:
            owner = next((kind for kind in part.decompositions if address in kind.parts), None)
            if owner is None:
                site = Site.parse(address)
                score += self._placed(
                    site, self.moved[site.whole][self.net.port(site).index_of(site, self.moved[site.whole].ndim)]
                )
                continue
            for site in owner.writes:
                score += self._placed(site, self._through(owner, address, site))
        return score

    def _through(self, kind: Decomposition, part: str, site: Site) -> Tensor:
        """Gradient · what taking a part of a decomposition away adds at a write site, mean over rows."""
        values = {s: self.found.value[str(s.whole)] for s in kind.reads}
        picked = {s: x[self.net.port(s).index_of(s, x.ndim)] for s, x in values.items()}
        code, aim = kind.encode(picked).float(), torch.zeros(())
        if self.values.kind != "zero":
            drawn = [
                kind.encode({s: picked_of(self.net, s, self.values, d) for s in kind.reads})
                for d in range(self.values.draws)
            ]
            aim = sum(one.float() for one in drawn) / len(drawn)
        change = kind.decode((1 - mask_without(kind, [part]).to(code)) * (aim - code), site)
        gradient = self.found.gradient[str(site.whole)]
        return (gradient[self.net.port(site).index_of(site, gradient.ndim)].float() * change).mean(0, keepdim=True)

    def _placed(self, site: Site, x: Tensor) -> Tensor:
        """The sum over a part [1, ...], at the positions where the part lies (spread evenly where it has none)."""
        length, score = self.posed.batch.positions, torch.zeros(self.posed.batch.positions or 1)
        axes = self.net.port(site).axes_for(x.ndim)
        if length is None or len(axes) < 3 or axes[1] != "position":
            return score + (x.sum() / len(score)).cpu()
        at = torch.arange(length)[self.net.port(site).index_of(site, x.ndim)[1]]
        if len(at) != x.shape[1]:
            return score + (x.sum() / len(score)).cpu()
        score[at] = x[0].flatten(1).sum(1).float().cpu()
        return score
