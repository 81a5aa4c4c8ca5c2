"""The ledger is a file of lines that is only appended to, by several processes at once, and survives a killed writer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.ledger import Entry, LedgerError, append, read
from cutaway.ledger.file import line

FIRST = Entry("train", "compute", 6e11, "FLOP", "measured", "flops", "train", seed=0, versions={"torch": "2.13.0"})
SECOND = Entry("trace", "compute", 1.5, "s", "measured", "wall_s", state="failed", note="killed")
EARLIER = {"phase": "train", "kind": "flops", "quantity": 3, "unit": "FLOP", "seed": 0, "versions": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder."""
    return tmp_path_factory.mktemp("run")


words = st.text(max_size=12)
entries = st.builds(
    Entry,
    phase=words,
    kind=st.just("person"),
    quantity=st.floats(0, 1e300) | st.integers(0, 2**53),
    unit=st.sampled_from(["person-hour", "EUR"]),
    provenance=st.sampled_from(["measured", "derived", "declared", "assumed"]),
    resource=words,
    purpose=st.sampled_from([None, "train", "discover", "apply"]),
    state=st.sampled_from(["done", "failed", "aborted"]),
    module=words,
    submodel=words,
    note=words | st.just('}, "quantity": 7}'),
    seed=st.none() | st.integers(0, 9),
    versions=st.dictionaries(words, words, max_size=2),
)


@settings(max_examples=60)
@given(st.lists(entries, max_size=8))
def test_entries_are_read_as_they_were_appended(folder, given_entries):
    path = folder / "ledger.jsonl"
    path.write_bytes(b"")
    for entry in given_entries:
        append(path, entry)
    assert (read(path).entries, read(path).said) == (tuple(given_entries), "")
    assert path.read_bytes() == "".join(map(line, given_entries)).encode()


def test_several_entries_are_one_write_and_none_is_no_file(tmp_path):
    append(tmp_path / "ledger.jsonl")
    assert not (tmp_path / "ledger.jsonl").exists()
    append(tmp_path / "ledger.jsonl", FIRST, SECOND, FIRST)
    assert read(tmp_path / "ledger.jsonl").entries == (FIRST, SECOND, FIRST)


def test_a_half_written_last_line_is_skipped_said_and_not_joined_to_the_next_wherever_it_was_cut(tmp_path):
    path, whole, torn = tmp_path / "ledger.jsonl", line(FIRST).encode(), line(SECOND).encode()
    for cut in range(1, len(torn) - 1):
        path.write_bytes(whole + torn[:cut])
        assert (read(path).entries, read(path).skipped) == ((FIRST,), ((2, torn[:cut].decode()),))
        append(path, SECOND)
        ledger = read(path)
        assert (ledger.entries, ledger.skipped) == ((FIRST, SECOND), ((2, torn[:cut].decode()),))
    assert ledger.said.startswith('1 line skipped, the first is line 2, \'{"phase": "trace"')


def test_a_torn_line_with_a_head_that_was_seen_is_not_taken_for_a_smaller_quantity(tmp_path):
    path = tmp_path / "ledger.jsonl"
    whole = line(Entry("train", "compute", 123456, "FLOP", "measured")).encode()
    path.write_bytes(whole + whole[:-4])
    append(path, FIRST)
    assert [entry.quantity for entry in read(path).entries] == [123456, 6e11] and len(read(path).skipped) == 1


def test_a_last_line_that_lacks_only_its_end_is_whole(tmp_path):
    path = tmp_path / "ledger.jsonl"
    append(path, FIRST)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    append(path, SECOND)
    assert read(path).entries == (FIRST, SECOND) and read(path).skipped == ()


@pytest.mark.parametrize("value", [[], {"phase": "train"}, {**json.loads(line(FIRST)), "extra": 1}])
def test_a_whole_line_that_is_no_entry_is_an_error_with_its_number(tmp_path, value):
    append(tmp_path / "ledger.jsonl", FIRST)
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write(json.dumps(value) + "\n")
    with pytest.raises(LedgerError, match=r"line 2: found .*expected an entry with"):
        read(tmp_path / "ledger.jsonl")


@pytest.mark.parametrize("quantity", ["-1", "NaN", "1e999", "true", '"3"', '1, "more": 2'])
def test_a_quantity_that_no_entry_has_is_refused_also_where_the_head_was_seen(tmp_path, quantity):
    path = tmp_path / "ledger.jsonl"
    append(path, FIRST)
    path.write_text(path.read_text() + path.read_text().replace("600000000000.0", quantity))
    with pytest.raises(LedgerError, match=r"line 2: .*expected"):
        read(path)


@pytest.mark.parametrize("quantity", ["1, 2", "", "0x1", "1_0", "01", "1}"])
def test_a_line_that_is_not_json_is_skipped_and_said_also_where_the_head_was_seen(tmp_path, quantity):
    path = tmp_path / "ledger.jsonl"
    append(path, FIRST)
    path.write_text(path.read_text() + path.read_text().replace("600000000000.0", quantity))
    assert read(path).entries == (FIRST,) and "line 2" in read(path).said


@pytest.mark.parametrize(
    ("said", "known", "note"),
    [
        ("measured", "measured", ""),
        ("measured, a lower bound without aten._linalg_svd", "measured", "a lower bound without aten._linalg_svd"),
        ("declared by the user", "declared", ""),
        ("estimated", "assumed", ""),
        ("from memory", "assumed", "from memory"),
    ],
)
def test_a_ledger_of_an_earlier_version_is_read_as_entries_of_today(tmp_path, said, known, note):
    (tmp_path / "ledger.jsonl").write_text(json.dumps({**EARLIER, "provenance": said}) + "\n")
    append(tmp_path / "ledger.jsonl", SECOND)
    old, new = read(tmp_path / "ledger.jsonl").entries
    assert (old.kind, old.resource, old.provenance, old.note, new) == ("compute", "flops", known, note, SECOND)


def driver(program: str, path: Path, *arguments: int) -> str:
    """What a program, with `path` and the arguments in its argv, prints."""
    given_arguments = [sys.executable, "-c", program, str(path), *map(str, arguments)]
    done = subprocess.run(given_arguments, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


KILLED = """
import os, random, signal, sys, time
from cutaway.ledger import Entry, append
path, kills = sys.argv[1], int(sys.argv[2])
draw, counts = random.Random(7000), []
for kill in range(kills):
    back, out = os.pipe()
    child = os.fork()
    if child == 0:
        while True:
            entry = Entry("train", "compute", 1, "FLOP", "measured", seed=kill, note="x" * draw.randrange(200_000))
            append(path, entry)
            os.write(out, b".")
    os.close(out)
    known = sum(len(os.read(back, 1)) for _ in range(draw.randrange(1, 6)))
    time.sleep(draw.uniform(0, 0.002))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    counts.append(known + len(os.read(back, 1 << 20)))
    os.close(back)
print(*counts)
"""


def test_a_killed_writer_loses_at_most_the_entry_in_flight(tmp_path):
    path, kills = tmp_path / "ledger.jsonl", 50
    path.touch()
    written = list(map(int, driver(KILLED, path, kills).split()))
    ledger = read(path)
    assert min(written) > 0 and len(ledger.skipped) <= kills
    for kill, count in enumerate(written):
        assert count <= len(ledger.where(seed=kill)) <= count + 1
    assert all(text.startswith('{"phase": "train"') for _, text in ledger.skipped)


TOGETHER = """
import os, sys
from cutaway.ledger import Entry, append
path, writers, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for writer in range(writers):
    if os.fork() == 0:
        for number in range(each):
            append(path, Entry("train", "compute", number, "FLOP", "measured", seed=writer, note="x" * (writer * 5000)))
        os._exit(0)
for writer in range(writers):
    os.wait()
"""


def test_processes_that_append_at_once_lose_and_mix_nothing(tmp_path):
    path, writers, each = tmp_path / "ledger.jsonl", 4, 100
    driver(TOGETHER, path, writers, each)
    ledger = read(path)
    assert len(ledger) == writers * each and ledger.skipped == ()
    for writer in range(writers):
        assert [entry.quantity for entry in ledger.where(seed=writer).entries] == list(range(each))


def test_reading_parses_each_head_once(tmp_path, monkeypatch):
    path = tmp_path / "ledger.jsonl"
    many = [Entry("train", "compute", number, "FLOP", "measured", seed=number % 5) for number in range(1000)]
    append(path, *many)
    calls = []
    real = json.loads
    monkeypatch.setattr("cutaway.ledger.file.json.loads", lambda text: calls.append(text) or real(text))
    assert read(path).entries == tuple(many)
    assert len(calls) == 5


def test_without_locks_an_entry_is_still_appended(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr("cutaway.ledger.file.fcntl.flock", refuse)
    append(tmp_path / "ledger.jsonl", FIRST)
    assert read(tmp_path / "ledger.jsonl").entries == (FIRST,)
