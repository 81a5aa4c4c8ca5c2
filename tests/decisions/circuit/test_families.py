"""Edges of every family of the zoo: exact cuts, shares, refusals."""

import pytest
import torch
from tests.decisions.circuit.small import of_family, one_point, ready, slopes
from tests.network import zoo

import cutaway as cw
from cutaway.decisions.graph.graph import NoGraphError, graph

TEXT = [family for family in zoo.ZOO if family.inputs == "text"]
SUMS = [family for family in TEXT if family.additive]


@pytest.mark.parametrize("family", SUMS, ids=str)
def test_edges_of_every_family_are_exact_and_their_slopes_are_those_of_the_exact_cuts(family):
    given = of_family(family)
    net, ids, others = given.net, given.posed.batch.ids, given.posed.decision.counterfactual
    rows, whole = torch.arange(3), torch.zeros(1, len(given.graph))
    (nothing,), (everything,) = given.effects(whole), given.effects(whole + 1)
    expected = given.posed.metric(net(others), rows) - given.posed.metric(net(ids), rows)
    # In a stack an expert may give equal rows unequal last bits: what cuts nothing is the plain network in that stack.
    plain = given.posed.metric(net(ids.repeat(2, 1)), rows.repeat(2)).view(2, 3).detach()
    assert torch.equal(given.decide(whole.repeat(2, 1)), plain)
    assert torch.equal(nothing, plain[1] - plain[0])
    assert family.experts or torch.equal(nothing, torch.zeros(3))
    torch.testing.assert_close(everything, expected.detach(), rtol=1e-4, atol=1e-5)
    expected = slopes(given, 0.3)
    assert float((one_point(given, 0.3).score.sum((1, 2)) - expected).abs().max()) < 1e-4 * float(expected.abs().max())


@pytest.mark.parametrize("family", [family for family in TEXT if not family.additive], ids=str)
def test_a_stream_that_is_no_sum_is_refused_with_the_reason(family):
    net = zoo.network(family)
    with pytest.raises(NoGraphError, match="trace it without edges"):
        graph(net, net.batch(zoo.inputs(family)))


def test_padding_changes_no_edge():
    family = next(family for family in SUMS if family.name == "GPT-2")
    net = zoo.network(family)
    short, other = ["5 9 11 4", "6 9 13 8"], ["5 7 12 4", "9 9 31 8"]
    long, other_long = "3 4 5 6 7 8", "4 4 5 9 7 9"
    alone = ready(net, cw.Decision(short, answer=1, instead=2, counterfactual=other))
    padded = ready(net, cw.Decision([*short, long], answer=1, instead=2, counterfactual=[*other, other_long]))
    cuts = torch.eye(len(alone.graph))
    torch.testing.assert_close(padded.effects(cuts)[:, :2], alone.effects(cuts), rtol=1e-4, atol=1e-6)
