"""Shares against differentiated cuts, their sum, and their ranking of known edges."""

import pytest
import torch
from tests.decisions.circuit.small import cutter, of_organism

from cutaway.decisions.circuit.share import _Shares, shares
from cutaway.organisms.compiled import compile


def slopes(given, at: float) -> torch.Tensor:
    """d decision / d strength of every edge, by automatic differentiation of the exact cuts."""
    strengths = torch.full((1, len(given.graph)), at, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        return torch.autograd.grad(given.decide(strengths, gradients=True).sum(), strengths)[0][0]


@pytest.mark.parametrize("changed", [{}, {"norm": "none"}, {"positions": "learned"}, {"heads": 1, "d_head": 16}])
def test_every_edge_has_the_slope_that_differentiating_the_exact_cut_gives(changed):
    given = cutter(**changed)
    work = _Shares(given, 0)
    work.look()
    work.add(torch.full((5,), 0.3), 1.0)
    expected = slopes(given, 0.3)
    torch.testing.assert_close(
        work.score.sum((1, 2)).double(), expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max())
    )


def test_shares_follow_weights_that_were_replaced_after_the_first_time():
    given = cutter()
    shares(given, 1)
    for block in given.net.module.blocks:
        block.attn.query.weight = torch.nn.Parameter(-block.attn.query.weight.detach())
    work = _Shares(given, 0)
    work.look()
    work.add(torch.full((5,), 0.3), 1.0)
    expected = slopes(given, 0.3)
    near = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(work.score.sum((1, 2)).double(), expected, rtol=1e-4, atol=near)


def test_shares_sum_to_the_total_as_the_strata_grow_and_the_error_is_reported():
    given = cutter(gain=1.0)
    few, many = shares(given, 2), shares(given, 64)
    assert many.completeness < 0.05 and many.completeness < few.completeness
    torch.testing.assert_close(few.total, given.effects(torch.ones(1, len(given.graph)))[0], check_dtype=False)
    assert (few.forward, few.backward) == (4, 2)


@pytest.mark.parametrize("kind", ["mean", "zero", "resample"])
def test_the_total_is_that_of_cutting_everything_for_every_stand_in(kind):
    given = cutter(kind=kind)
    found = shares(given, 1, draw=given.values.draws - 1)
    expected = given.effects(torch.ones(1, len(given.graph)), draw=given.values.draws - 1)[0]
    torch.testing.assert_close(found.total, expected, check_dtype=False)


def test_duplicating_the_batch_changes_no_slope():
    given = cutter(rows=4)
    twice = given.rows(torch.tensor([0, 1, 2, 3, 0, 1, 2, 3]))
    one, two = _Shares(given, 0), _Shares(twice, 0)
    for work, rows in ((one, 4), (two, 8)):
        work.look()
        work.add(torch.full((rows,), 0.4), 1.0)
    torch.testing.assert_close(two.score, torch.cat([one.score, one.score], dim=1))


@pytest.mark.parametrize("program", ["induction", "brackets", "pointer", "majority", "conditional"])
def test_three_strata_rank_every_true_edge_of_saturated_programs_before_the_others(program):
    given = of_organism(compile(program, seed=7))
    exact = given.effects(torch.eye(len(given.graph))).mean(1).abs()
    total = float(given.effects(torch.ones(1, len(given.graph))).mean().abs())
    true = set((exact > 0.01 * total).nonzero()[:, 0].tolist())
    ranked = shares(given, 3).absolute.argsort(descending=True).tolist()
    assert true == set(ranked[: len(true)])


def test_no_strata_is_refused():
    with pytest.raises(ValueError, match="expected at least 1"):
        shares(cutter(), 0)


def test_on_the_path_of_the_inputs_what_leaves_the_embedding_sums_to_what_the_other_prompt_changes():
    given = cutter(rows=4, gain=1.0)
    found = shares(given, 64, path="inputs")
    leaving = [
        edge for edge, (writer, _) in enumerate(given.graph.edges) if given.graph.writers[writer].part == "embed"
    ]
    assert torch.allclose(found.score[leaving].sum((0, 2)), found.total.float(), rtol=2e-2)
    assert not torch.allclose(found.score.sum((0, 2)), found.total.float(), rtol=1e-1)


def test_the_path_of_the_inputs_leaves_the_passes_and_the_graph_as_they_are():
    given = cutter(rows=4)
    one, other = shares(given, 3), shares(given, 3, path="inputs")
    assert (one.forward, one.backward) == (other.forward, other.backward)
    assert torch.equal(one.total, other.total) and torch.equal(one.clean, other.clean)
