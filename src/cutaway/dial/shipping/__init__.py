"""The pair that comes with the package: a weight-sparse network and a dense one of equal loss, each with a circuit of one task.

`python -m cutaway.dial.shipping --out FOLDER` makes it again.

- `networks`: `shipped("sparse")`, and `network_named("shipped:sparse")`, which takes folders too
- `making`: `make(folder)`, both networks and their circuits from nothing
- `beside`: `beside()`, the two circuits with their claims run again
- `page`: both on one page
"""

from cutaway.dial.shipping.beside import Beside, Side, beside
from cutaway.dial.shipping.networks import NAMES, PREFIX, TASK, network_named, shipped

__all__ = ["NAMES", "PREFIX", "TASK", "Beside", "Side", "beside", "network_named", "shipped"]
