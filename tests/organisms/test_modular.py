"""The modular organism: each module answers its own question and no other, in disguise; in the others there are none."""

from __future__ import annotations

import pytest
import torch

import cutaway as cw
from cutaway.network import Edit, Put, Site
from cutaway.organisms.modular import (
    QUESTIONS,
    Modular,
    encoded,
    every,
    permuted,
    right_without,
    score,
    train_modular,
    untrained,
)
from cutaway.organisms.modular.network import WIDE, disguised, joined, learned
from cutaway.submodels import slices


@pytest.fixture(scope="module")
def organism() -> Modular:
    return train_modular(7000)


def test_every_question_is_answered_and_every_neuron_is_in_one_module(organism: Modular) -> None:
    assert min(right_without(organism).values()) == 1.0
    neurons = [one for module in organism.modules for one in module.neurons]
    everywhere = [part for one in slices(organism.net, ["channels"]) for part in one.parts]
    assert sorted(neurons) == sorted(everywhere) and len(neurons) == 2 * WIDE * len(QUESTIONS)


def test_zeroing_a_module_takes_its_question_away_and_no_other(organism: Modular) -> None:
    for module in organism.modules:
        assert module.verified
        left = right_without(organism, module.neurons)
        assert left.pop(module.question) == module.own <= 0.5
        assert min(left.values()) == module.others == 1.0


def test_idle_neurons_do_nothing_at_all(organism: Modular) -> None:
    x = encoded(every())
    idle = [one for module in organism.modules for one in module.idle]
    assert idle
    edits = [Edit(Site.parse(one), Put(0.0)) for one in idle]
    assert torch.equal(organism.net.run(x, edits=edits).output, organism.net(x))


def test_a_decision_turns_with_its_own_module_only(organism: Modular) -> None:
    for question in QUESTIONS:
        asked = organism.decision(question)
        assert torch.equal(organism.net(asked.inputs).argmax(-1), asked.answer)
        assert torch.equal(organism.net(asked.counterfactual).argmax(-1), asked.instead)
        for other in QUESTIONS:
            found = cw.without(organism.net, asked, organism.submodel(other))
            assert (found.after.mean < 0) == (other == question)


def test_the_disguise_changes_no_answer_and_hides_the_blocks() -> None:
    modules = [learned("sum", 1, steps=5), learned("largest", 2, steps=5)]
    draw = torch.Generator().manual_seed(0)
    plain = joined(modules, draw)
    hidden, orders = disguised(plain, draw)
    x = encoded(every())
    assert torch.allclose(plain(x), hidden(x), atol=1e-5)
    assert (plain.second.weight[:WIDE, WIDE:] != 0).all()  # a seam, faint
    assert plain.second.weight[:WIDE, WIDE:].std() < 0.05 * plain.second.weight[:WIDE, :WIDE].std()
    assert not torch.equal(orders[0], torch.arange(2 * WIDE))
    first, second = orders
    back = hidden.second.weight[second.argsort()][:, first.argsort()]
    assert torch.equal(back.sign(), plain.second.weight.sign())


def test_the_modules_score_one_and_groups_at_random_about_nothing(organism: Modular) -> None:
    true = [module.neurons for module in organism.modules]
    found = score(organism, true)
    assert found.agreement == 1.0
    assert [min(right, key=right.__getitem__) for right in found.right] == list(QUESTIONS)
    neurons = [one for some in true for one in some]
    order = torch.randperm(len(neurons), generator=torch.Generator().manual_seed(0)).tolist()
    thirds = [[neurons[i] for i in order[place::3]] for place in range(3)]
    assert abs(score(organism, thirds).agreement) < 0.15
    assert 0.3 < score(organism, true[:2]).agreement < 1.0  # what is in no group counts against it


def test_groups_that_cannot_be_compared_are_refused(organism: Modular) -> None:
    one = organism.modules[0].neurons[0]
    with pytest.raises(ValueError, match="1 neurons were given in two groups"):
        score(organism, [[one], [one]])
    with pytest.raises(ValueError, match=r"no neuron 'path\.third:out\[channel=0\]'"):
        score(organism, [["path.third:out[channel=0]"]])
    with pytest.raises(KeyError, match="no module for 'product'; it has sum, largest, distance"):
        organism.module("product")
    with pytest.raises(KeyError, match="no question 'product'"):
        organism.decision("product")


def test_in_untrained_and_permuted_networks_no_question_is_answered(organism: Modular) -> None:
    for nothing in (untrained(7000), permuted(organism, 1)):
        assert nothing.modules == () and max(right_without(nothing).values()) < 0.5
        with pytest.raises(ValueError, match="no modules to compare with"):
            score(nothing, [])
    numbers = [sorted(one.network.second.weight.flatten().tolist()) for one in (organism, nothing)]
    assert numbers[0] == numbers[1]


def test_one_seed_gives_one_network_and_opens_by_name(organism: Modular) -> None:
    net = cw.open("organism:modular/7000")
    assert net.source == "organism:modular/7000"
    assert all(torch.equal(a, b) for a, b in zip(net.module.parameters(), organism.network.parameters()))
    assert not torch.equal(untrained(1).network.first.weight, untrained(2).network.first.weight)
