"""Laws of the solving layer: it has solved after as many steps as there are dimensions, and 0 steps are linear attention."""

import pytest
import torch

from cutaway.mesa.language.mesa_net import MesaLayer
from cutaway.mesa.subject import Tokens

TOKENS = Tokens(points=7, queries=3)


def layer(steps: int, seed: int = 7001) -> MesaLayer:
    torch.manual_seed(seed)
    return MesaLayer(6, 2, 5, steps).double().requires_grad_(False)


@pytest.fixture
def stream() -> torch.Tensor:
    return torch.randn(4, TOKENS.count, 6, generator=torch.Generator().manual_seed(7001), dtype=torch.float64)


def test_what_is_left_is_the_query_less_what_the_solution_gives(stream: torch.Tensor) -> None:
    mesa = layer(4)
    seen, at = mesa.seen(stream, TOKENS), mesa.begun(stream)
    query = at.left
    for _ in range(4):
        at = seen.step(at)
        torch.testing.assert_close(at.left, query - torch.einsum("phkj,phtj->phtk", seen.curvature, at.found))


def test_as_many_steps_as_dimensions_solve_it_and_fewer_do_not(stream: torch.Tensor) -> None:
    mesa = layer(5)
    seen, at = mesa.seen(stream, TOKENS), mesa.begun(stream)
    exact = torch.linalg.solve(seen.curvature, at.left.mT).mT
    errors = []
    for _ in range(8):
        at = seen.step(at)
        errors.append(float((at.found - exact).norm() / exact.norm()))
    assert errors[4] < 1e-6 < errors[2]
    assert errors[7] < 1e-6  # nothing is left to solve: further steps stay where they are


def test_no_steps_are_linear_attention(stream: torch.Tensor) -> None:
    mesa = layer(0)
    told = stream[:, TOKENS.point]
    heads = [part.unflatten(-1, (2, 5)) for part in (mesa.query(stream), mesa.key(told), mesa.value(told))]
    read = torch.einsum("pthk,pshk,pshv->pthv", *heads) / TOKENS.points
    torch.testing.assert_close(mesa(stream, TOKENS), mesa.out(read.flatten(2)))


def test_the_penalty_stays_positive_wherever_training_takes_it(stream: torch.Tensor) -> None:
    mesa = layer(2)
    mesa.penalty.fill_(-100.0)
    assert torch.linalg.eigvalsh(mesa.seen(stream, TOKENS).curvature).min() > 0.009


def test_fewer_than_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0"):
        MesaLayer(6, 2, 5, -1)
