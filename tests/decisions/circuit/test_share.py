"""Shares against differentiated cuts, their sum, and their ranking of known edges."""

import pytest
import torch
from tests.decisions.circuit.small import cutter, of_organism, one_point, short_of_memory, slopes

from cutaway.decisions.circuit.share import shares
from cutaway.organisms.compiled import compile


@pytest.mark.parametrize("changed", [{}, {"norm": "none"}, {"positions": "learned"}, {"heads": 1, "d_head": 16}])
def test_every_edge_has_the_slope_that_differentiating_the_exact_cut_gives(changed):
    given = cutter(**changed)
    expected = slopes(given, 0.3)
    near = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(one_point(given, 0.3).score.sum((1, 2)).double(), expected, rtol=1e-4, atol=near)


def test_shares_follow_weights_that_were_replaced_after_the_first_time():
    given = cutter()
    shares(given, 1)
    for block in given.net.module.blocks:
        block.attn.query.weight = torch.nn.Parameter(-block.attn.query.weight.detach())
    expected = slopes(given, 0.3)
    near = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(one_point(given, 0.3).score.sum((1, 2)).double(), expected, rtol=1e-4, atol=near)


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
    one, two = (one_point(some, 0.4) for some in (given, twice))
    torch.testing.assert_close(two.score, torch.cat([one.score, one.score], dim=1))


@pytest.mark.parametrize("program", ["induction", "brackets", "pointer", "majority", "conditional"])
def test_three_strata_rank_every_true_edge_of_saturated_programs_before_the_others(program):
    given = of_organism(compile(program, seed=7))
    exact = given.effects(torch.eye(len(given.graph))).mean(1).abs()
    total = float(given.effects(torch.ones(1, len(given.graph))).mean().abs())
    true = set((exact > 0.01 * total).nonzero()[:, 0].tolist())
    ranked = shares(given, 3).absolute.argsort(descending=True).tolist()
    assert true == set(ranked[: len(true)])


@pytest.mark.parametrize("path", ["edges", "inputs"])
def test_shares_with_little_memory_are_those_with_much_and_it_is_told(path, monkeypatch):
    given = cutter(rows=7)
    expected = shares(given, 2, path=path)
    assert not given.told
    short_of_memory(monkeypatch, given, 5)  # each row runs beside its stand-in at first: two rows and fewer fit
    found = shares(given, 2, path=path)
    assert given.told[0] == "memory ran out: shares on 4 prompts at a time"
    for name in ("score", "total", "clean"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-6)


def test_a_row_that_does_not_fit_and_an_error_that_is_not_about_memory_are_raised(monkeypatch):
    given = cutter()
    short_of_memory(monkeypatch, given, 0)
    with pytest.raises(MemoryError, match="give fewer rows"):
        shares(given, 1)
    counts = ("3 prompts", "2 prompts", "1 prompt")
    assert given.told == [f"memory ran out: shares on {count} at a time" for count in counts]
    other = cutter()
    monkeypatch.setattr(other.net.module, "forward", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shares(other, 1)
    assert not other.told


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
