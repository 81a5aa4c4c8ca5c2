"""The search names what a decision rests on, where that is known, and nothing where there is nothing."""

import pytest
import torch
from tests.study.growth.made import PLANTED, asked, decoder

from cutaway.study.growth import Explained, Explainer, NothingToExplainError, Search
from cutaway.study.growth.controls import controls
from cutaway.study.growth.masked import Parts, answers, means
from cutaway.study.growth.search import Reached, apart

TWO = Search(decisions=12, most=2 / 36, fractions=(0.5, 1.0), reference=64, steps=(0, 8, 32), until=1.0)


def explained(seed: int = 3) -> tuple[Explainer, Explained]:
    net = decoder()
    drawn, reference = asked(net)
    explainer = Explainer(net, Parts.of(net, drawn), TWO, seed)
    return explainer, explainer.of(drawn, reference)


def test_with_every_part_the_network_is_as_it_is() -> None:
    net = decoder()
    drawn, (first, _) = asked(net)
    parts = Parts.of(net, drawn)
    whole = torch.ones(drawn.rows, parts.count)
    assert parts.count == len(parts.names) == 2 * (2 + 16)
    assert torch.allclose(answers(net, parts, drawn, whole, means(net, parts, first)), answers(net, parts, drawn))


def test_a_part_is_taken_away_from_its_own_decision_only() -> None:
    net = decoder()
    drawn, (first, _) = asked(net)
    parts, values = Parts.of(net, drawn), means(net, Parts.of(net, drawn), first)
    shares = torch.ones(drawn.rows, parts.count)
    shares[0, parts.names.index(PLANTED[1])] = 0
    moved = apart(answers(net, parts, drawn, shares, values), answers(net, parts, drawn))
    assert moved[0] > 1e-3 and moved[1:].abs().max() < 1e-5


def test_means_are_those_of_all_inputs_however_many_run_at_once() -> None:
    net = decoder()
    _, (first, _) = asked(net)
    parts = Parts.of(net, first)
    few, many = means(net, parts, first, 7), means(net, parts, first, 64)
    assert all(torch.allclose(few[site], many[site], atol=1e-6) for site in parts.sites)


def test_the_two_neurons_that_do_everything_are_named() -> None:
    explainer, found = explained()
    assert found.share == 1.0 and found.asked == TWO.decisions
    planted = {explainer.parts.names.index(name) for name in PLANTED}
    named = [set(one or ()) for one in found.sets]
    assert all(one & planted for one in named) and planted in named
    assert explained()[1].sets == found.sets, "the same seed gives the same sets"


def test_random_sets_and_the_answers_of_others_are_not_explained() -> None:
    explainer, found = explained()
    drawn, reference = asked(explainer.net)
    beside = controls(explainer, found, drawn, reference)
    assert beside.random < 0.2 and beside.shuffled < found.share / 3  # a few say the same as the next one
    assert beside.donors < beside.random_donors


def test_a_network_that_says_one_thing_has_nothing_to_explain() -> None:
    net = decoder(strength=0.0)
    drawn, reference = asked(net)
    with pytest.raises(NothingToExplainError, match="expected some that are not"):
        Explainer(net, Parts.of(net, drawn), TWO, 0).of(drawn, reference)


def test_what_was_spent_is_the_sum_of_its_phases_and_a_share_not_reached_is_a_bound() -> None:
    _, found = explained()
    assert found.flops == sum(found.phases.values()) and set(found.phases) >= {"means", "attribution", "sets", "check"}
    assert [one.flops for one in found.curve] == sorted(one.flops for one in found.curve)
    half = Explained((Reached(0, 10, 0.2, {}), Reached(4, 30, 0.5, {})), (), 4, 0.0)
    assert half.until(0.1) == (10, True) and half.until(0.3) == (30, True) and half.until(0.6) == (30, False)


@pytest.mark.parametrize("wrong", [{"kl": 0.0}, {"most": 2.0}, {"steps": (4, 2)}, {"fractions": (0.0,)}])
def test_a_search_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Search(**wrong)
