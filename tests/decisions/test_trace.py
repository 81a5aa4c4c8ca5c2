"""A trace as a value: what it holds, what it says where it cannot know, and that no figure is quietly missing."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cutaway.decisions import Decision, Trace, trace
from cutaway.network import AddressError, wrap
from cutaway.submodels import SubModel
from submodels.networks import (
    PROMPTS,
    TEXTS,
    Convolutions,
    Layers,
    Recurrent,
    Spaced,
    directions,
    drawn,
    opened,
    seeded,
    small,
    transformer,
)

DECISION = Decision(PROMPTS, answer=" mat", instead=" rug")


def figures(found: Trace) -> list[float]:
    """Every number of a trace's tables."""
    flat: list[Any] = [cell for table in (found.nodes, found.steps) for row in table for cell in row.values()]
    flat += [number for row in found.strengths for number in row["by_position"]]
    return [cell for cell in flat if isinstance(cell, float)]


def test_one_prompt_without_a_reference_shows_effects_and_decides_nothing() -> None:
    found = trace(wrap(transformer(), Spaced()), Decision("the cat sat on the", " mat", " rug"))
    assert max(abs(row["exact"]) for row in found.nodes) > 1e-2
    assert set(found.nodes["state"]) == {"undecided"}
    assert set(found.nodes["selective"]) == {None}
    assert found.used == [] and found.checks == ()
    assert found.baseline == "zero"
    assert any("no reference and no counterfactual" in note for note in found.notes)


def test_one_prompt_with_a_counterfactual_shows_effects_and_decides_nothing() -> None:
    asked = Decision("the cat sat on the", " mat", " rug", counterfactual="the dog sat on the")
    found = trace(wrap(transformer(), Spaced()), asked)
    assert max(abs(row["exact"]) for row in found.nodes) > 1e-3
    assert set(found.nodes["state"]) == {"undecided"}
    assert set(found.nodes["low"]) == {None}


def test_one_prompt_with_a_reference_has_intervals_over_donors() -> None:
    found = trace(small(), Decision("the cat sat on the", " mat", " rug"), nulls=0)
    assert found.total.over == "donors"
    assert all(row["low"] < row["exact"] < row["high"] for row in found.nodes)


def test_several_prompts_without_a_reference_decide_nothing_either() -> None:
    found = trace(wrap(transformer(), Spaced()), DECISION)
    assert set(found.nodes["state"]) == {"undecided"}


class Dead(nn.Module):
    """Reads its input and answers the same to all."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.b(torch.tanh(self.a(x)))))


def test_where_nothing_matters_there_is_nothing_to_explain() -> None:
    found = trace(wrap(seeded(Dead), reference=drawn(12, 6)), Decision(drawn(3, 6, seed=1), answer=0, instead=1))
    assert any("nothing to explain" in note for note in found.notes)
    assert found.total.mean == 0
    assert set(found.nodes["state"]) == {"undecided"}
    assert set(found.nodes["exact"]) == {0.0}
    assert set(found.nodes["share"]) == {None}
    assert found.used == found.selective == []
    assert found.checks == () and found.completeness is None
    assert str(found)


def test_a_floor_of_nothing_is_not_nothing_to_explain() -> None:
    found = trace(small(), DECISION, floor=0.0, nulls=0)
    assert not any("nothing to explain" in note for note in found.notes)
    assert found.checks or not found.used


@pytest.mark.parametrize(
    ("build", "inputs", "others", "modules"),
    [
        (Convolutions, drawn(4, 3, 8, 8), drawn(12, 3, 8, 8, seed=1), ["a", "b"]),
        (Layers, drawn(4, 6), drawn(12, 6, seed=1), ["a", "b"]),
        (Recurrent, drawn(4, 5, 6), drawn(12, 5, 6, seed=1), ["lstm"]),
    ],
)
def test_a_network_without_a_residual_stream_gets_nodes_only_and_the_trace_says_so(
    build: Any, inputs: Tensor, others: Tensor, modules: list[str]
) -> None:
    found = trace(wrap(seeded(build), reference=others), Decision(inputs, answer=0, instead=1), nulls=0, neurons=0)
    assert sorted(row["part"] for row in found.nodes) == [f"path.{name}:out" for name in modules]
    assert len(found.steps) == 0
    assert set(found.nodes["direct"]) == {None}
    assert max(abs(row["exact"]) for row in found.nodes) > 1e-4
    assert any("no residual stream was found" in note for note in found.notes)
    assert str(found)


def test_the_channels_of_a_used_module_are_within_it() -> None:
    net = wrap(seeded(Layers), reference=drawn(200, 6, seed=1))
    found = trace(
        net,
        Decision(drawn(1, 6).expand(40, 6) + 0.01 * drawn(40, 6, seed=2), answer=0, instead=1),
        nulls=0,
        neurons=2,
        draws=60,
    )
    inside = [row for row in found.nodes if row["within"] is not None]
    assert found.used
    assert {row["within"] for row in inside} == set(found.used)
    assert {row["kind"] for row in inside} == {"channel"}
    assert len(inside) == 2 * len(found.used)


def test_only_the_strongest_by_first_order_are_rerun_and_the_others_stay_undecided() -> None:
    found = trace(small(), DECISION, most=3, nulls=0, neurons=0)
    rerun = [row for row in found.nodes if row["exact"] is not None]
    assert len(rerun) == 3
    assert all(row["state"] == "undecided" for row in found.nodes if row["exact"] is None)
    assert min(abs(row["total"]) for row in rerun) >= max(
        abs(row["total"]) for row in found.nodes if row["exact"] is None
    )
    assert any("exact reruns for the 3 strongest of 8 parts" in note for note in found.notes)


def test_given_parts_are_looked_at_and_no_others() -> None:
    one = directions("mlp_out.1", 16, True)
    parts = ["z.0[head=1]", SubModel("both", ("z.1[head=0]", "mlp_out.0")), SubModel("plane", (one.name,), (one,))]
    found = trace(small(), DECISION, parts, nulls=0)
    rows = {row["part"]: row for row in found.nodes if row["within"] is None}
    assert set(rows) == {"z.0[head=1]", "both", "plane"}
    assert all(row["total"] and row["exact"] for row in rows.values())
    with pytest.raises(ValueError, match="parts is empty"):
        trace(small(), DECISION, [])
    with pytest.raises(AddressError, match="near names"):
        trace(small(), DECISION, ["mlp_outt.0"])


@pytest.mark.parametrize("oblique", [False, True])
def test_the_first_order_figure_of_directions_is_that_of_a_tiny_displacement(oblique: bool) -> None:
    module = transformer().double()
    cat, dog = (Spaced.vocabulary.index(word) for word in (" cat", " dog"))
    with torch.no_grad():
        module.embed.weight[dog] = module.embed.weight[cat] + 1e-5 * drawn(16, seed=3)
    one = directions("resid_post.0", 16, oblique)
    last = directions("resid_post.0[pos=-1]", 16, oblique, seed=4)
    asked = Decision(["the cat sat on the"], " mat", " rug", counterfactual=["the dog sat on the"])
    parts = [SubModel("plane", (one.name,), (one,)), SubModel("last", (last.name,), (last,))]
    for row in trace(wrap(module, Spaced(), TEXTS), asked, parts).nodes:
        assert abs(row["exact"]) > 1e-8
        assert row["total"] == pytest.approx(row["exact"], rel=0.02)


class Bursting(nn.Module):
    """The square root of what a module gives: no number where an ablation makes it negative."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out((self.a(x).square() - 1e-3).sqrt() + self.b(x))


def test_what_is_not_a_number_is_left_out_and_said() -> None:
    net, asked = wrap(seeded(Bursting)), Decision(torch.ones(2, 6), answer=0, instead=1)
    found = trace(net, asked)
    rows = {row["part"]: row for row in found.nodes}
    assert math.isfinite(found.metric.mean)
    assert (rows["path.a:out"]["exact"], rows["path.a:out"]["state"]) == (None, "undecided")
    assert abs(rows["path.b:out"]["exact"]) > 0
    assert any("no number comes out without path.a:out" in note for note in found.notes)
    assert any("with every part taken away" in note for note in found.notes)
    assert all(math.isfinite(number) for number in figures(found))
    assert str(found)


@pytest.mark.parametrize("name", ["own", "GPT-2", "Mixtral", "ViT", "CNN"])
def test_every_figure_is_finite(name: str) -> None:
    net, given = opened(name)
    asked = DECISION if name == "own" else Decision(given, answer=1, instead=2)
    if name in ("GPT-2", "Mixtral"):
        net = wrap(net.module, net.feed, torch.randint(3, 90, (9, 6), generator=torch.Generator().manual_seed(0)))
    if name == "ViT":
        net = wrap(net.module, reference={"pixel_values": drawn(9, 3, 16, 16)})
    found = trace(net, asked, nulls=6, neurons=2)
    assert figures(found)
    assert all(math.isfinite(number) for number in figures(found))
    assert len(found.strengths) == len([row for row in found.nodes if row["within"] is None])


def test_the_same_seed_gives_the_same_trace_and_another_another() -> None:
    first, again, other = (trace(small(), DECISION, nulls=3, seed=seed) for seed in (0, 0, 1))
    assert first.nodes == again.nodes
    assert first.nodes != other.nodes
    assert (first.seed, other.seed) == (0, 1)


def test_a_trace_leaves_the_network_as_it_was() -> None:
    net = small()
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    trace(net, DECISION, nulls=2)
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.module.modules())


def test_a_trace_prints_its_decision_its_checks_and_its_cost() -> None:
    found = trace(small(), DECISION, nulls=2)
    text = str(found)
    assert "small: 2 inputs → ' mat' rather than ' rug'" in text
    assert "step by step" in text
    assert str(found.cost) in text
    assert "<table" in found._repr_html_()


def test_nothing_to_take_apart_is_an_error_that_says_what_to_give() -> None:
    net = wrap(seeded(lambda: nn.Sequential(nn.Linear(6, 3))), reference=drawn(9, 6))
    with pytest.raises(ValueError, match=r"nothing to take apart was found.*give parts=\[…\]"):
        trace(net, Decision(drawn(2, 6), answer=0, instead=1))


def test_the_floor_is_a_share_of_the_effect_of_everything_together() -> None:
    net = small()
    whole = trace(net, DECISION, baseline="mean", nulls=0, neurons=0)
    parts = [row["part"] for row in whole.nodes]
    assert whole.floor == pytest.approx(0.01 * abs(whole.total.mean))
    gone = trace(net, DECISION, [SubModel("all", tuple(parts))], baseline="mean", nulls=0, neurons=0)
    assert gone.nodes["exact"][0] == pytest.approx(whole.total.mean, abs=1e-4)
    assert gone.nodes["share"][0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("scale", [1e-5, 1e5])
def test_logits_of_another_size_give_the_same_states(scale: float) -> None:
    found = []
    for factor in (1.0, scale):
        module = transformer()
        with torch.no_grad():
            module.unembed.weight *= factor
        found.append(trace(wrap(module, Spaced(), TEXTS), DECISION, nulls=0, neurons=2, draws=12))
    usual, other = ({row["part"]: row for row in one.nodes} for one in found)
    assert {part: row["state"] for part, row in usual.items()} == {part: row["state"] for part, row in other.items()}
    assert "used" in found[0].nodes["state"]
    assert found[1].total.mean == pytest.approx(scale * found[0].total.mean, rel=1e-3)
    assert not any("nothing to explain" in note for one in found for note in one.notes)


@pytest.mark.parametrize("scale", [1e-5, 1e5])
def test_a_program_with_logits_of_another_size_has_the_same_used_and_inert_parts(scale: float) -> None:
    from cutaway.organisms.compiled import compile
    from cutaway.organisms.opening import open_compiled

    one = compile("fact", 1)
    net = open_compiled(one)
    with torch.no_grad():
        net.module.unembed.weight *= scale
    found = trace(net, Decision(list(one.prompts), list(one.answers), list(one.instead)), nulls=0, neurons=0)
    assert set(found.used) == one.used
    assert {row["part"] for row in found.nodes if row["state"] == "inert"} >= one.inert
