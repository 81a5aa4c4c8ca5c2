"""The ledger is a file of lines that is only appended to and survives a killed writer."""

import json

import pytest

from cutaway.ledger import Cost, Entry, LedgerError, append, entries_of, read

FIRST = Entry("train", "flops", 6e11, "FLOP", "measured", seed=0, versions={"torch": "2.13.0"})
SECOND = Entry("trace", "wall_s", 1.5, "s", "measured")


def test_entries_are_read_in_the_order_they_were_appended(tmp_path):
    append(tmp_path / "ledger.jsonl", FIRST)
    append(tmp_path / "ledger.jsonl", SECOND)
    ledger = read(tmp_path / "ledger.jsonl")
    assert (ledger.entries, ledger.skipped) == ((FIRST, SECOND), ())


def test_appending_changes_no_earlier_byte(tmp_path):
    path = tmp_path / "ledger.jsonl"
    append(path, FIRST)
    before = path.read_bytes()
    append(path, SECOND)
    assert path.read_bytes().startswith(before) and path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_half_written_last_line_is_skipped_reported_and_not_joined_to_the_next(tmp_path, cut):
    path = tmp_path / "ledger.jsonl"
    append(path, FIRST)
    whole = path.read_bytes()
    half = whole.rstrip(b"\n")[:cut]
    path.write_bytes(whole + half)
    assert read(path).skipped == ((2, half.decode()),)
    append(path, SECOND)
    ledger = read(path)
    assert ledger.entries == (FIRST, SECOND)
    assert ledger.skipped == ((2, half.decode()),)


def test_a_last_line_that_lacks_only_its_end_is_whole(tmp_path):
    path = tmp_path / "ledger.jsonl"
    append(path, FIRST)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    append(path, SECOND)
    assert read(path).entries == (FIRST, SECOND) and read(path).skipped == ()


def test_text_with_line_separators_stays_on_one_line(tmp_path):
    entry = Entry("a\nb\u2028c\x85d\x0ce", "flops", 1, "FLOP", "declared by the user")
    append(tmp_path / "ledger.jsonl", entry)
    assert read(tmp_path / "ledger.jsonl").entries == (entry,)


@pytest.mark.parametrize("value", [[], {"phase": "train"}, {**vars(FIRST), "extra": 1}])
def test_a_whole_line_that_is_no_entry_is_an_error_with_its_number(tmp_path, value):
    append(tmp_path / "ledger.jsonl", FIRST)
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write(json.dumps(value) + "\n")
    with pytest.raises(LedgerError, match=r"line 2: found .*expected an entry with"):
        read(tmp_path / "ledger.jsonl")


@pytest.mark.parametrize("quantity", [float("nan"), float("inf")])
def test_a_quantity_is_finite(quantity):
    with pytest.raises(ValueError, match="finite"):
        Entry("train", "flops", quantity, "FLOP", "measured")


def test_a_cost_becomes_one_entry_for_each_known_quantity():
    cost = Cost("trace", 100, {"aten._linalg_svd": 1}, 3, 0.5, 0.9, 1000, 0)
    entries = {entry.kind: entry for entry in entries_of(cost, seed=7)}
    assert set(entries) == {"flops", "forwards", "wall_s", "cpu_s", "peak_memory_bytes"}
    assert entries["flops"].provenance == "measured, a lower bound without aten._linalg_svd"
    assert (entries["wall_s"].quantity, entries["wall_s"].unit, entries["wall_s"].seed) == (0.5, "s", 7)
    uncounted = Cost("trace", None, {}, 3, 0.5, 0.9, 1000, 0)
    assert "flops" not in {entry.kind for entry in entries_of(uncounted)}
