"""Groups of parts in which single knock-outs mislead, checked by exact reruns under every ablation."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from tests.organisms.reruns import effects, joint, rerun, share, total

from cutaway.organisms import compiled
from cutaway.organisms.compiled.organism import Group
from cutaway.organisms.compiled.variants import KINDS, compile_variant

PROGRAMS = ("previous-token", "induction", "bigram", "majority", "router")
ABLATIONS = ("counterfactual", "resample", "mean", "zero")
each = pytest.mark.parametrize(("program", "kind"), [(program, kind) for program in PROGRAMS for kind in KINDS])

build = cache(compile_variant)


@pytest.mark.parametrize("ablation", ABLATIONS)
@each
def test_a_group_behaves_as_it_is_named(program, kind, ablation):
    organism = build(program, 1, kind)
    (group,) = organism.groups
    alone = [joint(organism, [part], ablation).abs() / total(organism) for part in group.parts]
    together = joint(organism, group.parts, ablation).abs() / total(organism)
    assert group.kind == kind
    if kind == "cancelling":
        assert min(effect.mean() for effect in alone) > 0.25
        assert together.max() < 0.005
    else:
        assert max(effect.max() for effect in alone) < 0.005
        assert together.mean() > 0.25


@each
def test_a_variant_solves_its_program(program, kind):
    organism = build(program, 1, kind)
    for rows, right in ((organism.prompts, organism.answers), (organism.counterfactuals, organism.instead)):
        assert organism.network(torch.tensor(rows))[:, -1].argmax(-1).tolist() == list(right)


@each
def test_the_parts_outside_the_group_are_what_they_are_called(program, kind):
    organism = build(program, 1, kind)
    found = effects(organism, "resample")
    for address in organism.used - set(organism.groups[0].parts):
        assert share(found[address], organism) >= 0.1, address
    for address in organism.inert:
        assert (found[address] == 0).all(), address
    for address in organism.decoys | organism.noise:
        assert found[address].abs().max() <= organism.noise_bound * total(organism), address


def test_a_backup_is_silent_until_the_first_is_gone():
    organism = build("majority", 1, "backup")
    first, second = organism.groups[0].parts
    rows, seen, alone = torch.tensor(organism.prompts), {}, {}
    rerun(organism.network, rows, {}, seen)
    rerun(organism.network, rows, {first: torch.zeros_like(seen[first])}, alone)
    assert seen[second][:, -1].norm(dim=-1).max() < 0.01
    assert alone[second][:, -1].norm(dim=-1).min() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_no_meaning_lies_on_an_axis_of_a_variant(kind):
    directions = torch.nn.functional.normalize(build("induction", 1, kind).network.unembed.weight, dim=-1)
    assert directions.abs().max() < 0.9


def test_the_same_seed_gives_the_same_variant_and_a_kind_its_own():
    one, same = (compile_variant("quote", 5, "backup").network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert len({compile_variant("quote", 5, kind).used for kind in KINDS}) > 1
    assert compile_variant("quote", 5, "backup").name == "backup quote"


def test_an_untrained_twin_has_no_groups():
    control = compiled.untrained(0, build("router", 1, "backup"))
    assert not control.groups
    assert not control.used_by_prompt


def test_what_cannot_be_compiled_is_refused():
    with pytest.raises(ValueError, match="redundant, backup, cancelling"):
        compile_variant("quote", 0, "spare")
    with pytest.raises(ValueError, match="induction"):
        compile_variant("quotes", 0, "backup")
    organism = build("bigram", 1, "backup")
    with pytest.raises(ValueError, match="not as used"):
        replace(organism, groups=(Group("backup", ("z.0[head=0]", "z.9[head=0]")),))
    with pytest.raises(ValueError, match="32 prompts"):
        replace(organism, used_by_prompt=(organism.used,))
