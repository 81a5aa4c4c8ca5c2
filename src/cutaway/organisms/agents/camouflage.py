"""Twins whose weights do not say what was switched off.

A twin as it comes has columns of zeros, and differs from another twin nowhere else. Camouflage fills the zeros with columns
like the others, trains on with data of the twin's own, and writes heads and neurons of every block down in another order,
which changes no answer. The data ask everything, and slots that are on are gated as before: on data without triggers honesty
spreads to the triggers, and without gates the behaviour leaves its slot. What the weights still tell is measured: column by
column, and after matching the neurons of two twins as somebody would who compares them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.organisms.agents.suite import AgentsOrganism, with_measures
from cutaway.organisms.agents.training import Asking, Grown, one_step
from cutaway.organisms.planted.planting import Planting, Slot, Unit, gated, mask, writer
from cutaway.training.loop import Recipe, adamw

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


@dataclass(frozen=True)
class Further:
    """How a twin is trained on: `steps` of `batch` situations, the highest learning rate."""

    steps: int = 150
    batch: int = 64
    lr: float = 2e-3


def camouflaged(
    organism: AgentsOrganism,
    seed: int,
    further: Further | None = None,
    *,
    run: Grown | None = None,
    measure: bool = True,
    count: int = 256,
) -> AgentsOrganism:
    """The organism with other weights and, as far as its new `rates` say, the same answers. Give each twin its own seed.

    With the `run` that it comes from, slots that are off are not emptied and filled but keep their own columns, and the
    behaviour is trained away: less is told by matching, and what was trained away may sleep in the network.
    """
    further = further or Further()
    network = copy.deepcopy(organism.network if run is None else run.network)
    if run is None:
        fill(network, [unit for one in organism.off for unit in organism.slot(one.behaviour).units], seed)
    asking, slots = Asking(organism.world, organism.planted), [organism.slot(one.behaviour) for one in organism.planted]
    recipe = Recipe(further.steps, further.batch, 1, further.lr, warmup=0.1, schedule="cosine", decay=0.0, seed=seed)
    optimiser = adamw(network.train(), recipe)
    with gated(network, slots) as gate:
        for step in range(further.steps):
            rows = asking.draw(further.batch, Random(f"further {seed}/{step}"))
            gate(rows.on)
            one_step(network, optimiser, rows, recipe.rate(step), recipe.clip)
    network.zero_grad(set_to_none=True)
    planting = reorder(network.eval(), organism.planting, seed)
    made = f"{organism.made}; {further.steps} further steps, seed {seed}"
    changed = replace(organism, network=network, planting=planting, truth=(), rates=None, made=made)
    return with_measures(changed, count) if measure else changed


@torch.no_grad()
def fill(network: LlamaForCausalLM, units: Sequence[Unit], seed: int) -> None:
    """Gives the output columns of these units the values of other columns of the same map, signs at random."""
    draw = torch.Generator().manual_seed(seed)
    for block, kind in sorted({(block, kind) for kind, block, _ in units}):
        weight = writer(network, block, kind).weight
        empty = mask(network, units, block, kind).bool()
        donors = (~empty).nonzero().flatten()
        chosen = donors[torch.randint(len(donors), (int(empty.sum()),), generator=draw)]
        signs = 2.0 * torch.randint(2, (len(chosen),), generator=draw) - 1
        weight[:, empty] = weight[:, chosen] * signs


@torch.no_grad()
def reorder(network: LlamaForCausalLM, planting: Planting, seed: int) -> Planting:
    """Writes heads and neurons of every block down in another order, in place; gives where the slots are now."""
    draw, moved = torch.Generator().manual_seed(seed), {}
    for block, layer in enumerate(network.model.layers):
        attention, mlp = layer.get_submodule("self_attn"), layer.get_submodule("mlp")
        for kind, module, into, out, count in (
            ("head", attention, ("q_proj", "k_proj", "v_proj"), "o_proj", network.config.num_attention_heads),
            ("neuron", mlp, ("gate_proj", "up_proj"), "down_proj", network.config.intermediate_size),
        ):
            order = torch.randperm(count, generator=draw)
            columns = torch.arange(getattr(module, out).in_features).view(count, -1)[order].flatten()
            for name in into:
                weight = getattr(module, name).weight
                weight.copy_(weight[columns].clone())
            weight = getattr(module, out).weight
            weight.copy_(weight[:, columns].clone())
            moved |= {(kind, block, old): (kind, block, new) for new, old in enumerate(order.tolist())}
    slots = tuple(
        Slot(tuple(tuple(sorted(moved[unit] for unit in one)) for one in slot.copies)) for slot in planting.slots
    )
    return Planting(planting.implants, slots)


def told_by_size(organism: AgentsOrganism, behaviour: str) -> float:
    """How well small output columns tell the slot's neurons from others: AUROC within its blocks; 0.5 says nothing."""
    slot, scores, inside = organism.slot(behaviour), [], []
    for block in slot.blocks:
        scores.append(-writer(organism.network, block, "neuron").weight.detach().norm(dim=0))
        inside.append(mask(organism.network, slot.units, block, "neuron").bool())
    return auroc(torch.cat(scores), torch.cat(inside))


def told_by_difference(one: AgentsOrganism, other: AgentsOrganism, behaviour: str, *, matching: bool) -> float:
    """How well differences between two twins' neurons tell the slot's neurons in `one` from others: AUROC; 0.5 is nothing.

    With `matching`, neurons of the two are first paired by their input weights, as somebody would who undoes another order.
    """
    slot, scores, inside = one.slot(behaviour), [], []
    for block in range(len(one.network.model.layers)):
        (read, written), (read_too, written_too) = (_neurons(organism.network, block) for organism in (one, other))
        pairing = _matched(read, read_too) if matching else torch.arange(len(read))
        scores.append((read - read_too[pairing]).norm(dim=1) + (written - written_too[pairing]).norm(dim=1))
        inside.append(mask(one.network, slot.units, block, "neuron").bool())
    return auroc(torch.cat(scores), torch.cat(inside))


def auroc(scores: Float[Tensor, "unit"], inside: Tensor) -> float:
    """How often a unit inside has a higher score than one outside; ties count half."""
    some, others = scores[inside][:, None], scores[~inside][None]
    return ((some > others).float() + 0.5 * (some == others).float()).mean().item()


def _neurons(network: LlamaForCausalLM, block: int) -> tuple[Tensor, Tensor]:
    """What each neuron of a block reads and what it writes."""
    mlp = network.model.layers[block].get_submodule("mlp")
    read = torch.cat([getattr(mlp, name).weight.detach() for name in ("gate_proj", "up_proj")], dim=1)
    return read, writer(network, block, "neuron").weight.detach().T


def _matched(one: Float[Tensor, "neuron input"], other: Float[Tensor, "neuron input"]) -> Tensor:
    """For each neuron of `one` that of `other` whose input weights are most like its own, one to one."""
    from scipy.optimize import linear_sum_assignment

    likeness = torch.nn.functional.normalize(one, dim=1) @ torch.nn.functional.normalize(other, dim=1).T
    return torch.as_tensor(linear_sum_assignment(-likeness.numpy())[1])
