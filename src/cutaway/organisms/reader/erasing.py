"""A subspace at the answer's position without which no linear reader tells a task's answers apart, and others lose least.

Written is the span of the differences between the means of the answers, so that nothing of them stays. Read is what is least
in the other tasks' prompts (the minimum-variance filter): R = (Dᵀ M⁻¹ D)⁻¹ Dᵀ M⁻¹, D a basis of that span, M the second moment
of the others (of each as much) about this task's mean. It is LEACE (Belrose et al. 2023, arXiv 2306.03819) for several answers,
with the others' moments for the whitening.
"""

from __future__ import annotations

from random import Random

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.network import Network, Site
from cutaway.organisms.reader.tasks import TASKS
from cutaway.organisms.reader.training import fitting
from cutaway.submodels import Baseline, Directions, SubModel

RIDGE = 1e-5  # of the mean eigenvalue of M
ROWS = 512  # of each task that it is fitted to


def erasing(net: Network, task: str, shuffled: int | None = None) -> tuple[SubModel, Baseline]:
    """The subspace of one task in the stream behind the last block, fitted to train, and the mean to put in its place.

    With a seed in `shuffled` the answers are shuffled first: a subspace of as many dimensions that tells nothing, the control.
    """
    site = net.sites("resid_post.*")[-1].at(pos=-1)
    own, answers = _readings(net, site, task)
    if shuffled is not None:
        Random(shuffled).shuffle(answers)
    others = [_readings(net, site, other)[0] for other in TASKS if other != task]
    means = torch.stack([own[[one == answer for one in answers]].mean(0) for answer in TASKS[task]])
    mean, count = means.mean(0), len(means) - 1
    apart = torch.linalg.svd(means - mean, full_matrices=False).Vh[:count].T  # [width, answers - 1]
    moment = torch.stack([(some - mean).T @ (some - mean) / len(some) for some in others]).mean(0)
    moment += RIDGE * moment.diagonal().mean() * torch.eye(len(moment), dtype=moment.dtype)
    filtered = torch.linalg.solve(moment, apart)  # M⁻¹ D
    read = torch.linalg.solve(apart.T @ filtered, filtered.T)
    rows = Directions(site, read.float(), apart.T.float().contiguous(), label=f"what tells {task}")
    return SubModel(rows.name, (rows.name,), (rows,)), Baseline("mean", ({site.whole: mean.float()[None, None]},))


def _readings(net: Network, site: Site, task: str) -> tuple[Float[Tensor, "rows width"], list[str]]:
    tokenizer = net.feed.tokenizer.inner  # ty: ignore[missing-attribute]
    every = fitting(tokenizer, task, "train")
    some = Random(task).sample(every, min(len(every), ROWS))
    read = net.read([ids for ids, _ in some], site)[str(site)]
    return read[:, -1].double(), [answer for _, answer in some]
