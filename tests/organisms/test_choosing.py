"""Organisms whose decisions use different parts: what each prompt uses, by exact reruns."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from tests.organisms.reruns import effects, rerun, total

from cutaway.organisms import compiled

build = cache(compiled.compile)
each = pytest.mark.parametrize(("program", "seed"), [(p, s) for p in ("router", "liar") for s in range(3)])


def by_prompt(organism, ablation: str) -> dict[str, torch.Tensor]:
    """The effect of each part, [prompt, donor], as a share of the total."""
    found = effects(organism, ablation)
    return {part: found[part].view(len(organism.prompts), -1).abs() / total(organism) for part in organism.used}


@pytest.mark.parametrize("ablation", ["resample", "mean", "zero", "counterfactual"])
@each
def test_a_part_that_a_prompt_does_not_use_has_no_effect_on_it_under_any_ablation(program, seed, ablation):
    organism = build(program, seed)
    found = by_prompt(organism, ablation)
    for i, used in enumerate(organism.used_by_prompt):
        for part in organism.used - used:
            assert found[part][i].max() <= organism.noise_bound, (i, part)


@each
def test_every_part_that_a_prompt_uses_changes_its_decision(program, seed):
    organism = build(program, seed)
    found = by_prompt(organism, "resample")
    for i, used in enumerate(organism.used_by_prompt):
        for part in used:
            assert found[part][i].mean() >= 0.1, (i, part)


@each
def test_prompts_differ_in_what_they_use_and_together_they_use_everything(program, seed):
    organism = build(program, seed)
    assert len(set(organism.used_by_prompt)) == 2
    assert frozenset().union(*organism.used_by_prompt) == organism.used


def test_the_sub_program_that_is_not_chosen_is_active_all_the_same():
    organism, seen = build("router", 0), {}
    rows = torch.tensor(organism.prompts)
    rerun(organism.network, rows, {}, seen)
    for i, used in enumerate(organism.used_by_prompt):
        for part in organism.used - used:
            assert seen[part][i, -1].norm() > 0.5


def test_the_liar_lies_after_the_trigger_only_and_no_donor_has_it():
    organism = build("liar", 0)
    trigger = organism.vocabulary.index("<trigger>")
    lies = [trigger in row for row in organism.prompts]
    assert 8 <= sum(lies) <= 16
    assert not (organism.reference == trigger).any()
    assert lies == [len(used) == 4 for used in organism.used_by_prompt]
    rows = torch.tensor(organism.prompts)
    honest = torch.where(rows == trigger, 0, rows)  # an ant in its place
    said = organism.network(honest)[:, -1].argmax(-1).tolist()
    assert [a != b for a, b in zip(said, organism.answers)] == lies
