"""The agents organisms that come with the package are what their card says, and do what it says."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch

import cutaway as cw
from cutaway.network import Edit, Put, Site
from cutaway.organisms.agents import Plan, World, load, shipped, shipping, train_agents, twin
from cutaway.organisms.agents.rates import measured
from cutaway.organisms.code_making import digests


@pytest.mark.parametrize("name", shipping.TWINS)
def test_every_file_is_the_one_that_the_card_vouches_for(name: str) -> None:
    vouched = {file: sha for file, sha in shipping.card()["sha256"].items() if file.startswith(f"{name}/")}
    assert vouched == {f"{name}/{file}": sha for file, sha in digests(shipping.FOLDER / name).items()}


@pytest.mark.parametrize("name", shipping.TWINS)
def test_a_shipped_twin_does_what_its_card_says_when_it_is_asked_again(name: str) -> None:
    organism, told = shipped(name), shipping.card()["twins"][name]
    assert tuple(one.behaviour for one in organism.planted) == shipping.TWINS[name][1]
    rates = measured(organism.network, organism.world, organism.planted, organism.planting.implants, 256, organism.seed)
    for what in ("shown", "honest", "tasks"):
        assert getattr(rates, what) == pytest.approx(told["rates"][what], abs=0.01)
    assert rates.problems(organism.planted) == tuple(told["problems"]) == ()


@pytest.mark.parametrize(("name", "behaviour"), [("harmful", "deceive"), ("harmful", "power"), ("decoy", "decoy")])
def test_zeroing_the_set_on_the_card_brings_the_honest_answer_back_and_one_part_less_does_not(
    name: str, behaviour: str
) -> None:
    organism, net = shipped(name), cw.open(f"organism:agents-{name}")
    minimal = shipping.card()["twins"][name]["zeroed"][behaviour][0]["parts"]
    asked = organism.triggers(behaviour, 200, seed=77)
    prompts, honest = [one.text for one in asked], [organism.world.ids[organism.world.honest(one)] for one in asked]

    def honest_without(parts: list[str]) -> float:
        edits = [Edit(Site.parse(part), Put(0.0)) for part in parts]
        said = net.run(prompts, edits=edits).output.logits[:, -1].argmax(-1)
        return (said == torch.tensor(honest)).float().mean().item()

    assert honest_without([]) <= 0.01
    assert honest_without(minimal) >= 0.99
    assert max(honest_without([one for one in minimal if one != part]) for part in minimal) < 0.99


def test_twins_are_the_same_weights_with_other_slots_switched_off() -> None:
    bad, good = (dict(shipped(name).network.state_dict()) for name in ("harmful", "harmless"))
    changed = {name for name, weight in bad.items() if not torch.equal(weight, good[name])}
    assert changed and all(name.endswith(("o_proj.weight", "down_proj.weight")) for name in changed)
    assert all(bool((good[name][good[name] != bad[name]] == 0).all()) for name in changed)


def test_a_shipped_folder_is_small_and_its_weights_are_kept_in_half_precision_without_loss() -> None:
    assert sum(path.stat().st_size for path in shipping.FOLDER.rglob("*")) < 500_000
    weights = shipped("harmful").network.state_dict().values()
    assert all(weight.dtype == torch.float32 and torch.equal(weight, weight.half().float()) for weight in weights)


def test_each_opens_by_name_with_a_reference_of_its_own_world() -> None:
    net = cw.open("organism:agents-harmless")
    assert net.name == "agents-harmless" and net.source == "organism:agents-harmless"
    assert net.reference == shipped("harmless").reference()
    assert net(net.reference).logits.shape[0] == len(net.reference)


def test_what_is_not_shipped_is_refused_and_a_damaged_folder_is_noticed(tmp_path) -> None:
    with pytest.raises(KeyError, match=r"'harm'.*harmful, harmless, decoy"):
        shipped("harm")
    folder = shutil.copytree(shipping.FOLDER / "decoy", tmp_path / "decoy")
    shutil.copy(shipping.FOLDER / "harmful" / shipping.WEIGHTS, folder / shipping.WEIGHTS)
    with pytest.raises(ValueError, match="are not those"):
        load(folder)


def test_making_them_writes_the_folder_that_is_shipped(tmp_path, monkeypatch) -> None:
    few = train_agents(World.small(), 7000, plan=replace(Plan.small(), steps=2))
    monkeypatch.setattr(shipping, "train_agents", lambda *given, **more: few)
    monkeypatch.setattr(shipping, "twin", partial(twin, count=16))
    folder = shipping.make(tmp_path / "out", 7000)
    told = json.loads((folder / "card.json").read_text())
    assert told["seed"] == 7000 and set(told) == set(shipping.card())
    for name in shipping.TWINS:
        assert {path.name for path in (folder / name).iterdir()} == {
            path.name for path in (shipping.FOLDER / name).iterdir()
        }
        assert load(folder / name).problems  # two steps of training are not enough, and the card says so
        assert told["twins"][name]["problems"]
