"""The shipped pair: what is stored is what was made, its small circuit still does what is claimed, and it can be made again."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.command import Command
from tests.dial.small import same

import cutaway as cw
from cutaway.dial.corpora import corpus_named
from cutaway.dial.plan import Plan
from cutaway.dial.pressure import live
from cutaway.dial.prune.findings import Findings
from cutaway.dial.prune.prune import Pruned, Search
from cutaway.dial.shipping import NAMES, Beside, beside, making, shipped
from cutaway.dial.shipping.making import Recipe, make
from cutaway.dial.shipping.networks import FOLDER, packed, read, unpacked
from cutaway.dial.shipping.page import page
from cutaway.dial.store import load
from cutaway.network import OpenError
from cutaway.runs import RunError, Table, open_run
from cutaway.training.loop import held_out_loss


@pytest.fixture(scope="module")
def found() -> Beside:
    return beside(seed=7000, count=128)


def test_what_is_packed_comes_back_and_takes_the_room_of_what_lives() -> None:
    torch.manual_seed(7000)
    dense = torch.randn(6, 8).half().float()
    weights = {"few": torch.where(torch.rand(6, 8) < 0.2, dense, 0.0), "all": dense, "none": torch.zeros(4)}
    small = packed(weights)
    back = unpacked(small, weights)
    assert all(torch.equal(back[name], weight) for name, weight in weights.items())
    assert len(small["few"]) == weights["few"].count_nonzero() and len(small["none"]) == 0
    assert all(tensor.dtype in (torch.float16, torch.int32) for tensor in small.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_network_is_the_one_that_its_record_is_about(name: str) -> None:
    stored = shipped(name)
    loss = held_out_loss(stored.network, corpus_named("tiny").held_out, stored.network.shape.context)
    assert loss == pytest.approx(stored.record.held_out, abs=1e-3)
    assert live(stored.network) == stored.record.live
    assert stored.record.corpus_hash == corpus_named("tiny").hash


def test_the_pair_is_of_equal_loss_and_one_of_it_is_sparse() -> None:
    sparse, dense = (shipped(name).record for name in ("sparse", "dense"))
    assert abs(sparse.held_out - dense.held_out) < 0.01
    assert sparse.alive[0] / sparse.alive[1] < 0.08 and dense.alive[0] == dense.alive[1]


def test_the_sparse_circuit_has_fewer_edges_and_its_claims_hold_on_fresh_examples(found: Beside) -> None:
    sparse, dense = found.numbers.rows()
    assert 0 < sparse["edges"] < 20 and 3 * sparse["edges"] < dense["edges"]
    assert sparse["held"] == sparse["claims"] == sparse["edges"] + 3
    assert sparse["alone"] <= sparse["target"] and sparse["beside"] <= sparse["target"]
    assert not any(side.verified.changed for side in found.sides)


def test_every_edge_of_both_is_on_the_page_and_nothing_comes_from_elsewhere(found: Beside) -> None:
    text = page(found)
    assert len(re.findall('<path class="edge', text)) == sum(side.saved.circuit.size[0] for side in found.sides)
    assert text.count('class="dot"') == found.sides[1].saved.circuit.size[1]
    for row in found.compared.rows():
        assert all(cell in text for cell in row.values())
    assert "`" not in text and "http" not in text and "<script" not in text


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FOLDER / "sparse", tmp_path / "copy"))
    weights = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(RunError, match="SHA-256"):
        read(copy)


def test_a_shipped_network_is_opened_by_name() -> None:
    net = cw.open("shipped:sparse")
    assert net.source == "shipped:sparse" and same(net.module, shipped("sparse").network)
    with pytest.raises(OpenError, match="expected shipped:sparse or shipped:dense"):
        cw.open("shipped:spare")


def test_a_wrong_name_is_one_sentence(command: Command) -> None:
    done = command("dial", "prune", "shipped:spare", "--task", "quote_kind")
    assert done.status == 1 and "expected shipped:sparse or shipped:dense" in done.err


SMALL = {name: Plan(width=16, layers=1, tokens=512, batch=2, pressure=words)
         for name, words in (("sparse", "regrowth=1/8"), ("dense", "dense"))}  # fmt: skip


def told(*edges: int) -> Callable[..., Findings]:
    """Findings with so many edges each time that they are asked for."""
    left = list(edges)

    def findings(pruned, network, task, settings, *_, **__):
        found = Table({"from": ["a"] * (count := left.pop(0)), "to": ["b"] * count, "weight": [1.0] * count})
        none = Table({"node": []})
        return Findings(task.name, 0.1, 0.15, settings.seed, none, none, found, minimal=True)

    return findings


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds of searches, none of which is done."""
    asked: list[int] = []

    def prune(network, task, windows, settings):
        asked.append(settings.seed)
        return Pruned(task.name, 0.1, (Search(settings.seed, None, 0.0),))

    monkeypatch.setattr(making, "prune", prune)
    return asked


RECIPE = Recipe(plans=SMALL, near=1.0, seed=7000, seeds=2)


def test_the_first_seed_with_a_small_circuit_is_shipped_and_what_was_trained_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, searched: list[int]
) -> None:
    monkeypatch.setattr(making, "findings", told(25, 3, 200))
    data = make(tmp_path, RECIPE)
    assert searched == [7000, 7001, 7001]
    for name in NAMES:
        stored, trained = read(data / name), load(tmp_path / "trained" / replace(SMALL[name], seed=7001).name)
        assert same(stored.network, trained.network.half().float()) and torch.equal(stored.windows, trained.windows)
        assert open_run(data / name).info["arguments"]["tried"] == {"7000": 25, "7001": 3}
        assert open_run(data / f"{name}-quote_kind").kind == "circuit"
    monkeypatch.setattr(making, "carried_out", None)
    monkeypatch.setattr(making, "findings", told(25, 2, 200))
    assert open_run(make(tmp_path, RECIPE) / "sparse").info["arguments"]["tried"] == {"7000": 25, "7001": 2}


def test_without_a_small_circuit_or_an_equal_loss_nothing_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, searched: list[int]
) -> None:
    monkeypatch.setattr(making, "findings", told(25, 20))
    with pytest.raises(ValueError, match="expected fewer than 20"):
        make(tmp_path, RECIPE)
    monkeypatch.setattr(making, "findings", told(3, 200))
    with pytest.raises(ValueError, match="other tokens"):
        make(tmp_path, replace(RECIPE, near=0.0))
    assert not (tmp_path / "data").exists()
