"""What a network is made of: slices and directions, as named sub-models that can be taken away."""

from cutaway.submodels.adversary import Curve, adversary
from cutaway.submodels.baseline import Baseline, NoReference, baseline, constant, donors
from cutaway.submodels.catalogue import catalogue
from cutaway.submodels.decomposition import Decomposition, Masked, mask_without, masked
from cutaway.submodels.directions import Directions, contrastive, difference_of_means, orthonormal
from cutaway.submodels.slices import Slice, slice_of, slices
from cutaway.submodels.store import load_submodels, save_submodels
from cutaway.submodels.submodel import SubModel, as_submodel, random_parts, take_away

__all__ = [
    "Baseline",
    "Curve",
    "Decomposition",
    "Directions",
    "Masked",
    "NoReference",
    "Slice",
    "SubModel",
    "adversary",
    "as_submodel",
    "baseline",
    "catalogue",
    "constant",
    "contrastive",
    "difference_of_means",
    "donors",
    "load_submodels",
    "mask_without",
    "masked",
    "orthonormal",
    "random_parts",
    "save_submodels",
    "slice_of",
    "slices",
    "take_away",
]
