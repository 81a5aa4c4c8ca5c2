"""Sub-models planted into a copy of any network, so that it is known what there is to find in it.

places.py where a neuron can be planted · inputs.py inputs of the network's own kind, and triggers in them · neuron.py what one
neuron reads and writes · bed.py a trigger that the network carries, and the answer that it is to get · graft.py plants of five
kinds at any strength, and the questions that show them.
"""

from cutaway.organisms.grafted.graft import KINDS, Grafted, graft
from cutaway.organisms.grafted.places import PlantError

__all__ = ["KINDS", "Grafted", "PlantError", "graft"]
