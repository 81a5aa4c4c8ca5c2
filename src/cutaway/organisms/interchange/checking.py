"""Does a trained network do what it was trained to do? Exchanges on fresh rows, then every edge cut alone.

A network that fails is refused: of a network that only nearly implements its program nothing is known. Interchange
accuracy is the share of pairs of rows on which the network, its edges cut, answers what the program answers under the same
cuts (Geiger et al. 2022, arXiv 2112.00826). The true circuit is measured as for compiled networks, by brute force in
float64, and must be the program's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.graph.graph import graph
from cutaway.organisms.compiled.organism import Organism, parts
from cutaway.organisms.compiled.truth import Ablation, Truth, decision, opened, truth
from cutaway.organisms.interchange.exchange import Exchanger
from cutaway.organisms.interchange.forward import Edges, run
from cutaway.organisms.interchange.program import EMBED
from cutaway.organisms.interchange.training import Trained
from cutaway.submodels import baseline

PAIRS = 512
ACCURACY = 0.998
"""At most one pair of 512 may be wrong, for each variable, link and other edge."""
FLOOR = 0.05
"""Where the truth puts its floor; no edge of an accepted network lies anywhere near it."""
LARGEST_UNUSED, SMALLEST_USED = 0.03, 0.3
HALVES, DONORS = 16, 16


class NotImplementedByNetworkError(ValueError):
    """A trained network that does not implement its program edge by edge."""


@dataclass(frozen=True, eq=False)
class Check:
    """Interchange accuracies on `pairs` fresh pairs, the true circuit, and what is wrong (`problems`; none: accepted).

    Accuracies: `task` with nothing cut, `variables` with all edges of a part cut, `links` with the edge alone cut, `others`
    the same for every edge that the program does not have, `complement` with all of these cut at once, `halves` the least
    over random halves of these, some with links cut too. `noise` is the largest effect on any decision of any part that the
    program does not use, as a share of the total, with 16 donors, the counterfactual or zero in its place.
    """

    pairs: int
    task: float
    variables: Mapping[str, float]
    links: Mapping[str, float]
    others: Mapping[str, float]
    complement: float
    halves: float
    truth: Truth
    noise: float
    problems: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(trained: Trained, pairs: int = PAIRS, seed: int = 0) -> Check:
    """Everything that must hold of an accepted network, on rows drawn anew by `seed`."""
    exchanges = _Exchanges.on(trained, pairs, seed)
    edges = exchanges.exchanger.edges
    variables = {one: exchanges.right(edges.out_of(part)) for one, part in trained.places.items() if one != EMBED}
    links = {name: exchanges.right([edges.numbers[name]]) for name in trained.links}
    others = {edges.names[edge]: exchanges.right([edge]) for edge in exchanges.exchanger.others}
    known, noise = truth(trained.organism, floor=FLOOR), largest_effect(trained)
    found = Check(
        pairs=pairs,
        task=exchanges.right(()),
        variables=variables,
        links=links,
        others=others,
        complement=exchanges.right(exchanges.exchanger.others),
        halves=exchanges.halves(seed),
        truth=known,
        noise=noise,
        problems=(),
    )
    return replace(found, problems=tuple(_problems(found, frozenset(trained.links))))


def accepted(trained: Trained, found: Check) -> Organism:
    """The organism with its used parts. Raises `NotImplementedByNetworkError` with the first problems."""
    if found.problems:
        raise NotImplementedByNetworkError(
            f"{trained.organism.name}, seed {trained.organism.seed}, does not implement its program: "
            f"{'; '.join(found.problems[:4])}; train it longer or take another seed"
        )
    used = frozenset(part for one, part in trained.places.items() if one != EMBED)
    return replace(
        trained.organism,
        used=used,
        noise=parts(trained.network) - used,
        noise_bound=found.noise,
        used_by_prompt=_used_by_prompt(trained),
    )


def largest_effect(trained: Trained) -> float:
    """The largest effect of an unused part on any decision, as a share of the total: donors, counterfactual and zero."""
    edges = Edges(trained.network.shape)
    idle = [part for part in edges.writers if part not in trained.places.values()]
    cuts = torch.zeros(len(idle) + 1, len(edges))
    for cut, part in zip(cuts, idle):
        cut[edges.out_of(part)] = 1
    cuts[-1] = 1
    found = {kind: _effects(trained.organism, kind, cuts) for kind in ("resample", "counterfactual", "zero")}
    total = found["resample"][-1].mean().abs().item()
    return max(effect[:-1].abs().max().item() for effect in found.values()) / total


def _effects(organism: Organism, kind: Ablation, cuts: Float[Tensor, "sets edges"]) -> Float[Tensor, "sets decision"]:
    """The change of every decision (with every donor) under each set of cuts, in float64."""
    net, asked = opened(organism), decision(organism)
    posed = asked.pose(net)
    found = graph(net, posed.batch)
    values = baseline(net, posed.batch, found.sites, kind, DONORS, asked.counterfactual)
    cutter = Cutter(net, posed, found, values)
    return torch.cat([cutter.effects(cuts.double(), draw) for draw in range(values.draws)], dim=1)


def _used_by_prompt(trained: Trained) -> tuple[frozenset[str], ...]:
    """The parts at whose links the program looks, prompt by prompt; empty where that is all of them on every prompt."""
    program, places = trained.program, trained.places
    used = program.used(torch.tensor(trained.organism.prompts))
    if bool(used.all()):
        return ()
    return tuple(
        frozenset(places[link.variable] for link, yes in zip(program.links, row) if yes and link.variable != EMBED)
        for row in used.tolist()
    )


def _problems(found: Check, links: frozenset[str]) -> list[str]:
    """What is wrong, in words."""
    problems = []
    for what, scores in (("variable", found.variables), ("link", found.links), ("other edge", found.others)):
        name, least = min(scores.items(), key=lambda pair: pair[1])
        if least < ACCURACY:
            problems.append(f"{what} {name} is right on {least:.1%} of exchanges")
    for what, right in (
        ("nothing", found.task),
        ("all other edges", found.complement),
        ("random halves of them", found.halves),
    ):
        if right < ACCURACY:
            problems.append(f"with {what} exchanged {right:.1%} of answers are right")
    known = found.truth
    if known.edges != links:
        problems.append(f"its true edges differ from the program's in {sorted(known.edges ^ links)[:3]}")
    if not (known.largest_unused < LARGEST_UNUSED and known.complement < LARGEST_UNUSED and found.noise < FLOOR):
        problems.append(
            f"unused edges move up to {max(known.largest_unused, known.complement):.1%}, parts {found.noise:.1%}"
        )
    if known.smallest_used < SMALLEST_USED:
        problems.append(f"a used edge moves only {known.smallest_used:.1%}")
    return problems


@dataclass(frozen=True, eq=False)
class _Exchanges:
    """Fresh pairs of rows, and what was written on the second of each."""

    trained: Trained
    exchanger: Exchanger
    rows: Tensor
    others: Tensor
    written: tuple[Tensor, ...]

    @classmethod
    def on(cls, trained: Trained, pairs: int, seed: int) -> _Exchanges:
        generator = torch.Generator().manual_seed(1_000_003 * (seed + 1) + trained.organism.seed)
        rows, others = (trained.program.sample(pairs, generator) for _ in range(2))
        edges = Edges(trained.network.shape)
        exchanger = Exchanger(edges, tuple(edges.numbers[link] for link in trained.links))
        with torch.no_grad():
            return cls(trained, exchanger, rows, others, run(trained.network, others).written)

    def right(self, cut: Iterable[int]) -> float:
        """The share of pairs that are answered as the program does with these edges cut."""
        strength = torch.zeros(1, len(self.exchanger.edges))
        strength[:, list(cut)] = 1
        return self._right(strength)

    def halves(self, seed: int) -> float:
        """The least share right over random halves of the other edges, half of them with random links cut too.

        Few links at a time: whatever is cut before a cut link is not seen.
        """
        generator = torch.Generator().manual_seed(seed + self.trained.organism.seed)
        cuts = torch.rand(HALVES, len(self.exchanger.edges), generator=generator) < 0.5
        links = list(self.exchanger.links)
        cuts[:, links] = torch.rand(HALVES, len(links), generator=generator) < 1 / len(links)
        cuts[::2, links] = False
        return min(self._right(cut[None].float()) for cut in cuts)

    @torch.no_grad()
    def _right(self, strength: Tensor) -> float:
        everywhere = strength.expand(len(self.rows), -1)
        found = run(self.trained.network, self.rows, self.written, everywhere).logits.argmax(1)
        wanted = self.trained.program.answers(self.rows, self.others, self.exchanger.cut(everywhere))
        return (found == wanted).float().mean().item()
