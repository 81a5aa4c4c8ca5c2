"""A saved network opens as the same network, and a folder that is not whole says so."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.dial.small import RECIPE, same

import cutaway as cw
from cutaway.dial.corpora import corpus_named
from cutaway.dial.pressure import live
from cutaway.dial.store import Record, Stored, is_network, load, save
from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.runs import RunError

SHAPE = SparseShape(vocab=122, context=24, width=16, layers=1, d_head=4, hidden=24, keep=0.5, attend=3)


@pytest.fixture
def stored() -> Stored:
    """An untrained network with a record."""
    network, corpus = SparseTransformer(SHAPE, 7000).eval(), corpus_named("tiny")
    record = Record(
        corpus="tiny",
        corpus_hash=corpus.hash,
        pressures=("TopK(share=0.5)", "ActivationTopK()"),
        recipe={"steps": 2, "lr": 0.1},
        seed=7000,
        tokens=2 * RECIPE.batch * RECIPE.context,
        losses=(3.5, 1.25),
        held_out=2.5,
        live=live(network),
        executed=2 * 10**9,
        useful=10**9,
        cpu_seconds=0.5,
        report={"ActivationTopK": {"keep": [0.5]}},
    )
    return Stored(network, corpus.tokenizer, record, corpus.sample(8, 24))


def test_what_was_saved_is_loaded(stored: Stored, tmp_path: Path) -> None:
    found = load(save(stored, tmp_path / "net", arguments={"command": "train"}))
    assert same(found.network, stored.network) and found.network.shape == SHAPE and not found.network.training
    assert found.record == stored.record and torch.equal(found.windows, stored.windows)
    assert found.tokenizer.encode("a = 1").ids == stored.tokenizer.encode("a = 1").ids


def test_a_saved_network_opens_by_its_folder_and_computes_the_same(stored: Stored, tmp_path: Path) -> None:
    net = cw.open(save(stored, tmp_path / "net"))
    ids = torch.tensor([stored.tokenizer.encode("for a in b:").ids])
    assert torch.equal(net.module(ids), stored.network(ids))
    assert net.name == "net" and net.reference_ids and max(map(len, net.reference_ids)) <= SHAPE.context
    assert "proved" in str(net)


def test_rows_of_other_lengths_are_computed_together(stored: Stored, tmp_path: Path) -> None:
    """Learned positions once kept stacks of reruns from being computed at all."""
    net = cw.open(save(stored, tmp_path / "net"))
    trace = cw.trace(net, cw.Decision("a = 1", answer=" + ", instead=" - "), draws=2, nulls=0, most=1)
    assert not [note for note in trace.notes if "not stacked" in note]


def test_the_record_says_what_lives_and_what_it_took(stored: Stored) -> None:
    text = str(stored.record)
    alive, of = stored.record.alive
    assert of == sum(w.numel() for name, w in stored.network.named_parameters() if not name.startswith("bigram"))
    assert f"{alive} of {of} parameters" in text and "loss 2.500" in text
    assert "TopK(share=0.5) and ActivationTopK()" in text
    assert "under no pressure" in str(replace(stored.record, pressures=()))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "record.json", "run.json"])
def test_a_folder_without_one_of_its_files_is_refused(name: str, stored: Stored, tmp_path: Path) -> None:
    (save(stored, tmp_path / "net") / name).unlink()
    with pytest.raises(RunError, match=name.replace(".", r"\.")):
        load(tmp_path / "net")


def test_weights_of_another_shape_are_refused(stored: Stored, tmp_path: Path) -> None:
    folder = save(stored, tmp_path / "net")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"hidden": 24', '"hidden": 25'))
    with pytest.raises(ValueError, match="damaged or not of this shape"):
        load(folder)


def test_a_configuration_with_more_than_a_shape_is_refused(stored: Stored, tmp_path: Path) -> None:
    folder = save(stored, tmp_path / "net")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "widht": 3}))
    run = json.loads((folder / "run.json").read_text())
    run["files"] = [file for file in run["files"] if file["name"] != "config.json"]
    (folder / "run.json").write_text(json.dumps(run))
    with pytest.raises(ValueError, match="has widht; expected only attend"):
        load(folder)


def test_a_folder_that_is_taken_is_left_as_it_is(stored: Stored, tmp_path: Path) -> None:
    save(stored, tmp_path / "net")
    with pytest.raises(RunError, match="a run is there already"):
        save(stored, tmp_path / "net")
    save(replace(stored, record=replace(stored.record, seed=7001)), tmp_path / "net", overwrite=True)
    assert load(tmp_path / "net").record.seed == 7001


@pytest.mark.parametrize("config", [None, "{", "[]", '{"format": "another"}'])
def test_another_folder_is_no_network_of_the_dial(config: str | None, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    assert not is_network(tmp_path)
