"""The superposition organism: what it is said to carry comes out, each along its direction; nothing else, nowhere else."""

from __future__ import annotations

import pytest
import torch

import cutaway as cw
from cutaway.network import OpenError
from cutaway.organisms.superposition import Superposition, permuted, recovered, train_superposition, untrained
from cutaway.organisms.superposition.network import FEATURES, HIDDEN


@pytest.fixture(scope="module")
def organism() -> Superposition:
    return train_superposition(7000)


def test_more_features_are_carried_than_there_are_dimensions_and_not_all(organism: Superposition) -> None:
    assert HIDDEN < len(organism.truth.carried) < FEATURES


def test_a_carried_feature_comes_out_and_no_longer_without_its_direction(organism: Superposition) -> None:
    alone = torch.eye(FEATURES)
    for feature in organism.truth.carried:
        whole = organism.net(alone)[feature]
        assert whole.argmax() == feature and whole[feature] > 0.5
        asked = cw.Decision(alone[[feature]], answer=feature)
        gone = cw.without(organism.net, asked, organism.submodel(feature), baseline="zero")
        assert gone.after.mean < 0.1 * gone.before.mean


def test_a_feature_that_was_given_up_does_not_come_out(organism: Superposition) -> None:
    given_up = [one for one in range(FEATURES) if one not in organism.truth.carried]
    assert organism.truth.explained[given_up].max() < 0.5
    with pytest.raises(ValueError, match=f"feature {given_up[0]} is not carried"):
        organism.submodel(given_up[0])


def test_a_decision_is_answered_right_both_ways_and_turned_by_its_own_direction(organism: Superposition) -> None:
    feature = organism.truth.carried[1]
    asked = organism.decision(feature, rows=16)
    assert len(asked.inputs) == 16 and (organism.net(asked.inputs).argmax(-1) == feature).all()
    assert torch.equal(organism.net(asked.counterfactual).argmax(-1), asked.instead)
    own = cw.without(organism.net, asked, organism.submodel(feature))
    assert own.before.low > 0 and own.after.high < 0
    trace = cw.trace(organism.net, asked, parts=[organism.submodel(one) for one in organism.truth.carried], nulls=0)
    assert max(trace.nodes, key=lambda row: abs(row["exact"]))["part"] == f"feature {feature}"


def test_the_true_directions_are_recovered_whole_and_random_ones_as_chance_says(organism: Superposition) -> None:
    truth = organism.truth
    order = torch.randperm(len(truth.carried), generator=torch.Generator().manual_seed(0))
    found = recovered(truth, 3 * truth.directions[list(truth.carried)][order])
    assert found.share == 1.0 and found.chance < 0.5
    assert [int(order[one]) for one in found.candidate] == list(range(len(truth.carried)))
    assert recovered(truth, -truth.directions[list(truth.carried)]).share < 0.5  # the sign counts
    many = recovered(truth, torch.randn(400, HIDDEN, generator=torch.Generator().manual_seed(1)))
    assert many.share > 0.5 and many.share == pytest.approx(many.chance, abs=0.2)


def test_too_few_candidates_leave_features_without_one(organism: Superposition) -> None:
    found = recovered(organism.truth, organism.truth.directions[list(organism.truth.carried)][:2])
    assert found.candidate.count(-1) == len(organism.truth.carried) - 2
    assert found.share == pytest.approx(2 / len(organism.truth.carried))


def test_in_untrained_and_permuted_networks_there_is_nothing(organism: Superposition) -> None:
    weights = sorted(organism.network.into.weight.flatten().tolist())
    for nothing in (untrained(7000), permuted(organism, 1)):
        assert nothing.truth.carried == ()
        with pytest.raises(ValueError, match="carries no feature"):
            recovered(nothing.truth, nothing.truth.directions)
        with pytest.raises(ValueError, match=r"not both carried by .*, which carries no feature"):
            nothing.decision(0)
    assert sorted(nothing.network.into.weight.flatten().tolist()) == weights


def test_one_seed_gives_one_network_and_opens_by_name(organism: Superposition) -> None:
    net = cw.open("organism:superposition/7000")
    assert net.source == "organism:superposition/7000"
    assert torch.equal(net.module.into.weight, organism.network.into.weight)
    assert not torch.equal(untrained(1).network.into.weight, untrained(2).network.into.weight)
    with pytest.raises(OpenError, match="no organism 'superposition/x'"):
        cw.open("organism:superposition/x")


def test_candidates_of_another_width_are_refused(organism: Superposition) -> None:
    with pytest.raises(ValueError, match=r"given candidates \(3, 4\); expected \[candidates, 5\]"):
        recovered(organism.truth, torch.randn(3, 4))
