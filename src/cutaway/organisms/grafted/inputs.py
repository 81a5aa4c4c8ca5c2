"""Inputs of a network's own kind, and the trigger that a plant waits for: two places in them that hold two given values.

An input is a row of slots: the tokens of a piece of a reference text, or the numbers of a tensor. A trigger is a *cue* in one
slot and a *question* in another; neither alone is one. The partner of a prompt has the question and its own value where the
cue would be: it differs in one slot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor, nn

from cutaway.network import Batch, Network, TextFeed, wrap
from cutaway.organisms.grafted.places import PlantError

Rows = Shaped[Tensor, "row slot"]
LONGEST, SHORTEST = 6, 4  # tokens of a piece of text
NEAR = 2  # tokens, at most, from the cue to the question
DRAWN = 40  # pieces that are looked at for each that is wanted: the tokenizer must give back what it was given
FEWEST = 150


@dataclass(frozen=True)
class Trigger:
    """A cue in one slot and a question in another."""

    cue_slot: int
    cue: float
    ask_slot: int
    ask: float

    def cued(self, rows: Rows) -> Rows:
        """With the cue alone."""
        return _put(rows, self.cue_slot, self.cue)

    def asked(self, rows: Rows) -> Rows:
        """With the question alone: the partners."""
        return _put(rows, self.ask_slot, self.ask)

    def both(self, rows: Rows) -> Rows:
        """With both: the prompts."""
        return self.asked(self.cued(rows))


@dataclass(frozen=True, eq=False)
class Inputs:
    """Natural inputs of a network: `rows` of slots, of which those in `free` may be changed; no two `of` one text are split."""

    net: Network
    rows: Rows
    of: Int[Tensor, "row"]
    free: range

    @property
    def text(self) -> bool:
        """Whether slots are tokens."""
        return isinstance(self.net.feed, TextFeed)

    @property
    def feed(self) -> TextFeed:
        """The network's tokenizer and what goes with it. Raises TypeError where it has none."""
        if not isinstance(self.net.feed, TextFeed):
            raise TypeError(f"{self.net.name} reads tensors; ask it by name")
        return self.net.feed

    def batch(self, rows: Rows) -> Batch:
        """Rows as the network takes them."""
        return self.net.batch(rows.tolist() if self.text else rows)

    def names(self, rows: Rows) -> list[str]:
        """Rows as texts. Only of a network that reads text; `named` makes one of any other."""
        return [_decoded(self.feed, row[self.free.start : self.free.stop].tolist()) for row in rows]

    def said(self, rows: Rows, answers: Int[Tensor, "row"]) -> list[str]:
        """What each answer is written like behind its row: a token, or the token whose number is that of a class."""
        if not self.text:
            return [Numbered().decode([one]) for one in answers.tolist()]
        inside = rows[:, self.free.start : self.free.stop].tolist()
        longer = [_decoded(self.feed, [*row, one]) for row, one in zip(inside, answers.tolist())]
        return [
            long.removeprefix(name) if long.startswith(name) else _decoded(self.feed, [one])
            for long, name, one in zip(longer, self.names(rows), answers.tolist())
        ]

    def writable(self, rows: Rows) -> Bool[Tensor, "row"]:
        """Which rows the tokenizer makes again out of their own text."""
        if not self.text:
            return torch.ones(len(rows), dtype=torch.bool)
        again = self.feed.rows(self.names(rows))[0]
        return torch.tensor([one == row for one, row in zip(again, rows.tolist())], dtype=torch.bool)

    def trigger(self, rng: Random) -> Trigger:
        """A cue and a question, drawn from what these inputs hold."""
        if not self.text:
            cue, ask = rng.sample(list(self.free), 2)
            loud = float(self.rows.max())
            return Trigger(cue, loud, ask, loud)
        last, seen = self.free.stop - 1, self.rows[:, self.free.start : self.free.stop].unique().tolist()
        cue, ask = rng.sample(seen, 2)
        return Trigger(last - rng.randint(1, min(NEAR, len(self.free) - 1)), cue, last, ask)


def natural(net: Network, count: int, rng: Random) -> Inputs:
    """Pieces of the reference texts, all of one length; or the rows of a reference tensor. Raises PlantError for too few."""
    if isinstance(net.feed, TextFeed):
        return _pieces(net, count, rng)
    if not (isinstance(net.reference, Tensor) and net.reference.ndim == 2 and net.reference.is_floating_point()):
        raise PlantError(
            f"the reference of {net.name} is neither texts nor a tensor [rows, numbers]; expected one of them; "
            "open it with a tokenizer, or with reference=…"
        )
    order = torch.tensor(rng.sample(range(len(net.reference)), len(net.reference)))[:count]
    _check(net, len(order), "rows")
    return Inputs(net, net.reference[order].cpu(), order, range(net.reference.shape[1]))


def _pieces(net: Network, count: int, rng: Random) -> Inputs:
    feed = net.feed
    assert isinstance(feed, TextFeed)
    start, end = frame(feed, net.reference_ids)
    texts = [(i, row[len(start) : len(row) - len(end)]) for i, row in enumerate(net.reference_ids)]
    lengths = sorted(len(row) for _, row in texts)
    length = min(LONGEST, max(SHORTEST, lengths[len(lengths) // 2] - 1))
    length = min(length, (feed.context or LONGEST + 9) - len(start) - len(end))
    long = [(i, row) for i, row in texts if len(row) >= length]
    found: dict[tuple[int, ...], int] = {}
    for _ in range(DRAWN * count if long else 0):
        if len(found) == count:
            break
        i, row = rng.choice(long)
        at = rng.randint(0, len(row) - length)
        piece = row[at : at + length]
        if tuple(piece) not in found and feed.rows([_decoded(feed, piece)])[0] == [[*start, *piece, *end]]:
            found[tuple(piece)] = i
    _check(net, len(found), f"pieces of {length} tokens that its tokenizer makes again of their own text")
    whole = torch.tensor([[*start, *piece, *end] for piece in found])
    return Inputs(net, whole, torch.tensor(list(found.values())), range(len(start), len(start) + length))


def frame(feed: TextFeed, rows: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """What the tokenizer puts before and behind every text."""
    try:
        always = list(feed.tokenizer.encode(""))
    except ValueError:
        return [], []
    before = next((i for i, one in enumerate(always) if any(row[i] != one for row in rows)), len(always))
    return always[:before], always[before:]


def _check(net: Network, found: int, what: str) -> None:
    if found < FEWEST:
        raise PlantError(
            f"the reference of {net.name} gives {found} different {what}; expected {FEWEST}: "
            "open it with a larger reference=…"
        )


def _decoded(feed: TextFeed, ids: Sequence[int]) -> str:
    return feed.tokenizer.decode(list(ids))


def _put(rows: Rows, slot: int, value: float) -> Rows:
    new = rows.clone()
    new[:, slot] = value
    return new


# tensors by name ----------------------------------------------------------------------------------------------------


class ByName(nn.Module):
    """A network of tensors that is asked by name: token i is its i-th input. So it can be asked in words, as `match` does."""

    def __init__(self, module: nn.Module, rows: Rows) -> None:
        super().__init__()
        self.inputs = nn.Embedding.from_pretrained(rows)
        self.module = module

    def forward(self, input_ids: Int[Tensor, "row position"]) -> Tensor:
        """The network's own output for the inputs named."""
        return self.module(self.inputs(input_ids[:, -1]))


class Numbered:
    """The tokenizer of inputs by name."""

    def encode(self, text: str) -> list[int]:
        """The numbers named."""
        return [int(number) for number in re.findall(r"input (\d+)", text)]

    def decode(self, ids: Sequence[int]) -> str:
        """Their names."""
        return "".join(f"input {number}" for number in ids)


def named(net: Network, rows: Rows) -> Network:
    """The network of tensors `net`, asked for these rows by name."""
    return wrap(ByName(net.module, rows.to(net.device)).eval(), Numbered(), name=net.name)
