"""A layer that solves its regression by conjugate gradients, in a trained network: a certain positive with a step dial."""

from cutaway.mesa.language.mesa_net.layer import MesaLayer
from cutaway.mesa.language.mesa_net.network import MesaNet, MesaNetwork
from cutaway.mesa.language.mesa_net.unrolled import Unrolled

__all__ = ["MesaLayer", "MesaNet", "MesaNetwork", "Unrolled"]
