"""What is asked of compiled programs: sets that are called right carry the decisions, and nothing else does."""

from __future__ import annotations

import pytest

from cutaway.concepts.match import match
from cutaway.concepts.match.trials import Trials, several
from cutaway.organisms.compiled import compile, untrained
from cutaway.organisms.compiled.questions import carriers, questions
from cutaway.organisms.opening import open_compiled


@pytest.mark.parametrize("name", ["induction", "liar"])
def test_every_right_set_turns_all_decisions_both_ways_and_no_unused_part_turns_one(name: str) -> None:
    organism = compile(name, 7000)
    asked = questions(organism)
    right, trials = carriers(organism, asked), Trials.of(open_compiled(organism), asked.decisions["val"])
    assert trials.shown.all()
    assert right and all(one <= organism.used for one in right)
    for some in right:  # of decisions that had no part in finding it
        assert trials.flips([several(sorted(some))]).all() and trials.turned.flips([several(sorted(some))]).all()
    unused = [several([part]) for part in sorted(organism.inert | organism.decoys | organism.noise)]
    assert not trials.flips(unused).any()


def test_either_part_of_a_chain_is_right_and_no_set_holds_another() -> None:
    organism = compile("fact", 7000)
    right = carriers(organism, questions(organism))
    assert {part for one in right for part in one} == organism.used and all(len(one) == 1 for one in right)
    chain = compile("conditional", 7000)
    sets = carriers(chain, questions(chain))
    assert len(sets) > 1 and not any(one < other for one in sets for other in sets)


def test_an_untrained_network_is_asked_the_same_and_nothing_is_present() -> None:
    organism = compile("fact", 7000)
    asked = questions(organism)
    nothing = untrained(7000, like=organism)
    assert carriers(nothing, asked) == ()
    assert match(open_compiled(nothing), asked, ("heads", "mlps")).verdict != "present"


def test_decisions_are_fresh_differ_between_splits_and_depend_on_the_seed_alone() -> None:
    organism = compile("quote", 7000)
    asked, again, other = questions(organism), questions(organism), questions(organism, seed=1)
    assert asked == again and asked != other
    prompts = [row["prompt"] for rows in asked.decisions.values() for row in rows]
    assert len(set(prompts)) == len(prompts) == 3 * 24
