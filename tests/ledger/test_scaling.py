"""Planted exponents come back, bounds are not dropped, and what is no power law, or too little, is called so."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress, t

from cutaway.ledger.scaling import Point, Power, Refused, bootstrap, by_size, extrapolate, fits, holm, table
from cutaway.ledger.scaling.censored import NotFitted, fit

X = 10 ** np.linspace(5, 7.5, 8)


def points(exponent=1.0, seed=7000, noise=0.1, sizes=X, cap=math.inf, form=np.log):
    """One network a size; costs above `cap` are not reached."""
    log = exponent * form(sizes) + noise * np.random.default_rng(seed).standard_normal(len(sizes))
    return [Point(float(x), float(np.exp(min(y, cap))), bool(y < cap)) for x, y in zip(sizes, log)]


def only(given_points, **options):
    """The fit of one candidate."""
    (found,) = fits({"cost": given_points}, **options)
    return found


@settings(max_examples=20, deadline=None)
@given(st.floats(-1, 3), st.integers(0, 1000))
def test_the_interval_under_equal_noise_is_students(exponent, seed):
    power = Power(by_size(points(exponent, seed)))
    said = linregress(power.sizes.x, power.sizes.y)
    half = t.ppf(0.975, len(X) - 2) * said.stderr
    found = power.likely()
    assert (found.low, found.high) == pytest.approx((said.slope - half, said.slope + half), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 100), st.floats(0.1, 100), st.integers(0, 1000))
def test_units_of_cost_and_size_do_not_move_the_exponent(times, scaled, seed):
    one = Power(by_size(points(seed=seed, cap=16.5)))
    other = Power(by_size([Point(p.x * scaled, p.y * times, p.reached) for p in points(seed=seed, cap=16.5)]))
    assert other.exponent == pytest.approx(one.exponent, abs=1e-5)
    assert other.interval().high == pytest.approx(one.interval().high, abs=1e-4)


def test_a_bound_that_the_line_passes_far_above_says_nothing():
    x = np.column_stack([np.ones(8), np.log(X)])
    y = np.array([math.log(p.y) for p in points()])
    low = np.append(y, -50.0)
    free = fit(x, y, np.ones(8, bool))
    bounded = fit(np.vstack([x, [1, 15]]), low, np.append(np.ones(8, bool), False))
    assert bounded.coefficients == pytest.approx(free.coefficients, abs=1e-6) and bounded.sigma == pytest.approx(
        free.sigma
    )


def test_dropping_what_was_not_reached_bends_the_exponent_down_and_bounds_bring_it_back():
    kept, dropped = [], []
    for seed in range(7000, 7100):
        found = points(1.0, seed, 0.7, 10 ** np.linspace(5, 7.5, 10), cap=15.0)
        kept.append(Power(by_size(found)).exponent)
        dropped.append(Power(by_size([p for p in found if p.reached])).exponent)
    assert abs(np.mean(kept) - 1) < 0.06 < 0.1 < 1 - np.mean(dropped)


def test_a_size_counts_once_and_its_median_is_known_while_most_of_its_seeds_are():
    def median(*costs):
        bounded = [Point(5, abs(cost), cost > 0) for cost in costs]
        sizes = by_size([*bounded, Point(9, 1, False), Point(9, 1)])
        return round(float(np.exp(sizes.y[0])), 6), bool(sizes.reached[0])

    assert median(1, 2, -7) == (2, True)
    assert median(1, -7, -7) == (7, False)
    assert median(1, -2, 3) == (2, False)
    assert median(-1, 2, 3) == (2, False)
    assert by_size([Point(5, 2), Point(5, 8)]).y.tolist() == pytest.approx([math.log(4)])


@pytest.mark.parametrize(("exponent", "word"), [(0.5, "sublinear"), (1.0, "linear"), (1.5, "superlinear")])
def test_a_planted_exponent_with_little_noise_has_its_word(exponent, word):
    assert only(points(exponent, noise=0.05)).verdict == word


def test_an_exponential_and_a_start_up_cost_are_no_power_law():
    assert only(points(2e-7, form=lambda x: x)).verdict == "not a power law"
    started = [Point(p.x, p.y + 2e6, True) for p in points(1.0, noise=0.05)]
    assert only(started).verdict == "not a power law"


def test_four_noisy_sizes_are_undecided_whatever_they_say():
    words = {only(points(2.0, seed, 1.0, X[::2])).verdict for seed in range(7000, 7050)}
    assert words == {"undecided"} and "expected at least 6" in only(points(sizes=X[::2])).why


def test_much_noise_and_a_small_range_are_undecided():
    assert only(points(noise=2.0)).verdict == "undecided"
    assert "over a factor" in only(points(sizes=np.linspace(1e5, 2e5, 8))).why


def test_every_candidate_is_shown_and_more_of_them_make_a_finding_rarer():
    alone = only(points(0.93, 7003, 0.1))
    noise = {f"{seed}": points(1.0, seed, 0.5) for seed in range(7000, 7030)}
    (among, *others) = fits({"cost": points(0.93, 7003, 0.1), **noise})
    assert alone.p_linear < 0.05 < among.p_linear and alone.verdict == "sublinear" != among.verdict
    assert len(others) == 30 and len(table([among, *others])) == 31


def test_the_exponent_of_a_ratio_is_held_against_zero():
    assert only(points(-0.5, noise=0.05), linear_at={"cost": 0.0}).verdict == "sublinear"
    assert only(points(0.0, noise=0.05), linear_at={"cost": 0.0}).verdict in ("linear", "undecided")


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holms_p_values_are_never_smaller_and_keep_the_order(given_values):
    found = holm(given_values)
    assert all(new >= old for new, old in zip(found, given_values)) and all(p <= 1 for p in found)
    order = np.argsort(given_values, kind="stable")
    assert np.all(np.diff(np.array(found)[order]) >= 0) if given_values else found == []


def test_holm_of_a_worked_case():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_a_bootstrap_is_seeded_and_near_the_other_interval():
    for given_points in (points(noise=0.3), points(noise=0.3, cap=15.5)):
        power = Power(by_size(given_points))
        one, again = bootstrap(power, 7000), bootstrap(power, 7000)
        assert one == again != bootstrap(power, 7001)
        assert 0.4 < one.width / power.interval().width < 2.5 and power.exponent in one


def test_an_extrapolation_has_an_interval_that_grows_or_is_refused():
    found = only(points(noise=0.1))
    near, far = extrapolate(found, 1e6), extrapolate(found, 3e8)
    assert near.low < near.value < near.high and far.high / far.low > near.high / near.low
    assert "[" in str(far) and "beyond what was measured" in str(far)
    with pytest.raises(Refused, match="at most 10 times beyond"):
        extrapolate(found, 1e9)
    with pytest.raises(Refused, match="not a power law"):
        extrapolate(only(points(2e-7, form=lambda x: x)), 1e6)
    with pytest.raises(Refused, match="no fit to extrapolate: 4 sizes"):
        extrapolate(only(points(sizes=X[::2])), 1e6)


def test_points_without_a_logarithm_and_too_few_points_are_refused():
    with pytest.raises(ValueError, match="expected x and y above 0"):
        by_size([Point(1, 0)])
    with pytest.raises(NotFitted, match="expected at least 3"):
        _ = Power(by_size(points(sizes=X[:2]))).line


def test_an_exact_line_beside_a_bound_is_undecided_and_says_why() -> None:
    points = [Point(10.0**n, 2 * 10.0 ** (0.5 * n), n < 7, str(n)) for n in range(8)]
    (found,) = fits({"cost": points})
    assert found.verdict == "undecided" and "on a line exactly" in found.why
