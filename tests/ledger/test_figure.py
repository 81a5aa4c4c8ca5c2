"""A figure made from an assumed input says so wherever it is printed, whatever was done to it on the way."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.ledger.figure import Figure, least, shown
from cutaway.ledger.uncertainty import table
from cutaway.runs import Table

GUESS = Figure(3.0, "", "assumed", "guess")
KNOWN = Figure(2.0, "", "measured", "known")
OPERATIONS = {
    "plus": lambda a, b: a + b,
    "minus": lambda a, b: a - b,
    "times": lambda a, b: a * b,
    "over": lambda a, b: a / b,
    "least": lambda a, b: least(a, b),
    "power": lambda a, b: (a * b) ** 1.5,
    "twice": lambda a, b: 2 * (a + b) / 3,
}


@settings(max_examples=60)
@given(st.lists(st.sampled_from(list(OPERATIONS)), min_size=1, max_size=5), st.booleans())
def test_arithmetic_never_loses_the_mark(operations, left):
    found = GUESS
    for name in operations:
        found = OPERATIONS[name](*((found, KNOWN) if left else (KNOWN, found)))
        found = found if found.value > 0 else found + Figure(100.0 - found.value)
    for text in (
        str(found),
        f"{found:.1f}",
        repr(found),
        str([found]),
        str(found.record()),
        json.dumps(found.record()),
    ):
        assert "assumed" in text and "guess" in text
    assert found.provenance == "assumed" and "guess" in str(found.named("renamed") * KNOWN)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(list(OPERATIONS)), min_size=1, max_size=4))
def test_what_nobody_assumed_bears_no_mark(operations):
    found = KNOWN
    for name in operations:
        found = OPERATIONS[name](found, Figure(7.0, "", "declared", "other"))
    assert found.mark == "" and found.provenance == "derived"


def test_the_mark_is_in_tables_too():
    assert "assumed: guess" in str(Table.of([{"ratio": GUESS * KNOWN}]))
    assert all("assumed: guess" in cell for cell in table(GUESS * KNOWN)["at its low end"])


@settings(max_examples=40)
@given(st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.floats(0.5, 2))
def test_a_figure_computed_from_its_own_inputs_is_itself_and_follows_others(a, b, factor):
    x, y = Figure(a, "USD", "declared", "x"), Figure(b, "USD", "declared", "y")
    found = (x + y) / x * 2
    assert found.computed({}) == found.value
    assert found.computed({"y": b * factor}) == pytest.approx((a + b * factor) / a * 2)


def test_units_multiply_cancel_and_convert():
    wage = Figure(52.0, "USD/person-year", "declared", "wage")
    assert str(Figure(1.0, "person-week") * wage) == "1 USD"
    assert (Figure(2.0, "USD") / Figure(4.0, "FLOP")).unit == "USD/FLOP"
    assert Figure(1.0, "kWh").to("J").value == 3.6e6
    assert (Figure(3.0, "h") / Figure(30.0, "min")).value == pytest.approx(6) and (
        Figure(3.0, "h") / Figure(1.0, "s")
    ).unit == ""


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Figure(1, "dollars"), "given the unit 'dollars'; expected"),
        (lambda: Figure(1, "XYZ/h"), "the currency 'XYZ'; expected a code of ISO 4217"),
        (lambda: Figure(1, "USD") + Figure(1, "h"), "given a quantity in 'h'; expected one in 'USD'"),
        (lambda: Figure(float("nan")), "expected a finite number"),
        (lambda: Figure(1, "", "guessed"), "provenance 'guessed'; expected one of measured"),
        (lambda: Figure(1, within=0.5), "expected a factor of 1 or more"),
        (lambda: Figure(2, "USD") ** 2, "expected a pure number"),
        (lambda: (Figure(1, name="a") + Figure(2, name="a")).inputs, "two inputs are named 'a'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_was_expected(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    ("number", "text"),
    [(50_000, "50,000"), (514.65, "515"), (0.381, "0.381"), (7.9e8, "7.9e+08"), (999.9, "1,000"), (0, "0")],
)
def test_numbers_are_written_with_three_figures(number, text):
    assert shown(number) == text
