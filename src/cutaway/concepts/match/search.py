"""Which parts carry what a concept's decisions show: the fewest heads and neurons that flip them, and spare the rest.

Every head and neuron takes the partner's values alone. Those that push the decisions while they leave pairs that cross cue
or answer, and other tasks, as they are come first; the first of them that flip nearly every decision together are taken,
and each that is not needed is put back. A behaviour in one head, in a neuron, or spread over several blocks is so found in
the same way. Where those that spare the rest are not enough, the others are taken too: what is found then is refused later,
with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.match.trials import Trials, said, several
from cutaway.decisions.circuit.find import fewest
from cutaway.network import Batch, Network, Site
from cutaway.submodels import Baseline, SubModel
from cutaway.submodels.slices import slices
from cutaway.submodels.submodel import sites_of

NEEDED, ENOUGH = 0.95, 0.6  # of the decisions, and of the partners, must flip where a set is searched
PUSHES = 0.01  # of the whole push: parts below are not looked at together
MOST = 64  # parts that are looked at together, at most
SPARED = 0.05  # of the answers of a task may change, at most
CARRIES = 0.5  # of the pairs of another role flip: then that is its role
ROUNDS = 16  # sets that are tried, each without the part that cost the last one most


@dataclass(frozen=True, eq=False)
class Tasks:
    """Other prompts by task, and their answers, which should stay when a part is taken away: set to its mean over them all.

    The mean, and not another prompt's values: a part that speaks in vain here (what it says is said by others too, or
    overruled) is not used, but would put another prompt's words into this one's mouth.
    """

    net: Network
    batch: Batch
    task: tuple[str, ...]

    @classmethod
    def of(cls, net: Network, tasks: Mapping[str, Sequence[str]]) -> Tasks | None:
        """From prompts by name; None where there are none."""
        prompts = [prompt for some in tasks.values() for prompt in some]
        names = tuple(name for name, some in tasks.items() for _ in some)
        return cls(net, net.batch(prompts), names) if prompts else None

    @cached_property
    def clean(self) -> Int[Tensor, "rows"]:
        """What is answered with nothing taken away."""
        return said(self.net, self.batch)

    def changed(self, sets: Sequence[SubModel]) -> Float[Tensor, "sets tasks"]:
        """The share of each task's answers that change without each set."""
        sites = list(dict.fromkeys(site for one in sets for site in sites_of(self.net, one)))
        moved = (said(self.net, self.batch, sets, _mean(self.net, self.batch, sites)) != self.clean).float()
        names = list(dict.fromkeys(self.task))
        rows = [torch.tensor([one == name for one in self.task]) for name in names]
        return torch.stack([moved[:, some].mean(1) for some in rows], 1)

    def worst(self, one: SubModel) -> tuple[float, str]:
        """The largest share, and the task."""
        shares = self.changed([one])[0]
        return float(shares.max()), list(dict.fromkeys(self.task))[int(shares.argmax())]


@dataclass(frozen=True)
class Candidate:
    """A set of parts, as it was found: decisions and partners that flip, answers that it costs, pairs of other roles that flip."""

    parts: tuple[str, ...]
    need: float
    enough: float
    lost: float
    role: float

    @property
    def clean(self) -> bool:
        """Whether it spares other tasks and carries neither cue nor answer."""
        return self.lost <= SPARED and self.role < CARRIES


@dataclass(frozen=True)
class Searched:
    """What was found, in the order in which it should be believed; how many parts were looked at, of which classes."""

    found: tuple[Candidate, ...]
    looked_at: int
    classes: tuple[str, ...]


def search(
    trials: Trials,
    crossed: Mapping[str, Trials],
    tasks: Tasks | None,
    kinds: Sequence[str] = ("heads", "neurons"),
) -> Searched:
    """Sets of parts that carry what tells the prompts of `trials` from their partners: first one that spares the rest."""
    names = candidates(trials.net, kinds)
    push, side = _pushes(trials, names), _side(crossed, names)
    order = [i for i in (push - side).argsort(descending=True).tolist() if push[i] > PUSHES]
    order = [names[i] for i in order if side[i] < push[i]][:MOST]
    pushes, sides = dict(zip(names, push.tolist())), dict(zip(names, side.tolist()))
    found: list[Candidate] = []
    for _ in range(ROUNDS):
        kept = fewest_parts(order, lambda parts: carries(trials, parts))
        if not kept:
            break
        lost = 0.0 if tasks is None else tasks.worst(several(kept))[0]
        role = max((_flips(pairs, kept) for pairs in crossed.values()), default=0.0)
        found.append(Candidate(tuple(kept), *flipped(trials, kept), lost, role))
        if found[-1].clean:
            break
        if role >= CARRIES:
            order.remove(max(kept, key=lambda part: sides[part] / pushes[part]))
        elif tasks is not None:
            order.remove(_dearest(tasks, kept, lost, pushes))
    found.sort(key=lambda one: (not one.clean, len(one.parts)))
    return Searched(tuple(found), len(names), tuple(kinds))


def _dearest(tasks: Tasks, parts: Sequence[str], lost: float, pushes: Mapping[str, float]) -> str:
    """The part that costs other tasks most for what it pushes the decisions."""
    if len(parts) == 1:
        return parts[0]
    without = tasks.changed([several([one for one in parts if one != part]) for part in parts]).amax(1).tolist()
    return max(parts, key=lambda part: (lost - without[parts.index(part)]) / pushes[part])


def candidates(net: Network, kinds: Sequence[str]) -> list[str]:
    """The addresses of every part of these kinds."""
    return [address for one in slices(net, kinds) for address in one.parts]


def fewest_parts(order: Sequence[str], enough: Callable[[Sequence[str]], bool]) -> list[str]:
    """The first of `order` that are enough, less those that are not needed among them; none if all together are not."""
    if not order or not enough(order):
        return []
    kept = list(order[: fewest(len(order), lambda count: enough(order[:count]))])
    for part in list(reversed(kept)):
        fewer = [one for one in kept if one != part]
        if fewer and enough(fewer):
            kept = fewer
    return kept


def dealt(batch: Batch, seed: int) -> Int[Tensor, "rows"]:
    """Another row for each, of as many tokens: itself where there is no other."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.full((batch.rows,), batch.positions or 0) if batch.real is None else batch.real.sum(1).cpu()
    found = torch.arange(batch.rows)
    for length in lengths.unique().tolist():
        rows = (lengths == length).nonzero()[:, 0]
        order = rows[torch.randperm(len(rows), generator=generator)]
        found[order] = order.roll(1)
    return found


def _mean(net: Network, batch: Batch, sites: Sequence[Site]) -> Baseline:
    """The mean at these sites over the tokens of a batch."""
    read = net.read(batch, *sites)
    real = None if batch.real is None else batch.real.flatten()
    flat = {site: read[str(site)].flatten(0, 1)[slice(None) if real is None else real] for site in sites}
    return Baseline("mean", ({site: x.mean(0)[None, None] for site, x in flat.items()},))


def _pushes(trials: Trials, names: Sequence[str]) -> Float[Tensor, "parts"]:
    """How far each part alone pushes the decisions toward the partner, as a share of what the whole stream does."""
    moved = trials.pushes([several([name]) for name in names]).mean(1)
    whole = trials.pushes([several([str(trials.net.sites("resid_post.*")[-1])])]).mean()
    return moved / whole


def _side(crossed: Mapping[str, Trials], names: Sequence[str]) -> Float[Tensor, "parts"]:
    """The largest push on pairs of another role, in the same measure."""
    found = [_pushes(trials, names).abs() for trials in crossed.values()]
    return torch.stack(found).amax(0) if found else torch.zeros(len(names))


def carries(trials: Trials, parts: Sequence[str]) -> bool:
    """Whether a set is both needed and enough."""
    need, enough = flipped(trials, parts)
    return need >= NEEDED and enough >= ENOUGH


def flipped(trials: Trials, parts: Sequence[str]) -> tuple[float, float]:
    """The share of decisions that flip with the partners' values, and of partners that flip with the prompts'."""
    return _flips(trials, parts), _flips(trials.turned, parts)


def _flips(trials: Trials, parts: Sequence[str]) -> float:
    return float(trials.flips([several(parts)]).float().mean())
