"""The study: networks of several sizes and seeds, each trained, taken apart and applied to the next, resumable at every step.

In its folder every network has a run with its weights and its ledger, so that `cutaway cost FOLDER/16x2-8001` tells of one; what
else the study took (tuning, controls, applying) is in the ledger of the folder itself; and `at-30.jsonl` has a line a network
with what it took until 30 % of its decisions were explained, for `cutaway cost scaling`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from cutaway.ledger import Entry, append, read
from cutaway.runs import LEDGER, Engine, Progress, resumable, silent, write_text
from cutaway.study.growth.member import Member, applied, chosen, understood
from cutaway.study.growth.networks import text
from cutaway.study.growth.setting import Setting, Size

SETTING = "setting.json"
FORMAT = 2
"""Of the results on disk: raise it where the same setting gives other numbers."""


class StudyError(ValueError):
    """A folder holds a study of another setting."""


@dataclass(frozen=True)
class Grown:
    """What a study found: a row a size on tuning, a row a network, a row a pair of networks of one size; the names of networks
    whose training diverged, which have no row."""

    setting: Setting
    tuning: tuple[dict[str, Any], ...]
    networks: tuple[dict[str, Any], ...]
    applied: tuple[dict[str, Any], ...]
    diverged: tuple[str, ...] = ()


def grow(setting: Setting, folder: Path | str, engine: Engine | None = None, progress: Progress = silent) -> Grown:
    """Carries a study out in `folder`; one that was killed goes on where it was, and a larger one takes what is there.

    Raises StudyError for a folder that holds a study of another setting.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    stage = partial(resumable, engine=engine, progress=progress)
    about = json.loads(json.dumps({**setting.about(), "text": text(setting.vocab).hash, "format": FORMAT}))
    _same_study(home / SETTING, about)
    tuning = stage(home / "tuning", partial(chosen, setting=setting), setting.sizes, partial(_of_size, about=about))
    members = _members(setting, tuning)
    work = partial(understood, setting=setting, home=str(home))
    largest_first = sorted(members, key=lambda one: one.size.layers * one.size.width**2, reverse=True)
    found = stage(home / "networks", work, largest_first, partial(_of_network, about=about))
    diverged = tuple(row["network"] for row in found if "diverged" in row)
    pairs = _pairs([one for one in members if one.name not in diverged])
    carried = stage(
        home / "applied", partial(applied, setting=setting, home=str(home)), pairs, partial(_of_pair, about=about)
    )
    order = {one.name: place for place, one in enumerate(members)}
    rows = sorted((row for row in found if "diverged" not in row), key=lambda row: order[row["network"]])
    grown = Grown(setting, tuple(tuning), tuple(rows), tuple(carried), diverged)
    book(home / LEDGER, grown, [row for row in found if "diverged" in row])
    for share in setting.shares:
        rows_ = "".join(json.dumps(line) + "\n" for line in lines(grown, share))
        write_text(home / f"at-{100 * share:.0f}.jsonl", rows_)
    return grown


def lines(grown: Grown, share: float) -> list[dict[str, Any]]:
    """For each network with anything to explain what it took until this share of its decisions was explained, or a bound."""
    at = list(grown.setting.shares).index(share)
    return [
        {
            **{name: row[name] for name in ("network", "size", "training_flops")},
            "understanding_flops": row["until"][at][0],
            "reached": row["until"][at][1],
            **{name: row[name] for name in ("parameters", "non_embedding", "neurons")},
        }
        for row in grown.networks
        if row["curve"]
    ]


def _same_study(file: Path, about: Mapping[str, Any]) -> None:
    if not file.is_file():
        write_text(file, json.dumps(about, indent=1))
        return
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        known = {}
    flat, was = ({**one, **one.get("search", {}), "search": None} for one in (about, known))
    unlike = [f"{name} {was.get(name)} → {value}" for name, value in flat.items() if was.get(name) != value]
    if unlike:
        raise StudyError(
            f"{file.parent} holds a study of another setting ({'; '.join(unlike)}); only sizes and seeds may change: "
            "give another folder"
        )


def book(ledger: Path, grown: Grown, diverged: Sequence[Mapping[str, Any]] = ()) -> None:
    """What the study took beside its networks' own ledgers, each phase once: tuning, trainings that diverged, controls, applying
    sets to the next network; and, for no purpose, the searches that this is compared with."""
    known = {entry.phase for entry in read(ledger).entries} if ledger.is_file() else set()
    append(ledger, *(entry for entry in _beside(grown, diverged) if entry.phase not in known))


def _beside(grown: Grown, diverged: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    spent = partial(Entry, kind="compute", unit="FLOP", resource="flops")
    for row in grown.tuning:
        phase = f"tuning of {row['size']}"
        yield spent(phase, quantity=row["training_flops"], provenance="derived", purpose="train")
        yield spent(phase, quantity=row["search_flops"], provenance="measured", purpose="discover")
    for row in diverged:
        phase = f"training of {row['network']}"
        yield spent(phase, quantity=row["training_flops"], provenance="derived", purpose="train", state="failed")
    for row in grown.networks:
        if row["controls"]:
            phase = f"controls of {row['network']}"
            yield spent(phase, quantity=row["controls"]["flops"], provenance="measured", purpose="discover")
    for row in grown.applied:
        if "held" in row:
            pair, again = f"{row['from']} in {row['to']}", sum(row[name][-1][0] for name in ("cold", "warm", "chance"))
            applied_ = row["matching"] + row["checking"]
            yield spent(f"applying {pair}", quantity=applied_, provenance="measured", purpose="apply")
            yield spent(f"comparing {pair}", quantity=again, provenance="measured")


def _members(setting: Setting, tuning: Sequence[Mapping[str, Any]]) -> list[Member]:
    """Every network, with what was chosen for its size."""
    return [
        Member(size, seed, one["rate"], one["penalty"])
        for size, one in zip(setting.sizes, tuning)
        for seed in setting.seeds
    ]


def _pairs(members: Sequence[Member]) -> list[tuple[Member, Member]]:
    """Every network with the next one of its size, round and round; none where there is but one of a size."""
    of_size = [list(some) for _, some in groupby(members, key=lambda one: one.size)]
    return [pair for some in of_size if len(some) > 1 for pair in zip(some, [*some[1:], some[0]])]


def _of_size(size: Size, about: Mapping[str, Any]) -> dict[str, Any]:
    return {"size": str(size), **about}


def _of_network(member: Member, about: Mapping[str, Any]) -> dict[str, Any]:
    return {"network": member.name, "rate": member.rate, "penalty": member.penalty, **about}


def _of_pair(pair: tuple[Member, Member], about: Mapping[str, Any]) -> dict[str, Any]:
    first, second = pair
    return {"from": first.name, "to": second.name, "rate": first.rate, "penalty": first.penalty, **about}
