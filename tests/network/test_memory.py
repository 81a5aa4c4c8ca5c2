"""Memory: stacks follow what is free, and running out is survived where halving helps and said where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from cutaway.network import (
    ZERO,
    Custom,
    Edit,
    LogitDifference,
    Network,
    Scale,
    Site,
    Variant,
    gradients,
    memory,
    plan,
    sweep,
    wrap,
)

from .zoo import NAMED, inputs, network

METRIC = LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51]))
SUM = Custom(lambda output: output.sum(1))
WAYS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried 1 byte"),
    MemoryError(),
]


class Greedy(nn.Module):
    """A small MLP with room for so many rows, and no more."""

    def __init__(self, room: int, error: Exception) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.a, self.b = nn.Linear(4, 6), nn.Linear(6, 3)
        self.room, self.error = room, error

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.room:
            raise self.error
        return self.b(self.a(x).relu())


X = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
CHANNELS = [Variant((Edit(Site.parse(f"path.a:out[channel={c}]"), ZERO),)) for c in range(6)]


def greedy(room: int, error: Exception = WAYS[0]) -> Network:
    return wrap(Greedy(room, error))


def heads(net: Network) -> list[Variant]:
    return [Variant((Edit(Site("z", layer).at(head=h), ZERO),)) for layer in net.layout.heads for h in range(4)]


# planning -------------------------------------------------------------------------------------------------------------


def test_less_memory_gives_smaller_stacks_and_the_same_numbers() -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    whole = sweep(net, ids, heads(net), METRIC)
    each = (whole.plan.memory - sweep(net, ids, heads(net), METRIC, memory=1).plan.memory) / 7
    some = sweep(net, ids, heads(net), METRIC, memory=int(3.5 * each))
    none = sweep(net, ids, heads(net), METRIC, memory=1)
    assert (whole.plan.stacks, some.plan.stacks, none.plan.stacks) == (1, 4, 8)
    assert whole.plan.memory > some.plan.memory > none.plan.memory
    for fewer in (some, none):
        assert fewer.notes == ()
        assert torch.allclose(fewer.value, whole.value, atol=1e-6)


def test_without_a_budget_half_of_what_is_free_is_planned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    assert memory.budget([torch.device("cpu")]) > 2**20
    asked = []

    def little(device: torch.device) -> int:
        asked.append(device.type)
        return 10

    monkeypatch.setattr(memory, "free", little)
    assert plan(net, ids, heads(net), METRIC).stacks == 8
    assert asked == ["cpu"]


def test_logits_count_where_they_are_computed() -> None:
    config = GPT2Config(vocab_size=5000, n_embd=16, n_layer=1, n_head=2, n_positions=8, bos_token_id=1, eos_token_id=2)
    net, ids = wrap(GPT2LMHeadModel(config)), torch.randint(0, 90, (2, 6))
    net.locate(net.batch(ids))
    variants = [Variant((Edit(Site("z", 0).at(head=h), ZERO),)) for h in range(2)]
    trimmed, full = (sweep(net, ids, variants, METRIC, shortcuts=on).plan for on in (True, False))
    logits = 2 * 6 * 5000 * 4
    assert full.memory - trimmed.memory > 3 * logits  # two variants and clean rows


def test_a_plan_prints_operations_and_memory() -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    made = plan(net, ids, heads(net), METRIC)
    weights = sum(
        p.numel() for n, p in net.module.named_parameters() if p.ndim > 1 and "wpe" not in n
    )  # tied: used once
    assert made.operations == pytest.approx(made.forwards * 2 * weights * ids.numel(), rel=1e-6)
    assert f"{made.operations / 1e9:.4g} GFLOP, {made.memory / 1e6:.0f} MB" in str(made)


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    assert memory._container(tmp_path) is None
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 100\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._container(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory._container(tmp_path) == 400
    assert memory._machine(tmp_path / "none") > 0


# running out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", WAYS, ids=lambda e: type(e).__name__)
def test_a_stack_that_does_not_fit_is_halved(error: Exception) -> None:
    right = sweep(greedy(1000), X, CHANNELS, SUM)
    halved = sweep(greedy(12, error), X, CHANNELS, SUM)
    assert any("halved" in note for note in halved.notes)
    assert torch.allclose(halved.value, right.value, atol=1e-6)


@pytest.mark.parametrize("error", WAYS, ids=lambda e: type(e).__name__)
def test_a_clean_pass_that_does_not_fit_says_how_large_it_was_and_what_to_try(error: Exception) -> None:
    net = greedy(3, error)
    for run in (lambda: net.run(X), lambda: sweep(net, X, CHANNELS, SUM), lambda: plan(net, X, CHANNELS, SUM)):
        with pytest.raises(MemoryError, match=r"ran out in one pass of 4 rows; give fewer rows .* smaller dtype"):
            run()
    language, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    with pytest.raises(MemoryError, match="2 rows × 6 positions"), memory.told(language.batch(ids)):
        raise error


@pytest.mark.parametrize("error", WAYS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("room", [1, 2, 3])
def test_gradients_are_taken_in_halves(error: Exception, room: int) -> None:
    metric = LogitDifference(torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 2]))
    right = gradients(greedy(4), X, ["path.a:out", "path.b:in"], metric)
    halved = gradients(greedy(room, error), X, ["path.a:out", "path.b:in"], metric)
    assert torch.allclose(halved.metric, right.metric)
    for name in right.value:
        assert torch.allclose(halved.value[name], right.value[name], atol=1e-6)
        assert torch.allclose(halved.gradient[name], right.gradient[name], atol=1e-6)


def test_gradients_of_a_row_that_does_not_fit_are_refused() -> None:
    with pytest.raises(MemoryError, match=r"differentiating 1 row at 1 sites .* fewer sites at a time"):
        gradients(greedy(0), X, ["path.a:out"], SUM)


def test_memory_that_runs_out_while_small_effects_are_looked_at_again_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    net = greedy(1000)
    nearly = [Variant((Edit(Site.parse(f"path.a:out[channel={c}]"), Scale(1 + 3e-7)),)) for c in range(6)]
    assert 0 < float(sweep(net, X, nearly, SUM).effect.abs().max()) < 1e-5
    clean, forward = [], net.module.forward

    def full(x: Tensor) -> Tensor:
        clean.append(len(x))
        if len(x) == 4 and len(clean) > 1:  # the first is the clean pass, stacks hold more rows
            raise WAYS[0]
        return forward(x)

    monkeypatch.setattr(net.module, "forward", full)
    with pytest.raises(MemoryError, match="one pass of 4 rows"):
        sweep(net, X, nearly, SUM)
