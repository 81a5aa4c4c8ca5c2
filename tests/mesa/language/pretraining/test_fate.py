"""Laws of when a sign dies: it lives while most seeds are beyond all that the control shows, on the side where it began."""

import pytest

from cutaway.mesa.language.pretraining import fate

CONTROL = {0: [0.0, 0.2, 0.1], 10: [0.1, 0.3, -0.1]}


def test_a_sign_that_stays_beyond_never_dies() -> None:
    found = fate({0: [2.0, 2.0, 2.0], 10: [1.0, 0.4, 0.4]}, CONTROL)
    assert found.known and found.dies is None and found.returns is None and found.beyond == {0: 3, 10: 3}


def test_a_sign_dies_where_most_seeds_fall_to_what_the_control_shows_at_any_time() -> None:
    found = fate({0: [2.0, 2.0, 2.0], 10: [1.0, 1.0, 0.2], 30: [1.0, 0.3, 0.25]}, CONTROL)
    assert found.dies == 30 and found.beyond[10] == 2 and found.returns is None


def test_a_sign_that_is_beyond_again_at_the_end_has_returned() -> None:
    seen = {0: [2.0] * 3, 10: [0.0] * 3, 30: [1.0] * 3, 100: [0.0] * 3, 300: [1.0] * 3, 1000: [1.0] * 3}
    found = fate(seen, CONTROL)
    assert found.dies == 10 and found.returns == 300
    assert fate(seen | {1000: [0.0] * 3}, CONTROL).returns is None


def test_a_sign_that_never_told_them_apart_cannot_die() -> None:
    found = fate({0: [0.1, 0.2, 0.3], 10: [5.0, 5.0, 5.0]}, CONTROL)
    assert not found.known and found.dies is None


def test_which_way_a_sign_points_does_not_matter() -> None:
    values = {0: [2.0, 1.0, 2.0], 10: [0.3, 1.0, 0.0]}
    mirrored = [{step: [-value for value in each] for step, each in of.items()} for of in (values, CONTROL)]
    assert fate(values, CONTROL) == fate(*mirrored)
    assert fate({0: [2.0] * 3, 10: [-2.0] * 3}, CONTROL).dies == 10


def test_unequal_numbers_of_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="as many seeds"):
        fate({0: [1.0, 2.0]}, CONTROL)
