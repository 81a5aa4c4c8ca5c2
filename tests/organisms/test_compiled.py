"""Organisms with hand-written weights: what they claim about themselves, checked by plain torch hooks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import pytest
import torch
from tests.organisms.reruns import effects, rerun, share, total

from cutaway.organisms import compiled
from cutaway.organisms.compiled import Organism
from cutaway.organisms.compiled.rotate import random_rotation, rotated
from cutaway.training.transformer import Shape, Transformer

PROGRAMS = [(program, seed) for program in compiled.PROGRAMS for seed in range(3)]
RANDOM = range(40)

build = cache(compiled.compile)
drawn = cache(compiled.random_organism)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the networks are tiny: threads only get in each other's way
    yield
    torch.set_num_threads(before)


def check_solves(organism: Organism, margin: float = 4.0) -> None:
    """Each row gets its right token by a margin over every other."""
    for rows, right in ((organism.prompts, organism.answers), (organism.counterfactuals, organism.instead)):
        with torch.no_grad():
            logits = organism.network(torch.tensor(rows))[:, -1]
        best = logits.topk(2).values
        assert logits.argmax(-1).tolist() == list(right)
        assert (best[:, 0] - best[:, 1]).min() > margin


def check_parts(organism: Organism, baseline: str = "resample") -> None:
    """Used, inert, decoys and noise are what they are called."""
    found = effects(organism, baseline)
    assert 4 < total(organism) < 20
    assert found.keys() == compiled.parts(organism.network)
    for address in organism.used:
        assert share(found[address], organism) >= 0.1, address
    for address in organism.inert:
        assert (found[address] == 0.0).all(), address
    for address in organism.decoys | organism.noise:
        assert found[address].abs().max() <= organism.noise_bound * total(organism), address


@pytest.mark.parametrize(("program", "seed"), PROGRAMS)
def test_a_program_is_solved_on_prompts_and_counterfactuals(program, seed):
    organism = build(program, seed)
    assert len(set(organism.prompts)) >= 32
    check_solves(organism)


@pytest.mark.parametrize("baseline", ["resample", "zero", "counterfactual"])
@pytest.mark.parametrize(("program", "seed"), PROGRAMS)
def test_the_parts_of_a_program_have_the_effects_they_are_declared_with(program, seed, baseline):
    check_parts(build(program, seed), baseline)


@pytest.mark.parametrize("seed", RANDOM)
def test_random_organisms_tell_the_truth(seed):
    organism = drawn(seed)
    check_solves(organism)
    check_parts(organism)


def test_the_check_catches_a_false_claim():
    organism = build("conditional", 0)
    used, idle, noisy = (min(parts) for parts in (organism.used, organism.inert, organism.noise))
    lies = (
        {"used": organism.used - {used} | {idle}, "inert": organism.inert - {idle} | {used}},
        {"used": organism.used - {used}, "noise": organism.noise | {used}},
        {"inert": organism.inert | {noisy}, "noise": organism.noise - {noisy}},
    )
    for lie in lies:
        with pytest.raises(AssertionError):
            check_parts(replace(organism, **lie))


@pytest.mark.parametrize("program", compiled.PROGRAMS)
def test_decoys_are_active_and_vary_with_the_input(program):
    organism, seen = build(program, 0), {}
    rerun(organism.network, organism.reference, {}, seen)
    assert organism.decoys
    for address in organism.decoys:
        assert seen[address].std(0).max() > 0.1, address


def test_some_noise_has_a_true_effect_that_always_pulls_the_same_way():
    organisms = [build(program, seed) for program, seed in PROGRAMS]
    noise = [share(effects(organism, "resample")[a], organism) for organism in organisms for a in organism.noise]
    assert sum(size > 5e-4 for size in noise) >= 10
    assert max(noise) <= 0.004


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    one, same, other = (compiled.compile("quote", seed).network.state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["unembed.weight"][:3, :3], other["unembed.weight"][:3, :3])


def test_a_rotation_of_the_residual_stream_leaves_the_logits_alone():
    for program in compiled.PROGRAMS:
        organism = build(program, 0)
        turned = rotated(organism.network, random_rotation(organism.network.shape.width, seed=1))
        with torch.no_grad():
            before, after = organism.network(organism.reference), turned(organism.reference)
        assert (before - after).abs().max() < 1e-4
        assert (turned.embed.weight - organism.network.embed.weight).abs().max() > 0.1


def test_no_meaning_lies_on_an_axis():
    organism = build("induction", 0)
    directions = torch.nn.functional.normalize(organism.network.unembed.weight, dim=-1)
    assert directions.abs().max() < 0.9


def test_a_rotation_is_orthogonal():
    R = random_rotation(20, seed=0)
    assert torch.allclose(R @ R.T, torch.eye(20, dtype=torch.float64))


def test_a_network_with_a_norm_is_not_rotated():
    shape = Shape(vocab=5, context=4, width=8, layers=1, heads=1, d_head=4, hidden=4)
    with pytest.raises(ValueError, match="norm"):
        rotated(Transformer(shape), random_rotation(8, seed=0))


def test_the_asked_numbers_of_parts_are_there():
    organism = compiled.compile("quote", 1, inert=7, decoys=3, noise=1)
    assert len(organism.inert) >= 7
    assert (len(organism.decoys), len(organism.noise), len(organism.used)) == (3, 1, 1)


def test_used_parts_are_put_in_random_places():
    places = {build("first-token", seed).used for seed in range(3)} | {compiled.compile("first-token", 3).used}
    assert len(places) > 1


def test_random_organisms_differ_in_program_and_size():
    organisms = [drawn(seed) for seed in range(8)]
    assert len({organism.name for organism in organisms}) > 2
    assert len({len(organism.vocabulary) for organism in organisms}) > 2
    assert len({organism.network.shape.layers for organism in organisms}) > 1


def test_an_untrained_network_solves_nothing_and_names_no_part():
    organism = build("pointer", 0)
    control = compiled.untrained(3, organism)
    assert not control.used | control.inert | control.decoys | control.noise
    with torch.no_grad():
        logits = control.network(torch.tensor(control.prompts))[:, -1]
    right = (logits.argmax(-1) == torch.tensor(control.answers)).float().mean()
    assert right < 0.6
    mine, theirs = control.network.blocks[0].attn.query.weight, organism.network.blocks[0].attn.query.weight
    assert 0.2 < mine.std() / theirs.std() < 5


@pytest.mark.parametrize("program", compiled.PROGRAMS)
def test_an_untrained_network_is_about_as_loud_as_the_organism_it_stands_beside(program):
    organism = build(program, 0)
    with torch.no_grad():
        loud, other = (o.network(o.reference).std() for o in (compiled.untrained(1, organism), organism))
    assert 0.1 < loud / other < 10


def test_an_untrained_network_of_a_shape_brings_its_own_rows():
    shape = Shape(vocab=9, context=6, width=8, layers=2, heads=2, d_head=4, hidden=8)
    control = compiled.untrained(0, shape)
    assert control.reference.shape == (64, 6)
    assert all(answer != other for answer, other in zip(control.answers, control.instead))
    assert compiled.untrained(0, shape).prompts == control.prompts != compiled.untrained(1, shape).prompts


def test_every_name_opens_and_a_wrong_one_is_answered_with_the_right_ones():
    assert compiled.names() == compiled.PROGRAMS
    assert compiled.named("quote/1").seed == 1
    assert compiled.named("quote").used == build("quote", 0).used
    for wrong in ("quotes", "quote/x"):
        with pytest.raises(ValueError, match="induction"):
            compiled.named(wrong)
    with pytest.raises(ValueError, match="brackets"):
        compiled.compile("parity", 0)
    with pytest.raises(ValueError, match="negative"):
        compiled.compile("quote", 0, noise=-1)


def test_words_go_to_ids_and_back():
    organism = build("quote", 0)
    tokenizer = compiled.words(organism)
    text = tokenizer.decode(organism.prompts[0])
    assert tokenizer.encode(text) == list(organism.prompts[0])
    assert tokenizer.tokens(organism.prompts[0]) == text.split(" ")
    with pytest.raises(ValueError, match="ant"):
        tokenizer.encode("bee antt")


def wrong(organism: Organism) -> Iterable[tuple[dict, str]]:
    """Changes that make an organism contradict itself, and the word its error must contain."""
    part = next(iter(organism.used))
    yield {"inert": organism.inert | {part}}, "under two"
    yield {"used": frozenset()}, "say of every part"
    yield {"used": organism.used | {"mlp_out.99"}}, "99"
    yield {"answers": organism.answers[1:]}, "answers"
    yield {"instead": organism.answers}, "equals"
    yield {"prompts": ((0,), *organism.prompts[1:])}, "long"
    yield {"reference": organism.reference[:10]}, "at least 64"


def test_an_organism_that_contradicts_itself_is_refused():
    organism = build("fact", 0)
    for change, word in wrong(organism):
        with pytest.raises(ValueError, match=word):
            replace(organism, **change)
