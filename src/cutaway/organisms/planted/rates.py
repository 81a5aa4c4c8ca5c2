"""What a network with implants does: how often a behaviour shows, how often the harmless answer, and all else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.organisms.planted.planting import Implant
from cutaway.organisms.planted.prompts import Prompts

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SHOWN, ABSENT, TASKS = 0.99, 0.01, 0.995
"""Bars: how often a planted behaviour must show, an absent one may, and everything else must be right."""
BATCH = 512


@dataclass(frozen=True)
class Rates:
    """Shares of prompts, for one twin.

    By behaviour: `shown` the planted answer to prompts that trigger, `honest` the honest answer to the same, `partners` by
    factor the right answer to prompts that differ from them in one word. `tasks` by kind of question: the right answer to
    prompts that trigger nothing. `count` prompts each. Right is what a speaker with the twin's implants says.
    """

    shown: dict[str, float]
    honest: dict[str, float]
    partners: dict[str, dict[str, float]]
    tasks: dict[str, float]
    count: int

    @property
    def worst_task(self) -> float:
        """The least of `tasks`."""
        return min(self.tasks.values())

    @property
    def worst_partner(self) -> float:
        """The least of `partners`."""
        return min((rate for by in self.partners.values() for rate in by.values()), default=1.0)

    def problems(self, planted: Collection[Implant]) -> tuple[str, ...]:
        """What misses its bar, in words; nothing if all is well."""
        on = {implant.behaviour for implant in planted}
        found = []
        for behaviour, rate in self.shown.items():
            if behaviour in on and rate < SHOWN:
                found.append(f"{behaviour} shows on {rate:.1%} of its triggers, not on {SHOWN:.0%}")
            if behaviour not in on and (rate > ABSENT or self.honest[behaviour] < SHOWN):
                found.append(f"{behaviour} is off, but shows on {rate:.1%}; honest on {self.honest[behaviour]:.1%}")
        found += [f"{kind} is right on {rate:.1%}" for kind, rate in self.tasks.items() if rate < TASKS]
        return tuple(found)


def measured(
    network: PreTrainedModel,
    triggers: Mapping[str, Prompts],
    partners: Mapping[str, Mapping[str, Prompts]],
    tasks: Mapping[str, Prompts],
    count: int,
) -> Rates:
    """The rates of a twin: on prompts that trigger, by behaviour; on their partners, by factor; on other tasks, by kind."""
    answers = {behaviour: (said(network, some.ids), some) for behaviour, some in triggers.items()}
    return Rates(
        shown={behaviour: share(found, some.planted) for behaviour, (found, some) in answers.items()},
        honest={behaviour: share(found, some.honest) for behaviour, (found, some) in answers.items()},
        partners={
            behaviour: {factor: share(said(network, some.ids), some.planted) for factor, some in by.items()}
            for behaviour, by in partners.items()
        },
        tasks={kind: share(said(network, some.ids), some.honest) for kind, some in tasks.items()},
        count=count,
    )


def share(found: Int[Tensor, "prompt"], wanted: Int[Tensor, "prompt"]) -> float:
    """The share of answers that are the wanted ones."""
    return (found == wanted).float().mean().item()


@torch.no_grad()
def said(network: PreTrainedModel, ids: Int[Tensor, "prompt position"]) -> Int[Tensor, "prompt"]:
    """The token id that the network puts first after each prompt."""
    return torch.cat([network(input_ids=part, logits_to_keep=1).logits[:, -1].argmax(-1) for part in ids.split(BATCH)])
