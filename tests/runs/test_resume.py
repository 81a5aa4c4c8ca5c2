"""A map that was stopped goes on where it was."""

import json

import pytest

from cutaway.runs import Processes, resumable

from . import arithmetic


class Recorder:
    """A progress that remembers what it was told, and a function that remembers its calls."""

    def __init__(self, stop_at=None, error=KeyboardInterrupt):
        self.calls, self.notes, self.steps, self.total, self.finished = [], [], 0, None, 0
        self.stop_at, self.error = stop_at, error

    def __call__(self, item):
        if item == self.stop_at:
            raise self.error
        self.calls.append(item)
        return {"square": item * item, "pair": (item, item)}

    def start(self, total, what):
        self.total = total

    def advance(self, n):
        self.steps += n

    def note(self, text):
        self.notes.append(text)

    def finish(self):
        self.finished += 1


def identity(item):
    return item


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_map_resumes_without_computing_again(tmp_path, error):
    first, second = Recorder(stop_at=3, error=error), Recorder()
    with pytest.raises(error):
        resumable(tmp_path / "shards", first, range(6), identity, progress=first)
    assert first.calls == [0, 1, 2] and first.finished == 1
    results = resumable(tmp_path / "shards", second, range(6), identity, progress=second)
    assert second.calls == [3, 4, 5]
    assert (second.total, second.steps, second.notes) == (6, 6, [])
    assert results == [{"square": item * item, "pair": [item, item]} for item in range(6)]


def test_fresh_and_resumed_results_are_the_same_values(tmp_path):
    fresh = resumable(tmp_path, Recorder(), range(3), identity)
    again = Recorder()
    assert resumable(tmp_path, again, range(3), identity) == fresh
    assert again.calls == []


def test_items_may_come_in_another_order(tmp_path):
    resumable(tmp_path, Recorder(), [1, 2], identity)
    again = Recorder()
    assert [row["square"] for row in resumable(tmp_path, again, [3, 2, 1], identity)] == [9, 4, 1]
    assert again.calls == [3]


def test_another_key_is_computed_again(tmp_path):
    resumable(tmp_path, Recorder(), range(2), lambda item: {"item": item, "seed": 0})
    again = Recorder()
    resumable(tmp_path, again, range(2), lambda item: {"item": item, "seed": item})
    assert again.calls == [1]


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: "", lambda text: "[]"])
def test_a_damaged_shard_is_computed_again_and_reported(tmp_path, damage):
    fresh = resumable(tmp_path, Recorder(), range(3), identity)
    shard = next(path for path in tmp_path.iterdir() if json.loads(path.read_text())["key"] == 1)
    shard.write_text(damage(shard.read_text()))
    again = Recorder()
    assert resumable(tmp_path, again, range(3), identity, progress=again) == fresh
    assert again.calls == [1]
    assert len(again.notes) == 1 and shard.name in again.notes[0]


def test_a_shard_whose_stored_key_is_another_is_computed_again(tmp_path):
    resumable(tmp_path, Recorder(), [1], identity)
    [shard] = tmp_path.iterdir()
    shard.write_text(shard.read_text().replace('"key": 1', '"key": 7'))
    again = Recorder()
    resumable(tmp_path, again, [1], identity, progress=again)
    assert again.calls == [1] and len(again.notes) == 1


def test_two_items_with_one_key_are_refused_before_anything_runs(tmp_path):
    recorder = Recorder()
    with pytest.raises(ValueError, match="two items have the key 0"):
        resumable(tmp_path, recorder, range(4), lambda item: item % 2)
    assert recorder.calls == []


def test_a_result_that_is_not_json_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON"):
        resumable(tmp_path, lambda item: object(), [1], identity)
    assert list(tmp_path.iterdir()) == []


def test_results_of_other_processes_are_kept_when_one_fails(tmp_path):
    with pytest.raises(ZeroDivisionError):
        resumable(tmp_path, arithmetic.refusing, range(5), identity, engine=Processes(1))
    kept = [json.loads(path.read_text())["key"] for path in tmp_path.iterdir()]
    assert {0, 1, 2} <= set(kept) and 3 not in kept
    assert resumable(tmp_path, arithmetic.squared, [0, 1], identity) == [0, 1]
