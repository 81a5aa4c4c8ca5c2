"""What a language model holds at the last position of a prompt: its residual stream after every block, and what it unembeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cutaway.mesa.language.shots import Shots
from cutaway.network import AddressError, Batch, InputError, Network
from cutaway.network.batch import parameters_of
from cutaway.network.given import context_of


class NoStream(ValueError):
    """A network without a residual stream, or without logits over tokens: nothing of this report can be read of it."""


@dataclass(frozen=True)
class Streams:
    """The last position of every prompt: after 0, 1, …, depth blocks, and what the unembedding multiplies."""

    layers: Float[Tensor, "layer prompt width"]
    final: Float[Tensor, "prompt width"]

    def minus(self, other: Streams) -> Streams:
        """What is different between prompts and others."""
        return Streams(self.layers - other.layers, self.final - other.final)

    def times(self, factor: float) -> Streams:
        """All of it, so many times."""
        return Streams(self.layers * factor, self.final * factor)

    def take(self, rows: slice) -> Streams:
        """Of some of the prompts."""
        return Streams(self.layers[:, rows], self.final[rows])


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads a network of tokens, `batch` prompts a pass, and tells `advance` of every pass how many prompts it read."""

    network: Network
    depth: int
    unembedding: nn.Linear
    address: str
    batch: int = 32
    advance: Callable[[int], None] = lambda _: None

    @classmethod
    def of(cls, network: Network, few: Shots, batch: int = 32) -> Reader:
        """Finds the stream and the unembedding by running two prompts. Raises `NoStream`, `InputError`."""
        check(network, few)
        try:
            network.locate(_tokens(network, few.ids[:2], whole=True))
            blocks, port = len(network.sites("resid_post.*")), network.port("logits")
        except (AddressError, KeyError) as error:
            raise NoStream(_refusal(network)) from error
        head = network.module.get_submodule(port.module)
        if not blocks or not isinstance(head, nn.Linear):
            raise NoStream(_refusal(network))
        return cls(network, blocks, head, f"path.{port.module}:in[pos=-1]", batch)

    def telling(self, advance: Callable[[int], None]) -> Reader:
        """The same reader, with someone to tell."""
        return replace(self, advance=advance)

    def streams(self, shots: Shots) -> Streams:
        """What is held at the last position of every prompt."""
        check(self.network, shots)
        parts = [self._pass(ids) for ids in shots.ids.split(self.batch)]
        return Streams(torch.cat([part.layers for part in parts], 1), torch.cat([part.final for part in parts]))

    def directions(self, labels: Int[Tensor, "prompt 2"]) -> Float[Tensor, "prompt width"]:
        """The direction whose product with what is unembedded is logit(first label) − logit(second), but for a constant."""
        weight = self.unembedding.weight.detach()
        return (weight[labels[:, 0].to(weight.device)] - weight[labels[:, 1].to(weight.device)]).float().cpu()

    def answers(self, streams: Streams, labels: Int[Tensor, "prompt 2"]) -> Float[Tensor, "prompt"]:
        """logit(first label) − logit(second), as the network gives it."""
        bias = self.unembedding.bias
        found = (streams.final * self.directions(labels)).sum(1).double()
        return found if bias is None else found + (bias[labels[:, 0]] - bias[labels[:, 1]]).detach().double().cpu()

    def _pass(self, ids: Int[Tensor, "prompt position"]) -> Streams:
        addresses = [
            "resid_pre.0[pos=-1]",
            *(f"resid_post.{block}[pos=-1]" for block in range(self.depth)),
            self.address,
        ]
        read = self.network.read(_tokens(self.network, ids), *addresses)
        rows = [read[address][:, -1].float().cpu() for address in addresses]
        self.advance(len(ids))
        return Streams(torch.stack(rows[:-1]), rows[-1])


def check(network: Network, shots: Shots) -> None:
    """Refuses prompts that are longer than what the network reads, with how many demonstrations would fit."""
    limit = context_of(network.module)
    if limit is None or shots.length <= limit:
        return
    fit = ""
    if shots.shots > 1:
        step = int(shots.slots[1] - shots.slots[0])
        fit = f"; {max(0, shots.shots - -(-(shots.length - limit) // step))} demonstrations would fit"
    raise InputError(
        f"prompts of {shots.shots} demonstrations have {shots.length} tokens; {network.name} reads at most {limit}{fit}: give fewer"
    )


def _tokens(network: Network, ids: Int[Tensor, "prompt position"], whole: bool = False) -> Batch:
    """Prompts of one length need no mask; where the module can leave out the logits of other positions, it does."""
    takes = parameters_of(network.module)
    if "input_ids" not in takes:
        raise NoStream(_refusal(network))
    keep = {"logits_to_keep": 1} if "logits_to_keep" in takes and not whole else {}
    batch = Batch((), {"input_ids": ids}, len(ids))
    network.intake.check(batch)
    return replace(batch, kwargs={"input_ids": ids, **keep})


def _refusal(network: Network) -> str:
    return (
        f"{network.name} has no residual stream that ends in logits over tokens; expected a decoder-only language model whose "
        "forward takes input_ids; to screen another kind of network, write a Subject for it (cutaway.mesa.subject)"
    )
