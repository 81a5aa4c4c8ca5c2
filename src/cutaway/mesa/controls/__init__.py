"""Look-alikes: networks that answer in context, often better layer by layer, and certainly run no iterative optimizer."""

from cutaway.mesa.controls.annealed_lookup import AnnealedLookup
from cutaway.mesa.controls.bagged_ridge import BaggedRidge
from cutaway.mesa.controls.clipped_ridge_path import ClippedRidgePath
from cutaway.mesa.controls.control import Control
from cutaway.mesa.controls.copying import Copying
from cutaway.mesa.controls.counted_ridge_path import CountedRidgePath
from cutaway.mesa.controls.distilled_lookup import DistilledLookup
from cutaway.mesa.controls.fixed_task import FixedTask
from cutaway.mesa.controls.growing_rank import GrowingRank
from cutaway.mesa.controls.growing_ridge import GrowingRidge
from cutaway.mesa.controls.kernel_ensemble import KernelEnsemble
from cutaway.mesa.controls.kernel_ridge import KernelRidgeAtOnce
from cutaway.mesa.controls.kernel_ridge_path import KernelRidgePath
from cutaway.mesa.controls.kernel_smoother import KernelSmoother
from cutaway.mesa.controls.leaky_ridge_path import LeakyRidgePath
from cutaway.mesa.controls.linear_read import LinearRead
from cutaway.mesa.controls.median_of_ridges import MedianOfRidges
from cutaway.mesa.controls.nearest_neighbour import NearestNeighbour
from cutaway.mesa.controls.nested_smoother import NestedSmoother
from cutaway.mesa.controls.power_filter import PowerFilter
from cutaway.mesa.controls.random_network import RandomNetwork
from cutaway.mesa.controls.relayed import relayed
from cutaway.mesa.controls.replayed_descent import ReplayedDescent
from cutaway.mesa.controls.restless import restless
from cutaway.mesa.controls.ridge_at_once import RidgeAtOnce
from cutaway.mesa.controls.ridge_path import RidgePath
from cutaway.mesa.controls.sham import Sham
from cutaway.mesa.controls.sharpening_smoother import SharpeningSmoother
from cutaway.mesa.controls.staged_ridge import StagedRidge
from cutaway.mesa.controls.task_lookup import TaskLookup
from cutaway.mesa.controls.widening_projection import WideningProjection

CONTROLS: dict[str, type[Control]] = {
    "nearest neighbour": NearestNeighbour,
    "kernel smoother": KernelSmoother,
    "linear read": LinearRead,
    "copying": Copying,
    "task lookup": TaskLookup,
    "annealed lookup": AnnealedLookup,
    "ridge at once": RidgeAtOnce,
    "kernel ridge at once": KernelRidgeAtOnce,
    "ridge path": RidgePath,
    "leaky ridge path": LeakyRidgePath,
    "growing ridge": GrowingRidge,
    "growing rank": GrowingRank,
    "sharpening smoother": SharpeningSmoother,
    "kernel ensemble": KernelEnsemble,
    "fixed task": FixedTask,
    "random network": RandomNetwork,
    "replayed descent": ReplayedDescent,
    "widening projection": WideningProjection,
    "bagged ridge": BaggedRidge,
    "power filter": PowerFilter,
    "staged ridge": StagedRidge,
    "nested smoother": NestedSmoother,
    "median of ridges": MedianOfRidges,
    "counted ridge path": CountedRidgePath,
    "kernel ridge path": KernelRidgePath,
    "clipped ridge path": ClippedRidgePath,
}
"""Every kind of control by its name, of those that are written down."""

TRAINED: dict[str, type[Control]] = {"distilled lookup": DistilledLookup}
"""Those that have to be trained, and of which it is to be measured whether they came out as what they were taught."""

__all__ = [
    "CONTROLS",
    "TRAINED",
    "AnnealedLookup",
    "BaggedRidge",
    "ClippedRidgePath",
    "Control",
    "Copying",
    "CountedRidgePath",
    "DistilledLookup",
    "FixedTask",
    "GrowingRank",
    "GrowingRidge",
    "KernelEnsemble",
    "KernelRidgeAtOnce",
    "KernelRidgePath",
    "KernelSmoother",
    "LeakyRidgePath",
    "LinearRead",
    "MedianOfRidges",
    "NearestNeighbour",
    "NestedSmoother",
    "PowerFilter",
    "RandomNetwork",
    "ReplayedDescent",
    "RidgeAtOnce",
    "RidgePath",
    "Sham",
    "SharpeningSmoother",
    "StagedRidge",
    "TaskLookup",
    "WideningProjection",
    "relayed",
    "restless",
]
