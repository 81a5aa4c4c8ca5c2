"""Takes the plants that results/plants.json holds up into the run, so that `run.py plants` does not grow them again.

`python benchmarks/plants_so_far.py` writes them as shards, from which a run goes on; with `--keep` it writes the shards that
there are into results/plants.json instead, so that what an unfinished run has grown can be committed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import kept
from benchmarks.kept import Kept
from benchmarks.plants import DEPENDS, NETWORKS
from cutaway.runs import resumable

SHARDS = "circuits.tmp-networks"


def item(row: dict[str, Any]) -> tuple[str, str, float, int]:
    """What `plants.row` was asked for."""
    return row["in"], row["kind"], row["strength"], row["seed"]


def take_up() -> int:
    """Writes a shard for every plant of the results; how many there are, 0 where the code has changed since."""
    known = Kept("plants", DEPENDS)
    rows = {item(row): row for row in known.setting("plants")["facts"].get("networks", [])}
    resumable(kept.RESULTS / SHARDS, rows.__getitem__, list(rows), lambda one: key(one, known.code))
    return len(rows)


def keep() -> int:
    """Writes the plants of all shards of this code into the results; how many there are. None: the results stay as they are."""
    known = Kept("plants", DEPENDS)
    shards = [json.loads(path.read_text(encoding="utf-8")) for path in (kept.RESULTS / SHARDS).glob("*.json")]
    mine = {"about": "plants", "code": known.code}
    rows = [one["result"] for one in shards if mine.items() <= one["key"].items()]
    if not rows:
        return 0
    names = list(NETWORKS)
    known.setting("plants")["facts"]["networks"] = sorted(rows, key=lambda row: (names.index(row["in"]), row["seed"]))
    known.write()
    return len(rows)


def key(one: tuple[str, str, float, int], code: str) -> dict[str, Any]:
    """What `circuit_judged.each_kept` calls the plant."""
    return {"item": one, "about": "plants", "code": code}


if __name__ == "__main__":
    done = keep() if sys.argv[1:] == ["--keep"] else take_up()
    print(f"{done} plants {'kept in results/plants.json' if sys.argv[1:] == ['--keep'] else 'to go on from'}")
