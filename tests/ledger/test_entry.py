"""An entry says what was consumed in words and units that are known, and says no when they are not."""

import numpy as np
import pytest

from cutaway.ledger import Cost, Entry, entries_of
from cutaway.ledger.units import UnitError, powers

FIRST = Entry("train", "compute", 6e11, "FLOP", "measured", "flops", seed=0, versions={"torch": "2.13.0"})


@pytest.mark.parametrize("quantity", [float("nan"), float("inf"), 10**400, -1, -1e-9])
def test_a_quantity_is_finite_and_not_negative(quantity):
    with pytest.raises(ValueError, match=r"entry train/flops was given .*expected a finite quantity, 0 or more.*try"):
        Entry("train", "compute", quantity, "FLOP", "measured", "flops")


@pytest.mark.parametrize("quantity", ["3", None, True])
def test_a_quantity_is_a_number(quantity):
    with pytest.raises(ValueError, match="expected a number"):
        Entry("train", "compute", quantity, "FLOP", "measured")


@pytest.mark.parametrize(
    ("kind", "unit", "said"),
    [
        ("person", "hours", "expected one of person-hour, .*a currency"),
        ("person", "person-houre", "try 'person-hour'"),
        ("compute", "flop", "try 'FLOP'"),
        ("energy", "FLOP", "expected one of J, Wh, kWh"),
        ("api", "", "expected one of calls, tokens"),
        ("person", "USX", "the currency 'USX'; expected a code of ISO 4217.*try 'USD'"),
        ("person", "$", "the currency '.'; expected a code of ISO 4217.*try 'USD'"),
        ("person", "BTC", "the currency 'BTC'; expected a code of ISO 4217"),
    ],
)
def test_an_unknown_unit_or_currency_is_named_with_what_was_expected(kind, unit, said):
    with pytest.raises(ValueError, match=said):
        Entry("reading", kind, 1, unit, "declared")


@pytest.mark.parametrize("kind", ["compute", "person", "data", "api", "energy"])
def test_money_goes_with_every_kind(kind):
    assert Entry("reading", kind, 2.5, "EUR", "declared").resource == "EUR"


@pytest.mark.parametrize(
    "field", [{"kind": "flops"}, {"provenance": "guessed"}, {"purpose": "understand"}, {"state": "ok"}, {"module": 3}]
)
def test_a_word_that_is_not_known_is_an_error_with_those_that_are(field):
    given = {"phase": "train", "kind": "compute", "quantity": 1, "unit": "FLOP", "provenance": "measured", **field}
    with pytest.raises(ValueError, match=f"given .*{next(iter(field))}.*expected"):
        Entry(**given)


def test_a_cost_becomes_one_entry_for_each_known_quantity():
    cost = Cost("trace", 100, {"aten._linalg_svd": 1}, 3, 0.5, 0.9, 1000, 0)
    entries = {entry.resource: entry for entry in entries_of(cost, seed=7, purpose="discover", module="mlp.1")}
    assert set(entries) == {"flops", "forwards", "wall_s", "cpu_s", "peak_memory_bytes"}
    assert entries["flops"].note == "not counted: aten._linalg_svd ×1" and entries["wall_s"].note == ""
    assert (entries["wall_s"].quantity, entries["wall_s"].unit, entries["wall_s"].seed) == (0.5, "s", 7)
    assert {(entry.kind, entry.provenance, entry.purpose, entry.module) for entry in entries.values()} == {
        ("compute", "measured", "discover", "mlp.1")
    }
    uncounted = Cost("trace", None, {}, 3, 0.5, 0.9, 1000, 0)
    assert "flops" not in {entry.resource for entry in entries_of(uncounted)}


def test_numbers_of_numpy_are_numbers_and_units_have_whole_powers():
    one, two = (Entry("train", "compute", value, "FLOP", "measured") for value in (np.int64(3), np.float32(0.5)))
    assert (one.quantity, two.quantity, type(one.quantity)) == (3.0, 0.5, float)
    with pytest.raises(UnitError, match="whole number after"):
        powers("USD^x")
