"""Distillation: the network is pulled towards a teacher's whole distribution over the next token.

Source: Hinton et al. 2015 (arXiv 1503.02531).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.dial.pressure.pressure import Pressure, Step, check_number
from cutaway.training.checkpoint import fingerprint


@dataclass(frozen=True)
class Distil(Pressure):
    """`weight` × temperature² × KL(teacher ‖ network), both at `temperature`, in nats per token.

    The teacher, in eval mode, is run on every batch, which costs a forward pass of it. `teacher_hash`, the sha256 of its
    weights, says in a checkpoint which teacher it was. Weight 0 is no pressure.
    """

    teacher: nn.Module = field(repr=False)
    weight: float = 1.0
    temperature: float = 1.0
    teacher_hash: str = field(init=False)

    def __post_init__(self) -> None:
        check_number("Distil.weight", self.weight)
        if not self.temperature > 0:
            raise ValueError(f"Distil.temperature is {self.temperature}; expected a number above 0")
        if self.teacher.training:
            raise ValueError("the teacher is in training mode; expected eval mode; call teacher.eval()")
        object.__setattr__(self, "teacher_hash", fingerprint({"teacher": self.teacher.state_dict()})["teacher"])

    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        taught, learns = (getattr(one, "shape", None) for one in (self.teacher, network))
        if taught is None or learns is None:
            return
        if taught.vocab != learns.vocab:
            raise ValueError(
                f"the teacher's vocabulary has {taught.vocab} ids, the network's {learns.vocab}; give equal ones"
            )

    def loss(
        self,
        network: nn.Module,
        logits: Float[Tensor, "batch position vocab"],
        batch: Int[Tensor, "batch window"],
        step: Step,
    ) -> Float[Tensor, ""] | None:
        if not self.weight:
            return None
        with torch.no_grad():
            goal = (self.teacher(batch[:, :-1]) / self.temperature).log_softmax(-1)
        found = (logits / self.temperature).log_softmax(-1)
        apart = F.kl_div(found.flatten(0, 1), goal.flatten(0, 1), reduction="batchmean", log_target=True)
        return self.weight * self.temperature**2 * apart
