"""Under permuted labels p-values are uniform, and what belongs together moves together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from scipy.stats import kstest
from tests.concepts.read.world import Given, asked_of

from cutaway.concepts.read.nulls import labellings, p_value, permuted, pooled, trades
from cutaway.concepts.read.search import search, search_at_random
from cutaway.network import Site

PERMUTATIONS = 19


def p_of_noise(seed: int, counts: tuple[int, ...], shift: float = 0.0) -> tuple[float, float, torch.Tensor]:
    """p of a search through noise at two sites (`shift` moves the last set alone), the outcome and its null."""
    drawn = torch.Generator().manual_seed(seed)
    asked = asked_of(counts, name=f"own.noise{seed}")
    x = {Site("resid_post", layer): torch.randn(sum(counts), 5, generator=drawn) for layer in range(2)}
    for one in x.values():
        one[asked.sets == len(counts) - 1, 0] += shift
    test = search(Given(x), asked, labellings(asked, PERMUTATIONS, seed)).test
    null = test[1:].reshape(len(counts) - 1, PERMUTATIONS)
    return p_value(float(test[0]), null), float(test[0]), null


def test_p_values_of_noise_are_uniform() -> None:
    found = np.array([p_of_noise(8000 + run, (75, 75))[0] for run in range(150)])
    # p takes the values 1/20 … 20/20: spread over the step below, a uniform one is uniform on [0, 1].
    spread = found - np.random.default_rng(8000).random(len(found)) / (PERMUTATIONS + 1)
    assert kstest(spread, "uniform").pvalue > 0.01


def test_one_contrast_that_differs_does_not_make_up_for_one_that_does_not() -> None:
    found = np.array([p_of_noise(8200 + run, (60, 60, 60), shift=3.0)[0] for run in range(80)])
    assert (found <= 0.05).mean() <= 0.05 + 2 * (0.05 * 0.95 / 80) ** 0.5


def test_pooled_p_values_of_noise_are_uniform_and_reach_further_down() -> None:
    runs = [p_of_noise(8400 + run, (75, 75)) for run in range(80)]
    found = pooled([outcome for _, outcome, _ in runs], [null for _, _, null in runs])
    assert kstest(found, "uniform").pvalue > 0.01
    assert pooled([5.0, 0.5], [null for _, _, null in runs[:2]])[0] == 1 / (2 * PERMUTATIONS + 1)


def test_a_faint_direction_is_found_above_random_ones_and_the_main_one_is_not() -> None:
    asked = asked_of((80, 80))
    labels = (asked.sets == 0).float()
    for strength, spread, found_above in ((2.5, 1.0, True), (60.0, 20.0, False)):
        x = torch.randn(160, 12, generator=torch.Generator().manual_seed(7001)) * torch.tensor([1.0] + [5.0] * 11)
        x[:, 0] = x[:, 0] * spread + strength * labels
        given = Given({Site("resid_post", 0): x})
        observed = float(search(given, asked, asked.sets[None]).test[0])
        null = search_at_random(given, asked, 39, seed=7001)
        assert observed > 0.9 and (p_value(observed, null[None]) <= 0.05) == found_above


def test_a_permutation_keeps_the_count_of_every_set_in_every_split() -> None:
    asked = asked_of((30, 50, 20))
    drawn = np.random.default_rng(7001)
    for number in (1, 2):
        mixed = permuted(asked.sets, trades(asked, number), drawn)
        assert not torch.equal(mixed, asked.sets)
        for rows in asked.by_split.values():
            assert Counter(mixed[rows].tolist()) == Counter(asked.sets[rows].tolist())
        assert torch.equal(
            mixed[(asked.sets != 0) & (asked.sets != number)], asked.sets[(asked.sets != 0) & (asked.sets != number)]
        )


def test_a_minimal_pair_stays_a_pair_and_the_pairs_of_a_group_swap_together() -> None:
    units = [row // 2 % 10 for row in range(40)] * 2  # ten groups of four positives and four negatives
    asked = asked_of((40, 40), units)
    mixed = permuted(asked.sets, trades(asked, 1), np.random.default_rng(7001))
    swapped = (mixed != asked.sets).tolist()
    for split, rows in asked.by_split.items():
        by_group = [
            {swapped[row] for row in rows.nonzero()[:, 0].tolist() if units[row] == group} for group in range(10)
        ]
        assert all(len(found) <= 1 for found in by_group), split
    assert 0 < sum(swapped) < 80


def test_rows_of_one_group_and_label_keep_one_label() -> None:
    units = [f"{row % 5} {row // 10}" for row in range(80)]  # of one split and one label each, two rows a unit
    asked = asked_of((40, 40), units)
    mixed = permuted(asked.sets, trades(asked, 1), np.random.default_rng(7001)).tolist()
    held: dict[str, set[int]] = {}
    for unit, one in zip(units, mixed):
        held.setdefault(unit, set()).add(one)
    assert mixed != asked.sets.tolist() and all(len(found) == 1 for found in held.values())


def test_one_seed_gives_the_same_permutations_and_another_gives_others() -> None:
    asked = asked_of((30, 30))
    assert torch.equal(labellings(asked, 5, 7001), labellings(asked, 5, 7001))
    assert not torch.equal(labellings(asked, 5, 7001), labellings(asked, 5, 7002))
