"""Whether two sub-models, of two networks, are alike on the same inputs: in what they do to answers, and in how active they are.

*By effect*: of the inputs whose answer changes when either set is deleted, the share in which both change, from the same
answer to the same other. *By activation*: how much of the activity of each set at the answering position is linear in the
other's (R² in both directions, the mean), each kind of question centred, in leading components as in MEDIATES. Networks
meet in texts alone: the prompts, and the answers as words.

Two nulls. *Inputs permuted*: one network is asked another question of the same kind (prompts and near misses are one kind,
each task is one), so that to be active in the same task, or to end in the same word, is no agreement. *Random sets*: as
many other parts of either network, against the named set of the other one. The first asks whether the two go together at
all, the second whether that is so of these sets more than of any: all parts see the same inputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.match import Questions, Share
from cutaway.concepts.match.trials import DELETED, askable, said, several
from cutaway.concepts.natural.dependence import leading, orthonormal
from cutaway.concepts.natural.mediates import BLOCKS
from cutaway.concepts.read.nulls import p_value
from cutaway.network import Network, TextFeed
from cutaway.submodels.slices import slices
from cutaway.submodels.submodel import random_parts

PERMUTED = 100  # ways to permute the inputs, of one network and then of the other
RANDOM = 20  # sets of each network, or as many as there are
DRAWN = 10  # times as many are drawn, to find such as differ: of single heads there are few
DECISIONS = "decisions"
AT_ONCE = 256  # inputs of which activity is read in one pass


@dataclass(frozen=True)
class Alike:
    """How far two sets go together, with its nulls.

    `value` with its 95 % interval (by effect Clopper-Pearson over `n` inputs that change; by activation jackknifed over `n`
    inputs); `chance` the mean with inputs permuted, and `p` that it is no more; `random` the values of random sets, and
    `p_random` that it is no more than theirs.
    """

    value: float
    low: float
    high: float
    n: int
    chance: float
    p: float
    p_random: float
    random: tuple[float, ...] = field(repr=False)

    def __str__(self) -> str:
        most = max(self.random, default=float("nan"))
        return (
            f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}] of {self.n} inputs (permuted {self.chance:.2f}, "
            f"p {self.p:.2g}; random sets up to {most:.2f}, p {self.p_random:.2g})"
        )


@dataclass(frozen=True, eq=False)
class Inputs:
    """Texts, each once, with the kind of question that each is; rows that are `units` of one kind trade places.

    A unit is a decision with its partner, and those that share a text with it.
    """

    texts: tuple[str, ...]
    kinds: tuple[str, ...]
    units: tuple[int, ...]

    @staticmethod
    def of(asked: Questions, nets: Sequence[Network]) -> Inputs:
        """The test split of what is asked, as far as all these networks can be asked it."""
        crossed, tasks = asked.part("test")
        found: dict[str, tuple[str, int]] = {}
        for kind, rows in {DECISIONS: asked.decisions["test"], **crossed}.items():
            for net in nets:
                rows = askable(net, rows)
            _add(found, kind, [(row["prompt"], row["reference"]) for row in rows])
        for kind, prompts in tasks.items():
            for net in nets:
                prompts = _readable(net, prompts)
            _add(found, f"task {kind}", [(prompt,) for prompt in prompts])
        kinds, units = zip(*found.values()) if found else ((), ())
        return Inputs(tuple(found), kinds, units)

    @property
    def strata(self) -> list[Tensor]:
        """The rows of each kind."""
        known = dict.fromkeys(self.kinds)
        return [torch.tensor([row for row, one in enumerate(self.kinds) if one == kind]) for kind in known]

    def permuted(self, ways: int, seed: int) -> Int[Tensor, "ways rows"]:
        """Units of one kind and of as many rows trade places, with their rows in any order."""
        rows: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for row, key in enumerate(zip(self.kinds, self.units)):
            rows[key].append(row)
        alike: defaultdict[tuple[str, int], list[list[int]]] = defaultdict(list)
        for (kind, _), some in rows.items():
            alike[kind, len(some)].append(some)
        drawn = np.random.default_rng((seed, len(self.texts)))
        found = np.tile(np.arange(len(self.texts)), (ways, 1))
        for one in found:
            for units in map(np.array, alike.values()):
                one[units] = drawn.permuted(drawn.permutation(units), axis=1)
        return torch.from_numpy(found)


@dataclass(frozen=True, eq=False)
class Does:
    """What one network's named set does on inputs, and what random sets of as many of its other parts do.

    `effects` [rows]: a number for each change of answers, 0 where deleting the set changes nothing; `activity`
    [rows, components]. The named set comes first.
    """

    effects: tuple[Int[Tensor, "rows"], ...]
    activity: tuple[Float[Tensor, "rows components"], ...]

    @staticmethod
    def of(net: Network, parts: Sequence[str], inputs: Inputs, kinds: Sequence[str], seed: int) -> Does:
        """Of a set in one network; `kinds` of parts are those that random sets are drawn from."""
        sets = [tuple(parts), *random_sets(net, parts, kinds, seed)]
        batch = net.batch(list(inputs.texts))
        known = _answers(net, said(net, batch))
        after = said(net, batch, [several(one) for one in sets], DELETED)
        effects = [_effects(known, _answers(net, one)) for one in after]
        each = dict.fromkeys(part for one in sets for part in one)
        read = [net.read(batch.take(rows), *each) for rows in torch.arange(batch.rows).split(AT_ONCE)]
        last = {part: torch.cat([_last(one[part], batch.positions) for one in read]) for part in each}
        activity = [torch.cat([last[part] for part in one], 1) for one in sets]
        return Does(tuple(effects), tuple(components(one, inputs) for one in activity))


def alike(one: Does, other: Does, inputs: Inputs, seed: int) -> tuple[Alike, Alike]:
    """By effect, and by activation. The same whichever network comes first."""
    ways = inputs.permuted(PERMUTED, seed)
    return (
        _alike(one.effects, other.effects, inputs, ways, changed_alike),
        _alike(one.activity, other.activity, inputs, ways, told),
    )


def changed_alike(one: Int[Tensor, "rows"], other: Int[Tensor, "rows"]) -> float:
    """Of the inputs that either changes, the share that both change in the same way; 0 if there are none."""
    either = int(((one != 0) | (other != 0)).sum())
    return int(((one == other) & (one != 0)).sum()) / max(either, 1)


def told(one: Float[Tensor, "rows components"], other: Float[Tensor, "rows components"]) -> float:
    """R² of each by the other, the mean."""
    shares = (
        (orthonormal(x).T @ y).square().sum() / y.square().sum().clamp(min=1e-30)
        for x, y in ((one, other), (other, one))
    )
    return float(sum(shares)) / 2


def components(x: Float[Tensor, "rows width"], inputs: Inputs) -> Float[Tensor, "rows components"]:
    """The leading components, each kind of question about its own mean."""
    centred = x.double().clone()
    for rows in inputs.strata:
        centred[rows] -= centred[rows].mean(0)
    return centred @ leading(centred, len(set(zip(inputs.kinds, inputs.units))))


def random_sets(net: Network, parts: Sequence[str], kinds: Sequence[str], seed: int) -> list[tuple[str, ...]]:
    """Up to `RANDOM` different sets of as many other parts, kind by kind."""
    pools = [[name for one in slices(net, (kind,)) for name in one.parts] for kind in kinds]
    counts = [sum(part in pool for part in parts) for pool in pools]
    others = [[name for name in pool if name not in parts] for pool in pools]
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for draw in range(DRAWN * RANDOM):
        seeds = range(seed + 1000 * draw, seed + 1000 * draw + len(pools))
        one = [name for each in zip(others, counts, seeds) for name in random_parts(net, *each).parts]
        if len(one) == len(parts):
            found.setdefault(frozenset(one), tuple(one))
        if len(found) == RANDOM:
            break
    return list(found.values())


def _alike(
    one: Sequence[Tensor],
    other: Sequence[Tensor],
    inputs: Inputs,
    ways: Int[Tensor, "ways rows"],
    measure: Callable[[Tensor, Tensor], float],
) -> Alike:
    a, b = one[0], other[0]
    value = measure(a, b)
    null = [measure(*pair) for way in ways for pair in ((a, b[way]), (a[way], b))]
    drawn = [*(measure(a, each) for each in other[1:]), *(measure(each, b) for each in one[1:])]
    p, p_random = (p_value(value, torch.tensor([some], dtype=torch.double)) for some in (null, drawn))
    n, low, high = _interval(a, b, inputs, value, measure)
    return Alike(value, low, high, n, sum(null) / len(null), p, p_random, tuple(drawn))


def _interval(
    a: Tensor, b: Tensor, inputs: Inputs, value: float, measure: Callable[[Tensor, Tensor], float]
) -> tuple[int, float, float]:
    """Over how many inputs, and the ends."""
    if measure is changed_alike:
        n = int(((a != 0) | (b != 0)).sum())
        share = Share.of(round(value * n), n)
        return n, share.low, share.high
    number = torch.tensor(inputs.units) % BLOCKS  # blocks of units are left out in turn (Quenouille 1956, Tukey 1958)
    left = torch.tensor([measure(a[number != block], b[number != block]) for block in number.unique()])
    error = float(((len(left) - 1) * left.var(correction=0)).sqrt())
    return len(a), max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error)


def _add(found: dict[str, tuple[str, int]], kind: str, rows: Sequence[Sequence[str]]) -> None:
    """Texts that are new, as units."""
    for texts in rows:
        unit = next((found[text][1] for text in texts if text in found), len(found))
        for text in texts:
            found.setdefault(text, (kind, unit))


def _readable(net: Network, prompts: Sequence[str]) -> Sequence[str]:
    """Those that the network can be given: mostly all, and then they are tried once."""
    try:
        net.batch(list(prompts))
    except ValueError:
        return [one for some in prompts for one in _readable(net, [some])] if len(prompts) > 1 else []
    return prompts


def _answers(net: Network, ids: Int[Tensor, "rows"]) -> list[str]:
    """Answers as words, whatever the tokenizer puts before them; without a tokenizer as numbers."""
    feed = net.feed
    words = {
        one: feed.tokenizer.decode([one]).strip() if isinstance(feed, TextFeed) else str(one)
        for one in ids.unique().tolist()
    }
    return [words[one] for one in ids.tolist()]


def _effects(before: Sequence[str], after: Sequence[str]) -> Int[Tensor, "rows"]:
    """Numbers of changes, the same in every network."""
    return torch.tensor([0 if was == now else 1 + crc32(f"{was}\n{now}".encode()) for was, now in zip(before, after)])


def _last(x: Tensor, positions: int | None) -> Float[Tensor, "rows width"]:
    """At the answering position, laid flat."""
    return (x if positions is None else x[:, -1]).flatten(1).cpu()
