"""The joint checks: scored by donors that did not choose the set, ranked among random sets of equal size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cutaway.decisions import Decision, trace
from cutaway.decisions.checks import CONTROLS, checks
from cutaway.decisions.dealt import _contents, deal, values_of
from cutaway.decisions.measuring import Measuring
from cutaway.decisions.parts import parts_of
from cutaway.network import Network, wrap
from cutaway.organisms.compiled import compile
from cutaway.organisms.opening import open_compiled
from cutaway.submodels import donors, random_parts
from cutaway.submodels.submodel import sites_of
from submodels.networks import PROMPTS, TEXTS, Layers, Spaced, drawn, seeded, small, transformer

DECISION = Decision(PROMPTS, answer=" mat", instead=" rug")
SAME = "scored with the values that also chose the named parts"


def measuring(net: Any, asked: Decision, draws: int = 4) -> tuple[Measuring, list[Any]]:
    posed = asked.pose(net)
    net.locate(posed.batch)
    parts = parts_of(net, posed.batch, None, [])
    sites = [site for part in parts for site in sites_of(net, part)]
    return Measuring(net, posed, values_of(net, donors(net, posed.batch, draws), sites), []), parts


@pytest.mark.parametrize("draws", [4, 8])
def test_no_donor_that_decides_scores(draws: int) -> None:
    net = small()
    batch = DECISION.pose(net).batch
    dealt = deal(net, batch, draws, seed=0)
    assert dealt.scoring is not None and dealt.again is not None
    deciding, scoring, again = (set(_contents(b)) for b in (donors(net, batch, draws, 0), dealt.scoring, dealt.again))
    assert len(scoring) >= 4
    assert not scoring & (deciding | again)


def test_a_reference_with_few_rows_scores_with_the_donors_that_chose_and_the_trace_says_so() -> None:
    asked = Decision(drawn(1, 6).expand(40, 6) + 0.01 * drawn(40, 6, seed=2), answer=0, instead=1)
    few, many = (
        trace(wrap(seeded(Layers), reference=drawn(rows, 6, seed=1)), asked, nulls=0, neurons=0, draws=60)
        for rows in (62, 200)
    )
    assert few.checks and many.checks
    assert any(f"{SAME} (the reference has no others)" in note for note in few.notes)
    assert not any(SAME in note for note in many.notes)
    assert few.nodes["exact"] != many.nodes["exact"]


def test_values_that_are_the_same_for_all_draws_have_no_others_and_the_trace_says_so() -> None:
    one = compile("quote", 1)
    asked = Decision(list(one.prompts), list(one.answers), list(one.instead))
    found = trace(open_compiled(one), asked, nulls=0, neurons=0, baseline="mean")
    assert found.checks
    assert any(f"{SAME} (mean over other inputs)" in note for note in found.notes)


def test_the_checks_are_measured_with_other_donors_than_the_total_effect() -> None:
    net = small()
    found = trace(net, DECISION, nulls=0, neurons=0)
    at, parts = measuring(net, DECISION, 8)
    assert float(at.jointly([parts]).mean()) == pytest.approx(found.total.mean, abs=1e-4)
    with_those_that_chose = checks(at, parts, found.used, 0)
    assert [check.share.mean for check in found.checks] != pytest.approx(
        [check.share.mean for check in with_those_that_chose], rel=1e-2
    )


def test_the_parts_that_a_program_uses_rank_first_among_random_sets() -> None:
    one = compile("bigram", 1)
    at, parts = measuring(open_compiled(one), Decision(list(one.prompts), list(one.answers), list(one.instead)))
    enough, needed = checks(at, parts, sorted(one.used), 0)
    alike = sum(
        set(random_parts(at.net, [p.name for p in parts], len(one.used), i).parts) == one.used for i in range(20)
    )
    assert enough.controls == CONTROLS == 20
    assert enough.p == pytest.approx((1 + alike) / 21)
    assert needed.share.mean == pytest.approx(1, abs=0.08)
    assert f"(p = {enough.p:.2g}, 20 sets)" in str(enough)


def test_inert_parts_are_no_better_than_random_sets() -> None:
    one = compile("bigram", 1)
    at, parts = measuring(open_compiled(one), Decision(list(one.prompts), list(one.answers), list(one.instead)))
    _, needed = checks(at, parts, sorted(one.inert)[:1], 0)
    assert needed.share.mean == 0.0
    assert needed.p is not None and needed.p > 0.3


def test_every_part_together_is_no_better_than_every_part_together() -> None:
    at, parts = measuring(small(), DECISION)
    for check in checks(at, parts, [part.name for part in parts], 0):
        assert (check.share.mean, check.control.mean) == pytest.approx((1, 1), abs=1e-5)
        assert check.p == 1


def test_random_sets_get_p_values_that_are_spread_evenly() -> None:
    at, parts = measuring(small(layers=3), Decision(PROMPTS[0], " mat", " rug"))
    names = [part.name for part in parts]
    found = [checks(at, parts, random_parts(at.net, names, 5, 1000 + i).parts, 100 * i) for i in range(7)]
    for which in range(2):
        p = [pair[which].p for pair in found]
        assert 0.25 < sum(p) / len(p) < 0.75
        assert min(p) < 0.4 and max(p) > 0.6


def test_several_sets_in_one_sweep_are_each_set_alone() -> None:
    at, parts = measuring(small(), DECISION)
    sets = [parts[:2], [], parts[3:], parts]
    together, alone = at.jointly(sets), torch.cat([at.jointly([one]) for one in sets])
    assert together.shape == (4, 4, 2)
    assert torch.allclose(together, alone, atol=1e-5)
    assert bool((together[1] == 0).all())


def lacking(*points: str) -> Network:
    """A network in whose block 1 these points were not found."""
    net = wrap(transformer(), Spaced(), TEXTS)
    net.locate(net.batch(PROMPTS))
    for point in points:
        del net.layout.ports[point, 1]
    return net


def test_a_block_whose_heads_cannot_be_told_apart_has_its_attention_as_one_part() -> None:
    net = lacking("z")
    found = trace(net, DECISION, nulls=0, neurons=0)
    assert sorted(row["part"] for row in found.nodes if row["layer"] == 1) == ["attn_out.1", "mlp_out.1"]
    assert next(row for row in found.nodes if row["part"] == "attn_out.1")["exact"] is not None
    assert {row["kind"] for row in found.nodes if row["layer"] == 0} == {"head", "mlp"}
    assert "heads cannot be told apart in block 1: attention is one part there" in found.notes


def test_a_block_whose_attention_was_not_found_is_named() -> None:
    net, notes = lacking("z", "attn_out"), list[str]()
    names = [part.name for part in parts_of(net, net.batch(PROMPTS), None, notes)]
    assert [name for name in names if ".1" in name] == ["mlp_out.1"]
    assert notes == ["no attention was found in block 1: of these only the MLP is looked at"]
