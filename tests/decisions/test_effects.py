"""Exact, direct and first-order effects against what plain reruns and plain arithmetic give."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.decisions import Decision, effects, trace
from cutaway.network import LogitDifference, Network, Site, wrap
from cutaway.submodels import SubModel, as_submodel, baseline, slices, take_away
from cutaway.training.transformer import Shape, Transformer
from submodels.networks import PROMPTS, TEXTS, Spaced, drawn, fresh, opened, small, transformer

DECISION = Decision(PROMPTS, answer=" mat", instead=" rug")


def parts_of(net: Network, batch: Any, kinds: tuple[str, ...] = ("heads", "mlps")) -> list[SubModel]:
    return [as_submodel(name) for one in slices(net, kinds, batch) for name in one.parts]


def naive(net: Network, posed: Any, part: SubModel, values: Any) -> torch.Tensor:
    """The change of the metric, one run at a time."""
    rows = torch.arange(posed.batch.rows)
    clean = posed.metric(net(posed.batch), rows)
    gone = [
        posed.metric(net.run(posed.batch, take_away(net, part, values, d)).output, rows) for d in range(values.draws)
    ]
    return torch.stack(gone) - clean


def sites(parts: list[SubModel]) -> list[Site]:
    return [Site.parse(part.parts[0]) for part in parts]


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_effects_are_the_naive_loop_on_random_small_transformers(data: st.DataObject) -> None:
    pick = data.draw
    shape = Shape(
        vocab=9,
        context=8,
        width=pick(st.integers(4, 9)),
        layers=pick(st.integers(1, 3)),
        heads=pick(st.integers(1, 3)),
        d_head=2 * pick(st.integers(1, 2)),
        hidden=pick(st.integers(1, 6)),
        norm=pick(st.sampled_from(["rms", "none"])),
        positions=pick(st.sampled_from(["rotary", "learned", "none"])),
        act=pick(st.sampled_from(["gelu", "relu"])),
        bias=pick(st.booleans()),
    )
    module = Transformer(shape, seed=pick(st.integers(0, 99))).eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(1))
    rows, length = pick(st.integers(1, 3)), pick(st.integers(1, 8))
    seeded = torch.Generator().manual_seed(pick(st.integers(0, 99)))
    net = wrap(module, reference={"input_ids": torch.randint(9, (5, length), generator=seeded)})
    posed = Decision({"input_ids": torch.randint(9, (rows, length), generator=seeded)}, answer=1, instead=2).pose(net)
    parts = parts_of(net, posed.batch, ("heads", "mlps", "neurons"))
    kind = pick(st.sampled_from(["zero", "mean", "resample"]))
    values = baseline(net, posed.batch, sites(parts), kind, draws=2)
    found, _ = effects(net, posed, parts, values)
    assert len(found) == len(parts)
    for part, effect in zip(parts, found):
        loop = naive(net, posed, part, values)
        assert float((effect.exact - loop).abs().max()) <= 1e-5 * max(
            1.0, float(posed.metric(net(posed.batch), torch.arange(rows)).abs().max())
        )


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "Mixtral"])
@pytest.mark.parametrize("kind", ["zero", "resample", "counterfactual"])
def test_effects_are_the_naive_loop_on_hugging_face_networks_padded_prompts_too(name: str, kind: Any) -> None:
    net = fresh(name)
    prompts = [*PROMPTS, "a cat on"]
    others = [PROMPTS[1], PROMPTS[0], "a dog on"]
    posed = Decision(prompts, " mat", " rug", counterfactual=others).pose(net)
    parts = parts_of(net, posed.batch)
    values = baseline(net, posed.batch, sites(parts), kind, draws=2, counterfactual=others)
    found, notes = effects(net, posed, parts, values)
    assert notes == ()
    assert max(float(effect.exact.abs().max()) for effect in found) > 1e-2
    for part, effect in zip(parts, found):
        assert torch.allclose(effect.exact, naive(net, posed, part, values), atol=2e-5)


@pytest.mark.parametrize("name", ["own", "GPT-2", "Llama"])
def test_the_direct_effect_is_the_change_of_the_contribution_added_to_the_last_stream(name: str) -> None:
    net = small() if name == "own" else fresh(name)
    posed = DECISION.pose(net)
    parts = parts_of(net, posed.batch, ("heads", "mlps", "neurons"))[::3]
    values = baseline(net, posed.batch, sites(parts), "resample", draws=2)
    found, _ = effects(net, posed, parts, values)
    rows, last = torch.arange(2), Site("resid_post", net.layout.layers - 1)
    clean = posed.metric(net(posed.batch), rows)
    for part, effect in zip(parts, found):
        site = Site.parse(part.parts[0])
        adds = Site("attn_out" if site.point == "z" else "mlp_out", site.layer)
        for draw in range(2):
            edits = take_away(net, part, values, draw)
            change = net.run(posed.batch, edits, [adds]).read[str(adds)] - net.read(posed.batch, adds)[str(adds)]

            def moved(_m: Any, _a: Any, out: Any, change: torch.Tensor = change) -> Any:
                return (out[0] + change, *out[1:]) if isinstance(out, tuple) else out + change

            block = net.wiring.modules[net.port(last).module]
            handle = block.register_forward_hook(moved)
            try:
                by_hand = posed.metric(net.module(**posed.batch.kwargs), rows) - clean
            finally:
                handle.remove()
            assert effect.direct is not None
            assert torch.allclose(effect.direct[draw], by_hand, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 3])
def test_direct_effects_and_the_embedding_sum_to_the_decision_without_norms(layers: int) -> None:
    net = wrap(transformer(layers, norm="none", width=8), Spaced(), TEXTS)
    posed = DECISION.pose(net)
    parts = parts_of(net, posed.batch)
    found, _ = effects(net, posed, parts, baseline(net, posed.batch, sites(parts), "zero"))
    directs = [effect.direct for effect in found if effect.direct is not None]
    assert len(directs) == 4 * layers
    written = -torch.stack(directs).sum(0).mean()
    traced = trace(net, DECISION, nulls=0)
    assert traced.steps["layer"][0] is None
    assert traced.steps["decision"][0] + float(written) == pytest.approx(traced.metric.mean, abs=1e-4)
    assert abs(float(written)) > 0.1


@pytest.mark.parametrize("norm", ["rms", "none"])
def test_first_order_totals_are_the_exact_effects_of_tiny_displacements(norm: str) -> None:
    module = transformer(2, norm=norm).double()
    cat, dog, mat, rug = (Spaced.vocabulary.index(word) for word in (" cat", " dog", " mat", " rug"))
    with torch.no_grad():  # a dog is a cat moved by 1e-5: the counterfactual displaces every part by very little
        module.embed.weight[dog] = module.embed.weight[cat] + 1e-5 * drawn(16, seed=3)
    net = wrap(module, Spaced(), TEXTS)
    prompts, others = ["the cat sat on the", "on the cat"], ["the dog sat on the", "on the dog"]
    found = trace(net, Decision(prompts, mat, rug, counterfactual=others), nulls=0)
    largest = max(abs(row["exact"]) for row in found.nodes)
    assert largest > 1e-7
    for row in found.nodes:
        assert row["total"] == pytest.approx(row["exact"], abs=0.02 * largest)
    for row in found.strengths:
        (node,) = (node for node in found.nodes if node["part"] == row["part"])
        assert sum(row["by_position"]) == pytest.approx(node["total"], abs=1e-3 * largest)


def test_the_strength_of_a_part_at_one_position_lies_there() -> None:
    found = trace(small(), DECISION, ["resid_post.0[pos=-1]", "resid_post.0[pos=2]", "resid_post.0"], nulls=0)
    last, third, whole = (row["by_position"] for row in found.strengths)
    assert [i for i, x in enumerate(last) if x] == [5]
    assert [i for i, x in enumerate(third) if x] == [2]
    assert (whole[5], whole[2]) == pytest.approx((last[5], third[2]), rel=1e-5)


@pytest.mark.parametrize("kind", ["zero", "mean", "resample"])
def test_duplicating_the_batch_changes_no_effect(kind: Any) -> None:
    net = small()
    once, twice = (Decision(PROMPTS * n, " mat", " rug").pose(net) for n in (1, 2))
    parts = parts_of(net, once.batch)
    values = baseline(net, once.batch, sites(parts), kind, draws=2)
    singles, doubles = (effects(net, posed, parts, values)[0] for posed in (once, twice))
    for single, double in zip(singles, doubles):
        assert torch.allclose(double.exact, single.exact.repeat(1, 2), atol=1e-5)
        assert single.direct is not None and double.direct is not None
        assert torch.allclose(double.direct, single.direct.repeat(1, 2), atol=1e-5)


def test_a_relabelling_of_heads_relabels_the_trace_and_nothing_else() -> None:
    plain, mixed = transformer(), transformer()
    order = [2, 0, 1]  # head i of `mixed` is head order[i] of `plain`
    channels = [4 * head + i for head in order for i in range(4)]
    with torch.no_grad():
        for before, after in zip(plain.blocks, mixed.blocks):
            for name in ("query", "key", "value"):
                getattr(after.attn, name).weight.copy_(getattr(before.attn, name).weight[channels])
            after.attn.out.weight.copy_(before.attn.out.weight[:, channels])
    traces = [trace(wrap(module, Spaced(), TEXTS), DECISION, neurons=0, nulls=0) for module in (plain, mixed)]
    first, second = ({row["part"]: row for row in one.nodes} for one in traces)
    assert len({round(row["exact"], 4) for row in first.values()}) == len(first)
    for name, row in second.items():
        site = Site.parse(name)
        was = str(site.at(head=order[dict(site.select)["head"]])) if site.select else name  # type: ignore[index]
        for column in ("exact", "direct", "total", "low", "high", "moved", "distance"):
            assert row[column] == pytest.approx(first[was][column], abs=2e-5)
        assert row["state"] == first[was]["state"]


def test_effects_are_the_same_in_any_order_of_parts() -> None:
    net = small(layers=3)
    posed = DECISION.pose(net)
    parts = parts_of(net, posed.batch)
    values = baseline(net, posed.batch, sites(parts), "resample", draws=2)
    shuffled = random.Random(0).sample(parts, len(parts))
    once, again = effects(net, posed, parts, values)[0], effects(net, posed, shuffled, values)[0]
    for part, effect in zip(parts, once):
        assert torch.allclose(effect.exact, again[shuffled.index(part)].exact, atol=1e-5)


def test_an_effect_counts_how_far_the_part_was_moved() -> None:
    net = small()
    posed = DECISION.pose(net)
    part = as_submodel("mlp_out.0")
    zero, mean = (
        effects(net, posed, [part], baseline(net, posed.batch, [Site("mlp_out", 0)], kind))[0][0]
        for kind in ("zero", "mean")
    )
    assert zero.moved == pytest.approx(1.0)
    assert mean.moved != pytest.approx(1.0, abs=1e-3)


def test_without_a_sum_there_is_no_direct_effect() -> None:
    net, given_ = opened("CNN")
    posed = Decision(given_, answer=0, instead=1).pose(net)
    assert isinstance(posed.metric, LogitDifference)
    part = as_submodel("path.a:out[channel=1]")
    found = effects(net, posed, [part], baseline(net, posed.batch, [], "zero"))[0][0]
    assert found.direct is None
    assert float(found.exact.abs().max()) > 0
