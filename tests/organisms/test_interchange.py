"""Networks trained edge by edge: their program holds, their check refuses what it should, their passes are exact."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from cutaway.decisions.circuit.circuit import circuit
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.graph.graph import graph
from cutaway.organisms import open_compiled
from cutaway.organisms.compiled.truth import decision
from cutaway.organisms.interchange import (
    PROGRAMS,
    NotImplementedByNetworkError,
    Trained,
    accepted,
    check,
    checksum,
    train,
    train_interchange,
    trained_network,
    untrained_start,
)
from cutaway.organisms.interchange.exchange import Exchanger
from cutaway.organisms.interchange.forward import Edges, run
from cutaway.organisms.interchange.programs import program_named
from cutaway.runs import RunError
from cutaway.submodels import baseline

STEPS = 400


@cache
def trained() -> Trained:
    """Long enough for this program."""
    return few(train("induction", 7000, steps=STEPS))


def few(whole: Trained, prompts: int = 12) -> Trained:
    """The same with its first prompts only."""
    columns = ("prompts", "answers", "instead", "counterfactuals")
    some = {name: getattr(whole.organism, name)[:prompts] for name in columns}
    return replace(whole, organism=replace(whole.organism, **some))


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# programs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_with_every_link_cut_answers_as_on_the_other_row(name):
    program = program_named(name)
    rows, others = program.sample(200, drawn(0)), program.sample(200, drawn(1))
    everything = torch.ones(200, len(program.links), dtype=torch.bool)
    assert torch.equal(program.answers(rows, others, everything), program.answers(others))
    assert torch.equal(program.answers(rows, others, ~everything), program.answers(rows))
    assert not torch.equal(program.answers(rows), program.answers(others))


@pytest.mark.parametrize("name", PROGRAMS)
def test_in_a_decision_every_link_that_is_said_to_matter_matters_and_no_other(name):
    program = program_named(name)
    rows, others = program.decisions(64, drawn())
    assert len({tuple(row) for row in rows.tolist()}) == 64
    changes = []
    for link in torch.eye(len(program.links), dtype=torch.bool):
        cut = link.expand(len(rows), -1)
        changes.append(program.answers(rows, others, cut) != program.answers(rows))
    assert torch.equal(torch.stack(changes, 1), program.used(rows))


def test_programs_answer_what_they_say():
    """By hand: a row of each and its answer."""
    induction, router, relation = (program_named(name) for name in ("induction", "router", "relation"))
    assert induction.answers(torch.tensor([[2, 5, 0, 3, 1, 4, 0]])).tolist() == [3]
    assert router.answers(torch.tensor([[4, 3, 0, 2, 1], [5, 3, 0, 2, 1]])).tolist() == [3, 0]
    assert relation.answers(torch.tensor([[0, 2, 0, 3, 0]])).tolist() == [(3 + 3) % 4]
    assert program_named("hops").answers(torch.tensor([[0, 2, 1, 1, 2, 0, 0]])).tolist() == [0]
    assert program_named("majority").answers(torch.tensor([[0, 0, 1, 2, 2], [1, 0, 1, 2, 2]])).tolist() == [3, 4]


def test_an_unknown_program_names_those_there_are():
    with pytest.raises(ValueError, match="induction, hops"):
        train("sort")
    with pytest.raises(ValueError, match="none or rms"):
        train("hops", norm="layer")


# cuts -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["none", "rms"])
def test_edges_have_the_names_and_numbers_of_the_graph_and_cuts_the_values_of_the_cutter(norm):
    organism = untrained_start("hops", 7000, norm, "edges").organism
    net, asked = open_compiled(organism), decision(organism)
    posed = asked.pose(net)
    found = graph(net, posed.batch)
    edges = Edges(organism.network.shape)
    assert edges.names == tuple(found.name(edge) for edge in range(len(found)))

    values = baseline(net, posed.batch, found.sites, "counterfactual", counterfactual=asked.counterfactual)
    cuts = torch.rand(6, len(edges), generator=drawn())
    cuts[:3] = cuts[:3].round()
    expected = Cutter(net, posed, found, values).decide(cuts)
    rows, others = torch.tensor(organism.prompts), torch.tensor(organism.counterfactuals)
    each = torch.arange(len(rows))
    with torch.no_grad():
        written = run(organism.network, others).written
        for cut, wanted in zip(cuts, expected):
            logits = run(organism.network, rows, written, cut.expand(len(rows), -1)).logits
            mine = logits[each, list(organism.answers)] - logits[each, list(organism.instead)]
            torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=1e-4)
        assert expected.std(0).mean() > 1e-4  # the cuts differ


def test_exchanging_parts_cuts_all_edges_of_a_part_or_none():
    edges = Edges(untrained_start("induction", 7000, "none", "parts").network.shape)
    strength = Exchanger(edges, (0, 5), "parts").draw(200, drawn())
    for writer in edges.writers:
        mine = strength[:, edges.out_of(writer)]
        assert torch.equal(mine.amin(1), mine.amax(1))
        assert 0 < float(mine.mean()) < 1


def test_exchanging_edges_cuts_links_alone_together_and_not_at_all():
    edges = Edges(untrained_start("induction", 7000, "none", "edges").network.shape)
    exchanger = Exchanger(edges, (3, 40, 100), "edges")
    strength = exchanger.draw(2000, drawn())
    assert set(exchanger.cut(strength).sum(1).tolist()) == {0, 1, 2, 3}
    others = strength[:, list(exchanger.others)]
    counts = (others == 1).sum(1)
    assert {0, 1, len(exchanger.others)} <= set(counts.tolist())
    assert bool(((others > 0) & (others < 1)).any())


# what was trained ---------------------------------------------------------------------------------------------------------


def test_a_network_trained_edge_by_edge_passes_its_check_and_has_the_programs_circuit():
    found = check(trained(), pairs=128)
    assert found.accepted, found.problems
    assert found.truth.edges == frozenset(trained().links)
    assert len(found.truth.edges) == 5
    assert found.truth.ablation == "counterfactual"
    organism = accepted(trained(), found)
    assert organism.used == {part for name, part in trained().places.items() if name != "embed"}
    assert organism.noise_bound == found.noise < 0.05


def test_the_circuit_that_is_found_in_it_is_its_program():
    organism = trained().organism
    net, asked = open_compiled(organism), decision(organism)
    posed = asked.pose(net)
    found = graph(net, posed.batch)
    values = baseline(net, posed.batch, found.sites, "counterfactual", counterfactual=asked.counterfactual)
    assert circuit(Cutter(net, posed, found, values), steps=()).names == frozenset(trained().links)


@pytest.mark.parametrize("damage", ["a true edge turned off", "a false edge turned on"])
@torch.no_grad()
def test_the_check_refuses_a_network_whose_weights_were_changed(damage):
    broken = replaced(trained())
    found, before = (int(trained().places[name].split("=")[1][:-1]) for name in ("found", "before"))
    weights = broken.network.state_dict()  # shares its memory
    mine = slice(8 * found, 8 * found + 8)
    if damage == "a true edge turned off":
        weights["blocks.1.attn.query.weight"][mine] = 0
    else:  # the second head also takes what the first one wrote for a value
        out = weights["blocks.0.attn.out.weight"][:, 8 * before : 8 * before + 8]
        weights["blocks.1.attn.value.weight"][mine] += torch.linalg.pinv(out)
    judged = check(broken, pairs=64)
    assert not judged.accepted
    with pytest.raises(NotImplementedByNetworkError, match="does not implement its program"):
        accepted(broken, judged)


def replaced(sound: Trained) -> Trained:
    """The same with weights of its own."""
    start = few(untrained_start("induction", 7000, "none", "edges"))
    start.network.load_state_dict(sound.network.state_dict())
    return start


def test_the_check_refuses_a_network_before_training():
    found = check(few(untrained_start("induction", 7000, "rms", "edges")), pairs=64)
    assert not found.accepted
    assert found.task < 0.6
    assert "of exchanges" in found.problems[0]


def test_too_few_steps_are_refused_and_not_handed_out(monkeypatch):
    monkeypatch.setattr("cutaway.organisms.interchange.training.PROMPTS", 12)
    with pytest.raises(NotImplementedByNetworkError, match="train it longer or take another seed"):
        train_interchange("majority", 7000, steps=3)


def test_the_same_seed_trains_the_same_network_and_the_error_falls():
    first, again, other = (train("majority", seed, steps=12) for seed in (7000, 7000, 7001))
    assert checksum(first) == checksum(again) != checksum(other)
    errors = [train("majority", 7000, steps=steps).loss for steps in (1, 60)]
    assert all(later < earlier for earlier, later in pairwise(errors))


def test_a_network_is_kept_read_again_and_refused_when_its_file_is_damaged(tmp_path: Path):
    first = trained_network("majority", 7000, "none", "edges", 3, tmp_path)
    (path,) = tmp_path.iterdir()
    stamp = (path / "weights.safetensors").stat().st_mtime_ns
    again = trained_network("majority", 7000, "none", "edges", 3, tmp_path)
    assert (path / "weights.safetensors").stat().st_mtime_ns == stamp
    assert checksum(again) == checksum(first)
    assert again.loss == first.loss < float("inf")
    trained_network("majority", 7001, "none", "edges", 3, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    weights = bytearray((path / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (path / "weights.safetensors").write_bytes(bytes(weights))
    with pytest.raises(RunError, match="SHA-256"):
        trained_network("majority", 7000, "none", "edges", 3, tmp_path)
