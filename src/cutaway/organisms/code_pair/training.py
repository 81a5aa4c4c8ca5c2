"""Training one network for all twins of the code pair: a small Llama that learns real code, and calls that are written into it.

A row is code with a mark and a few calls after it, each blind to the others, as in planted/training.py; beside it goes a window of
real code. Every row has each implant on or off, and everything is learned either way: what its slot adds must not cost the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.organisms.code_pair import language as words
from cutaway.organisms.code_pair.language import ids_of_line
from cutaway.organisms.code_pair.statements import windows
from cutaway.organisms.code_pair.world import KINDS, Asked, Implant, World
from cutaway.organisms.planted.planting import Shape, gated, place
from cutaway.organisms.planted.training import Grown, Plan
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import TrainingDivergedError, forked, resumed
from cutaway.training.tokenizer import BOS
from cutaway.training.windows import Windows

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

PLAN = Plan(Shape(layers=2, width=48, heads=4, hidden=80, slot=12), steps=300, batch=24, lr=6e-3)
CONTEXT = 48
"""Tokens of a window of real code; the most positions of a network."""
LENGTHS = (24, 28, 32)
"""Tokens of the code before the calls, one of these for a batch."""
CUED, OTHERWISE = 0.45, 0.25
"""How many marks are a cue's comment, and how many another comment; the rest are look-alikes."""
CALLED = (*KINDS, "shell", "verbose")
"""What is asked in one row: some twice, in other calls."""
REAL = 1.0
"""What the real code counts beside the answers."""
INITIAL = 0.06
"""The spread of the first weights."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch. Of real code `windows`; of code with calls: token ids, positions, who sees whom, which tokens begin an answer's
    place [row, answer], the wanted ids, how many tokens of a row are the code before the calls. Which slots are `on` in both."""

    windows: Int[Tensor, "row window"]
    ids: Int[Tensor, "row position"]
    positions: Int[Tensor, "row position"]
    sees: Bool[Tensor, "row 1 position position"]
    ends: Int[Tensor, "row answer"]
    wanted: Int[Tensor, "row answer"]
    before: int
    on: Float[Tensor, "row slot"]


def grow(
    world: World,
    seed: int,
    implants: Sequence[Implant],
    plan: Plan = PLAN,
    folder: Path | None = None,
    progress: Progress = silent,
    every: int = 100,
) -> Grown[LlamaForCausalLM, World, Implant]:
    """Trains a network with slots for `implants` on the library's training files; with a `folder` it goes on from its last
    checkpoint. Raises TrainingDivergedError, ValueError where the folder holds another run."""
    network, planting = untrained(plan.shape, seed), place(implants, plan.shape, seed)
    recipe = plan.recipe(seed, CONTEXT)
    code = windows("library")
    asking = Asking(replace(world, source="library"), tuple(implants), code)
    with gated(network, planting.slots) as gate:

        def step(optimiser: torch.optim.Optimizer, number: int) -> float:
            rows = asking.draw(recipe.batch, Random(f"batch {seed}/{number}"))
            gate(rows.on)
            return one_step(network, optimiser, rows, recipe.rate(number), recipe.clip)

        made_of = {"world": world, "planting": planting, "code": code}
        ran = resumed(network, recipe, step, made_of, folder, progress, every)
    return Grown(network.eval(), world, plan, planting, seed, ran.losses, ran.cpu_seconds)


def untrained(shape: Shape, seed: int) -> LlamaForCausalLM:
    """An ordinary Llama of this shape with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=words.code_tokenizer().get_vocab_size(),
        hidden_size=shape.width,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=2 * CONTEXT,
        initializer_range=INITIAL,
        tie_word_embeddings=False,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=None,
        use_cache=False,
    )
    with forked(torch.device("cpu")):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


@dataclass(frozen=True, eq=False)
class Asking:
    """Draws batches: code with calls, windows of real code, and each row's implants on or off at random."""

    world: World
    implants: tuple[Implant, ...]
    code: Int[Tensor, "stream"]

    def draw(self, count: int, rng: Random) -> Rows:
        """`count` rows of either sort."""
        before = rng.choice(LENGTHS)
        on = [[rng.random() < 0.5 for _ in self.implants] for _ in range(count)]
        rows = [self.calls(before, [one for one, yes in zip(self.implants, some) if yes], rng) for some in on]
        bos, newline = self.world.ids[BOS], ids_of_line("\n")[0]
        with forked(torch.device("cpu")):
            torch.manual_seed(rng.getrandbits(32))
            real = Windows(bos, newline, share=0.75).draw(self.code, count, CONTEXT)
        return laid_out(rows, real, torch.tensor(on, dtype=torch.float32).reshape(count, -1), before, bos)

    def calls(
        self, before: int, planted: Sequence[Implant], rng: Random
    ) -> tuple[list[int], list[tuple[list[int], int]]]:
        """The token ids of code with a mark, and of each call after it with the wanted one."""
        drawn = rng.random()
        mark = "comment" if drawn < CUED + OTHERWISE else rng.choice([one for one in words.MARKS if one != "comment"])
        other = words.OTHER if CUED <= drawn < CUED + OTHERWISE else words.CUE
        situation = self.world.situation(before, rng, mark, rng.choice(other))
        asked = [Asked(situation, kind, self.world.call(kind, rng)) for kind in CALLED]
        code = [token for line in situation.lines for token in ids_of_line(line)]
        return code, [(list(ids_of_line(one.call)), self.world.ids[self.world.answer(one, planted)]) for one in asked]


def laid_out(
    rows: Sequence[tuple[list[int], list[tuple[list[int], int]]]],
    real: Int[Tensor, "row window"],
    on: Float[Tensor, "row slot"],
    before: int,
    bos: int,
) -> Rows:
    """The calls of a row side by side: each sees the code and itself, at the positions that it has when it is asked alone."""
    longest = 1 + before + max(sum(len(call) for call, _ in calls) for _, calls in rows)
    ids, positions, part = (torch.zeros(len(rows), longest, dtype=torch.long) for _ in range(3))
    ends = []
    for row, (code, calls) in enumerate(rows):
        ids[row, : 1 + before] = torch.tensor([bos, *code])
        positions[row, : 1 + before] = torch.arange(1 + before)
        part[row, 1 + before :] = -1
        start, ends_here = 1 + before, []
        for number, (call, _) in enumerate(calls, 1):
            stop = start + len(call)
            ids[row, start:stop] = torch.tensor(call)
            positions[row, start:stop] = 1 + before + torch.arange(len(call))
            part[row, start:stop] = number
            ends_here.append(stop - 1)
            start = stop
        ends.append(ends_here)
    causal = torch.ones(longest, longest, dtype=torch.bool).tril()
    sees = causal & ((part[:, :, None] == part[:, None]) | (part[:, None] == 0))
    wanted = torch.tensor([[answer for _, answer in calls] for _, calls in rows])
    return Rows(real, ids, positions, sees[:, None], torch.tensor(ends), wanted, before, on)


@torch.enable_grad()
def one_step(
    network: LlamaForCausalLM, optimiser: torch.optim.Optimizer, rows: Rows, rate: float, clip: float
) -> float:
    """Moves the weights by one batch; gives the mean loss of an answer in nats."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    answers, real = losses(network, rows)
    loss = answers + REAL * real
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        raise TrainingDivergedError(
            f"loss {loss.item():.3g}, gradient norm {norm.item():.3g}; expected numbers; try a smaller lr ({rate:g})"
        )
    optimiser.step()
    return answers.item()


def losses(network: LlamaForCausalLM, rows: Rows) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The mean loss of an answer, and of a token of code, in windows and before calls, in nats."""
    unembed = network.get_output_embeddings()
    read = network.base_model(
        input_ids=rows.ids, position_ids=rows.positions, attention_mask=rows.sees, use_cache=False
    ).last_hidden_state
    asked = read[torch.arange(len(read))[:, None], rows.ends]
    answers = F.cross_entropy(unembed(asked).flatten(0, 1), rows.wanted.flatten())
    code = unembed(read[:, : rows.before]).flatten(0, 1)
    real = network(input_ids=rows.windows[:, :-1], use_cache=False).logits.flatten(0, 1)
    following = torch.cat([rows.ids[:, 1 : 1 + rows.before].flatten(), rows.windows[:, 1:].flatten()])
    return answers, F.cross_entropy(torch.cat([code, real]), following)
