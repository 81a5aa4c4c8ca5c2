"""The true circuit of an organism: its edges, its gap, and what its single cuts cannot see."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from tests.organisms.reruns import effects

from cutaway.organisms import compiled
from cutaway.organisms.compiled import Organism
from cutaway.organisms.compiled.truth import Truth, truth
from cutaway.organisms.compiled.variants import compile_variant

BARE = {"inert": 0, "decoys": 0, "noise": 0}
EDGES = {
    "first-token": 2,
    "previous-token": 2,
    "quote": 2,
    "induction": 4,
    "bigram": 2,
    "fact": 3,
    "conditional": 5,
    "pointer": 4,
    "majority": 3,
    "brackets": 5,
    "reverse": 5,
    "sort": 3,
    "count": 3,
    "histogram": 3,
    "router": 8,
    "liar": 8,
}


def few(organism: Organism, prompts: int = 12) -> Organism:
    """The same with its first prompts only."""
    columns = ("prompts", "answers", "instead", "counterfactuals", "used_by_prompt")
    return replace(organism, **{name: getattr(organism, name)[:prompts] for name in columns})


@cache
def known(program: str, distracted: bool = False, ablation: str = "counterfactual") -> Truth:
    return truth(few(compiled.compile(program, 0, **({} if distracted else BARE))), ablation)


def edges(organism: Organism, *pairs: str) -> set[str]:
    """Edges between the used parts, numbered in the order in which they run."""
    order = sorted(organism.used, key=lambda part: (int(part.split(".")[1].split("[")[0]), part.startswith("mlp")))
    found = set()
    for pair in pairs:
        writer, reader, *through = pair.split()
        reads = "output" if reader == "output" else "/".join([order[int(reader)], *through])
        found.add(f"{writer if writer == 'embed' else order[int(writer)]} → {reads}")
    return found


@pytest.mark.parametrize("program", compiled.PROGRAMS)
def test_used_edges_are_few_far_from_the_rest_and_enough(program):
    found = known(program)
    assert len(found.edges) == EDGES[program]
    assert found.largest_unused < 1e-6
    assert found.smallest_used > 0.4
    assert found.complement < 1e-6
    assert not found.redundant


@pytest.mark.parametrize("program", ["quote", "fact", "histogram", "brackets"])
def test_distractors_add_no_true_edge_but_close_the_gap(program):
    found = known(program, distracted=True)
    assert len(found.edges) == EDGES[program]
    assert 1e-5 < found.largest_unused < 0.005
    assert found.complement < found.floor
    assert found.smallest_used > 0.9


@pytest.mark.parametrize(
    ("program", "pairs"),
    [
        ("induction", ("embed 0 v", "0 1 k", "embed 1 v", "1 output")),
        ("pointer", ("embed 0 v", "0 1 mlp", "1 2 q", "2 output")),
        ("bigram", ("embed 0 mlp", "0 output")),
        ("sort", ("embed 0 k", "embed 0 v", "0 output")),
        ("reverse", ("embed 0 k", "0 1 mlp", "1 2 q", "embed 2 v", "2 output")),
    ],
)
def test_the_edges_are_those_that_the_program_was_written_with(program, pairs):
    assert known(program).edges == edges(compiled.compile(program, 0, **BARE), *pairs)


def test_another_ablation_gives_another_truth_and_says_so():
    """A pointer's counterfactual changes no word, so only other inputs show that the words are read."""
    matched, resampled = (known("pointer", ablation=ablation) for ablation in ("counterfactual", "resample"))
    assert matched.edges < resampled.edges
    assert "counterfactual" in matched.inputs
    assert "8 rows of its reference" in resampled.inputs
    assert resampled.effects.keys() == matched.effects.keys()
    assert all(len(effect) == 8 * 12 for effect in resampled.effects.values())


def test_cutting_the_only_edge_of_a_part_is_taking_the_part_away():
    organism = compiled.compile("first-token", 0)
    (part,) = organism.used
    by_hand = -effects(organism, "counterfactual")[part].double()
    assert torch.allclose(truth(organism).effects[f"{part} → output"], by_hand, atol=1e-4)


def test_single_cuts_miss_redundant_parts_and_the_joint_cut_says_so():
    organism = few(compile_variant("quote", 0, "redundant"))
    found = truth(organism)
    assert not [edge for edge in found.edges if any(part in edge for part in organism.groups[0].parts)]
    assert found.redundant
    assert found.complement > 0.5


def test_a_backup_is_missed_though_the_link_from_the_first_to_its_reader_is_seen():
    """Cut alone, that link leaves the first's word to the second, which stays silent."""
    organism = few(compile_variant("quote", 0, "backup"))
    found, (first, second) = truth(organism), organism.groups[0].parts
    assert [edge for edge in found.edges if first in edge] == [edge for edge in found.edges if edge.startswith(first)]
    assert not [edge for edge in found.edges if second in edge]
    assert found.redundant


def test_cancelling_parts_are_true_edges_and_the_rest_is_idle():
    organism = few(compile_variant("quote", 0, "cancelling"))
    found = truth(organism)
    for part in organism.groups[0].parts:
        assert f"{part} → output" in found.edges
    assert not found.redundant


def test_a_truth_prints_its_gap():
    assert "2 of" in repr(known("quote"))
    assert "counterfactual" in repr(known("quote"))
