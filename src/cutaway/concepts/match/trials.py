"""What a network answers when sub-models take the values of another input: the reruns that every causal score is made of.

A trial is a decision and its partner: a prompt whose answer is `target`, and a matched prompt whose answer is `foil`. A
sub-model that is *needed* makes the prompt answered like the partner once it takes the partner's values, and once it is
deleted (all that it writes is zero); one that is *enough* makes the partner answered like the prompt. The answer is what the
network ranks first of all it could say: a difference of two logits that shrinks, or falls below zero while a third word
wins, is no other answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.decisions.decision import Decision, Posed
from cutaway.network import Batch, Custom, LogitDifference, Metric, Network, Site, Variant, logits_of, sweep
from cutaway.submodels import Baseline, SubModel, as_submodel, take_away
from cutaway.submodels.submodel import sites_of


@dataclass(frozen=True, eq=False)
class Trials:
    """Decisions and their partners as one network sees them, row by row."""

    net: Network
    prompts: Posed
    partners: Posed

    @classmethod
    def of(cls, net: Network, rows: Sequence[Mapping[str, Any]]) -> Trials:
        """From rows of prompt, target, foil and reference. Raises `DecisionError` where tokens do not match."""
        prompt, target, foil, other = ([row[key] for row in rows] for key in ("prompt", "target", "foil", "reference"))
        there = Decision(prompt, answer=target, instead=foil, counterfactual=other)
        back = Decision(other, answer=foil, instead=target, counterfactual=prompt)
        return cls(net, there.pose(net), back.pose(net))

    @property
    def rows(self) -> int:
        """How many decisions there are."""
        return self.prompts.batch.rows

    def take(self, rows: Int[Tensor, "some"]) -> Trials:
        """Some of the decisions."""
        return Trials(self.net, _some(self.prompts, rows), _some(self.partners, rows))

    @cached_property
    def turned(self) -> Trials:
        """Prompts and partners exchanged: what is needed here is enough there."""
        return Trials(self.net, self.partners, self.prompts)

    @cached_property
    def answered(self) -> Bool[Tensor, "rows"]:
        """Where the network answers the prompt with its target."""
        return said(self.net, self.prompts.batch) == _metric(self.prompts).answer

    @property
    def foils(self) -> Int[Tensor, "rows"]:
        """The number of each partner's answer."""
        return _metric(self.partners).answer

    @property
    def targets(self) -> Int[Tensor, "rows"]:
        """The number of each prompt's answer."""
        return _metric(self.prompts).answer

    @property
    def understood(self) -> Bool[Tensor, "rows"]:
        """Where the network answers the partner with its foil."""
        return self.turned.answered

    @property
    def shown(self) -> Bool[Tensor, "rows"]:
        """Where both are so: the decision goes one way for the prompt and the other for its partner."""
        return self.answered & self.understood

    def pushes(self, sets: Sequence[SubModel]) -> Float[Tensor, "sets rows"]:
        """Change of logit(target) − logit(foil) when each set takes the partner's values."""
        return self._swept(sets, _metric(self.prompts), "effect", self._partners(sets))

    def flips(self, sets: Sequence[SubModel]) -> Bool[Tensor, "sets rows"]:
        """Whether the prompt is answered with the foil when each set takes the partner's values."""
        return self._swept(sets, FIRST, "value", self._partners(sets)).long() == self.foils.cpu()

    def deleted(self, sets: Sequence[SubModel]) -> Int[Tensor, "sets rows"]:
        """The answer to each prompt when each set is deleted."""
        return self._swept(sets, FIRST, "value", DELETED).long()

    def odds(
        self, sets: Sequence[SubModel], of: Literal["foil", "target"] = "foil", values: Baseline | None = None
    ) -> Float[Tensor, "sets rows"]:
        """The log-odds (nats) of an answer against all others with the sets at these values, by default the partner's."""
        values = self._partners(sets) if values is None else values
        answer = self.foils if of == "foil" else self.targets
        return self._swept(sets, LogitDifference(answer, last=_metric(self.prompts).last), "value", values)

    def _swept(self, sets: Sequence[SubModel], metric: Metric, what: str, values: Baseline) -> Tensor:
        variants = [Variant(take_away(self.net, one, values), one.name) for one in sets]
        return getattr(sweep(self.net, self.prompts.batch, variants, metric), what).cpu()

    def _partners(self, sets: Sequence[SubModel]) -> Baseline:
        """The partners' values where these sets write; each site is read once."""
        sites = dict.fromkeys(site for one in sets for site in sites_of(self.net, one))
        if new := [site for site in sites if site not in self._kept]:
            self._kept.update(values_on(self.net, self.partners.batch, new).values[0])
        return Baseline("counterfactual", ({site: self._kept[site] for site in sites},))

    @cached_property
    def _kept(self) -> dict[Site, Tensor]:
        return {}


def said(net: Network, batch: Batch, sets: Sequence[SubModel] = (), values: Baseline | None = None) -> Tensor:
    """The first answer of each row, [rows]; with sets and values [sets, rows]: with each set at those values."""
    if values is None:
        return FIRST(net.run(batch).output, torch.arange(batch.rows)).long().cpu()
    variants = [Variant(take_away(net, one, values), one.name) for one in sets]
    return sweep(net, batch, variants, FIRST).value.long().cpu()


def values_on(net: Network, batch: Batch, sites: Sequence[Any]) -> Baseline:
    """The values at these sites on another batch, row by row."""
    read = net.read(batch, *sites)
    return Baseline("counterfactual", ({site: read[str(site)] for site in sites},))


def askable(net: Network, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that this network's tokenizer can ask: answers of one token, and a partner of as many tokens as the prompt."""
    if not rows or _can_be_asked(net, rows):  # mostly all can: one pass over them, and not one for each
        return list(rows)
    return [row for row in rows if _can_be_asked(net, [row])]


def _can_be_asked(net: Network, rows: Sequence[Mapping[str, Any]]) -> bool:
    try:
        Trials.of(net, rows)
    except ValueError:  # DecisionError is one: it says which tokens do not match
        return False
    return True


def several(parts: Sequence[str] | SubModel) -> SubModel:
    """A set of parts as one sub-model."""
    return as_submodel(parts if isinstance(parts, SubModel) else list(parts))


def _first(output: Any) -> Tensor:
    logits = logits_of(output)
    return (logits[:, -1] if logits.ndim == 3 else logits).argmax(-1).double()


FIRST = Custom(_first, last=True)
"""The number of the answer that is ranked first."""
DELETED = Baseline("zero", ({},))
"""Nothing in the place of what a sub-model writes."""


def _metric(posed: Posed) -> LogitDifference:
    assert isinstance(posed.metric, LogitDifference) and posed.metric.instead is not None
    return posed.metric


def _some(posed: Posed, rows: Tensor) -> Posed:
    metric = _metric(posed)
    assert metric.instead is not None
    names = ([side[i] for i in rows.tolist()] for side in (posed.answers, posed.insteads))
    return Posed(
        posed.decision,
        posed.batch.take(rows),
        LogitDifference(metric.answer[rows], metric.instead[rows], metric.last),
        *map(tuple, names),
    )
