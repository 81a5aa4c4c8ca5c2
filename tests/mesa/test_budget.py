"""The serial budget: the order of the algorithms is what theory says, and the text tells what is in the table."""

from math import inf

import pytest
import torch

from cutaway.mesa.budget import Budget, Row, breeding, conditioned, conditioning, text
from cutaway.mesa.tasks import Regression

TASK = Regression(dim=6, points=18, queries=16, noise=0)


def test_points_have_the_condition_number_asked_for() -> None:
    prompts = conditioned(TASK, 50.0, 2, 7000)
    values = torch.linalg.eigvalsh(torch.einsum("pnd,pne->pde", prompts.xs, prompts.xs) / 18)
    assert torch.allclose(values[:, -1] / values[:, 0], torch.tensor(50.0, dtype=torch.float64))
    assert prompts.weights is not None
    assert torch.allclose(prompts.ys, torch.einsum("pnd,pd->pn", prompts.xs, prompts.weights))


def test_fewer_points_than_dimensions_have_no_condition_number() -> None:
    with pytest.raises(ValueError, match="5 points in 6 dimensions"):
        conditioned(Regression(dim=6, points=5), 10.0, 1, 7000)


def test_second_order_and_conjugate_directions_need_less_than_momentum_and_that_less_than_descent() -> None:
    budget = conditioning((100,), TASK, seeds=(7000, 7001, 7002), problems=2, limit=120)
    plain, heavy, conjugate, newton = (
        budget.of("condition 100", name, 0.0001).median
        for name in ("gradient descent", "momentum", "conjugate gradient", "newton-schulz")
    )
    assert conjugate <= 6 and newton < heavy < plain
    assert all(len(row.steps) == 3 for row in budget.rows) and len(budget.rows) == 12


def test_more_candidates_need_fewer_generations() -> None:
    budget = breeding(((2, 4), (2, 128)), seeds=(7000, 7001, 7002), problems=2, limit=20)
    few, many = (budget.of("2 dimensions", f"evolution, {n} candidates", 0.01).median for n in (4, 128))
    assert many < few


def test_the_text_tells_median_spread_and_limit() -> None:
    rows = (Row("hard", "slow", 0.1, (3, 5, 4)), Row("hard", "slow", 0.01, (inf, 9, inf)))
    told = text(Budget(rows, 50))
    assert told.splitlines()[0].split("  ")[0] == "problem"
    assert "4 (3 to 5)" in told and "> 50 (9 to > 50)" in told
    assert Budget(rows, 50).within(4) == 0.5


def test_a_row_that_is_not_there_is_said() -> None:
    with pytest.raises(KeyError, match="no row"):
        Budget((), 5).of("easy", "none", 0.1)
