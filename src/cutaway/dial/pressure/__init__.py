"""What a training run can ask of a network besides a low loss; one method, one file, and they combine.

- `pressure`: the interface, `Pressure`; when, `Step` and `Ramp`
- `matrices`: which weights there are by kind; `live` counts those that are not 0
"""

from cutaway.dial.pressure.activations import ActivationTopK
from cutaway.dial.pressure.attention import AttentionTopK
from cutaway.dial.pressure.distil import Distil
from cutaway.dial.pressure.locality import Locality
from cutaway.dial.pressure.matrices import live
from cutaway.dial.pressure.pressure import Pressure, Ramp, Step
from cutaway.dial.pressure.proximal import Proximal
from cutaway.dial.pressure.regrowth import Regrowth
from cutaway.dial.pressure.topk import TopK

__all__ = [
    "ActivationTopK",
    "AttentionTopK",
    "Distil",
    "Locality",
    "Pressure",
    "Proximal",
    "Ramp",
    "Regrowth",
    "Step",
    "TopK",
    "live",
]
