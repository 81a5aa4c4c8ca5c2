"""The figures that others named come out to the digit, and each adjustment shows what it was given."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.ledger import Entry, Ledger, adjust
from cutaway.ledger.estimate import Estimate, imagenet, spent
from cutaway.ledger.figure import Figure
from cutaway.ledger.reference import EXPONENTS, LINES, exponents, lines

TWO = Figure(2, "", "assumed", "researchers, at most")
SEARCH = Figure(2, "", "assumed", "hyperparameters")
DATA = Figure(10, "", "assumed", "data")
FASTER = Figure(2, "", "assumed", "implementation")
SALARY = Figure(250_000, "USD/person-year", "declared", "salary")
TRAINED = Entry("train", "compute", 100, "FLOP", "measured", "flops", "train")


def all_of_them() -> Estimate:
    """The estimate with the three adjustments of its author."""
    searched = adjust.hyperparameter_search(adjust.researcher_time_at_most(imagenet(), TWO), SEARCH)
    return adjust.data_collection(searched, DATA)


def test_ten_person_years_over_fifty_dollars_is_50000():
    assert imagenet().ratio.value == 50_000 and str(imagenet().ratio).startswith("50,000×")


def test_all_adjustments_leave_1250_and_an_unoptimised_implementation_625():
    assert all_of_them().ratio.value == 1_250
    assert adjust.unoptimised(all_of_them(), FASTER).ratio.value == 625


@pytest.mark.parametrize(("weeks", "ratio"), [(1, 515), (4, 130), (26, 20)])
def test_a_builder_week_turns_50000_into_515(weeks, ratio):
    time = Figure(weeks, "person-week", "declared", "building")
    found = adjust.researcher_time(imagenet(), time, SALARY).ratio
    assert round(found.value) == ratio and str(found).startswith(f"{ratio}×")


def test_the_reference_lines_are_what_their_arithmetic_gives():
    assert [line.ratio for line in LINES] == [
        100,
        adjust.unoptimised(all_of_them(), FASTER).ratio.value,
        all_of_them().ratio.value,
        imagenet().ratio.value,
    ]
    assert all("Alignment Forum" in line.source for line in LINES) and lines()["ratio"][3] == "50,000×"


def test_the_exponents_are_exact():
    assert EXPONENTS[0].value == Fraction(8, 5) and float(EXPONENTS[0].value) == 1.6
    assert [f"{float(one.value):.2f}" for one in EXPONENTS] == ["1.60", "1.37", "1.52", "2.00", "1.95", "1.67"]
    assert EXPONENTS[-1].value == Fraction(5, 3) and EXPONENTS[-1].value < EXPONENTS[3].value == 2
    assert exponents()["exponent of compute if understanding ~ N"][0] == 0.625


def test_each_adjustment_shows_its_input_and_the_ratio_after_it():
    shown = all_of_them().table().rows()
    assert [row["adjustment"] for row in shown] == [
        "researcher time, at most",
        "hyperparameter search",
        "data collection",
    ]
    assert [row["input"] for row in shown] == ["2× (assumed)", "2× (assumed)", "10× (assumed)"]
    assert [row["ratio"].split("×")[0] for row in shown] == ["25,000", "12,500", "1,250"]
    assert "assumed: price of understanding, researchers, at most, hyperparameters, data" in shown[-1]["ratio"]


def test_the_cap_on_researcher_time_binds_only_above_it():
    little, much = (Figure(dollars, "USD", "declared", "builder") for dollars in (25, 5_000))
    assert adjust.researcher_time_at_most(imagenet(), TWO, little).training.value == 75
    assert adjust.researcher_time_at_most(imagenet(), TWO, much).training.value == 100


def test_a_hyperparameter_search_is_the_sum_of_all_trainings_with_the_failed_ones():
    ledger = Ledger.from_entries([TRAINED, replace(TRAINED, state="failed"), replace(TRAINED, state="aborted")])
    once = Estimate(Figure(1000, "FLOP", "measured", "understanding"), Figure(100, "FLOP", "measured", "last training"))
    found = adjust.hyperparameter_search(once, spent(ledger, "flops", "train"))
    assert (found.training.value, found.ratio.value, found.ratio.mark) == (300, 1000 / 300, "")


def test_a_sum_of_trainings_below_one_training_is_refused():
    with pytest.raises(ValueError, match="expected at least the one that was kept"):
        adjust.hyperparameter_search(imagenet(), Figure(20, "USD", "measured", "all trainings"))


def test_a_shared_discovery_costs_each_network_its_share_and_the_application():
    many, use = Figure(1000, "models", "assumed", "models"), Figure(500, "USD", "declared", "application")
    assert adjust.amortised(imagenet(), many).ratio.value == 50
    assert adjust.amortised(imagenet(), many, use).ratio.value == 60
    assert adjust.amortised(imagenet(), Figure(1)).ratio.value == 50_000


@pytest.mark.parametrize("models", [Figure(0.5), Figure(3, "USD")])
def test_a_discovery_is_shared_by_at_least_one_network(models):
    with pytest.raises(ValueError, match="expected 1 or more"):
        adjust.amortised(imagenet(), models)


@settings(max_examples=30)
@given(st.permutations([0, 1, 2]))
def test_factors_commute(order):
    steps = [
        lambda one: adjust.hyperparameter_search(one, SEARCH),
        lambda one: adjust.data_collection(one, DATA),
        lambda one: adjust.unoptimised(one, FASTER),
    ]
    found = imagenet()
    for place in order:
        found = steps[place](found)
    assert found.ratio.value == 50_000 / 40


def test_money_of_two_currencies_does_not_add_up():
    with pytest.raises(ValueError, match=r"given a quantity in 'EUR'; expected one in 'USD'.*try a declared rate"):
        adjust.data_collection(imagenet(), Figure(5, "EUR", "declared", "labels"))
    rate = Figure(1.1, "USD/EUR", "declared", "rate")
    euros = Figure(50 / 1.1, "EUR", "declared", "labels")
    assert adjust.data_collection(imagenet(), euros * rate).training.value == pytest.approx(100)


def test_what_was_spent_keeps_what_was_not_counted_and_how_it_is_known():
    ledger = Ledger.from_entries([TRAINED, replace(TRAINED, note="a lower bound without svd", provenance="declared")])
    found = spent(ledger, "flops", "train")
    assert (found.value, found.provenance, str(found)) == (200, "declared", "200 FLOP (a lower bound without svd)")


@pytest.mark.parametrize(
    ("resource", "said"), [("cpu_s", "found no entries"), ("peak_memory_bytes", "does not add up")]
)
def test_what_is_not_there_or_does_not_add_up_is_refused(resource, said):
    with pytest.raises(ValueError, match=said):
        spent(Ledger.from_entries([TRAINED]), resource, "train")
