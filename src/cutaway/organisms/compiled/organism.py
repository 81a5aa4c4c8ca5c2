"""A small network whose used parts are known, with the decisions for which they are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.organisms.compiled.writing import every_slot
from cutaway.training.transformer import Transformer

FEWEST_DONORS = 64


def parts(network: Transformer) -> frozenset[str]:
    """The addresses of all heads (`z.0[head=1]`) and MLP blocks (`mlp_out.0`) of `network`."""
    return frozenset(slot.address for slot in every_slot(network.shape.layers, network.shape.heads))


GroupKind = Literal["redundant", "backup", "cancelling"]


@dataclass(frozen=True)
class Group:
    """Parts whose use shows only when they are taken away together.

    - "redundant": each alone has no effect, all together have one: any of them is enough;
    - "backup": the same, but the second is silent as long as the first works;
    - "cancelling": each alone has an effect, all together have none.
    """

    kind: GroupKind
    parts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Organism:
    """A network, decisions at the last position, and which heads and MLP blocks these decisions use.

    Truth is meant in the sense of exact resampling: a part's values at all positions are replaced by those of a row of
    `reference`; its effect is the mean change of logit(answer) − logit(instead) over prompts and donors; the total
    effect is the change when every head and MLP block takes the donor's values. Then

    - `used`: at least 10 % of the total effect;
    - `inert`: exactly 0, bit for bit;
    - `decoys`: active and varying with the input, but written where nothing reads: at most `noise_bound` of the total;
    - `noise`: a true effect, but on no prompt and with no donor above `noise_bound` of the total.

    The bound also holds with a counterfactual's value or zero in the part's place.

    The four sets are disjoint and hold every head and MLP block; or all are empty: then nothing is known, as in an
    untrained network. `counterfactuals[i]` is matched to `prompts[i]` and its right answer is `instead[i]`.

    The members of a group in `groups` are listed in `used`, but what holds of them is what their group says. Where
    decisions differ in what they use, `used_by_prompt[i]` are the used parts of `prompts[i]`: the others of `used` have on
    this prompt no effect above `noise_bound`. It is empty where every prompt uses all of `used`.
    """

    name: str
    network: Transformer
    vocabulary: tuple[str, ...]
    prompts: tuple[tuple[int, ...], ...]
    answers: tuple[int, ...]
    instead: tuple[int, ...]
    counterfactuals: tuple[tuple[int, ...], ...]
    reference: Int[Tensor, "rows position"]
    used: frozenset[str]
    inert: frozenset[str]
    decoys: frozenset[str]
    noise: frozenset[str]
    noise_bound: float
    seed: int
    description: str
    groups: tuple[Group, ...] = ()
    used_by_prompt: tuple[frozenset[str], ...] = ()

    def __post_init__(self) -> None:
        self._check_parts()
        self._check_decisions()
        if self.network.training or self.network.embed.weight.dtype != torch.float32:
            raise ValueError(f"the network of {self.name!r} must be in eval mode and float32")

    def _check_parts(self) -> None:
        sets = (self.used, self.inert, self.decoys, self.noise)
        named, known = frozenset().union(*sets), parts(self.network)
        if sum(map(len, sets)) != len(named):
            raise ValueError(f"{self.name!r} lists a part under two of used, inert, decoys, noise; list each under one")
        if named and named != known:
            raise ValueError(f"{self.name!r} must say of every part what it is; these differ: {sorted(named ^ known)}")

        stray = {part for group in self.groups for part in group.parts} | frozenset().union(*self.used_by_prompt)
        if stray - self.used:
            raise ValueError(f"{self.name!r} names {sorted(stray - self.used)} in groups or by prompt, but not as used")

    def _check_decisions(self) -> None:
        count, length = len(self.prompts), self.reference.shape[1]
        columns = (self.answers, self.instead, self.counterfactuals, self.used_by_prompt or self.prompts)
        if any(len(column) != count for column in columns):
            raise ValueError(
                f"{self.name!r} has {count} prompts but {[len(column) for column in columns]} answers and so on"
            )
        if any(len(row) != length for row in (*self.prompts, *self.counterfactuals)):
            raise ValueError(f"all rows of {self.name!r} must be {length} tokens long, as its reference is")
        if any(answer == other for answer, other in zip(self.answers, self.instead)):
            raise ValueError(f"{self.name!r} has a prompt whose answer equals its instead")
        if len(self.reference) < FEWEST_DONORS:
            raise ValueError(f"{self.name!r} has {len(self.reference)} reference rows; give at least {FEWEST_DONORS}")
