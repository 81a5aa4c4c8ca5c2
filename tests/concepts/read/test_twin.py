"""A twin keeps the scale of every tensor and nothing else; a bag of words finds words and nothing else."""

from __future__ import annotations

import copy

import pytest
import torch
from tests.concepts.read.world import agreement, network
from tests.concepts.rows import concept

from cutaway.concepts import Concept
from cutaway.concepts.read import twin
from cutaway.concepts.read.question import question
from cutaway.concepts.read.search import by_contrast
from cutaway.concepts.read.twin import bag_of_words, random_twin
from cutaway.runs import Table


def test_a_twin_has_new_weights_of_the_old_scale_and_the_network_keeps_its_own() -> None:
    net = network()
    before = copy.deepcopy(net.module.state_dict())
    twin = random_twin(net, seed=7001)
    for name, drawn in twin.module.named_parameters():
        old, weight = before[name], drawn.detach()
        assert torch.equal(net.module.state_dict()[name], old)
        if float(old.std()) > 0:
            assert not torch.equal(weight, old)
        if old.numel() > 1000:
            assert float(weight.std()) == pytest.approx(float(old.std()), rel=0.1)
    assert twin.feed is net.feed and twin.module is not net.module


def test_one_seed_draws_one_twin() -> None:
    net = network()
    one, same, other = (random_twin(net, seed).module.table.weight for seed in (7001, 7001, 7002))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_a_weight_that_is_redrawn_in_pieces_is_the_one_that_is_redrawn_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    whole = random_twin(net, 7001).module.table.weight
    monkeypatch.setattr(twin, "PIECE", 320)
    assert whole.numel() > 3 * 320
    assert torch.allclose(random_twin(net, 7001).module.table.weight, whole, atol=1e-6)


def test_tied_weights_stay_tied() -> None:
    from tests.concepts.read.test_harvest import own_network

    net = own_network()
    module = net.module
    names = [name for name, _ in module.named_parameters(remove_duplicate=False)]
    twin = dict(random_twin(net).module.named_parameters(remove_duplicate=False))
    known = dict(module.named_parameters(remove_duplicate=False))
    for a in names:
        for b in names:
            assert (known[a] is known[b]) == (twin[a] is twin[b])


def test_what_cannot_be_redrawn_is_refused() -> None:
    net = network()
    net.module.told.weight = torch.nn.Parameter(torch.zeros(6, 6, dtype=torch.int8), requires_grad=False)
    with pytest.raises(ValueError, match="twins=0"):
        random_twin(net)


def test_words_that_give_the_concept_away_are_found() -> None:
    asked = question(concept())
    assert by_contrast(bag_of_words(asked), asked)["negatives"] == 1.0


def test_words_that_say_nothing_by_themselves_are_not() -> None:
    asked = question(agreement())
    found = by_contrast(bag_of_words(asked), asked)
    assert min(found.values()) < 0.7


def test_only_train_rows_teach_the_bag_of_words() -> None:
    rows = agreement(controls=False).rows
    other = Table.of({**row, "label": 1 - row["label"] if row["split"] == "test" else row["label"]} for row in rows)
    concepts = [Concept("own.agreement", "signs agree", "knowledge", table) for table in (rows, other)]
    first, second = (bag_of_words(question(one)) for one in concepts)
    assert torch.equal(first, second)
