"""The area under the curve is what its definition says, whatever the ties."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cutaway.concepts.read.auroc import auroc, ranked


def by_definition(scores: list[float], positive: list[bool]) -> float:
    """Over all couples: won counts 1, tied counts ½."""
    high = [score for score, is_one in zip(scores, positive) if is_one]
    low = [score for score, is_one in zip(scores, positive) if not is_one]
    return sum((a > b) + 0.5 * (a == b) for a in high for b in low) / (len(high) * len(low))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_the_area_is_the_share_of_couples_in_the_right_order(rows: list[tuple[int, bool]]) -> None:
    scores, positive = [float(score) for score, _ in rows], [one for _, one in rows]
    if len(set(positive)) < 2:
        return
    labels = torch.tensor(positive)[:, None]
    found = auroc(torch.tensor(scores)[:, None], labels, ~labels)
    assert float(found) == pytest.approx(by_definition(scores, positive), abs=1e-12)


def test_swapping_labels_gives_one_less_the_area_in_every_column() -> None:
    drawn = torch.Generator().manual_seed(7001)
    scores = torch.randn(40, 50, generator=drawn).round(decimals=1)
    positive = torch.rand(40, 50, generator=drawn) < 0.4
    there, back = auroc(scores, positive, ~positive), auroc(scores, ~positive, positive)
    assert torch.allclose(there, 1 - back, atol=1e-12)


def test_rows_of_neither_set_count_for_nothing() -> None:
    scores = torch.tensor([[3.0], [2.0], [9.0], [1.0]])
    positive = torch.tensor([[True], [False], [False], [False]])
    negative = torch.tensor([[False], [True], [False], [True]])
    assert float(auroc(scores, positive, negative)) == 1.0


def test_what_differs_by_rounding_only_is_a_tie() -> None:
    scores = torch.tensor([[1.0], [1.0 + 1e-9], [0.0], [2.0]], dtype=torch.double)
    order = ranked(scores)
    labels = torch.tensor([[True], [False], [False], [False]])
    only = torch.tensor([[False], [True], [False], [False]])
    assert float(order.auroc(labels, only)) == 0.5


def test_a_constant_score_is_at_chance() -> None:
    labels = torch.tensor([[True], [False], [True], [False]])
    assert float(auroc(torch.zeros(4, 1), labels, ~labels)) == 0.5


def test_scores_that_are_no_numbers_are_refused() -> None:
    labels = torch.tensor([[True], [False]])
    with pytest.raises(ValueError, match="NaN"):
        auroc(torch.tensor([[1.0], [torch.nan]]), labels, ~labels)
