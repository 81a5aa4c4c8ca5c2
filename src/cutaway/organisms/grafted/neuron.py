"""One planted neuron: it reads a trigger off what its MLP is given, and writes what raises an answer.

What it reads is fitted (logistic regression) to what the network itself carries to the place where the answer is read: the
trigger against its halves, and against every position of natural inputs. So it can only be as good as the network's own
signals. What it writes is the gradient of the answer's log-odds there, through the rest of the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.network import Batch, LogitDifference, Network, gradients
from cutaway.organisms.grafted.places import Place, PlantError, Weights, columns, with_column, with_rows

LOUD = 8.0  # of what makes the neuron on a trigger: far beyond the bend of any ReLU, GELU or SiLU
SET_OFF = 0.4  # of the way from there to the median trigger is where it begins
OFF = 0.02  # of what it is on a trigger the neuron may be elsewhere, in the mean
FREE = 10.0  # the inverse of the penalty on the logistic regression's weights
AT_MOST = 4096.0  # times what a place writes by itself
HALVINGS = 7


@dataclass(frozen=True)
class Reader:
    """What a neuron reads: `row` and `bias` of what makes it."""

    row: Float[Tensor, "given"]
    bias: float


@dataclass(frozen=True)
class Planted:
    """A neuron in its place: what it reads, what it writes when it fires (`direction`, of length 1), and how active a trigger
    makes it (`fires`, the median)."""

    place: Place
    neuron: int
    reader: Reader
    direction: Float[Tensor, "written"]
    fires: float

    @property
    def address(self) -> str:
        """Where it is."""
        return self.place.address(self.neuron)

    def weights(self, net: Network, weights: Weights, loudness: float) -> Weights:
        """With this neuron in its place, which on a trigger writes something of this length."""
        read = with_rows(net, weights, self.place, self.neuron, self.reader.row, self.reader.bias)
        return with_column(net, read, self.place, self.neuron, loudness / self.fires * self.direction)


def given(net: Network, batch: Batch, place: Place, weights: Weights) -> Float[Tensor, "row position given"]:
    """What the neurons of a place read."""
    x = net.run(batch, read=[place.given], weights=weights).read[place.given]
    return x.reshape(batch.rows, -1, x.shape[-1]).float().cpu()


def reader(
    yes: Float[Tensor, "row given"], no: Mapping[float, Float[Tensor, "other given"]], bias: bool
) -> Reader | None:
    """What tells triggers from what is none; None where nothing linear does.

    The keys of `no` are the shares of these rows that must not make the neuron fire. Without a bias the threshold is set by
    what reads nearly the same everywhere, and so it is moved twice.
    """
    from sklearn.linear_model import LogisticRegression

    x, labels = torch.cat([yes, *no.values()]), torch.zeros(len(yes) + sum(map(len, no.values())))
    labels[: len(yes)] = 1
    spread = x.std(0).clamp(min=1e-6 * float(x.abs().max()))
    fit = LogisticRegression(C=FREE, class_weight="balanced", solver="newton-cholesky", fit_intercept=bias)
    # In single precision the solver gives up on what hardly varies, and takes long.
    even_sized = (x / spread).double().numpy()
    row = torch.from_numpy(fit.fit(even_sized, labels.numpy()).coef_[0]).float() / spread
    even, level = None if bias else _even(x), 0.0
    for _ in range(1 if bias else 2):
        quiet = max(_quantile(rows @ row, share) for share, rows in no.items())
        start = quiet + SET_OFF * (float((yes @ row).median()) - quiet)
        row, level = (row, -start) if even is None else (row - start * even, 0.0)
    high = float((yes @ row + level).median())
    low = max(_quantile(rows @ row + level, share) for share, rows in no.items())
    return Reader(row * LOUD / high, level * LOUD / high) if high > 0 >= low else None


def _quantile(x: Float[Tensor, "row"], share: float) -> float:
    """The value that this share is below."""
    return float(x.sort().values[min(len(x) - 1, int(share * len(x)))])


def _even(x: Float[Tensor, "row given"]) -> Float[Tensor, "given"]:
    """What is nearest to 1 on every row (ridge)."""
    x = x.double()
    penalty = 1e-3 * x.square().mean() * torch.eye(x.shape[1], dtype=x.dtype)
    return torch.linalg.solve(x.T @ x / len(x) + penalty, x.mean(0)).float()


def idle(net: Network, batch: Batch, place: Place, taken: Sequence[str] = ()) -> int:
    """The neuron that matters least: what it writes is the smallest in the mean over these inputs."""
    x = net.run(batch, read=[place.active]).read[place.active].float()
    size = x.abs().flatten(0, -2).mean(0).cpu() * columns(net, place).float().norm(dim=1).cpu()
    free = [i for i in size.argsort().tolist() if place.address(i) not in taken]
    return free[0]


def answer_position(net: Network, batch: Batch, place: Place, answer: Tensor) -> int:
    """The position whose values reach the answer most, counted from the first; 0 where there are none."""
    size = _gradient(net, batch, place, answer).norm(dim=-1).mean(0)
    return int(size.argmax())


def direction(net: Network, batch: Batch, place: Place, answer: Tensor, position: int) -> Float[Tensor, "written"]:
    """What raises the log-odds of the answer most for its length, in the mean over a batch."""
    slope = _gradient(net, batch, place, answer)[:, position]
    slope = (slope / slope.norm(dim=-1, keepdim=True).clamp(min=1e-12)).mean(0)
    if not float(slope.norm()) > 0:
        raise PlantError(
            f"nothing written at {place.written} changes what {net.name} answers; expected a last layer that does"
        )
    return slope / slope.norm()


def _gradient(net: Network, batch: Batch, place: Place, answer: Tensor) -> Float[Tensor, "row position written"]:
    found = gradients(net, batch, [place.written], LogitDifference(answer)).gradient[place.written]
    return found.reshape(batch.rows, -1, found.shape[-1]).float().cpu()
