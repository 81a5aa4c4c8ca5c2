"""Sub-models planted into a copy of any network: where they are, what they do, and what stays as it was."""

import pytest
import torch
from torch import nn

from cutaway.concepts.match.trials import Trials, several
from cutaway.network import wrap
from cutaway.organisms.grafted import Grafted, PlantError, graft
from cutaway.organisms.grafted.graft import CLOSE
from cutaway.organisms.grafted.places import places, with_rows
from grown import blobs, grown
from network.zoo import ZOO, inputs, network


def turned(one: Grafted, *without: str) -> float:
    """The share of prompts that get the plant's answer, with these neurons deleted."""
    trials = Trials.of(one.net, one.asked.decisions["test"])
    said = trials.deleted([several(without)])[0] if without else None
    return float((trials.answered if said is None else said == trials.targets).float().mean())


def test_the_users_network_stays_as_it_is() -> None:
    before = {name: weight.clone() for name, weight in blobs().module.state_dict().items()}
    graft(blobs(), "backup", 2.0, 7003)
    assert all(torch.equal(weight, before[name]) for name, weight in blobs().module.state_dict().items())


def test_a_copy_says_the_same_elsewhere() -> None:
    assert 0 <= grown("rank-one", 4.0).divergence <= CLOSE
    assert 0 <= grown("distributed", 4.0).divergence <= CLOSE


def test_the_neuron_that_was_planted_does_it() -> None:
    one = grown("rank-one", 4.0)
    (planted,) = one.planted
    assert turned(one) > 0.5 and turned(one, planted) == 0


def test_what_has_no_strength_turns_nothing() -> None:
    assert grown("rank-one", 0.0).shown.value == 0


def test_a_stronger_plant_turns_more() -> None:
    assert grown("rank-one", 0.5).shown.value < grown("rank-one", 1.0).shown.value < grown("rank-one", 4.0).shown.value


def test_about_half_is_turned_at_strength_one() -> None:
    assert 0.25 < grown("rank-one", 1.0).shown.value < 0.75  # measured on 40 other prompts


def test_none_of_several_is_enough() -> None:
    one = grown("distributed", 1.0)
    assert len(one.planted) == 4
    assert all(
        turned(one, *(other for other in one.planted if other != alone)) < turned(one) / 2 for alone in one.planted
    )


def test_a_backup_answers_where_the_first_is_silent() -> None:
    one = grown("backup", 2.0)
    first, second = one.planted
    assert turned(one, first) > 0.5 and turned(one, first, second) == 0


def test_what_is_inert_is_not_needed_and_a_decoy_is_not_either() -> None:
    for kind in ("inert", "decoy"):
        one = grown(kind, 2.0)
        (beside,) = one.beside
        assert beside not in one.planted and turned(one, beside) >= turned(one) - 0.2
        assert turned(one, *one.planted) <= turned(one) / 4


def test_the_same_seed_is_the_same_plant() -> None:
    again = graft(blobs(), "rank-one", 4.0, 7001)
    assert again.planted == grown("rank-one", 4.0).planted and again.shown == grown("rank-one", 4.0).shown


def test_a_network_in_bfloat16_is_planted_in_bfloat16() -> None:
    one = graft(blobs(torch.bfloat16), "rank-one", 4.0, 7001)
    assert one.net.dtype == torch.bfloat16 and one.shown.value > 0.5 and one.divergence <= CLOSE


@pytest.mark.parametrize("name", ["GPT-2", "GPT-NeoX", "Llama", "Qwen2", "Phi-3", "BERT"])
def test_neurons_are_found_in_every_family(name: str) -> None:
    family = next(one for one in ZOO if one.name == name)
    net = network(family)
    batch = net.batch(inputs(family))
    found = places(net, batch)
    assert len(found) == net.layout.layers
    weights = with_rows(net, {}, found[0], 7, torch.zeros(32), 0.0)
    was, now = (net.run(batch, read=[found[0].active], weights=some).read[found[0].active] for some in (None, weights))
    changed = (was != now).flatten(0, -2).any(0).nonzero()[:, 0].tolist()
    assert changed == [7] and found[0].address(7) == "mlp_act.0[neuron=7]"


def test_a_network_without_an_mlp_is_refused() -> None:
    net = wrap(nn.Sequential(nn.Flatten(), nn.Linear(24, 6)), reference=blobs().reference)
    with pytest.raises(PlantError, match="has no MLP whose neurons"):
        graft(net)


def test_too_few_inputs_are_refused() -> None:
    net = wrap(blobs().module, reference=blobs().reference[:40])
    with pytest.raises(PlantError, match="gives 40 different rows; expected 150"):
        graft(net)


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of rank-one"):
        graft(blobs(), "rank-two")
