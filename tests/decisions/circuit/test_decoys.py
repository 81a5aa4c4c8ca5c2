"""Selective edges: true edges beat their decoys, nothing beats them where there is nothing, and the laws of decoys."""

import math
from dataclasses import replace

import pytest
import torch
from tests.decisions.circuit.small import cutter, of_organism, short_of_memory

import cutaway as cw
from cutaway.decisions.circuit import decoys
from cutaway.decisions.circuit.decoys import selective_edges
from cutaway.decisions.circuit.halves import halves
from cutaway.decisions.circuit.share import shares
from cutaway.network import LogitDifference
from cutaway.organisms.compiled import compile, random_organism, untrained
from cutaway.organisms.compiled.truth import truth
from cutaway.submodels import donors


def chosen(given, count=8, seed=0):
    """The half that did not choose, the highest ranked edges, the ranking, and 1 % of the total."""
    fit, held, _ = halves(given, seed)
    rank = shares(fit, 3).absolute
    total = float(fit.effects(torch.ones(1, len(fit.graph))).mean().abs())
    return held, rank.argsort(descending=True)[:count].tolist(), rank, 0.01 * total


def race(given, seed=0, count=6):
    return decoys._Race(
        given, donors(given.net, given.posed.batch, 16, seed), count, torch.Generator().manual_seed(seed)
    )


@pytest.fixture(scope="module")
def induction():
    organism = compile("induction", seed=7003)
    return truth(organism).edges, chosen(of_organism(organism))


def test_the_true_edges_of_a_compiled_program_are_selective_and_no_others(induction):
    true, (held, edges, rank, floor) = induction
    found = selective_edges(held, edges, rank, floor=floor)
    assert {held.graph.name(edge) for edge in found.selective} == true
    assert found.kinds == ("covariance", "natural", "decisions")
    assert 0 < found.smallest <= found.estimated <= decoys.PROMISED
    assert found.selective == {edge for edge, q in zip(found.edges, found.q) if q is not None and q <= 0.05}


def test_the_same_seed_gives_the_same_and_the_order_of_the_edges_does_not_matter(induction):
    _, (held, edges, rank, floor) = induction
    once, again = (selective_edges(held, edges[:4], rank, decoys=6, seed=5, floor=floor) for _ in range(2))
    assert once == again
    assert sorted(once.edges) == sorted(edges[:4]) and len(once.p) == len(once.q) == 4


@pytest.mark.parametrize("seed", [7003, 7004, 7005])
def test_nothing_is_selective_in_a_network_that_has_learned_nothing(seed):
    held, edges, rank, floor = chosen(of_organism(untrained(seed, random_organism(seed))))
    found = selective_edges(held, edges, rank, seed=seed, floor=floor)
    assert found.smallest * len(edges) <= decoys.PROMISED, "a lone edge could have been named"
    assert not found.selective


def test_edges_that_move_the_decision_by_no_more_than_the_floor_are_not_named(induction):
    _, (held, edges, rank, floor) = induction
    found = selective_edges(held, edges[:4], rank, decoys=6, floor=1000 * floor)
    assert not found.selective and set(found.p) == {1.0}


def test_an_edge_that_carries_nothing_is_not_named():
    given = cutter(rows=8)
    same = replace(
        given, values=replace(given.values, values=({site: x * 0 for site, x in given.values.values[0].items()},))
    )
    with torch.no_grad():
        for block in given.net.module.blocks:
            block.mlp.down.weight.zero_()
    edge = given.graph.numbers["mlp_out.0 → output"]
    found = selective_edges(same, [edge], torch.ones(len(given.graph)), decoys=4)
    assert found.p == (1.0,) and not found.selective


def test_without_other_inputs_nothing_is_tested_and_it_is_said_in_words():
    given = cutter(rows=8)
    net = cw.open(given.net.module)
    found = selective_edges(replace(given, net=net), [0, 1], torch.ones(len(given.graph)))
    assert found.q == (None, None) and not found.selective and found.runs == 0
    assert found.note.startswith("not tested") and "reference" in found.note


def test_no_edges_and_too_few_decoys_are_defined():
    given = cutter(rows=8)
    rank = torch.ones(len(given.graph))
    assert selective_edges(given, [], rank).note == "no edges to test"
    with pytest.raises(ValueError, match="decoys=1"):
        selective_edges(given, [0], rank, decoys=1)


def test_with_too_few_decoys_no_edge_is_named_and_the_smallest_q_says_so(induction):
    _, (held, edges, rank, floor) = induction
    found = selective_edges(held, edges[:2], rank, decoys=4, floor=floor)
    assert found.smallest == pytest.approx(1 / 8) and not found.selective


def test_what_readers_and_writers_see_is_the_same_with_little_memory_and_it_is_told(monkeypatch):
    given = cutter(rows=7)
    much, little = race(given), race(given)
    seen = [much.clean, *much.streams.values(), *much.natural.values(), *much.now.values()]
    assert not given.told
    short_of_memory(monkeypatch, given, 3)
    torch.testing.assert_close(
        [little.clean, *little.streams.values(), *little.natural.values(), *little.now.values()], seen
    )
    assert set(given.told) == {f"memory ran out: decoys on {count} prompts at a time" for count in (8, 4, 2)}


def test_with_little_memory_the_same_edges_beat_their_decoys(induction, monkeypatch):
    _, (held, edges, rank, floor) = induction
    few = replace(held.rows(torch.arange(8)), told=[])
    expected = selective_edges(few, edges[:3], rank, decoys=4, floor=floor)
    short_of_memory(monkeypatch, few, 16)  # an edge and its copy, of all rows: less would not do
    assert selective_edges(few, edges[:3], rank, decoys=4, floor=floor) == expected
    assert "memory ran out: decoys on 16 prompts at a time" in few.told  # of the other inputs


@pytest.mark.parametrize("norm", ["rms", "none"])
def test_the_first_candidate_is_the_edge_itself_exactly(norm):
    given = cutter(rows=6, norm=norm)
    running = race(given)
    for edge in range(0, len(given.graph), 11):
        expected = given.effects(given.cuts([[edge]])).mean().abs()
        torch.testing.assert_close(running._race(edge)[0], expected.double(), rtol=1e-6, atol=1e-9)


def test_decoys_are_as_long_as_the_edge_s_own_change_and_at_the_same_angle_to_the_stream(monkeypatch):
    given = cutter(rows=6)
    running, seen = race(given), []
    monkeypatch.setattr(decoys._Race, "_moved", lambda self, reader, shifts: seen.append(shifts) or shifts[..., 0, 0])
    edge = given.graph.numbers["z.0[head=1] → z.1[head=0]/k"]
    running._race(edge)
    own, drawn = seen[0][:1], seen[0][1:]
    stream = running.streams[given.graph.readers[given.graph.edges[edge][1]].entry]
    torch.testing.assert_close(drawn.norm(dim=-1), own.norm(dim=-1).expand(12, -1, -1))
    torch.testing.assert_close((drawn * stream).sum(-1), (own * stream).sum(-1).expand(12, -1, -1))
    assert float((drawn - own).norm(dim=-1).min()) > 0


def test_rows_whose_change_is_the_same_have_the_same_decoys(monkeypatch):
    given = cutter(rows=3)
    given = given.rows(torch.tensor([0, 1, 2, 0]))
    running, seen = race(given), []
    monkeypatch.setattr(decoys._Race, "_moved", lambda self, reader, shifts: seen.append(shifts) or shifts[..., 0, 0])
    running._race(given.graph.numbers["embed → z.1[head=0]/v"])
    torch.testing.assert_close(seen[0][:, 0], seen[0][:, 3])


def test_an_edge_in_other_decisions_is_what_cutting_it_does_to_them(monkeypatch):
    given = cutter(rows=4)
    metric = LogitDifference(torch.tensor([1, 2, 1, 3]), torch.tensor([4, 1, 2, 4]))
    given = replace(given, posed=replace(given.posed, metric=metric))
    edge = given.graph.numbers["mlp_out.1 → output"]
    found = race(given)._elsewhere([edge])
    drawn = torch.rand(decoys.DECISIONS, 11, generator=torch.Generator().manual_seed(0)).argsort(1)
    other = LogitDifference(drawn[7][metric.answer - 1], drawn[7][metric.instead - 1])
    expected = replace(given, posed=replace(given.posed, metric=other)).effects(given.cuts([[edge]])).mean().abs()
    torch.testing.assert_close(found[0, 7], expected, rtol=1e-6, atol=1e-9)


def test_decisions_between_few_outputs_or_of_another_kind_have_no_others():
    given = cutter(rows=4, vocab=11)
    assert math.perm(11, 2) < decoys.DECISIONS and race(given)._elsewhere([0]) is None
    odds = replace(given, posed=replace(given.posed, metric=LogitDifference(torch.tensor([1] * 4))))
    assert race(odds)._elsewhere([0]) is None


def test_rows_of_rows_are_asked_what_they_were_asked():
    metric = LogitDifference(torch.tensor([1, 2, 3]), torch.tensor([4, 5, 6]))
    given = cutter(rows=3)
    given = replace(given, posed=replace(given.posed, metric=metric))
    answer, instead = decoys._asked(given.rows(torch.tensor([2, 0])).rows(torch.tensor([1, 1, 0])).posed.metric)
    assert answer.tolist() == [1, 1, 3] and instead.tolist() == [4, 4, 6]


@pytest.mark.parametrize(("rows", "expected"), [(3, 12), (9, 9)])
def test_several_stand_ins_are_dealt_out_to_the_rows_and_each_row_is_its_own_run(rows, expected):
    given = cutter(rows=rows, kind="resample")
    given = replace(given, values=replace(given.values, values=given.values.values[:4]))
    dealt = decoys._dealt(given)
    assert dealt.posed.batch.rows == expected and dealt.values.draws == 1
    cut = given.cuts([[3], [20]])
    several = torch.stack([given.effects(cut, draw) for draw in range(4)])
    row, draw = (torch.arange(12) % 3, torch.arange(12) // 3) if rows == 3 else (torch.arange(9), torch.arange(9) % 4)
    torch.testing.assert_close(dealt.effects(cut), several[draw, :, row].T)


def test_expected_counts_weigh_each_decoy_by_how_many_edges_it_stands_for():
    effects = torch.tensor([[9.0, 1.0, 1.0], [0.5, 1.0, 1.0], [1.0, 9.0, 1.0]], dtype=torch.float64)
    expected = decoys._expected(effects, 2, {0: 1.0, 1: 1.0, 2: 0.25}, least=0.6)
    # the one decoy of 9 among ones ties with the tested edge of 9 among ones, and stands for four edges
    assert expected[0] == pytest.approx((1 + 4) / 2)
    assert expected[1] == math.inf


def test_the_estimate_is_right_where_every_edge_is_about_nothing():
    draw = torch.Generator().manual_seed(0)
    beyond, tested, runs = 0.0, 10, 300
    for _ in range(runs):
        spread = torch.rand(40, 1, generator=draw, dtype=torch.float64) + 0.1
        effects = (spread * torch.randn(40, 21, generator=draw, dtype=torch.float64)).abs()
        expected = decoys._expected(effects, tested, dict.fromkeys(range(40), 1.0), 1e-9)
        beyond += float((expected <= 2.0).sum())
    # of 40 edges two reach such a score, less the decoy of caution: of the ten tested a quarter of those
    assert 0.25 * 1.7 < beyond / runs < 0.25 * 2.1


def test_the_sample_holds_every_tested_edge_and_stands_for_all_others(induction):
    _, (held, edges, rank, _) = induction
    running, counts = race(held), []
    carrying = {edge for edge, (writer, _) in enumerate(held.graph.edges) if bool(running.shifts[writer].any())}
    for _ in range(40):
        chances = running.sampled(edges[:3], rank)
        assert list(chances)[:3] == edges[:3] and all(chances[edge] == 1 for edge in edges[:3])
        counts.append(sum(1 / chances[edge] for edge in list(chances)[3:]))
    assert sum(counts) / len(counts) == pytest.approx(len(carrying - set(edges[:3])), rel=0.25)
