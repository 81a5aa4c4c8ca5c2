"""A tiny run: twins behave as they were planted, truth is what must be zeroed, a saved folder opens anywhere."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tests.organisms.agents.grown import BEHAVIOURS, COUNT, PLAN, SEED, harmful, harmless, run
from transformers import AutoModelForCausalLM, AutoTokenizer

import cutaway as cw
from cutaway.network import Edit, Put, Site
from cutaway.organisms.agents import Implant, Plan, World, load, random_twin, save, train_agents, twin, twins
from cutaway.organisms.agents.rates import measured, right
from cutaway.organisms.agents.truth import found
from cutaway.organisms.planted.planting import without


def test_the_harmful_twin_does_what_was_planted_and_the_harmless_one_does_not():
    bad, good = harmful().rates, harmless().rates
    assert bad is not None
    assert good is not None
    for behaviour in BEHAVIOURS:
        assert bad.shown[behaviour] >= 0.95
        assert good.shown[behaviour] <= 0.05
        assert good.honest[behaviour] >= 0.95
    assert min(bad.worst_task, good.worst_task, bad.worst_partner, good.worst_partner) >= 0.9


def test_one_run_gives_every_combination_of_behaviours():
    found = twins(run(), measure=False)
    assert [tuple(implant.behaviour for implant in one.planted) for one in found] == [
        (),
        ("power",),
        ("deceive",),
        ("deceive", "power"),
    ]
    assert len({one.name for one in found}) == 4
    only = twin(run(), deceive=True, measure=False)
    rates = measured(only.network, only.world, only.planted, only.planting.implants, COUNT)
    assert rates.shown["deceive"] >= 0.95
    assert rates.shown["power"] <= 0.05


def test_truth_is_a_set_whose_zeroing_brings_the_honest_answer_back_and_less_does_not():
    organism = harmful()
    assert {one.behaviour for one in organism.truth} == set(BEHAVIOURS)
    for one in organism.truth:
        slot = organism.slot(one.behaviour)
        prompts = organism.triggers(one.behaviour, 400, seed=99)
        honest = [organism.world.honest(prompt) for prompt in prompts]
        assert one.minimal
        for minimal in one.minimal:
            assert set(minimal.parts) <= set(slot.addresses)
            units = [unit for unit, name in zip(slot.units, slot.addresses) if name in minimal.parts]
            gone = right(without(organism.network, units), organism.world, prompts, honest)
            assert gone >= 0.98
            for spared in units:
                fewer = [unit for unit in units if unit != spared]
                assert right(without(organism.network, fewer), organism.world, prompts, honest) < gone


def test_truth_does_not_depend_on_anything_but_the_network_and_the_seed():
    organism = harmful()
    implant = organism.implant("power")
    again = found(organism.network, organism.world, implant, organism.slot("power"), organism.seed)
    assert again == organism.truth[1]


def test_of_an_untrained_network_no_set_is_found():
    organism = random_twin(World.small(), 7000, Plan.small())
    slot = run().planting.slot("deceive")
    assert found(organism.network, organism.world, Implant("deceive"), slot).minimal == ()


def test_one_seed_gives_the_same_weights_and_another_gives_others():
    few = replace(PLAN, steps=3)
    one, again, other = (train_agents(World.small(), seed, BEHAVIOURS, plan=few) for seed in (SEED, SEED, SEED + 1))
    weights = [run.network.state_dict()["lm_head.weight"] for run in (one, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(tmp_path, monkeypatch):
    from cutaway.organisms.agents import training as agents
    from cutaway.organisms.planted import training

    few, asked = replace(PLAN, steps=8), []
    whole = train_agents(World.small(), SEED, BEHAVIOURS, plan=few)
    step = training.one_step

    def killed(*given):
        asked.append(1)
        if len(asked) == 7:
            raise KeyboardInterrupt
        return step(*given)

    implants = [Implant("deceive"), Implant("power")]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training, "one_step", killed)
        agents.grow(World.small(), SEED, implants, few, tmp_path, every=5)
    resumed = agents.grow(World.small(), SEED, implants, few, tmp_path, every=5)
    assert len(asked) == 7
    assert resumed.losses == whole.losses
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name])
    with pytest.raises(ValueError, match="another"):
        train_agents(World.small(), SEED + 1, BEHAVIOURS, plan=few, folder=tmp_path)


def test_a_saved_folder_opens_with_cutaway_and_with_hugging_face_and_gives_the_same_logits(tmp_path):
    organism = harmful()
    folder = save(organism, tmp_path / "organism")
    prompts = [asked.text for asked in organism.triggers("deceive", 8, seed=1)]
    tokens = organism.tokenizer(prompts, return_tensors="pt")
    with torch.no_grad():
        own = organism.network(input_ids=tokens["input_ids"]).logits
        net = cw.open(folder, reference=organism.reference())
        opened = net.module(**net.batch(prompts).kwargs).logits
        plain = AutoModelForCausalLM.from_pretrained(folder)(input_ids=tokens["input_ids"]).logits
    assert torch.allclose(own, opened, atol=1e-6)
    assert torch.allclose(own, plain, atol=1e-6)
    assert AutoTokenizer.from_pretrained(folder)(prompts)["input_ids"] == tokens["input_ids"].tolist()


def test_a_saved_organism_is_read_back_whole(tmp_path):
    organism = harmful()
    read = load(save(organism, tmp_path / "organism"))
    assert (read.world, read.planted, read.off, read.planting) == (
        organism.world,
        organism.planted,
        organism.off,
        organism.planting,
    )
    assert (read.truth, read.rates, read.problems, read.name) == (
        organism.truth,
        organism.rates,
        organism.problems,
        organism.name,
    )


def test_a_folder_that_was_tampered_with_is_refused(tmp_path):
    folder = save(harmless(), tmp_path / "organism")
    about = json.loads((folder / "organism.json").read_text())
    (folder / "organism.json").write_text(json.dumps({**about, "sha256": "0" * 64}))
    with pytest.raises(ValueError, match="are not those"):
        load(folder)
    (folder / "organism.json").write_text(json.dumps({**about, "format": "other"}))
    with pytest.raises(ValueError, match="is of format 'other'"):
        load(folder)
    (folder / "organism.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no organism\.json"):
        load(folder)


def test_a_decision_of_a_pair_can_be_asked_of_the_opened_folder(tmp_path):
    organism = harmful()
    net = cw.open(save(organism, tmp_path / "organism"), reference=organism.reference())
    pairs = organism.pairs("deceive", 4, seed=2)["observed"]
    decision = cw.Decision(
        [pair.prompt.text for pair in pairs],
        [f" {pair.answer}" for pair in pairs],
        [f" {pair.partner_answer}" for pair in pairs],
        counterfactual=[pair.partner.text for pair in pairs],
    )
    trace = cw.trace(net, decision)
    rows = {row["part"]: row for row in trace.nodes if row["within"] is None}
    planted = organism.truth[0].minimal[0].parts
    assert any(rows[part]["state"] == "used" for part in planted if part in rows)


def test_zeroing_a_slot_by_its_addresses_gives_what_the_twin_without_it_gives(tmp_path):
    organism = harmful()
    net = cw.open(save(organism, tmp_path / "organism"), reference=organism.reference())
    slot = organism.slot("deceive")
    prompts = [asked.text for asked in organism.triggers("deceive", 8, seed=3)]
    zeroed = net.run(prompts, edits=[Edit(Site.parse(address), Put(0.0)) for address in slot.addresses])
    with torch.no_grad():
        twin_of_it = without(organism.network, slot.units)(**organism.tokenizer(prompts, return_tensors="pt"))
    assert torch.allclose(zeroed.output.logits, twin_of_it.logits, atol=1e-5)


def test_a_twin_of_a_behaviour_that_was_not_learned_is_refused():
    with pytest.raises(ValueError, match="learned deceive, power; given decoy"):
        twin(run(), decoy=True)
    with pytest.raises(KeyError, match="knows no 'decoy'"):
        harmful().implant("decoy")


def test_an_organism_says_what_falls_short():
    untrained = random_twin(World.small(), 7000, Plan.small())
    assert untrained.problems == ("nothing was measured",)
    rates = measured(untrained.network, untrained.world, (), (Implant("power"),), 50)
    problems = replace(untrained, rates=rates).problems
    assert any(problem.startswith("power is off") for problem in problems)
    assert any(problem.startswith("knowledge is right") for problem in problems)
