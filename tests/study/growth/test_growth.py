"""A small study: every network trained and taken apart once, resumed for nothing, its lines read by the fits."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.study.growth.made import CONTEXT, VOCAB, asked, decoder, text

from cutaway.ledger import read
from cutaway.study.cost.scaling import growth as scaled
from cutaway.study.growth import Grown, Search, Setting, Size, StudyError, grow, networks
from cutaway.study.growth import member as members
from cutaway.study.growth.masked import Parts
from cutaway.study.growth.show import budget, printed
from cutaway.study.growth.transfer import anyhow, matched
from cutaway.training.loop import TrainingDivergedError

SMALL = Setting(
    sizes=(Size(8, 1), Size(16, 1)),
    seeds=(1, 2),
    vocab=VOCAB,
    context=CONTEXT,
    tokens_per_parameter=6.0,
    batch=8,
    rates=(1e-2, 3e-2),
    penalties=(10.0, 40.0),
    search=Search(decisions=16, kl=0.02, most=0.5, reference=32, steps=(0, 4), halves=1),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Grown]]:
    """The folder of a study on made text, and what it found."""
    home = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(networks, "text", lambda vocab: text())
        patched.setattr("cutaway.study.growth.growth.text", lambda vocab: text())
        yield home, grow(SMALL, home)


def test_a_study_has_a_row_a_network_and_resumes_for_nothing(
    study: tuple[Path, Grown], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, found = study
    assert [row["network"] for row in found.networks] == ["8x1-1", "8x1-2", "16x1-1", "16x1-2"]
    assert {row["rate"] for row in found.tuning} <= set(SMALL.rates) and len(found.applied) == 4
    monkeypatch.setattr(members, "trained", None)  # whatever trains again fails
    monkeypatch.setattr(networks, "trained", None)
    assert grow(SMALL, home) == found
    before = (home / "at-30.jsonl").read_text()
    with pytest.raises(StudyError, match=r"tokens_per_parameter 6\.0 → 7\.0"):
        grow(replace(SMALL, tokens_per_parameter=7.0), home)
    assert (home / "at-30.jsonl").read_text() == before
    assert "corrected for how many there are" in printed(found)


def test_a_network_whose_training_diverges_is_left_out_and_said_and_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = networks.one_step

    def step(network: Any, optimiser: Any, batch: Any, recipe: Any, number: int, *others: Any) -> float:
        if (network.shape.width, recipe.seed, number) == (8, 2, 1):
            raise TrainingDivergedError("the loss is nan")
        return real(network, optimiser, batch, recipe, number, *others)

    monkeypatch.setattr(networks, "text", lambda vocab: text())
    monkeypatch.setattr("cutaway.study.growth.growth.text", lambda vocab: text())
    monkeypatch.setattr(networks, "one_step", step)
    found = grow(SMALL, tmp_path)
    assert found.diverged == ("8x1-2",) and len(found.networks) == 3 and len(found.applied) == 2
    assert "diverged: 8x1-2" in printed(found)
    (failed,) = [entry for entry in read(tmp_path / "ledger.jsonl").entries if entry.state == "failed"]
    whole = found.networks[0]["training_flops"]
    assert failed.quantity == 2 * whole / SMALL.steps(SMALL.sizes[0]) and failed.purpose == "train"


def test_what_a_study_takes_beside_its_networks_is_booked_once(study: tuple[Path, Grown]) -> None:
    home, found = study
    before = read(home / "ledger.jsonl").entries
    grow(SMALL, home)
    assert read(home / "ledger.jsonl").entries == before
    spent = {purpose: [e for e in before if e.purpose == purpose] for purpose in ("train", "discover", "apply")}
    assert sum(e.quantity for e in spent["train"]) == sum(row["training_flops"] for row in found.tuning)
    carried = [row for row in found.applied if "held" in row]
    assert carried and len(spent["apply"]) == len(carried)
    assert sum(e.quantity for e in spent["apply"]) == sum(row["matching"] + row["checking"] for row in carried)
    assert sum("controls" in e.phase for e in spent["discover"]) == sum(bool(row["controls"]) for row in found.networks)


def test_each_network_keeps_its_training_and_its_understanding_in_a_ledger(study: tuple[Path, Grown]) -> None:
    home, found = study
    for row in found.networks:
        booked = read(home / row["network"] / "ledger.jsonl").where(resource="flops")
        spent = {purpose: booked.where(purpose=purpose).totals().rows() for purpose in ("train", "discover")}
        assert spent["train"][0]["quantity"] == row["training_flops"]
        seconds = read(home / row["network"] / "ledger.jsonl").where(resource="cpu_s")
        assert {one.purpose for one in seconds.entries} == {"train", "discover"}
        assert sum(one["quantity"] for one in spent["discover"]) == row["curve"][-1]["flops"]
    rows = [json.loads(line) for line in (home / "at-30.jsonl").read_text().splitlines()]
    assert [row["network"] for row in rows] == [row["network"] for row in found.networks]
    assert len(scaled([home / "at-30.jsonl"]).networks) == len(rows)


def test_operations_of_training_are_about_six_a_parameter_and_token(study: tuple[Path, Grown]) -> None:
    for row in study[1].networks:
        tokens = SMALL.steps(Size.of(row["size"])) * SMALL.batch * SMALL.context
        assert 3 < row["training_flops"] / row["parameters"] / tokens < 7, "tables of tokens are looked up"


def test_parts_of_a_network_are_matched_to_themselves_and_to_where_they_were_moved() -> None:
    net, moved = decoder(), decoder()
    drawn, (first, _) = asked(net)
    parts = Parts.of(net, drawn)
    assert matched(net, net, parts, first).tolist() == list(range(parts.count))
    turn = torch.arange(15, -1, -1)
    with torch.no_grad():
        block = moved.module.blocks[1]
        block.mlp.up.weight.copy_(block.mlp.up.weight[turn])
        block.mlp.down.weight.copy_(block.mlp.down.weight[:, turn])
    places = matched(net, moved, parts, first)
    start = parts.names.index("mlp_act.1[neuron=0]")
    assert (places[start : start + 16] - start).tolist() == turn.tolist()
    assert sorted(anyhow(parts, 0).tolist()) == list(range(parts.count))


def test_sizes_and_settings_that_cannot_be_are_refused() -> None:
    assert str(Size.of("64x2")) == "64x2" and "CPU-hours" in budget(SMALL)
    for wrong in ("64", "x2", "12x2", "16x0"):
        with pytest.raises(ValueError, match="expected"):
            Size.of(wrong)
    with pytest.raises(ValueError, match="tuning seed"):
        Setting(seeds=(7001,))
    for one in ({"tokens_per_parameter": -1.0}, {"tokens_per_parameter": float("nan")}, {"trial": 2.0}, {"seeds": ()}):
        with pytest.raises(ValueError, match="expected"):
            Setting(**one)
    assert "CPU-hours" in budget(Setting(sizes=(Size(10**6, 100),))), "nothing of that size is built"
    with pytest.raises(ValueError, match="ends at"):
        Setting(shares=(0.9,))
