"""Laws of places where one thing gives way to another: a crossing is between two signs, a flip between two answers."""

from __future__ import annotations

from math import inf

import pytest

from cutaway.mesa.reference.crossing import Flip, crossings, flips, there_and_back
from cutaway.mesa.reference.end_to_end import Between


def test_a_straight_line_crosses_where_it_is_zero_and_nowhere_else():
    places = [0.0, 1.0, 2.0, 5.0]
    assert crossings(places, [2 * place - 3 for place in places]) == pytest.approx((1.5,))
    assert crossings(places, [3 - 2 * place for place in places]) == pytest.approx((1.5,))
    assert crossings(places, [1.0, 2.0, 3.0, 4.0]) == ()


def test_a_zero_at_a_place_is_crossed_once():
    assert crossings([0.0, 1.0, 2.0], [-1.0, 0.0, 1.0]) == pytest.approx((1.0,))


def test_each_change_of_a_label_is_a_flip_and_its_way_is_told():
    assert flips([0.0, 1.0, 2.0, inf], [False, True, False, True]) == (
        Flip(0.0, 1.0, True),
        Flip(1.0, 2.0, False),
        Flip(2.0, inf, True),
    )
    assert flips([0.0, 1.0], [True, True]) == ()
    assert Flip(0.0, 1.0, True).middle == 0.5


def test_only_what_begins_and_ends_as_no_went_there_and_back():
    assert there_and_back([False, True, True, False])
    for said in ([False, False], [False, True], [True, False], [True, True]):
        assert not there_and_back(said)


def test_leaning_is_to_the_nearer_of_the_two_and_never_to_a_lookup_that_is_not_there():
    assert Between(0.1, 0.1, ridge=0.4, lookup=0.1).leaning > 0 > Between(0.1, 0.1, ridge=0.1, lookup=0.4).leaning
    assert Between(0.1, 0.1, ridge=0.2, lookup=0.2).leaning == 0
    assert Between(0.1, 0.1, ridge=0.1, lookup=None).leaning == -inf


def test_places_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="the places rising"):
        crossings([1.0, 1.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="expected as many"):
        flips([1.0, 2.0], [True])
