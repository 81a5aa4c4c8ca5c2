"""Programs planted into the weights of a small network, so that the right circuit is known to the last weight.

- `planted`: `Planted(program, seed)` and `programs()`
- `check`: `check(planted)`, the proof that the circuit is enough, that each edge is needed and that nothing else is
- `looking`, `adding`, `relaying`: the programs; `source` what they are asked; `wiring`, `parts` how they are written
- `idle`: decoys and inert parts
"""

from cutaway.dial.planted.check import Proof, check
from cutaway.dial.planted.planted import Planted, programs

__all__ = ["Planted", "Proof", "check", "programs"]
