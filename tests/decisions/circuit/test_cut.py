"""Cut edges against the computation by hand, and the laws of cutting."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decisions.circuit.by_hand import cut_by_hand
from tests.decisions.circuit.small import cutter

from cutaway.network import LogitDifference


def difference(logits: torch.Tensor) -> torch.Tensor:
    return logits[:, -1, 1] - logits[:, -1, 2]


def ids_of(given) -> tuple[torch.Tensor, torch.Tensor]:
    return given.posed.batch.ids, given.posed.decision.counterfactual["input_ids"]


@pytest.mark.parametrize("norm", ["rms", "none"])
@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_every_single_cut_equals_the_computation_by_hand(norm, positions):
    given = cutter(norm=norm, positions=positions)
    ids, others = ids_of(given)
    found = given.effects(torch.eye(len(given.graph)))
    network = given.net.module
    clean = difference(network(ids))
    for edge in range(len(given.graph)):
        expected = difference(cut_by_hand(network, ids, others, {given.graph.name(edge)})) - clean
        torch.testing.assert_close(found[edge], expected.detach(), rtol=1e-6, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 50), st.floats(0.05, 0.95))
def test_cuts_of_many_edges_at_once_equal_the_computation_by_hand(seed, share):
    given = cutter(seed)
    ids, others = ids_of(given)
    cuts = (torch.rand(3, len(given.graph), generator=torch.Generator().manual_seed(seed)) < share).double()
    clean = difference(given.net.module(ids))
    for cut, effect in zip(cuts, given.effects(cuts)):
        names = {given.graph.name(edge) for edge in cut.nonzero()[:, 0].tolist()}
        expected = difference(cut_by_hand(given.net.module, ids, others, names)) - clean
        torch.testing.assert_close(effect, expected.detach(), rtol=1e-6, atol=1e-12)


def test_cutting_nothing_changes_nothing_and_cutting_everything_gives_the_other_prompts_decision():
    given = cutter()
    ids, others = ids_of(given)
    nothing, everything = given.effects(torch.stack([torch.zeros(len(given.graph)), torch.ones(len(given.graph))]))
    assert torch.equal(nothing, torch.zeros_like(nothing))
    network = given.net.module
    torch.testing.assert_close(everything, (difference(network(others)) - difference(network(ids))).detach())


def test_a_cut_does_not_depend_on_what_is_stacked_beside_it():
    given = cutter()
    cuts = torch.eye(len(given.graph))[::7].double()
    alone = torch.cat([given.effects(cut[None]) for cut in cuts])
    torch.testing.assert_close(given.effects(cuts), alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rows", [[4, 1, 3], [5, 4, 3, 2, 1, 0]])
def test_some_rows_in_any_order_give_what_the_whole_batch_gives_for_them(rows):
    given, chosen = cutter(rows=6), torch.tensor(rows)
    answers = torch.tensor([1, 2, 3, 4, 5, 6])
    given = replace(given, posed=replace(given.posed, metric=LogitDifference(answers, answers + 1)))
    cuts = torch.eye(len(given.graph))[::9].double()
    torch.testing.assert_close(given.rows(chosen).effects(cuts), given.effects(cuts)[:, chosen])


def test_a_cut_at_a_later_position_than_is_read_changes_nothing_and_positions_add_up_to_everywhere():
    given = cutter()
    edge = given.graph.numbers["mlp_out.2 → output"]
    cut = torch.zeros(3, len(given.graph), dtype=torch.float64)
    cut[:, edge] = 1
    where = torch.zeros(3, 6, dtype=torch.bool)
    where[0], where[1, -1], where[2, :-1] = True, True, True
    everywhere, last, earlier = given.effects(cut, positions=where)
    torch.testing.assert_close(everywhere, last)
    assert torch.equal(earlier, torch.zeros_like(earlier))


@pytest.mark.parametrize("kind", ["mean", "zero", "resample"])
def test_every_kind_of_stand_in_is_taken_and_removing_nothing_stays_nothing(kind):
    given = cutter(kind=kind)
    cuts = torch.stack([torch.zeros(len(given.graph)), torch.ones(len(given.graph))])
    nothing, everything = given.effects(cuts, draw=given.values.draws - 1)
    assert torch.equal(nothing, torch.zeros_like(nothing)) and float(everything.abs().max()) > 1e-3


def test_hooks_are_gone_and_the_output_is_the_same_afterwards():
    given = cutter()
    ids, _ = ids_of(given)
    before = given.net.module(ids)
    given.effects(torch.ones(1, len(given.graph)))
    assert torch.equal(before, given.net.module(ids))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in given.net.module.modules())


def test_memory_that_runs_out_makes_smaller_stacks_with_the_same_numbers():
    given = cutter()
    cuts = torch.eye(len(given.graph))[:20].double()
    expected, forward, network = given.effects(cuts), type(given.net.module).forward, given.net.module

    def small(input_ids, attention_mask=None):
        if len(input_ids) > 40:
            raise torch.OutOfMemoryError("not that many rows")
        return forward(network, input_ids, attention_mask)

    network.forward = small
    torch.testing.assert_close(given.effects(cuts), expected, rtol=1e-9, atol=1e-12)


def test_one_head_is_enough():
    given = cutter(heads=1, d_head=16)
    assert len(given.effects(torch.eye(len(given.graph)))) == len(given.graph)
