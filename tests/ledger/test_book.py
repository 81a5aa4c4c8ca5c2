"""A ledger is filtered and summed by columns as it would be entry by entry."""

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.ledger import Entry, Ledger

BASE = Entry("train", "compute", 1, "FLOP", "measured", "flops", "train")
some = st.builds(
    lambda quantity, **fields: replace(BASE, quantity=quantity, **fields),
    quantity=st.floats(0, 1e20),
    phase=st.sampled_from(["train", "trace"]),
    state=st.sampled_from(["done", "failed"]),
    provenance=st.sampled_from(["measured", "declared"]),
    resource=st.sampled_from(["flops", "useful_flops"]),
)


@settings(max_examples=50)
@given(st.lists(some, max_size=20))
def test_a_ledger_is_its_entries(entries):
    ledger = Ledger.from_entries(entries)
    assert ledger.entries == tuple(entries) and len(ledger) == len(entries)
    assert len(ledger.heads) <= len(entries)


@settings(max_examples=50)
@given(st.lists(some, max_size=20))
def test_what_is_chosen_is_what_a_loop_would_choose(entries):
    ledger = Ledger.from_entries(entries)
    assert ledger.where(state="failed").entries == tuple(entry for entry in entries if entry.state == "failed")
    chosen = ledger.where(lambda entry: entry.phase != "train", resource="flops")
    assert chosen.entries == tuple(one for one in entries if one.phase != "train" and one.resource == "flops")


@settings(max_examples=50)
@given(st.lists(some, max_size=20), st.lists(some, max_size=20))
def test_the_total_of_two_ledgers_is_the_sum_of_their_totals(left, right):
    def total(ledger):
        return {row["resource"]: row["quantity"] for row in ledger.totals()}

    one, other = Ledger.from_entries(left), Ledger.from_entries(right)
    both = total(one + other)
    for resource, quantity in both.items():
        assert math.isclose(quantity, total(one).get(resource, 0) + total(other).get(resource, 0), rel_tol=1e-12)
    assert both.keys() == total(one).keys() | total(other).keys()


def test_failed_phases_are_in_the_total_and_can_be_seen_apart():
    ledger = Ledger.from_entries([BASE, replace(BASE, state="failed", quantity=2), replace(BASE, state="aborted")])
    assert ledger.totals().rows()[0]["quantity"] == 4
    assert dict(zip(ledger.totals("state")["state"], ledger.totals("state")["quantity"])) == {
        "done": 1,
        "failed": 2,
        "aborted": 1,
    }


def test_a_total_is_known_as_well_as_the_least_known_of_it_and_keeps_what_was_left_out():
    ledger = Ledger.from_entries([BASE, replace(BASE, provenance="assumed", note="without svd"), BASE])
    (row,) = ledger.totals().rows()
    assert (row["provenance"], row["notes"], row["entries"]) == ("assumed", ["without svd"], 3)


def test_of_peaks_the_highest_counts_and_not_the_sum():
    peaks = [Entry("trace", "compute", size, "B", "measured", "peak_memory_bytes") for size in (5, 9, 7)]
    assert Ledger.from_entries(peaks).totals()["quantity"] == [9]


def test_quantities_of_different_units_are_never_in_one_row():
    ledger = Ledger.from_entries([BASE, replace(BASE, unit="USD"), replace(BASE, unit="EUR")])
    assert sorted(ledger.totals("phase")["unit"]) == ["EUR", "FLOP", "USD"]


def test_an_empty_ledger_has_no_totals():
    assert Ledger().totals("phase").rows() == [] and Ledger().entries == () and Ledger().said == ""
