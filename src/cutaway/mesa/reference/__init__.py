"""Reference networks: whether they run an optimizer is certain, but for those of `end_to_end`.

- `parts`, `space`, `stack`: exact weights in named coordinates
- `transformer`: a network of one page that can be trained
- `fitting`: training on problems drawn without end
- `layerwise`: blocks that each learned one step of a compiled optimizer, stacked
- `end_to_end`: networks trained on whole problems, over a dial of task diversity
- `crossing`: where along such a dial, or a run, one thing gives way to another
"""

from cutaway.mesa.reference.parts import Attention, Gated, Layer, Neurons, Normalised
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Beside, Stack

__all__ = ["Attention", "Beside", "Gated", "Layer", "Neurons", "Normalised", "Space", "Stack"]
