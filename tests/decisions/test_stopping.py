"""Stopped work: what is finished is kept, what is kept is not done again, and nothing stale is taken for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from cutaway.decisions import Decision, effects, trace
from cutaway.network import wrap
from cutaway.submodels import SubModel, as_submodel, baseline, slices
from cutaway.submodels.submodel import sites_of
from submodels.networks import PROMPTS, TEXTS, Spaced, directions, small, transformer

DECISION = Decision(PROMPTS, answer=" mat", instead=" rug")


class Counted:
    """Measures groups of parts, counts them, and stops as Ctrl-C does after `stop` of them."""

    def __init__(self, measure: Callable[..., Any]) -> None:
        self.measure, self.calls, self.stop = measure, 0, 10**9

    def __call__(self, *args: Any) -> Any:
        if self.calls == self.stop:
            raise KeyboardInterrupt
        self.calls += 1
        return self.measure(*args)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    import sys

    module = sys.modules["cutaway.decisions.effects"]
    counter = Counted(module._measure)
    monkeypatch.setattr(module, "_measure", counter)
    yield counter


def measured(
    keep: Path | None, decision: Decision = DECISION, seed: int = 0, parts: Any = None, net: Any = None
) -> Any:
    net = net or small(layers=4)
    posed = decision.pose(net)
    if parts is None:
        parts = [as_submodel(name) for one in slices(net, ["heads", "mlps"], posed.batch) for name in one.parts]
    values = baseline(
        net, posed.batch, [site for part in parts for site in sites_of(net, part)], "resample", 3, seed=seed
    )
    return torch.stack([effect.exact for effect in effects(net, posed, parts, values, keep)[0]])


def test_ctrl_c_keeps_what_is_done_and_the_next_call_does_the_rest(tmp_path: Path, counted: Counted) -> None:
    whole = measured(None)
    assert counted.calls == 4  # one group a block
    counted.calls, counted.stop = 0, 2
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 2
    counted.calls, counted.stop = 0, 10**9
    assert torch.equal(measured(tmp_path), whole)
    assert counted.calls == 2
    assert torch.equal(measured(tmp_path), whole)
    assert counted.calls == 2


def test_a_whole_trace_that_was_stopped_goes_on_to_the_same_table(tmp_path: Path, counted: Counted) -> None:
    net = small(layers=4)
    whole = trace(net, DECISION, nulls=0)
    everything, counted.calls, counted.stop = counted.calls, 0, 3
    with pytest.raises(KeyboardInterrupt):
        trace(net, DECISION, nulls=0, keep=tmp_path)
    counted.calls, counted.stop = 0, 10**9
    again = trace(net, DECISION, nulls=0, keep=tmp_path)
    assert counted.calls == everything - 3
    assert again.nodes == whole.nodes
    assert again.steps == whole.steps


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"decision": Decision(["the rug sat on the", "the dog sat on the"], " mat", " rug")},
        {"decision": Decision(PROMPTS, " mat", " cat")},
        {"decision": Decision(PROMPTS, metric=lambda logits: logits[:, -1, 4])},
        {
            "decision": Decision(
                PROMPTS, metric=lambda logits: logits[:, -1, 4].relu() + logits[:, -1, 4].clamp(max=0) * 0.5
            )
        },
        {
            "decision": Decision(
                PROMPTS, metric=lambda logits: logits[:, -1, 4].relu() + logits[:, -1, 4].clamp(max=0) * 0.25
            )
        },
        {"net": wrap(transformer(4, seed=1), Spaced(), TEXTS)},
    ],
    ids=["seed", "prompt", "alternative", "metric", "another metric", "one more metric", "network"],
)
def test_what_belongs_to_another_question_is_not_taken(tmp_path: Path, counted: Counted, other: dict[str, Any]) -> None:
    fixed = Decision(PROMPTS, metric=lambda logits: logits[:, -1, 4].abs())
    first = fixed if other.get("decision") is not None and other["decision"].metric is not None else DECISION
    measured(tmp_path, first)
    counted.calls = 0
    assert torch.equal(measured(tmp_path, **other), measured(None, **other))
    assert counted.calls == 8


def test_directions_of_one_name_and_other_rows_are_not_taken_for_each_other(tmp_path: Path) -> None:
    ways = [directions("mlp_out.1", 16, False, seed=seed) for seed in (0, 5)]
    parts = [[SubModel("direction", (one.name,), (one,))] for one in ways]
    kept = [measured(tmp_path, parts=one) for one in parts]
    afresh = [measured(None, parts=one) for one in parts]
    assert torch.equal(kept[0], afresh[0])
    assert torch.equal(kept[1], afresh[1])
    assert not torch.allclose(kept[0], kept[1], atol=1e-3)


def test_an_edited_head_is_another_network(tmp_path: Path) -> None:
    module = transformer(4)
    before = measured(tmp_path, net=wrap(module, Spaced(), TEXTS))
    with torch.no_grad():
        module.blocks[3].attn.out.weight[:, 5] = 0
    after = measured(tmp_path, net=wrap(module, Spaced(), TEXTS))
    assert torch.equal(after, measured(None, net=wrap(module, Spaced(), TEXTS)))
    assert not torch.allclose(after, before, atol=1e-3)


def test_a_half_written_group_is_done_again(tmp_path: Path, counted: Counted) -> None:
    whole = measured(tmp_path)
    sorted(tmp_path.glob("*.json"))[0].write_text('{"key": {"par', encoding="utf-8")
    counted.calls = 0
    assert torch.equal(measured(tmp_path), whole)
    assert counted.calls == 1
