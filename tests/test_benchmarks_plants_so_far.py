"""Plants that were grown are taken up from the committed results, and unfinished ones are put there."""

import json

from benchmarks import circuit_judged, kept, plants_so_far
from benchmarks.kept import Kept
from benchmarks.plants import DEPENDS

ROWS = [
    {"in": "MLP", "kind": "rank-one", "strength": 1.0, "seed": 8041, "took": True},
    {"in": "code model", "kind": "backup", "strength": 0.0, "seed": 8321, "took": False},
]


def test_a_run_goes_on_from_what_the_results_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    monkeypatch.setattr(circuit_judged, "RESULTS", tmp_path)
    found = Kept("plants", DEPENDS)
    found.setting("plants")["facts"]["networks"] = ROWS
    found.write()
    assert plants_so_far.take_up() == 2

    def never(*item: object) -> dict:
        raise AssertionError(f"{item} is done again")

    again = Kept("plants", DEPENDS)
    circuit_judged.each_kept(again, "plants", never, [plants_so_far.item(row) for row in ROWS])
    assert again.setting("plants")["facts"]["networks"] == ROWS


def test_what_an_unfinished_run_has_grown_is_kept_and_other_shards_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    monkeypatch.setattr(circuit_judged, "RESULTS", tmp_path)
    rows = {plants_so_far.item(row): row for row in ROWS}
    growing = Kept("plants", DEPENDS)
    circuit_judged.each_kept(growing, "plants", lambda *one: rows[one], list(rows)[::-1])
    growing.path.unlink()  # stopped before it was written
    circuit_judged.each_kept(Kept("other", ()), "other", lambda one: {"in": one}, [("MLP",)])
    assert plants_so_far.keep() == 2
    assert json.loads((tmp_path / "plants.json").read_text())["settings"]["plants"]["facts"]["networks"] == ROWS


def test_without_a_shard_of_this_code_the_results_stay_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    found = Kept("plants", DEPENDS)
    found.setting("plants")["facts"]["networks"] = ROWS
    found.write()
    before = (tmp_path / "plants.json").read_bytes()
    assert plants_so_far.keep() == 0 and (tmp_path / "plants.json").read_bytes() == before
