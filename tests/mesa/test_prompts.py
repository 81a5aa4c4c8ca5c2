"""Problems that make no sense are refused with what was given and what is expected."""

from dataclasses import replace

import pytest
import torch

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.tasks import Regression

PROMPTS = Regression(3, 5, queries=4).draw(6, 7001)


def test_a_context_of_length_0_is_refused():
    with pytest.raises(ValueError, match="context of length 0"):
        Prompts(PROMPTS.xs[:, :0], PROMPTS.ys[:, :0], PROMPTS.queries, PROMPTS.answers)


@pytest.mark.parametrize("name", ["xs", "ys", "queries"])
def test_numbers_that_are_none_are_refused_by_name(name):
    broken = getattr(PROMPTS, name).clone()
    broken[0, 0] = torch.nan
    with pytest.raises(ValueError, match=f"{name} of the prompts hold NaN"):
        replace(PROMPTS, **{name: broken})


def test_wrong_shapes_say_what_was_given_and_what_is_expected():
    with pytest.raises(ValueError, match=r"labels have shape \(6, 4\); expected \(6, 5\)"):
        replace(PROMPTS, ys=PROMPTS.ys[:, :4])
    with pytest.raises(ValueError, match=r"expected \[6, any, 3\]"):
        replace(PROMPTS, queries=PROMPTS.queries[..., :2])
    with pytest.raises(ValueError, match=r"expected \(6, 4\)"):
        replace(PROMPTS, answers=PROMPTS.answers[:, :2])


def test_labels_dealt_anew_and_points_in_another_order_keep_what_there_is():
    dealt, moved = PROMPTS.shuffled(1), PROMPTS.reordered(1)
    torch.testing.assert_close(dealt.ys.sort(1).values, PROMPTS.ys.sort(1).values)
    assert not torch.equal(dealt.ys, PROMPTS.ys) and torch.equal(dealt.xs, PROMPTS.xs)
    pairs = torch.einsum("pnd,pn->pd", moved.xs, moved.ys)
    torch.testing.assert_close(pairs, torch.einsum("pnd,pn->pd", PROMPTS.xs, PROMPTS.ys))
    assert not torch.equal(moved.xs, PROMPTS.xs)
