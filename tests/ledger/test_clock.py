"""The stopwatch: one at a time, what runs survives, what is stopped is booked once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cutaway.ledger import read
from cutaway.ledger.clock import CLOCK, ClockError, running_in, start, stop


def test_the_hours_between_start_and_stop_are_booked_as_a_persons_time(tmp_path):
    start(tmp_path, "reading", submodel="mlp_out.3", now=1000.0, module="blocks.3.mlp")
    entry = stop(tmp_path, now=1000.0 + 5400)
    assert read(tmp_path / "ledger.jsonl").entries == (entry,)
    assert (entry.phase, entry.kind, entry.quantity, entry.unit) == ("reading", "person", 1.5, "person-hour")
    assert (entry.purpose, entry.provenance, entry.submodel, entry.module) == (
        "discover",
        "declared",
        "mlp_out.3",
        "blocks.3.mlp",
    )
    assert running_in(tmp_path) is None


def test_a_second_start_is_refused_and_the_first_goes_on(tmp_path):
    first = start(tmp_path, "reading", now=1000.0)
    with pytest.raises(ClockError, match="has run for reading since 1970-01-01"):
        start(tmp_path, "writing", now=2000.0)
    assert running_in(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == [CLOCK]


def test_a_stop_without_a_start_is_refused(tmp_path):
    with pytest.raises(ClockError, match="no clock runs"):
        stop(tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_activity_than_the_one_that_runs_is_not_stopped(tmp_path):
    start(tmp_path, "reading")
    with pytest.raises(ClockError, match="runs for 'reading'"):
        stop(tmp_path, "writing")
    assert running_in(tmp_path) is not None


def test_a_stop_that_was_killed_after_it_booked_books_no_second_time(tmp_path):
    start(tmp_path, "reading", now=1000.0)
    kept = (tmp_path / CLOCK).read_text()
    first = stop(tmp_path, now=4600.0)
    (tmp_path / CLOCK).write_text(kept)
    assert stop(tmp_path, now=9000.0) == first
    assert len(read(tmp_path / "ledger.jsonl")) == 1
    assert running_in(tmp_path) is None


def test_time_that_runs_backwards_is_refused_and_nothing_booked(tmp_path):
    start(tmp_path, "reading", now=5000.0)
    with pytest.raises(ClockError, match="set back"):
        stop(tmp_path, now=1000.0)
    assert not (tmp_path / "ledger.jsonl").exists()


def test_a_clock_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / CLOCK).write_text('{"activity"')
    with pytest.raises(ClockError, match="is no clock"):
        stop(tmp_path)


def test_a_folder_that_is_not_there_has_no_clock(tmp_path):
    with pytest.raises(ClockError, match="no such folder"):
        start(tmp_path / "gone", "reading")


def test_of_two_stops_at_once_one_books(tmp_path: Path) -> None:
    for turn in range(20):
        start(tmp_path, "reading", now=1000.0 + turn)
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(stop, tmp_path, now=2000.0 + turn) for _ in range(2)]
        errors = [one.exception() for one in both if one.exception() is not None]
        assert len(errors) == 1 and isinstance(errors[0], ClockError)
    assert len(read(tmp_path / "ledger.jsonl").entries) == 20
