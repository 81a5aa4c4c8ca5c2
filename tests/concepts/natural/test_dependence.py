"""Of what one part tells about another, the share that passes through a code is what it was made to be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cutaway.concepts.natural.dependence import Shared, leading, mixtures, orthonormal

ROWS, WIDTH = 400, 8


def parts(strengths: tuple[float, ...], seed: int = 7001, noise: float = 1.0) -> tuple[Tensor, Tensor]:
    """Two parts with latents of these strengths in their first coordinates, and the latents."""
    drawn = torch.Generator().manual_seed(seed)
    latent = torch.randn(ROWS, len(strengths), generator=drawn, dtype=torch.double) * torch.tensor(strengths)
    x = noise * torch.randn(2, ROWS, WIDTH, generator=drawn, dtype=torch.double)
    x[:, :, : len(strengths)] += latent
    return x, latent


def shared(x: Tensor, seed: int = 0) -> Shared:
    """What they share, all components."""
    return Shared.of(x, torch.eye(x.shape[2], dtype=torch.double), mixtures(range(x.shape[1]), 99, seed))


def test_r2_between_parts_is_what_the_latent_makes_it() -> None:
    found = [shared(parts((3.0,), seed)[0]).between for seed in range(7001, 7011)]
    # Of a variance of 9 + 8, the latent's 9 can be told with R² = (9 / 10)² of that coordinate's 10.
    assert sum(found) / len(found) == pytest.approx(10 * 0.81 / 17, abs=0.02)


def test_parts_without_anything_in_common_share_nothing_however_many_components() -> None:
    found = [shared(parts((0.0,), seed)[0]).between for seed in range(7001, 7011)]
    assert abs(sum(found) / len(found)) < 0.005


def test_all_of_one_latent_passes_through_it_and_half_of_two() -> None:
    for strengths, share in (((2.0,), 1.0), ((2.0, 2.0), 0.5), ((2.0, 2.0, 2.0, 2.0), 0.25)):
        x, _ = parts(strengths)
        assert float(shared(x).through(x[None, :, :, :1])[0]) == pytest.approx(share, abs=0.06)


def test_a_code_of_as_many_directions_as_latents_carries_all() -> None:
    x, _ = parts((2.0, 1.5, 1.0))
    through = [float(shared(x).through(x[None, :, :, :rank])[0]) for rank in (1, 2, 3, WIDTH)]
    assert through == sorted(through) and through[-2] > 0.93 and through[-1] == pytest.approx(1.0)


def test_what_is_known_without_noise_carries_all_though_it_is_no_function_of_a_part() -> None:
    x, latent = parts((2.0,))
    assert float(shared(x).through(latent.expand(1, 2, -1, -1))[0]) == pytest.approx(1.0, abs=0.02)


def test_a_code_that_has_nothing_to_do_with_the_other_part_carries_nothing() -> None:
    x, _ = parts((2.0,))
    codes = torch.stack([x[..., 5:6], torch.zeros(2, ROWS, 1, dtype=torch.double)])
    assert shared(x).through(codes).abs().max() < 0.03


def test_it_does_not_matter_how_a_code_is_scaled_shifted_or_written_as_another_basis() -> None:
    x, _ = parts((2.0, 1.0))
    turned = x[..., :2] @ torch.tensor([[2.0, 1.0], [0.5, -3.0]], dtype=torch.double) + 7
    first, second = (float(shared(x).through(code[None])[0]) for code in (x[..., :2], turned))
    assert first == pytest.approx(second)


def test_rows_of_one_unit_move_together() -> None:
    units = [0, 0, 1, 1, 2, 3, 4]
    for way in mixtures(units, 20, 1).tolist():
        assert sorted(way) == list(range(7))
        assert {(way[0], way[1]), (way[2], way[3])} == {(0, 1), (2, 3)}
        assert set(way[4:]) == {4, 5, 6}


def test_mixed_inputs_give_what_is_found_where_the_inputs_are_such() -> None:
    x, _ = parts((1.0,))
    ways = mixtures(range(ROWS), 5, 2)
    null = sorted(shared(x).mixed(ways)[1:].tolist())
    made = [float(shared(torch.stack([x[0], x[1][way]])).mixed(ways)[0]) for way in ways]
    assert sorted(made) == pytest.approx(null)
    three = torch.stack([x[0], x[1], x[0] + x[1]])
    assert shared(three).mixed(ways)[1:].max() < 0.2 < shared(three).mixed(ways)[0]


def test_likeness_within_units_alone_is_no_dependence_between_parts() -> None:
    drawn = torch.Generator().manual_seed(7002)
    p = []
    for seed in range(20):
        of_unit = torch.randn(2, 40, 1, WIDTH, generator=drawn, dtype=torch.double)
        x = (of_unit + 0.1 * torch.randn(2, 40, 4, WIDTH, generator=drawn, dtype=torch.double)).flatten(1, 2)
        ways = mixtures([row // 4 for row in range(160)], 99, seed)
        linked = Shared.of(x, torch.eye(WIDTH, dtype=torch.double), ways).mixed(ways)
        p.append(float((linked >= linked[0]).sum()) / 100)
    assert sum(one <= 0.05 for one in p) <= 3 and 0.3 < sum(p) / len(p) < 0.7


def test_a_coordinate_of_huge_activations_counts_as_one() -> None:
    x, _ = parts((2.0,))
    huge = torch.cat(
        [x, 1e4 * torch.randn(2, ROWS, 1, dtype=torch.double, generator=torch.Generator().manual_seed(1))], -1
    )
    ways = mixtures(range(ROWS), 99, 0)
    for one in (x, huge):
        found = Shared.of(one, leading(one.flatten(0, 1), ROWS), ways)
        assert found.between > 0.05 and float(found.through(one[None, :, :, :1])[0]) > 0.9


def test_a_site_that_says_nothing_shares_nothing() -> None:
    x = torch.ones(2, 40, 3, dtype=torch.double)
    basis = leading(x.flatten(0, 1), 40)
    found = Shared.of(x, basis, mixtures(range(40), 19, 0))
    assert found.between == 0 and found.through(x[None, :, :, :1]).tolist() == [0.0]


def test_columns_that_say_the_same_become_one() -> None:
    x = torch.randn(10, 1, generator=torch.Generator().manual_seed(3), dtype=torch.double)
    q = orthonormal(torch.cat([x, 2 * x], -1))
    assert q.norm(dim=0).tolist() == pytest.approx([1.0, 0.0])
