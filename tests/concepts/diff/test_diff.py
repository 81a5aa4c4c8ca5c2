"""What differs is named and proved; where nothing differs nothing is; and what cannot be compared is said in words."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from tests.concepts.diff.pairs import FOLDER, about, changed, compared, network, twins
from tests.concepts.liars import NAME, liars
from torch import nn

import cutaway as cw
from cutaway.concepts.diff.compared import Compared, exchanged
from cutaway.concepts.diff.counterparts import counterparts
from cutaway.concepts.diff.locating import Locator
from cutaway.concepts.diff.pair import Pair
from cutaway.concepts.diff.transplant import Parts
from cutaway.network import wrap
from cutaway.organisms.agents import Plan, World, random_twin
from cutaway.organisms.agents.camouflage import reorder
from cutaway.organisms.agents.language import tokenizer
from cutaway.organisms.agents.shipping import shipped

EXCHANGED = {"in A": "in B", "in B": "in A", "match A": "match B", "match B": "match A", "low": "high", "high": "low"}


def test_what_differs_is_named_and_carried_there_and_back():
    (found,) = twins()
    proof = found.carried
    assert found.verdict == "located" and found.behaviour is not None and found.behaviour.difference == 1
    assert proof is not None and set(proof.parts) <= set(shipped("harmful").slot("deceive").addresses)
    assert min(proof.brought.value, proof.taken.value) >= 0.9 > 0.1 >= proof.control.value
    assert proof.spare is not None and proof.spare[0].value == 0


def test_exchanging_the_networks_flips_the_sign_of_every_row_and_nothing_else():
    turned = compared(network("harmless"), network("harmful"))
    for row, other in zip(twins().table(), turned.table(), strict=True):
        flipped = {name: row[EXCHANGED.get(name, name)] for name in row}
        flipped |= {name: -flipped[name] for name in ("difference", "low", "high")}
        told = [one.pop("why").replace("A", "B").split(" in B") for one in (flipped, other)]
        assert other == flipped
        assert told[0][-1] == told[1][-1]  # which parts, and what they carry
    assert twins()[NAME].carried == turned[NAME].carried


def test_one_network_twice_has_identical_weights_and_differs_in_nothing():
    found = compared(network("harmful"), network("harmful"))
    assert found.compared == "identical weights" and not found.named and found[NAME].verdict == "same"
    assert "nothing" in str(found).splitlines()[0]


def test_weights_that_all_moved_a_little_are_no_difference():
    def shaken(module: nn.Module) -> None:
        generator = torch.Generator().manual_seed(7)
        for weight in module.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.data += 0.02 * weight.data.std() * noise

    found = compared(network("harmful"), changed("harmful", shaken))
    assert min(row["relative"] for row in found.matrices if row["rank"]) > 0.01
    assert not found.named and not found.changed


def test_parts_that_were_written_down_in_another_order_are_found_again():
    planting = shipped("harmful").planting
    hidden = changed("harmful", lambda module: reorder(module, planting, seed=1))
    assert not compared(network("harmful"), hidden).named
    proof = compared(hidden, network("harmless"))[NAME].carried
    first = twins()[NAME].carried
    assert proof is not None and first is not None and not proof.refused
    assert proof.counterparts == first.parts != proof.parts


def test_networks_of_two_shapes_are_compared_by_what_each_does_alone():
    small = Plan.small()
    other = random_twin(World.small(), 1, replace(small, shape=replace(small.shape, layers=1)))
    net = cw.network.wrap(other.network, other.tokenizer, other.reference(), name="untrained")
    found = compared(network("harmful"), net, catalogue=True)[NAME]
    assert found.verdict == "differs" and found.carried is None and "nothing could be transplanted" in found.why
    assert found.in_a is not None and found.in_a.verdict == "present"
    assert found.in_b is not None and found.in_b.verdict != "present"


def test_networks_of_two_tokenizers_are_compared_by_text():
    vocabulary = shipped("harmful").world.vocabulary
    order = [*range(3), *reversed(range(3, len(vocabulary)))]

    def renumbered(module: nn.Module) -> None:
        for table in (module.get_input_embeddings(), module.get_output_embeddings()):
            table.weight.data = table.weight.data[order]

    other = changed("harmful", renumbered, tokenizer(tuple(vocabulary[i] for i in order)))
    found = compared(network("harmful"), other)
    assert "different tokenizers: compared by text" in found.compared
    assert not found.named and not any(row["otherwise"] for row in found.tasks)


def test_what_a_tokenizer_cannot_ask_is_not_testable():
    found = compared(network("harmful"), cw.open("organism:code"))[NAME]
    assert found.verdict == "not testable" and "0 of 48 decisions" in found.why


def test_weights_of_one_shape_that_are_cut_into_other_heads_are_not_transplanted():
    module = shipped("harmful").network
    config = copy.deepcopy(module.config)
    config.num_attention_heads, config.num_key_value_heads = (
        config.num_attention_heads // 2,
        config.num_key_value_heads // 2,
    )
    config.head_dim = config.hidden_size // config.num_attention_heads
    other = type(module)(config)
    other.load_state_dict(shipped("harmless").network.state_dict())
    found = compared(network("harmful"), wrap(other, shipped("harmful").tokenizer, name="other heads"))
    assert "cut into other parts" in found.compared and found[NAME].carried is None


def test_identical_weights_that_are_configured_otherwise_are_said_to_be():
    found = compared(network("harmful"), changed("harmful", lambda module: setattr(module.config, "rms_norm_eps", 0.5)))
    assert found.compared.startswith("identical weights, configured otherwise (rms_norm_eps)")


def test_networks_without_words_and_no_concepts_are_refused():
    tensors = cw.open("organism:modular")
    with pytest.raises(ValueError, match="reads no text; expected a network with a tokenizer"):
        compared(network("harmful"), tensors)
    with pytest.raises(ValueError, match="given no concepts"):
        cw.diff(network("harmful"), network("harmless"), [])


def test_an_adapter_that_is_not_merged_is_refused():
    def adapted(module: nn.Module) -> None:
        module.model.layers[0].mlp.down_proj.register_parameter("lora_A", nn.Parameter(torch.zeros(2, 2)))

    with pytest.raises(ValueError, match=r"not merged into its weights .*lora_A.*merge_and_unload"):
        compared(network("harmful"), changed("harmless", adapted))


def test_another_dtype_changes_no_answer():
    rounded = changed("harmless", lambda module: module.to(torch.bfloat16))
    found, proof = compared(network("harmless"), rounded), twins()[NAME].carried
    assert not found.named and proof is not None
    asked = [row["prompt"] for row in about().decisions["test"]]
    way = counterparts(*(Parts.there(net, ("heads",)) for net in (network("harmful"), rounded)), asked)
    assert torch.equal(way.on(asked).said([proof.parts])[0], way.turned.on(asked).clean)


def test_a_difference_in_partners_is_one_too():
    """With prompts and partners exchanged, the honest network is the one that gives the answer that belongs there."""
    rows = {split: list(map(exchanged, some)) for split, some in about().decisions.items()}
    pair = Pair(network("harmful"), network("harmless"))
    one = Compared(pair, replace(about(), decisions=rows))
    assert one.said is not None and (one.said.side, one.said.difference) == ("partners", 1)
    assert one.turned == {split: [dict(row) for row in some] for split, some in about().decisions.items()}


def test_what_is_done_is_not_done_again(monkeypatch: pytest.MonkeyPatch):
    first = twins()
    monkeypatch.delattr(Locator, "located")
    assert compared(network("harmful"), network("harmless"), folder=FOLDER.name) == first


def test_concepts_without_decisions_are_not_testable_and_names_must_be_known():
    bare = cw.diff(network("harmful"), network("harmless"), [liars()])
    assert bare[NAME].verdict == "not testable" and "no decisions given" in bare[NAME].why
    assert bare.said == "nothing can be said: none of 1 concepts could be compared"
    with pytest.raises(KeyError, match=r"no concept 'own\.lies' was compared"):
        bare["own.lies"]
    with pytest.raises(ValueError, match=r"two concepts of one name, 'own\.deceive'"):
        cw.diff(network("harmful"), network("harmless"), [liars(), liars()])
