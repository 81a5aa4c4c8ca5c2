"""A subspace at the answer's position without which no linear reader tells a task's answers apart, and others answer as before.

Written is the span D of the differences between the means of the answers, so that nothing of them stays. Reads are the rows R
with R D = 1, so that what is taken away is a projection, under which the other tasks' answers to train questions change least
(Kullback-Leibler, nats; LBFGS). They start at what is least in those questions, (Dᵀ M⁻¹ D)⁻¹ Dᵀ M⁻¹, M their second moment
about this task's mean: LEACE (Belrose et al. 2023, arXiv 2306.03819) with the others' moments for the whitening.
"""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.network import Network, Site
from cutaway.organisms.reader.tasks import TASKS
from cutaway.organisms.reader.training import fitting
from cutaway.organisms.reader.words import one_token
from cutaway.submodels import Baseline, Directions, SubModel

RIDGE = 1e-5  # of the mean eigenvalue of M
ROWS = 1000  # of each task that it is fitted to
STEPS = 40  # of LBFGS


def erasing(
    net: Network, task: str, shuffled: int | None = None, random: int | None = None
) -> tuple[SubModel, Baseline]:
    """The subspace of one task in the stream behind the last block, fitted to train, and the mean to put in its place.

    Controls of as many dimensions, read as sparingly: with a seed in `shuffled` the answers are shuffled first, with one in
    `random` what is written is drawn by lot.
    """
    site = net.sites("resid_post.*")[-1].at(pos=-1)
    own, answers = _readings(net, site, task)
    if shuffled is not None:
        Random(shuffled).shuffle(answers)
    others = [_readings(net, site, other)[0] for other in TASKS if other != task]
    means = torch.stack([own[[one == answer for one in answers]].mean(0) for answer in TASKS[task]])
    mean, count = means.mean(0), len(means) - 1
    apart = torch.linalg.svd(means - mean, full_matrices=False).Vh[:count].T  # [width, answers - 1]
    if random is not None:
        drawn = torch.randn(apart.shape, generator=torch.Generator().manual_seed(random), dtype=apart.dtype)
        apart = torch.linalg.qr(drawn).Q
    with torch.enable_grad():
        read = _sparing(_answering(net), [some - mean for some in others], mean, apart)
    rows = Directions(site, read.float(), apart.T.float().contiguous(), label=f"what tells {task}")
    return SubModel(rows.name, (rows.name,), (rows,)), Baseline("mean", ({site.whole: mean.float()[None, None]},))


def _sparing(
    head: nn.Module, others: list[Tensor], mean: Float[Tensor, "width"], apart: Float[Tensor, "width atoms"]
) -> Float[Tensor, "atoms width"]:
    """The rows that read: of all with R D = 1 those that change what the head says of the others least, each task as much."""
    moment = torch.stack([some.T @ some / len(some) for some in others]).mean(0)
    moment += RIDGE * moment.diagonal().mean() * torch.eye(len(moment), dtype=moment.dtype)
    filtered = torch.linalg.solve(moment, apart)  # M⁻¹ D
    start = torch.linalg.solve(apart.T @ filtered, filtered.T)
    beside = torch.linalg.svd(apart).U[:, apart.shape[1] :]  # what R may be changed by: rows that are 0 on D
    white = torch.linalg.inv(torch.linalg.cholesky(beside.T @ moment @ beside)) @ beside.T
    free = torch.zeros(apart.shape[1], len(white), dtype=apart.dtype, requires_grad=True)
    rows = torch.cat(others)
    share = torch.cat([torch.full((len(some),), 1 / len(some) / len(others), dtype=rows.dtype) for some in others])
    before = head(rows + mean).detach().log_softmax(-1)
    optimiser = torch.optim.LBFGS([free], max_iter=STEPS, history_size=20, line_search_fn="strong_wolfe")

    def changed() -> float:
        optimiser.zero_grad()
        after = head(rows + mean - rows @ (start + free @ white).T @ apart.T).log_softmax(-1)
        loss = share @ (before.exp() * (before - after)).sum(-1)
        loss.backward()
        return loss.item()

    optimiser.step(changed)
    return (start + free @ white).detach()


def _answering(net: Network) -> nn.Module:
    """What the network makes of the stream behind its last block: the logits of all tasks' answers, in float64."""
    module: Any = net.module
    head = copy.deepcopy(module.cls.predictions).double().requires_grad_(False)
    tokenizer = net.feed.tokenizer.inner  # ty: ignore[missing-attribute]
    words = sorted(one_token(tokenizer, answer) for answers in TASKS.values() for answer in answers)
    answering = nn.Linear(head.decoder.in_features, len(words), dtype=torch.float64).requires_grad_(False)
    answering.weight.copy_(head.decoder.weight[words])
    answering.bias.copy_(head.decoder.bias[words])
    return nn.Sequential(head.transform, answering)


def _readings(net: Network, site: Site, task: str) -> tuple[Float[Tensor, "rows width"], list[str]]:
    tokenizer = net.feed.tokenizer.inner  # ty: ignore[missing-attribute]
    every = fitting(tokenizer, task, "train")
    some = Random(task).sample(every, min(len(every), ROWS))
    read = net.read([ids for ids, _ in some], site)[str(site)]
    return read[:, -1].double(), [answer for _, answer in some]
