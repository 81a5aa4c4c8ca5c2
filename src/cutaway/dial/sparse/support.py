"""Which weights of a matrix are live, row by row and column by column: what a product with a sparse matrix runs over."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Support:
    """The live weights of a matrix of `shape` (rows, columns), in the order of its rows and of its columns.

    Row r has the live weights `row_starts[r]` to `row_starts[r + 1]`, in the columns `columns` (compressed sparse rows);
    column c has those from `column_starts[c]` on, in the rows `rows`. `order` takes values from the first order to the
    second: `values[order]`. Empty rows and columns are fine. Made by `Support.of(mask)`.
    """

    shape: tuple[int, int]
    columns: Int[Tensor, "live"]
    row_starts: Int[Tensor, "rows_and_end"]
    rows: Int[Tensor, "live"]
    column_starts: Int[Tensor, "columns_and_end"]
    order: Int[Tensor, "live"]

    @classmethod
    def of(cls, mask: Bool[Tensor, "row column"]) -> Support:
        """The support where `mask` is True.

        >>> Support.of(torch.tensor([[True, False, True], [False, False, True]])).columns.tolist()
        [0, 2, 2]
        """
        if mask.dtype != torch.bool or mask.ndim != 2:
            raise ValueError(
                f"a mask of {str(mask.dtype).removeprefix('torch.')} {list(mask.shape)} given; expected one of bool "
                f"[row, column]; try weight != 0"
            )
        if mask.sum() >= 2**31:
            raise ValueError(f"{int(mask.sum())} live weights given; a support holds fewer than 2³¹; split the matrix")
        rows, columns = mask.nonzero().unbind(1)
        order = torch.argsort(columns, stable=True)
        return cls(
            (mask.shape[0], mask.shape[1]),
            columns.int(),
            starts(mask.sum(1)),
            rows[order].int(),
            starts(mask.sum(0)),
            order,
        )

    @property
    def live(self) -> int:
        """How many weights are live."""
        return len(self.columns)

    @property
    def share(self) -> float:
        """Live weights over all weights."""
        return self.live / max(1, self.shape[0] * self.shape[1])

    def mask(self) -> Bool[Tensor, "row column"]:
        """True where a weight is live."""
        return self.scatter(torch.ones(self.live, dtype=torch.bool, device=self.columns.device))

    def gather(self, weight: Float[Tensor, "row column"]) -> Float[Tensor, "live"]:
        """The live weights of a matrix, row by row."""
        if tuple(weight.shape) != self.shape:
            raise ValueError(
                f"a weight of shape {list(weight.shape)} given; the support is of {list(self.shape)}; make it with "
                f"Support.of(mask) from a mask of the weight's shape"
            )
        return weight[self.mask()]

    def scatter(self, values: Tensor) -> Tensor:
        """The matrix [row, column] with `values` where weights are live and 0 elsewhere."""
        rows = torch.repeat_interleave(self.row_starts.diff())
        matrix = torch.zeros(self.shape, dtype=values.dtype, device=values.device)
        return matrix.index_put((rows, self.columns.long()), values)

    def tensors(self) -> dict[str, Tensor]:
        """Its five index tensors by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "shape"}

    def to(self, device: torch.device | str) -> Support:
        """The same support on another device."""
        return replace(self, **{name: tensor.to(device) for name, tensor in self.tensors().items()})


def starts(counts: Int[Tensor, "group"]) -> Int[Tensor, "group_and_end"]:
    """Where each group starts when groups of these sizes follow one another, and where the last ends."""
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0)).int()
