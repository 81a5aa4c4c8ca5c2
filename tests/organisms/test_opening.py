"""Organisms by name: every one opens, reads its own words, and an unknown one offers near names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import cutaway as cw
from cutaway.network import AddressError, OpenError, TextFeed
from cutaway.organisms.code_model import load_code_model
from cutaway.organisms.compiled import PROGRAMS, compile, named
from cutaway.organisms.opening import open_compiled, open_organism, organism_abouts, organism_names, sample_texts
from cutaway.submodels import catalogue, donors
from cutaway.training.export import save


def test_the_names_are_the_shipped_networks_the_toys_and_every_program() -> None:
    twins = tuple(f"{world}-{name}" for world in ("agents", "code") for name in ("harmful", "harmless", "decoy"))
    assert organism_names() == ("code", "reader", *twins, "superposition", "modular", *PROGRAMS)
    assert tuple(organism_abouts()) == organism_names()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_opens_and_answers_its_prompts_in_words(name: str) -> None:
    net, organism = open_organism(name), named(name)
    assert net.name == organism.name
    assert isinstance(net.feed, TextFeed)
    prompts = [net.feed.tokenizer.decode(prompt) for prompt in organism.prompts]
    logits = net(prompts)[:, -1]
    assert logits.argmax(-1).tolist() == list(organism.answers)


def test_its_donors_are_rows_of_its_own_reference() -> None:
    organism = compile("induction", 0)
    net = open_compiled(organism)
    found = donors(net, net.batch(list(organism.prompts)), 16)
    rows = {tuple(row) for row in organism.reference.tolist()}
    assert found.ids is not None
    assert found.rows == 16
    assert all(tuple(row) in rows for row in found.ids.tolist())


def test_a_seed_opens_another_network_of_the_same_program() -> None:
    first, other = open_organism("quote"), open_organism("quote/3")
    shapes = [[tuple(p.shape) for p in net.module.parameters()] for net in (first, other)]
    assert shapes[0] != shapes[1] or not all(
        torch.equal(a, b) for a, b in zip(first.module.parameters(), other.module.parameters())
    )
    assert other.name == compile("quote", 3).name


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("inducton", "induction"),
        ("brakets", "brackets"),
        ("cod", "code"),
        ("facts/2", "fact"),
        ("agents-harmles", "agents-harmless"),
    ],
)
def test_an_unknown_name_offers_near_ones(name: str, near: str) -> None:
    with pytest.raises(OpenError, match=rf"there is no organism '{name}'; did you mean .*{near}"):
        open_organism(name)


@pytest.mark.parametrize("name", ["code/3", "zzzz", "quote/x", "quote/-1"])
def test_a_name_that_is_near_to_nothing_or_has_no_number_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(OpenError, match="no organism") as error:
        open_organism(name)
    assert "did you mean ?" not in str(error.value)


def test_the_catalogue_of_a_program_counts_its_parts() -> None:
    organism = named("fact")
    shape = organism.network.shape
    table = catalogue(open_compiled(organism))
    assert len(table) == shape.layers * (shape.heads + 1)
    assert set(table["submodel"]) == organism.used | organism.inert | organism.decoys | organism.noise


def test_the_sample_of_texts_is_long_enough_to_draw_from() -> None:
    texts = sample_texts()
    assert len(texts) > 20
    assert all(isinstance(text, str) and text.strip() for text in texts)
    assert sum(map(len, texts)) > 50_000


def test_the_code_model_opens_with_its_tokenizer_and_reference() -> None:
    net = open_organism("code")
    assert isinstance(net.feed, TextFeed)
    found = donors(net, net.batch("x = 'abc"), 4)
    assert found.positions == net.batch("x = 'abc").positions


def test_places_can_be_named_for_a_folder_of_ours_too(tmp_path: Path) -> None:
    shipped = load_code_model()
    folder = save(shipped.network, shipped.tokenizer, tmp_path / "mine")
    assert cw.open(folder).declared == shipped.network.sites
    net = cw.open(folder, sites={"mlp_out": "blocks.{layer}.mlp:out"})
    assert [str(site) for site in net.sites("mlp_out.*")] == [f"mlp_out.{layer}" for layer in range(4)]
    assert not net.sites("z.*")
    with pytest.raises(AddressError, match=r"'no.where.{layer}:in', names no module"):
        cw.open(folder, sites={"z": "no.where.{layer}:in"}).sites("z.*")
