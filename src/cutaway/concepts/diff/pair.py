"""Two networks beside each other: whether they have one shape, one tokenizer, one set of weights; and what is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cutaway.concepts.diff.transplant import Parts
from cutaway.network import Network, TextFeed
from cutaway.training.checkpoint import content

UNHEEDED = ("architectures", "dtype", "torch_dtype", "transformers_version", "use_cache")
ADAPTERS = (".lora_", ".base_layer.", ".adapter")  # in names of weights beside those of the network itself


@dataclass(frozen=True, eq=False)
class Pair:
    """Two networks that are asked the same.

    Raises ValueError for one that reads no text, or whose adapter is not merged into its weights.
    """

    a: Network
    b: Network

    def __post_init__(self) -> None:
        for net in (self.a, self.b):
            if not isinstance(net.feed, TextFeed):
                raise ValueError(
                    f"{net.name} reads no text; expected a network with a tokenizer, as concepts are asked in words: "
                    "open it with feed=tokenizer"
                )
            if name := unmerged(net):
                raise ValueError(
                    f"{net.name} carries an adapter that is not merged into its weights ({name}); expected one network: "
                    "try module = module.merge_and_unload(), and open that"
                )

    @cached_property
    def one_shape(self) -> bool:
        """Whether all their weights have the same names and shapes."""
        first, second = (
            {name: tuple(x.shape) for name, x in net.module.named_parameters()} for net in (self.a, self.b)
        )
        return first == second

    @cached_property
    def identical(self) -> bool:
        """Whether their weights are the same, bit for bit."""
        return self.one_shape and checksum(self.a) == checksum(self.b)

    def same_tokens(self, prompts: Sequence[str]) -> bool:
        """Whether both tokenizers cut these prompts into the same tokens."""
        first, second = (net.batch(list(prompts)).ids for net in (self.a, self.b))
        return first is not None and second is not None and first.tolist() == second.tolist()

    def told(self, prompts: Sequence[str], kinds: Sequence[str]) -> tuple[str, bool]:
        """What the pair is, in words, and whether parts of these kinds of one can be put into the other."""
        if self.identical:
            otherwise = [
                name for name in configured(self.a) if configured(self.a)[name] != configured(self.b).get(name)
            ]
            said = (
                f", configured otherwise ({', '.join(otherwise)}): nothing could be transplanted" if otherwise else ""
            )
            return f"identical weights{said}", False
        first, second = (Parts.there(net, kinds).of.keys() for net in (self.a, self.b))
        if self.one_shape and first != second:
            return "weights of one shape, cut into other parts: nothing could be transplanted", False
        if not self.one_shape:
            return (
                "different shapes: nothing could be transplanted; what is said of parts rests on each network alone",
                False,
            )
        if prompts and not self.same_tokens(prompts):
            return "different tokenizers: compared by text; nothing could be transplanted", False
        return "one shape", True


def unmerged(net: Network) -> str | None:
    """The name of a weight of an adapter that is not merged; None where there is none."""
    names = (name for name, _ in net.module.named_parameters())
    return next((name for name in names if any(one in name for one in ADAPTERS)), None)


def configured(net: Network) -> dict[str, Any]:
    """What its configuration says of how it runs its weights, as far as there is one: neither names nor precision."""
    known = getattr(getattr(net.module, "config", None), "to_dict", dict)()
    return {name: value for name, value in known.items() if name not in UNHEEDED and not name.startswith("_")}


def checksum(net: Network) -> str:
    """The sha256 of the weights."""
    return hashlib.sha256(content(dict(net.module.state_dict()))).hexdigest()
