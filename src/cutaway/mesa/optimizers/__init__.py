"""Optimizers that a network can run inside: each as its textbook's iteration and as exact weights, one step a layer."""

from cutaway.mesa.optimizers.boosting import Boosting
from cutaway.mesa.optimizers.breadth_first import BreadthFirst
from cutaway.mesa.optimizers.chebyshev import Chebyshev
from cutaway.mesa.optimizers.conjugate_gradient import ConjugateGradient
from cutaway.mesa.optimizers.curvature_corrected import CurvatureCorrected
from cutaway.mesa.optimizers.evolution import Evolution
from cutaway.mesa.optimizers.gradient_descent import GradientDescent
from cutaway.mesa.optimizers.ista import ISTA
from cutaway.mesa.optimizers.kernel import KernelGradientDescent
from cutaway.mesa.optimizers.logistic import LogisticGradientDescent
from cutaway.mesa.optimizers.momentum import Momentum
from cutaway.mesa.optimizers.nesterov import Nesterov
from cutaway.mesa.optimizers.newton_schulz import NewtonSchulz
from cutaway.mesa.optimizers.optimizer import Optimizer
from cutaway.mesa.optimizers.preconditioned import PreconditionedGradientDescent
from cutaway.mesa.optimizers.value_iteration import ValueIteration

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gradient descent": GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "chebyshev": Chebyshev,
    "preconditioned": PreconditionedGradientDescent,
    "gd++": CurvatureCorrected,
    "newton-schulz": NewtonSchulz,
    "conjugate gradient": ConjugateGradient,
    "ista": ISTA,
    "evolution": Evolution,
    "logistic": LogisticGradientDescent,
    "kernel": KernelGradientDescent,
    "boosting": Boosting,
    "value iteration": ValueIteration,
    "breadth-first": BreadthFirst,
}
"""Every optimizer by its name."""

__all__ = [
    "ISTA",
    "OPTIMIZERS",
    "Boosting",
    "BreadthFirst",
    "Chebyshev",
    "ConjugateGradient",
    "CurvatureCorrected",
    "Evolution",
    "GradientDescent",
    "KernelGradientDescent",
    "LogisticGradientDescent",
    "Momentum",
    "Nesterov",
    "NewtonSchulz",
    "Optimizer",
    "PreconditionedGradientDescent",
    "ValueIteration",
]
