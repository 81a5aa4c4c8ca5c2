"""Truly sparse layers: the live weights of a fixed support are all that is held, computed and trained.

- `support`: which weights are live, `Support.of(mask)`
- `product`: W x with W on a support, and its exact gradients, `product(x, values, support)`
- `linear`: the layer, `SparseLinear.of(linear, mask)` and back, `.dense()`
- `choice`: where it is faster, by measurement, `wins(…)`; a network that is sparse there, `sparsified(network, supports, tokens)`
- `on_support`, `training`: a dense layer that computes with its live weights only, in all steps of regrowth that need no others
"""

from cutaway.dial.sparse.choice import densified, sparsified, wins
from cutaway.dial.sparse.linear import SparseLinear
from cutaway.dial.sparse.product import product
from cutaway.dial.sparse.support import Support

__all__ = ["SparseLinear", "Support", "densified", "product", "sparsified", "wins"]
