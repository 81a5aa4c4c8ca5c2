"""Edits of a running network: what is written where, and the receipt that says what it did.

An `Edit` is a `Site` and a `Change`. A change gets the picked part of the tensor for some rows of the batch and gives
its new value; it is a value, so that an edit can be stacked, restricted to rows, repeated and shown. Every edit is
counted: one that never fires is an error, because silent no-op hooks are the field's worst class of bug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from cutaway.network.site import Site


class NeverFired(RuntimeError):
    """An edit whose tensor never came by."""


@runtime_checkable
class Change(Protocol):
    """From the picked part `x` of the rows `rows` of the batch (and what was read on the way) to its new value.

    A change with an attribute `positionwise = True` promises that a position's new value depends on no other position; a
    sweep may then give it only the last positions of a part. Without it every position is computed.
    """

    def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor: ...


@dataclass(frozen=True)
class Put:
    """The value of other activations: a number, or a tensor of the part's shape (batch axis of size 1: the same for all rows).

    Where only the last positions of the part are computed, the value's last positions are used.
    """

    value: Tensor | float
    positionwise: ClassVar[bool] = True

    def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor:
        return fit(self.value, x, rows).expand_as(x)

    def __str__(self) -> str:
        return "zero" if isinstance(self.value, (int, float)) and self.value == 0 else "put"


@dataclass(frozen=True)
class Add:
    """The part plus a displacement."""

    value: Tensor
    positionwise: ClassVar[bool] = True

    def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor:
        return x + fit(self.value, x, rows)


@dataclass(frozen=True)
class Scale:
    """The part times a factor; 1 changes nothing, bit for bit."""

    factor: float
    positionwise: ClassVar[bool] = True

    def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor:
        return x * self.factor


@dataclass(frozen=True)
class Apply:
    """Any function of the part alone."""

    function: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor:
        return self.function(x)


ZERO = Put(0.0)


def fit(value: Tensor | float, x: Tensor, rows: Tensor) -> Tensor:
    """`value` for these rows, its last positions, in x's dtype and on its device."""
    if not isinstance(value, Tensor):
        return torch.full((1,) * x.ndim, value, dtype=x.dtype, device=x.device)
    value = value.to(x)
    if value.ndim == x.ndim and value.shape[0] > 1:
        value = value.index_select(0, rows.to(value.device))
    if value.ndim == x.ndim and x.ndim > 2 and value.shape[1] > x.shape[1]:
        value = value[:, -x.shape[1] :]
    return value


@dataclass(frozen=True, eq=False)
class Natural:
    """What is natural at a part: mean and variance of its coordinates over other inputs, batch axis of size 1."""

    mean: Tensor
    variance: Tensor

    def fits(self, x: Tensor) -> bool:
        """Whether `x` has no more positions than were looked at (text that is being written grows beyond them)."""
        return self.mean.ndim == x.ndim and all(m in (1, n) or m > n for m, n in zip(self.mean.shape[1:], x.shape[1:]))

    def distance(self, x: Tensor) -> Tensor:
        """How far each row is from the mean, in units of the natural root-mean-square distance: 1 is typical."""
        none = torch.zeros(1, dtype=torch.long, device=x.device)
        mean, variance = (fit(value, x, none).float().expand(1, *x.shape[1:]) for value in (self.mean, self.variance))
        away = (x.detach().float() - mean).pow(2).flatten(1).sum(1)
        return (away / variance.flatten(1).sum(1).clamp(min=1e-12)).sqrt()


@dataclass(frozen=True)
class Edit:
    """`change` what is picked at `site`, given what passed by at `reads` earlier in the same pass.

    With `natural` the receipt says how far the new value is from what other inputs give there.
    """

    site: Site
    change: Change
    reads: tuple[Site, ...] = ()
    natural: Natural | None = None

    def __str__(self) -> str:
        return f"{self.site} ← {self.change}"


@dataclass(frozen=True)
class Variant:
    """One rerun of the network: its edits, made together, and the tensors to keep of it. No edits: the network as it is."""

    edits: tuple[Edit, ...]
    name: str = ""
    read: tuple[Site, ...] = ()


@dataclass
class Receipt:
    """What one edit did: how often it fired and by how much it changed the part, per row of the batch.

    `change` is the norm of new minus old and `size` the norm of the old part, both over everything picked. A change of 0
    means that the part already had the new value, not that the edit was lost. `far` is the distance of the new value from
    natural ones, in their own spread (see `Natural`; empty where nothing natural was given).
    """

    site: Site
    natural: Natural | None = None
    fired: int = 0
    change: list[Tensor] = field(default_factory=list)
    size: list[Tensor] = field(default_factory=list)
    far: list[Tensor] = field(default_factory=list)

    def note(self, old: Tensor, new: Tensor) -> None:
        """Counts one firing."""
        self.fired += 1
        self.change.append((new - old).detach().flatten(1).float().norm(dim=1))
        self.size.append(old.detach().flatten(1).float().norm(dim=1))
        if self.natural is not None and self.natural.fits(old):
            self.far.append(self.natural.distance(new.expand_as(old)))

    @property
    def moved(self) -> float:
        """Mean norm of the change."""
        return float(torch.cat(self.change).mean()) if self.change else 0.0

    @property
    def relative(self) -> float:
        """Norm of the change relative to the norm of the part, mean over rows."""
        if not self.change:
            return 0.0
        return float((torch.cat(self.change) / torch.cat(self.size).clamp(min=1e-12)).mean())

    @property
    def distance(self) -> float | None:
        """How far from natural the new value is (1 is typical, None unknown), mean over rows."""
        return float(torch.cat(self.far).mean()) if self.far else None

    def __str__(self) -> str:
        away = "" if self.distance is None else f", {self.distance:.2g} natural spreads from the mean"
        return f"{self.site}: fired {self.fired}×, moved by {self.moved:.3g} ({self.relative:.0%} of its size){away}"
