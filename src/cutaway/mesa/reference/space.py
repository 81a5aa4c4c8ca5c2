"""Names for the coordinates of a residual stream, and matrices between them, so that weights can be written down by name."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Space:
    """A residual stream whose coordinates have names: `Space.of(x=4, y=1)` has five."""

    sizes: tuple[tuple[str, int], ...]
    dtype: torch.dtype = torch.float64

    @classmethod
    def of(cls, dtype: torch.dtype = torch.float64, **sizes: int) -> Space:
        """A space of so many coordinates under each name, in the order given."""
        return cls(tuple(sizes.items()), dtype)

    @property
    def width(self) -> int:
        """All coordinates."""
        return sum(size for _, size in self.sizes)

    def at(self, name: str) -> slice:
        """Where the coordinates of a name lie."""
        start = 0
        for known, size in self.sizes:
            if known == name:
                return slice(start, start + size)
            start += size
        raise KeyError(f"no coordinates named {name!r}; expected one of {', '.join(known for known, _ in self.sizes)}")

    def sized(self, name: str) -> int:
        """How many coordinates have a name."""
        where = self.at(name)
        return where.stop - where.start

    def read(self, *names: str) -> Float[Tensor, "width read"]:
        """The matrix that reads the coordinates of these names, one after the other: stream @ read."""
        every = torch.eye(self.width, dtype=self.dtype)
        return torch.cat([every[:, self.at(name)] for name in names], 1)

    def write(self, *names: str) -> Float[Tensor, "read width"]:
        """The matrix that writes to the coordinates of these names."""
        return self.read(*names).T.contiguous()
