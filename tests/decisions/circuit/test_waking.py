"""Backups are told apart from parts of which both are at work."""

import pytest
import torch
from tests.decisions.circuit.small import cutter, of_organism, short_of_memory

from cutaway.decisions.circuit.find import Group, find
from cutaway.decisions.circuit.share import shares
from cutaway.decisions.circuit.waking import WOKEN, told_apart, wakes
from cutaway.organisms.compiled import compile_variant


@pytest.mark.parametrize("program", ["quote", "bigram"])
@pytest.mark.parametrize("kind", ["redundant", "backup"])
def test_a_group_is_a_backup_only_where_one_part_stood_by(program, kind):
    organism = compile_variant(program, 7105, kind)
    given = of_organism(organism)
    floor = 0.01 * float(given.effects(1 - given.cuts([[]])).mean().abs())
    found = find(given, shares(given, 3).absolute, floor)
    assert {group.kind for group in told_apart(given, found.groups)} == {kind}


@pytest.mark.parametrize("kind", ["counterfactual", "mean", "zero"])
def test_a_part_that_stood_by_writes_something_new_whatever_takes_the_place_of_the_first(kind):
    woken = {}
    for variant in ("redundant", "backup"):
        organism = compile_variant("quote", 7106, variant)
        given = of_organism(organism, kind)
        parts = {writer.part: writer for writer in given.graph.writers}
        first, second = sorted((parts[name] for name in organism.groups[0].parts), key=lambda part: part.time)
        woken[variant] = wakes(given, first, second)
    assert woken["redundant"] < 1e-3 < WOKEN < woken["backup"] <= 1


@pytest.mark.parametrize("kind", ["counterfactual", "mean", "resample"])
def test_with_little_memory_a_part_wakes_as_with_much_and_it_is_told(kind, monkeypatch):
    organism = compile_variant("quote", 7106, "backup")
    given = of_organism(organism, kind).rows(torch.arange(7))
    parts = {writer.part: writer for writer in given.graph.writers}
    first, second = sorted((parts[name] for name in organism.groups[0].parts), key=lambda part: part.time)
    expected = wakes(given, first, second)
    assert not given.told and expected > WOKEN
    short_of_memory(monkeypatch, given, 2)
    assert wakes(given, first, second) == pytest.approx(expected, rel=1e-5)
    assert given.told[:2] == [f"memory ran out: backups on {count} prompts at a time" for count in (4, 2)]


def test_whole_mlps_among_a_group_are_taken_away_too():
    given = cutter()
    numbers = given.graph.numbers
    group = Group("redundant", (numbers["mlp_out.0 → output"], numbers["mlp_out.1 → output"]), 1.0)
    (told,) = told_apart(given, [group])
    assert told.kind in ("redundant", "backup")
