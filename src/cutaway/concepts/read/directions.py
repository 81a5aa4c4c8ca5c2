"""Candidate readers of a concept, fitted to train rows only, for many labellings of the rows at once.

Every direction here is w = M c: c gives each train row its weight (+1/n for positives, −1/n for those they stand against),
and M does not know the labels. So M is made once a site and serves all permutations of the labels:

- difference of means: M = Xᵀ.
- whitened difference of means: M = (Σ + λI)⁻¹ Xᵀ with Σ the covariance of all train rows. It is Fisher's discriminant and,
  up to its length, ridge regression on the labels, the closed-form stand-in for logistic regression (which would have to be
  fitted anew to each of thousands of labellings); also the "mass-mean probe" of Marks and Tegmark 2023 (arXiv 2310.06824).
- head: the difference of means inside one head. neuron: one neuron alone, of the few that differ most on train.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.network import Site

RIDGES = (1e-1, 1e-3)  # λ over the mean eigenvalue of Σ that is not 0
STRONGEST = 8  # neurons of a site that are tried, by their difference on train over their spread
AGAINST = ("negatives", "negatives and controls")


@dataclass(frozen=True, eq=False)
class Scored:
    """Candidates at one site: their scores of every passage under every labelling.

    `names`, `sites` and `vectors` (a passage scores h · w) are those of the first labelling; which neurons are tried, and
    every vector, depends on the labelling.
    """

    names: tuple[str, ...]
    sites: tuple[str, ...]
    scores: Float[Tensor, "passages candidates labellings"]
    vectors: Float[Tensor, "candidates width"]


def weights(labellings: Int[Tensor, "labellings rows"], contrasts: int) -> Float[Tensor, "against labellings rows"]:
    """What each train row weighs in a difference of means: against the negatives, and against all contrasts alike.

    `labellings` hold the set of each train row, 0 for positives. With one contrast there is only one such difference.
    """
    means = torch.stack([_mean_of(labellings == number) for number in range(contrasts + 1)])
    against = [means[0] - means[1]]
    if contrasts > 1:
        against.append(means[0] - means[1:].mean(0))
    return torch.stack(against)


def candidates(
    site: Site,
    x: Float[Tensor, "passages *width"],
    train: Bool[Tensor, "passages"],
    c: Float[Tensor, "against labellings train"],
) -> Scored:
    """The candidates at a site, by what it is: neurons at mlp_act, heads where the readings have them, else directions."""
    x = x.double()
    x = x - x[train].mean(0)
    if site.point == "mlp_act":
        return _neurons(site, x, train, c)
    return _heads(site, x, train, c) if x.ndim == 3 else _directions(site, x.flatten(1), train, c)


def count(site: Site, shape: torch.Size, against: int) -> int:
    """How many candidates a site gives; of neurons all count, since all were compared."""
    if site.point == "mlp_act":
        return shape[-1] * against
    return against * (shape[1] if len(shape) == 3 else 1 + len(RIDGES))


def _directions(site: Site, x: Tensor, train: Tensor, c: Tensor) -> Scored:
    fitted = x[train]
    columns = c.flatten(0, 1).T  # [train, against · labellings]
    made = [("difference of means", fitted.T @ columns)]
    made += [(f"whitened ({ridge:g})", whitened(fitted, columns, ridge)) for ridge in RIDGES]
    names, scores, vectors = [], [], []
    for name, w in made:
        each = w.reshape(-1, *c.shape[:2])
        scores.append((x @ w).reshape(len(x), *c.shape[:2]))
        vectors.append(each[..., 0].T)
        names += [f"{name}, against {AGAINST[number]}" for number in range(len(c))]
    return Scored(tuple(names), (str(site),) * len(names), torch.cat(scores, 1), torch.cat(vectors))


def whitened(
    x: Float[Tensor, "train width"], c: Float[Tensor, "train columns"], ridge: float
) -> Float[Tensor, "width columns"]:
    """(Σ + λI)⁻¹ xᵀ c for centred x, through the smaller of the two Gram matrices (the identity of Woodbury)."""
    rows, width = x.shape
    by_rows = rows <= width
    gram = (x @ x.T if by_rows else x.T @ x) / rows
    mean = gram.diagonal().sum().clamp(min=1e-30) / min(max(rows - 1, 1), width)
    gram.diagonal().add_(ridge * mean)
    factor = torch.linalg.cholesky(gram)
    return x.T @ torch.cholesky_solve(c, factor) if by_rows else torch.cholesky_solve(x.T @ c, factor)


def _heads(site: Site, x: Tensor, train: Tensor, c: Tensor) -> Scored:
    heads, size = x.shape[1:]
    w = torch.einsum("thd,alt->ahdl", x[train], c)
    scores = torch.einsum("phd,ahdl->pahl", x, w).flatten(1, 2)
    vectors = torch.zeros(len(c), heads, heads, size, dtype=x.dtype)
    for head in range(heads):
        vectors[:, head, head] = w[:, head, :, 0]
    names = [f"head, against {AGAINST[number]}" for number in range(len(c)) for _ in range(heads)]
    sites = [str(site.at(head=head)) for _ in range(len(c)) for head in range(heads)]
    return Scored(tuple(names), tuple(sites), scores, vectors.flatten(0, 1).flatten(1))


def _neurons(site: Site, x: Tensor, train: Tensor, c: Tensor) -> Scored:
    spread = x[train].std(0, correction=0)
    # A neuron that is always silent is no candidate.
    scaled = x / spread.where(spread > 1e-12, torch.full_like(spread, torch.inf))
    differ = torch.einsum("tn,alt->aln", scaled[train], c)
    best = differ.abs().topk(min(STRONGEST, x.shape[1]), dim=-1).indices  # [against, labellings, strongest]
    sign = differ.gather(-1, best).sign()
    scores = (scaled[:, best] * sign).movedim(-1, 2).flatten(1, 2)
    first, signs = best[:, 0].flatten(), sign[:, 0].flatten()
    vectors = torch.zeros(len(first), x.shape[1], dtype=x.dtype)
    vectors[torch.arange(len(first)), first] = signs
    names = [f"neuron, against {AGAINST[number]}" for number in range(len(c)) for _ in range(best.shape[-1])]
    sites = [str(site.at(neuron=int(one))) for one in first]
    return Scored(tuple(names), tuple(sites), scores, vectors)


def _mean_of(rows: Bool[Tensor, "labellings rows"]) -> Float[Tensor, "labellings rows"]:
    return rows.double() / rows.sum(1, keepdim=True).clamp(min=1)
