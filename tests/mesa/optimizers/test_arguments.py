"""Settings, sizes and problems that make no sense are errors that say what was given and what was expected."""

import pytest
import torch

from cutaway.mesa.optimizers import (
    ISTA,
    OPTIMIZERS,
    Boosting,
    BreadthFirst,
    Chebyshev,
    ConjugateGradient,
    Evolution,
    GradientDescent,
    Momentum,
    PreconditionedGradientDescent,
    ValueIteration,
)
from cutaway.mesa.reference import Attention
from cutaway.mesa.tasks import Regression

WRONG = {
    "GradientDescent.rate is 0; expected more than 0": lambda: GradientDescent(0),
    "GradientDescent.rate is nan": lambda: GradientDescent(float("nan")),
    "Momentum.carry is 1; expected a number between 0 and 1": lambda: Momentum(0.3, 1),
    "Chebyshev.low is 4": lambda: Chebyshev(4, 4),
    "ISTA.penalty is -1": lambda: ISTA(penalty=-1),
    "Evolution.candidates is 1; expected more than 1": lambda: Evolution(candidates=1),
    "Boosting.bandwidth is 0": lambda: Boosting(bandwidth=0),
    "ConjugateGradient.floor is 0": lambda: ConjugateGradient(floor=0),
    "variances are (1, 0)": lambda: PreconditionedGradientDescent(variances=(1, 0)),
    "2 variances were given for problems of 3 dimensions": lambda: PreconditionedGradientDescent(
        variances=(1, 2)
    ).compiled(3, 1),
    "ValueIteration.discount is 1.0": lambda: ValueIteration(discount=1.0),
    "7 dimensions name no states with 2 actions each": lambda: ValueIteration(2).compiled(7, 1),
    "7 dimensions are no graphs": lambda: BreadthFirst().compiled(7, 1),
    "sees nothing": lambda: Attention(*(torch.eye(2),) * 4, points=False),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_makes_no_sense_is_said(said: str) -> None:
    with pytest.raises(ValueError) as raised:
        WRONG[said]()
    assert said in str(raised.value)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("dim", "steps"), [(12, 0), (0, 3)])
def test_a_network_has_a_dimension_and_a_step(name: str, dim: int, steps: int) -> None:
    with pytest.raises(ValueError, match=f"dim={dim}, steps={steps}; expected both to be positive"):
        OPTIMIZERS[name]().compiled(dim, steps)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_problems_of_another_dimension_are_refused(name: str) -> None:
    network = OPTIMIZERS[name]().compiled(12, 2)
    with pytest.raises(ValueError, match="the problems have 5 dimensions, the network was compiled for 12"):
        network.start(Regression(dim=5).draw(2, 7000))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_after_one_step_a_network_gives_its_answer_of_one_step(name: str) -> None:
    network = OPTIMIZERS[name]().compiled(12, 1)
    assert network.depth == 1
