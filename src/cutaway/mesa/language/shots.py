"""Few-shot prompts over token ids: demonstrations with one of two label tokens each, and a query to be labelled.

The labels are ±1 whatever their tokens are, so that everything that is read of a regression from its labels can be read here too.
A prompt whose labels are all changed for the other one is its *mirror*: half the difference between the two answers is what the
network took from the labels, without what it thinks of their words (calibration: Zhao et al. 2021, arXiv 2102.09690).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True)
class Shots:
    """A batch of prompts of one length; the next token after the last position should be a label.

    `slots` are the positions of label tokens, `items` those of each demonstration's input, `query` those of the query's. `labels`
    holds the token for +1 and the one for −1, `truth` the label that is right. Prompts of one `task` share what has to be learned:
    tasks, not prompts, are independent. A prompt that names its labels in an instruction has slots there and no items.
    """

    ids: Int[Tensor, "prompt position"]
    slots: Int[Tensor, "slot"]
    items: Int[Tensor, "shot piece"]
    query: Int[Tensor, "piece"]
    labels: Int[Tensor, "prompt 2"]
    truth: Int[Tensor, "prompt"]
    task: Int[Tensor, "prompt"]
    novel: bool = True

    def __post_init__(self) -> None:
        same = self.labels[:, 0] == self.labels[:, 1]
        if same.any():
            token = int(self.labels[same][0, 0])
            raise ValueError(f"both labels of a prompt are token {token}; expected two tokens: give other label words")
        if not torch.isin(self.truth, torch.tensor((-1, 1))).all():
            raise ValueError(
                f"truths are {self.truth.unique().tolist()}; expected 1 for the first label, −1 for the second"
            )
        if not len(self.slots):
            raise ValueError(
                "the prompts hold no label; expected demonstrations, or an instruction that names the labels"
            )
        shown = self.ids[:, self.slots].unsqueeze(-1) == self.labels.unsqueeze(1)
        if not shown.any(-1).all():
            raise ValueError(
                "a slot holds a token that is no label of its prompt; expected one of its two: check the slots"
            )

    @property
    def count(self) -> int:
        """How many prompts."""
        return self.ids.shape[0]

    @property
    def shots(self) -> int:
        """Demonstrations of each prompt."""
        return self.items.shape[0]

    @property
    def length(self) -> int:
        """Tokens of each prompt."""
        return self.ids.shape[1]

    @property
    def ys(self) -> Int[Tensor, "prompt slot"]:
        """The labels shown, as 1 or −1."""
        return torch.where(self.ids[:, self.slots] == self.labels[:, :1], 1, -1)

    def take(self, rows: Int[Tensor, "taken"] | Bool[Tensor, "prompt"] | slice) -> Shots:
        """Some of the prompts."""
        return replace(self, ids=self.ids[rows], labels=self.labels[rows], truth=self.truth[rows], task=self.task[rows])

    def labelled(self, ys: Int[Tensor, "prompt slot"]) -> Shots:
        """The same prompts with other labels in their slots; the truth stays what it was."""
        ids = self.ids.clone()
        ids[:, self.slots] = torch.where(ys > 0, self.labels[:, :1], self.labels[:, 1:])
        return replace(self, ids=ids)

    def flipped(self, shot: int) -> Shots:
        """One label changed for the other."""
        if not 0 <= shot < len(self.slots):
            raise IndexError(f"label {shot} asked to be flipped; expected 0 to {len(self.slots) - 1}")
        ys = self.ys
        ys[:, shot] *= -1
        return self.labelled(ys)

    def mirrored(self) -> Shots:
        """Every label changed for the other, the right one too."""
        return replace(self.labelled(-self.ys), truth=-self.truth)

    def shuffled(self, seed: int) -> Shots:
        """Labels dealt anew among the slots of each prompt: the null of everything that is learned from them."""
        order = torch.rand(len(self.ids), len(self.slots), generator=torch.Generator().manual_seed(seed)).argsort(1)
        return self.labelled(self.ys.gather(1, order))

    def asking(self, shot: int) -> Shots:
        """A demonstration's input put as the query too; its label is the truth."""
        if not 0 <= shot < self.shots:
            raise IndexError(
                f"demonstration {shot} asked for; expected 0 to {self.shots - 1}: these prompts show {self.shots}"
            )
        ids = self.ids.clone()
        ids[:, self.query] = self.ids[:, self.items[shot]]
        return replace(self, ids=ids, truth=self.ys[:, shot])


def joined(several: list[Shots]) -> Shots:
    """The prompts of several batches of one layout, one batch after the other."""
    first = several[0]
    names = ("ids", "labels", "truth", "task")
    return replace(first, **{name: torch.cat([getattr(one, name) for one in several]) for name in names})


@dataclass(frozen=True)
class Layout:
    """What stands around inputs and labels: `before` all, `between` an input and its label, `after` a label."""

    before: tuple[int, ...] = ()
    between: tuple[int, ...] = ()
    after: tuple[int, ...] = ()

    def written(
        self,
        inputs: Int[Tensor, "prompt shots_and_query piece"],
        ys: Int[Tensor, "prompt shot"],
        labels: Int[Tensor, "prompt 2"],
        truth: Int[Tensor, "prompt"],
        task: Int[Tensor, "prompt"] | None = None,
        novel: bool = True,
    ) -> Shots:
        """Demonstrations and the query, the last of the inputs, as prompts; without `task` each is a task of its own."""
        count, several, pieces = inputs.shape
        if several < 2:
            raise ValueError("prompts without demonstrations were asked for; expected at least one and a query")
        tokens = torch.where(ys > 0, labels[:, :1], labels[:, 1:])
        step = pieces + len(self.between) + 1 + len(self.after)
        starts = len(self.before) + step * torch.arange(several)
        items = starts[:, None] + torch.arange(pieces)
        between, after = (
            torch.tensor(part, dtype=torch.long).expand(count, several, -1) for part in (self.between, self.after)
        )
        middle = torch.cat([tokens, tokens[:, :1]], 1).unsqueeze(-1)  # the query's is cut off again
        body = torch.cat([inputs, between, middle, after], -1).flatten(1)
        before = torch.tensor(self.before, dtype=torch.long).expand(count, -1)
        end = len(self.before) + step * several - 1 - len(self.after)
        task = torch.arange(count) if task is None else task
        slots = starts[:-1] + pieces + len(self.between)
        return Shots(torch.cat([before, body], 1)[:, :end], slots, items[:-1], items[-1], labels, truth, task, novel)
