"""What a circuit is searched for that is to be told as a rule: which answer the *network* gives, and not how sure it is.

Both leave `prune` as it is. It is given a task whose answers are the network's own, its errors among them, and a network that is
surer of everything: whatever gives the same answers then reaches the target, with margins however small.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch

from cutaway.dial.reading.score import answered
from cutaway.dial.tasks import Examples, Task
from cutaway.dial.transformer import SparseTransformer


@torch.no_grad()
def surer(network: SparseTransformer, times: float) -> SparseTransformer:
    """The same network with all logits so many times as large; it gives the same answers, and its nodes are the same."""
    if times <= 0:
        raise ValueError(f"times is {times}; expected more than 0; 1 changes nothing")
    found = copy.deepcopy(network)
    found.norm.weight.mul_(times)
    if found.bigram is not None:
        found.bigram.weight.mul_(times)
    return found


@dataclass(frozen=True, eq=False)
class AsAnswered:
    """A task whose right answers are those that a network gives."""

    task: Task
    network: SparseTransformer

    @property
    def name(self) -> str:
        """The name of the task."""
        return self.task.name

    def examples(self, count: int, split: str, seed: int) -> Examples:
        """The task's prompts, with the network's answers."""
        found = self.task.examples(count, split, seed)
        answer = torch.tensor(answered(self.network, found))
        return replace(found, answer=answer, other=found.answer + found.other - answer)
