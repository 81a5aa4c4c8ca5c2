"""Which abstractions several networks share, and by how many: every concept matched in every network, and every pair compared."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cutaway.concepts.asking import matched_each
from cutaway.concepts.match import Match, Questions
from cutaway.concepts.natural.agree import KINDS, Agree, pairs
from cutaway.concepts.read.harvest import reader
from cutaway.network import Network
from cutaway.runs.progress import Progress, silent
from cutaway.runs.table import Table


@dataclass(frozen=True)
class Agreements:
    """Which concepts several networks share: every match, and every pair. `table()` has a line for each concept."""

    networks: tuple[str, ...]
    matches: tuple[Match, ...]
    pairs: tuple[Agree, ...]
    seed: int

    def __iter__(self) -> Iterator[Agree]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def table(self) -> Table:
        """For each concept: in how many networks it is present or absent, how many pairs agree, and by how many it is shared.

        *Shared by* counts the network that most others agree with, and those; 1: present, and nobody agrees.
        """
        return Table.of(self._row(name) for name in dict.fromkeys(one.concept for one in self.matches))

    def _row(self, concept: str) -> dict[str, Any]:
        verdicts = [one.verdict for one in self.matches if one.concept == concept]
        pairs = [one for one in self.pairs if one.concept == concept]
        agreeing = [one.networks for one in pairs if one.verdict == "yes"]
        most = max(sum(name in both for both in agreeing) for name in self.networks)
        return {
            "concept": concept,
            "networks": len(verdicts),
            "present": verdicts.count("present"),
            "absent": verdicts.count("absent"),
            "not testable": verdicts.count("not testable"),
            "pairs that agree": len(agreeing),
            "of pairs compared": sum(one.effect is not None for one in pairs),
            "shared by": 1 + most if "present" in verdicts else 0,
        }

    def __str__(self) -> str:
        return "\n".join([str(self.table()), *map(str, self.pairs)])

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def shared(
    nets: Sequence[Network],
    asked: Iterable[Questions],
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Agreements:
    """Every concept in every network, and every pair of networks: which abstractions are shared by how many.

    Each concept is matched once in each network; `folder` keeps finished matches, so that a stopped call goes on. Pairs that
    have a network in common are not independent: a figure over networks counts training runs.

    >>> shared([net, other, third], [asked]).table()["shared by"]  # doctest: +SKIP
    [3]

    Raises ValueError for fewer than two networks, two of one name, no concept or two of one name.
    """
    chosen = list(asked)
    _check([net.name for net in nets], [one.name for one in chosen])
    with TemporaryDirectory(prefix="cutaway-agree-") if folder is None else nullcontext(folder) as place:
        found = [
            matched_each(reader(net, Path(place) / "readings"), chosen, kinds, seed, Path(place) / "matches", progress)
            for net in nets
        ]
    each = [pair for about, some in zip(chosen, zip(*found)) for pair in pairs(nets, some, about, kinds, seed)]
    return Agreements(tuple(net.name for net in nets), tuple(one for some in found for one in some), tuple(each), seed)


def _check(nets: Sequence[str], concepts: Sequence[str]) -> None:
    if len(nets) < 2 or len(set(nets)) < len(nets):
        given = ", ".join(nets)
        raise ValueError(f"given the networks {given}; expected two or more of different names; rename a folder")
    if not concepts or len(set(concepts)) < len(concepts):
        raise ValueError(f"given the concepts {', '.join(concepts) or 'none'}; expected one or more, each once")
