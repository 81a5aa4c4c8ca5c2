"""`calibrate_on`: how much of what `match` says can be believed in the user's own network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from cutaway.network import Network
from cutaway.organisms.grafted import KINDS, PlantError
from cutaway.runs import Progress, resumable, silent
from cutaway.study.plants.curve import Sensitivity
from cutaway.study.plants.plants import STRENGTHS, one_plant, parts_of, plants_of
from cutaway.submodels.slices import slices

EACH = 6
A_RERUN = (
    3e-4  # seconds of one core for each part that is searched and each million of parameters, beside what is constant
)
AT_LEAST = 10.0  # seconds of a plant in any network


def calibrate_on(
    net: Network,
    each: int = EACH,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    kinds: Sequence[str] = KINDS,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Sensitivity:
    """Plants known sub-models into copies of `net` and counts how many `match` finds, and what it names falsely.

    `each` plants of every kind (rank-one, distributed, backup, and a decoy or an inert neuron beside one of rank one) at every
    strength: 1 turns half of prompts that nothing was fitted to, 0 writes nothing. With a `folder` the row of every plant is
    kept, and what was done is not done again. The network itself stays as it is.

    Raises ValueError for a kind or strength that there is not. A network into which nothing can be planted gives rows that did
    not take, with the reason; where that is so of all, PlantError.

    >>> print(calibrate_on(cw.open("organism:agents-harmless"), each=2))  # doctest: +SKIP
    """
    plants, name = plants_of(each, strengths, seed, kinds), fingerprint(net)
    with TemporaryDirectory() as nowhere:
        rows = resumable(
            Path(folder or nowhere) / "plants",
            lambda plant: one_plant(net, plant),
            plants,
            lambda plant: plant.key(name),
            progress=progress,
        )
    if not any(row["took"] for row in rows):
        raise PlantError(rows[0]["why"])
    return Sensitivity.of(net.name, rows, seed)


def cpu_minutes(
    net: Network, each: int = EACH, strengths: Sequence[float] = STRENGTHS, kinds: Sequence[str] = KINDS
) -> float:
    """About how long that takes on one core."""
    parts = sum(len(one.parts) for one in slices(net, parts_of(net)))
    millions = sum(one.numel() for one in net.module.parameters()) / 1e6
    return len(plants_of(each, strengths, kinds=kinds)) * (AT_LEAST + A_RERUN * 2 * parts * 24 * millions) / 60


def fingerprint(net: Network) -> str:
    """A short hash of the network's name and weights, and of its reference: what rows of plants belong to."""
    found = hashlib.sha256(net.name.encode())
    for name, weight in net.module.state_dict().items():
        sums = weight.detach().double() if weight.is_floating_point() else weight.detach().long()
        found.update(f"{name} {tuple(weight.shape)} {float(sums.sum()):.10g} {float(sums.abs().sum()):.10g}".encode())
    reference = net.reference
    found.update(repr(float(reference.double().sum()) if isinstance(reference, torch.Tensor) else reference).encode())
    return found.hexdigest()[:16]
