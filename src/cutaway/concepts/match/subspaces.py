"""Directions and low-rank subspaces of the residual stream that tell prompts from their partners: candidates beside parts.

Four ways to fit one to the train rows. "dom": the difference of means (Marks and Tegmark 2023, arXiv 2310.06824).
"logistic": the weights of a logistic regression. "leace": read by the whitened difference, written along the plain one, the
least change after which no linear reader is left (Belrose et al. 2023, arXiv 2306.03819). "das": the subspace whose exchange
between prompt and partner exchanges the answers (distributed alignment search, Geiger et al. 2023, arXiv 2303.02536).

The first three see readings only; the fourth sees answers, and finds a way to flip them wherever the stream holds what they
depend on, also through directions that the network itself does not use so (Makelov et al. 2023, arXiv 2311.17030). What is
found is a candidate, no more: it takes `judge` on other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.concepts.match.search import dealt
from cutaway.concepts.match.trials import Trials, values_on
from cutaway.decisions.decision import Posed
from cutaway.network import Network, Site, logits_of
from cutaway.network.edit import Receipt
from cutaway.network.passes import Pass
from cutaway.submodels import Baseline, Directions, SubModel, difference_of_means, take_away
from cutaway.submodels.midstream import Midstream
from cutaway.submodels.submodel import sites_of

Kind = Literal["dom", "logistic", "leace", "das"]
KINDS: tuple[Kind, ...] = ("dom", "logistic", "leace", "das")
STEPS, RATE = 100, 0.2  # of Adam, in the search; the rate in lengths of a row
ROWS = 32  # decisions in each of its steps
SAME = 1e-6  # of their size: prompts and partners that differ by less read the same


def subspaces(
    trials: Trials,
    kinds: Sequence[Kind] = KINDS,
    sites: Iterable[Site | str] | None = None,
    rank: int = 1,
    seed: int = 0,
) -> list[SubModel]:
    """Candidates of each kind at each site, fitted to `trials` (train rows that show the behaviour).

    `sites` are places in the stream, whole or `[pos=-1]`; by default resid_mid and resid_post of every block, each at the
    last position and at all of them. Two means have one direction between them, so `rank` is that of "das" alone. Where
    prompts and partners read the same there is none, and where only their means do, none but that of "das". Raises
    ValueError for unknown kinds, no decisions, or a rank that leaves nothing of the stream; ImportError without
    concept-erasure for "leace".
    """
    if not trials.rows:
        raise ValueError("given no decisions; expected some that show the behaviour: there is nothing to fit to")
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"given the kind {unknown[0]!r}; expected some of {', '.join(KINDS)}")
    fitted = [fit for site in _places(trials.net, sites) for fit in _fitted(trials, site, kinds, rank, seed)]
    return [replace(_sub_model(rows), provenance=how) for rows, how in fitted]


def _places(net: Network, sites: Iterable[Site | str] | None) -> list[Site]:
    """The sites given, or those of the stream."""
    if sites is not None:
        return [Site.parse(site) for site in sites]
    stream = sorted(net.sites("resid_mid.*") + net.sites("resid_post.*"), key=lambda site: (site.layer, site.point))
    return [place for site in stream for place in (site.at(pos=-1), site)]


def _fitted(
    trials: Trials, site: Site, kinds: Sequence[Kind], rank: int, seed: int
) -> list[tuple[Directions, dict[str, object]]]:
    """What the kinds give at one site, and how."""
    with_it, without_it = (_readings(trials.net, posed, site) for posed in (trials.prompts, trials.partners))
    width = with_it.shape[1]
    if not 0 < rank < width:
        raise ValueError(
            f"given rank {rank}; expected 1 to {width - 1}: all {width} dimensions of {site} are no subspace"
        )
    apart, size = with_it - without_it, SAME * float(with_it.norm())
    if float(apart.norm()) <= size:
        return []
    if float(apart.sum(0).norm()) <= size:  # one mean: no linear reader tells them apart
        kinds = [kind for kind in kinds if kind == "das"]
    found: list[tuple[Directions, dict[str, object]]] = []
    for kind in kinds:
        searched = kind == "das"
        rows = _searched(trials, site, apart, rank, seed) if searched else FITS[kind](site, with_it, without_it)
        if rows is not None:
            how: dict[str, object] = {"kind": kind, "rank": rows.atoms, "rows": trials.rows, "seed": seed}
            found.append((rows, how))
    return found


def _readings(net: Network, posed: Posed, site: Site) -> Float[Tensor, "rows width"]:
    """The stream at a site, mean over the positions that it picks."""
    x, real = net.read(posed.batch, site)[str(site)].double(), posed.batch.real
    if real is None or x.shape[1] != real.shape[1]:
        return x.mean(1)
    weight = real.to(x)[..., None]
    return (x * weight).sum(1) / weight.sum(1)


def _sub_model(rows: Directions) -> SubModel:
    """All rows as one sub-model, written where the stream can be."""
    return SubModel(rows.name, (rows.name,), (Midstream(rows) if rows.site.point == "resid_mid" else rows,))


# fitted to readings -------------------------------------------------------------------------------------------------


def _dom(site: Site, with_it: Tensor, without_it: Tensor) -> Directions:
    return difference_of_means(site, with_it.float(), without_it.float(), label="dom")


def _logistic(site: Site, with_it: Tensor, without_it: Tensor) -> Directions:
    from sklearn.linear_model import LogisticRegression

    x, labels = _labelled(with_it, without_it)
    x = (x - x.mean(0)) / x.std(0, correction=0).mean()
    w = torch.from_numpy(LogisticRegression(max_iter=1000).fit(x.numpy(), labels.numpy()).coef_)
    return Directions(site, (w / w.norm()).float(), label="logistic")


def _leace(site: Site, with_it: Tensor, without_it: Tensor) -> Directions | None:
    try:
        from concept_erasure import LeaceEraser
    except ImportError as missing:
        raise ImportError(
            'the kind "leace" needs the package concept-erasure; install it with: pip install "cutaway[concepts]"'
        ) from missing
    # A bounded trace would mix in the orthogonal projection, and what is left is no projection.
    eraser = LeaceEraser.fit(*_labelled(with_it, without_it), constrain_cov_trace=False)
    if not bool(eraser.proj_left.any()):
        return None
    return Directions(site, eraser.proj_right.float(), eraser.proj_left.T.float().contiguous(), label="leace")


def _labelled(with_it: Tensor, without_it: Tensor) -> tuple[Float[Tensor, "rows width"], Float[Tensor, "rows"]]:
    labels = torch.cat([torch.ones(len(with_it)), torch.zeros(len(without_it))]).double()
    return torch.cat([with_it, without_it]).cpu(), labels


FITS: dict[str, Callable[[Site, Tensor, Tensor], Directions | None]] = {
    "dom": _dom,
    "logistic": _logistic,
    "leace": _leace,
}


# fitted to answers --------------------------------------------------------------------------------------------------


def _start(apart: Float[Tensor, "rows width"], rank: int, generator: torch.Generator) -> Float[Tensor, "width rank"]:
    """Where the search starts: random sums of how prompts differ from their partners, and a little of everything else.

    A start among all directions is far from any that matters; one at the largest difference is a saddle where that is not it.
    """
    rows, width = apart.shape
    sums = apart.float().cpu().T @ torch.randn(rows, rank, generator=generator)
    return sums / sums.norm(dim=0) + 0.1 * torch.randn(width, rank, generator=generator) / width**0.5


def _searched(trials: Trials, site: Site, apart: Float[Tensor, "rows width"], rank: int, seed: int) -> Directions:
    """The subspace whose exchange with the partner exchanges the answers, and whose exchange with another prompt does not.

    The loss is the cross-entropy of four interchanges: prompts take the values of their partner and of another prompt,
    partners those of their prompt and of another partner.
    """
    generator = torch.Generator().manual_seed(seed)
    start = _start(apart, rank, generator)
    sides = [_Side.of(one, site, start) for one in (trials, trials.turned)]
    raw = start.requires_grad_()
    optimiser = torch.optim.Adam([raw], RATE / len(raw) ** 0.5)
    for step in range(STEPS):
        some = torch.randperm(trials.rows, generator=generator)[:ROWS]
        others = dealt(trials.prompts.batch, seed + step)[some]
        with torch.enable_grad():
            model = _sub_model(_subspace(site, raw))
            loss = torch.stack([side.loss(model, some, others) for side in sides]).sum()
            (raw.grad,) = torch.autograd.grad(loss, [raw])
        optimiser.step()
    return _subspace(site, raw.detach())


def _subspace(site: Site, raw: Float[Tensor, "width rank"]) -> Directions:
    """The span of the columns; its rows may have a gradient."""
    rows = torch.linalg.qr(raw).Q.T.contiguous()
    with torch.no_grad():  # the check of the rows is no part of what is differentiated
        return Directions(site, rows, label=f"das {len(rows)}")


@dataclass(frozen=True, eq=False)
class _Side:
    """Prompts that take values of their partners and of each other, and what they should then answer."""

    trials: Trials
    own: Mapping[Site, Tensor]
    partners: Mapping[Site, Tensor]

    @classmethod
    def of(cls, trials: Trials, site: Site, rows: Tensor) -> _Side:
        """With the values that an exchange at `site` needs."""
        sites = sites_of(trials.net, _sub_model(_subspace(site, rows)))
        both = (trials.prompts, trials.partners)
        return cls(trials, *(values_on(trials.net, side.batch, sites).values[0] for side in both))

    def loss(self, model: SubModel, some: Tensor, others: Tensor) -> Float[Tensor, ""]:
        """Cross-entropy: the foil with the partner's values, the target with another prompt's."""
        net, batch = self.trials.net, self.trials.prompts.batch.take(some.repeat(2))
        values = {site: torch.cat([x[some], self.own[site][others]]) for site, x in self.partners.items()}
        wanted = torch.cat([self.trials.foils[some], self.trials.turned.foils[some]])
        read: dict[Site, Tensor] = {}
        touches = []
        for edit in take_away(net, model, Baseline("counterfactual", (values,))):
            touches += net.read_touches(edit.reads, read)
            touches.append(net.edit_touch(edit, Receipt(edit.site), torch.arange(batch.rows, device=net.device), read))
        logits = logits_of(Pass(net.wiring, touches, gradients=True)(batch))
        logits = logits[:, -1] if logits.ndim == 3 else logits
        return torch.nn.functional.cross_entropy(logits.float(), wanted.to(logits.device))
