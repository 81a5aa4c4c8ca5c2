"""Sweeps: equal to the loop with every shortcut, exact where exactness is promised, and honest where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cutaway.network import (
    ZERO,
    Add,
    Apply,
    Custom,
    Edit,
    LogitDifference,
    Network,
    NeverFired,
    Put,
    Scale,
    Site,
    Variant,
    logits_of,
    sweep,
    wrap,
)
from cutaway.network.passes import Pass
from cutaway.training.transformer import Shape, Transformer

from .zoo import NAMED, Digits, inputs, module, network

ROWS = torch.arange(2)
METRIC = LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51]))


def loop(net: Network, ids: Tensor, variants: list[Variant], metric: LogitDifference | Custom = METRIC) -> Tensor:
    return torch.stack([metric(net.run(ids, variant.edits).output, torch.arange(len(ids))) for variant in variants])


def heads(net: Network, **select: int) -> list[Variant]:
    return [
        Variant((Edit(Site("z", layer).at(head=h, **select), ZERO),)) for layer in net.layout.heads for h in range(4)
    ]


def causal(name: str) -> tuple[Network, Tensor]:
    return network(NAMED[name]), inputs(NAMED[name])


# removing nothing, inert parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["GPT-2", "Gemma 2", "Mixtral", "BERT", "Mamba"])
def test_removing_nothing_changes_nothing_bit_for_bit(name: str) -> None:
    net, ids = causal(name)
    clean = logits_of(net(ids))
    for point in sorted({point for point, _ in net.layout.ports} - {"resid_mid", "experts"}):
        site = next(site for site in net.sites(f"{point}*") if site.point == point)
        for change in (Scale(1.0), Apply(lambda x: x.clone())):
            assert torch.equal(logits_of(net.run(ids, [Edit(site, change)]).output), clean), site
    swept = sweep(net, ids, [Variant(())], METRIC)
    assert float(swept.effect.abs().max()) == 0.0


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("name", ["GPT-2", "Llama", "BERT"])
def test_the_effect_of_an_inert_head_is_exactly_zero_in_a_stack(name: str, rows: int) -> None:
    import copy

    built = copy.deepcopy(module(name))
    with torch.no_grad():
        weight = built.get_submodule(NAMED[name].projection.format(layer=1)).weight
        if name == "GPT-2":
            weight[8:16] = 0
        else:
            weight[:, 8:16] = 0
    net, ids = wrap(built, feed=Digits()), inputs(NAMED[name], rows=rows, length=7)
    metric = LogitDifference(torch.arange(rows) + 5, torch.arange(rows) + 50)
    variants = heads(net)
    swept = sweep(net, ids, variants, metric)
    inert = [i for i, v in enumerate(variants) if str(v.edits[0].site) == "z.1[head=1]"]
    assert swept.effect[inert].abs().max() == 0.0
    others = [i for i in range(len(variants)) if i not in inert]
    assert bool((swept.effect[others].abs().amax(1) > 0).all())
    assert float(torch.cat([r.change[0] for r in swept.receipts[inert[0]]]).min()) > 0


def test_removing_everything_that_is_written_leaves_the_baseline() -> None:
    net, ids = causal("Llama")
    every = [Edit(site, ZERO) for site in (*net.sites("attn_out_post.*"), *net.sites("mlp_out_post.*"))]
    read = net.run(ids, every, read=["embed", "resid_post.1"]).read
    assert torch.equal(read["resid_post.1"], read["embed"])


# shortcuts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["GPT-2", "GPT-NeoX", "Llama", "Mistral", "Gemma 2", "Qwen3", "Granite", "OPT", "Phi-3", "gpt-oss", "T5"]
)
def test_with_and_without_shortcuts_the_sweep_is_the_loop(name: str) -> None:
    net, ids = causal(name)
    variants = heads(net) + [
        Variant((Edit(site, Put(0.3)),)) for site in (*net.sites("mlp_out.*"), *net.sites("resid_post.*"))
    ]
    variants += [Variant((Edit(Site("z", 0).at(head=1), ZERO), Edit(Site("mlp_out", 1), ZERO)))]
    short, full = sweep(net, ids, variants, METRIC), sweep(net, ids, variants, METRIC, shortcuts=False)
    each = torch.stack([METRIC(net.run(ids, v.edits).output, ROWS) for v in variants])
    assert "only the outputs that are read" in short.plan.shortcuts or name == "T5"
    assert not set(full.plan.shortcuts) - {"tape", "stacked"}
    for swept in (short, full):
        assert swept.notes == ()
        assert torch.allclose(swept.value, each, atol=1e-5 * float(each.abs().max()), rtol=0)


@pytest.mark.parametrize("pos", [-1, -2, 4])
@pytest.mark.parametrize(
    "name", ["GPT-2", "Llama", "GPT-NeoX", "Qwen2", "Mistral", "Gemma 3", "Phi", "OPT", "Mixtral", "OLMo 2", "Cohere"]
)
def test_edits_of_the_last_positions_compute_only_those_and_equal_the_loop(name: str, pos: int) -> None:
    net, ids = causal(name)
    variants = [
        *heads(net, pos=pos),
        Variant((Edit(Site("resid_pre", 1).at(pos=-1), Add(torch.full((1, 1, 32), 0.5))),)),
    ]
    swept = sweep(net, ids, variants, METRIC)
    start = min(5, pos % 6)
    assert f"positions from {start}" in swept.plan.shortcuts
    assert swept.notes == ()
    each = loop(net, ids, variants)
    assert torch.allclose(swept.value, each, atol=1e-5 * float(each.abs().max()), rtol=0)


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "Mistral", "Qwen3"])
def test_the_last_positions_of_padded_prompts_equal_each_prompt_alone(name: str) -> None:
    net = network(NAMED[name])
    ids = inputs(NAMED[name], 2, 7)
    prompts = [ids[0].tolist(), ids[1, :4].tolist()]
    variants = heads(net, pos=-1)
    swept = sweep(net, prompts, variants, METRIC)
    for row, prompt in enumerate(prompts):
        metric = LogitDifference(METRIC.answer[row : row + 1], METRIC.instead[row : row + 1])  # type: ignore[index]
        alone = torch.stack([metric(net.run([prompt], v.edits).output, torch.arange(1)) for v in variants])[:, 0]
        assert torch.allclose(swept.value[:, row], alone, atol=1e-5)


def test_a_position_from_the_start_is_refused_where_prompts_do_not_share_it() -> None:
    net = network(NAMED["GPT-2"])
    with pytest.raises(ValueError, match=r"share no position 2; count from the end"):
        sweep(net, [[3, 4, 5, 6], [7, 8]], heads(net, pos=2), METRIC)


@pytest.mark.parametrize(
    "name, why",
    [
        ("BERT", "not causal"),
        ("ModernBERT", "not causal"),
        ("Mamba", "does not go through Hugging Face's interface"),
        ("Bloom", "does not go through Hugging Face's interface"),
        ("MPT", "does not go through Hugging Face's interface"),
        ("Jamba", "did not reproduce the clean run|failed"),
    ],
)
def test_where_earlier_positions_are_not_known_all_are_computed_and_it_is_said_why(name: str, why: str) -> None:
    net, ids = causal(name)
    variants = [Variant((Edit(site.at(pos=-1), ZERO),)) for site in net.sites("resid_post.*")]
    swept = sweep(net, ids, variants, METRIC)
    import re

    assert not any("positions from" in one for one in swept.plan.shortcuts)
    assert any(re.search(f"all positions computed: .*({why})", note) for note in swept.notes)
    assert torch.allclose(swept.value, loop(net, ids, variants), atol=1e-5)


def test_a_batch_as_large_as_its_prompts_are_long_is_not_mixed_up() -> None:
    """A tensor whose first axis happens to have the batch's size (positions) must not be stacked as if it were the batch."""
    net = wrap(Transformer(Shape(30, 6, 16, 2, 2, 8, 32, positions="learned")))
    ids = torch.randint(0, 30, (6, 6), generator=torch.Generator().manual_seed(0))
    metric = LogitDifference(torch.arange(6), torch.arange(6) + 10)
    variants = [Variant((Edit(Site("z", layer).at(head=h), ZERO),)) for layer in (0, 1) for h in (0, 1)]
    each = torch.stack([metric(net.run(ids, v.edits).output, torch.arange(6)) for v in variants])
    assert torch.allclose(sweep(net, ids, variants, metric).value, each, atol=1e-6)


def test_a_change_that_mixes_positions_sees_all_of_them() -> None:
    net, ids = causal("Llama")
    mixing = [
        Variant((Edit(Site(point, 1), Apply(lambda x: x.flip(1))),))
        for point in ("mlp_act", "mlp_out", "attn_out", "resid_post")
    ]
    assert torch.allclose(sweep(net, ids, mixing, METRIC).value, loop(net, ids, mixing), atol=1e-5)


def test_an_edit_may_read_what_passed_earlier_in_its_own_rerun() -> None:
    @dataclass(frozen=True)
    class Plus:
        site: Site

        def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor:
            return x + read[self.site]

    net, ids = causal("Llama")
    early = Site("attn_out", 0)
    variants = [
        Variant((Edit(Site("attn_out", 0), Scale(factor)), Edit(Site("mlp_out", 1), Plus(early), (early,))))
        for factor in (1.0, 2.0, 3.0)
    ]
    assert torch.allclose(sweep(net, ids, variants, METRIC).value, loop(net, ids, variants), atol=1e-5)


def test_a_variant_reads_its_own_tensors() -> None:
    net, ids = causal("GPT-2")
    site = Site("resid_post", 1).at(pos=2)
    variants = [Variant((Edit(Site("z", 0).at(head=h), ZERO),), read=(site,)) for h in range(3)]
    swept = sweep(net, ids, variants, METRIC)
    for variant, read in zip(variants, swept.read):
        expected = net.run(ids, variant.edits, read=[site]).read[str(site)]
        assert torch.allclose(read[str(site)], expected, atol=1e-5)


# what goes wrong ------------------------------------------------------------------------------------------------------


def test_when_memory_runs_out_the_stack_is_halved_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    net, ids = causal("GPT-2")
    variants = heads(net)
    expected = loop(net, ids, variants)
    run, tried = Pass.__call__, []

    def short_of_memory(self: Pass, batch: object) -> object:
        tried.append(batch.rows)  # type: ignore[attr-defined]
        if self.replay is not None and batch.rows > 6:  # type: ignore[attr-defined]
            raise torch.OutOfMemoryError("no memory left")
        return run(self, batch)

    monkeypatch.setattr(Pass, "__call__", short_of_memory)
    swept = sweep(net, ids, variants, METRIC)
    assert max(tried) > 6
    assert any("memory ran out with" in note and "halved" in note for note in swept.notes)
    assert torch.allclose(swept.value, expected, atol=1e-5)


def test_when_a_single_rerun_does_not_fit_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    net, ids = causal("GPT-2")
    variants, run = heads(net), Pass.__call__

    def no_memory(self: Pass, batch: object) -> object:
        if self.replay is not None:
            raise torch.OutOfMemoryError("no memory left")
        return run(self, batch)

    monkeypatch.setattr(Pass, "__call__", no_memory)
    with pytest.raises(MemoryError, match="one rerun of 2 rows does not fit into memory; give fewer rows"):
        sweep(net, ids, variants, METRIC)


@pytest.mark.parametrize("error", [RuntimeError, ValueError, IndexError, KeyError, ZeroDivisionError])
def test_an_exception_in_a_users_change_or_metric_surfaces_at_once(error: type[Exception]) -> None:
    net, ids = causal("GPT-2")
    calls: list[str] = []

    def change(x: Tensor) -> Tensor:
        calls.append("change")
        raise error("mine")

    with pytest.raises(error, match="mine") as caught:
        sweep(net, ids, [Variant((Edit(Site("z", 0), Apply(change)),))] * 3, METRIC)
    assert type(caught.value) is error
    assert calls == ["change"]

    def metric(output: object) -> Tensor:
        calls.append("metric")
        if len(calls) > 2:
            raise error("mine")
        return logits_of(output)[:, -1, 0]

    with pytest.raises(error, match="mine"):
        sweep(net, ids, heads(net), Custom(metric))
    assert calls == ["change", "metric", "metric"]


def test_a_metric_of_the_wrong_shape_is_refused() -> None:
    net, ids = causal("GPT-2")
    with pytest.raises(ValueError, match=r"the metric gave \(2, 6\) for 2 examples"):
        sweep(net, ids, heads(net), Custom(lambda output: logits_of(output)[..., 0]))


def test_an_edit_that_never_fires_stops_the_sweep() -> None:
    net, ids = causal("GPT-2")
    with pytest.raises(NeverFired, match="never ran"):
        sweep(net, ids, [Variant((Edit(Site.parse("path.transformer.h.0.mlp:out[call=3]"), ZERO),))], METRIC)


class Mixing(nn.Module):
    """Its rows mix: a share of the mean over the batch is added, and all of it is made `times` as large."""

    def __init__(self, share: float, times: float) -> None:
        super().__init__()
        self.share, self.times = share, times
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.times * self.b(x + self.share * x.mean(0) * torch.arange(1.0, 5))


@pytest.mark.parametrize(("share", "times"), [(-1.0, 1.0), (0.01, 1.0), (0.01, 1e-5)])
def test_a_shortcut_that_is_wrong_for_a_network_is_found_out_and_dropped_however_small_the_metric(
    share: float, times: float
) -> None:
    torch.manual_seed(0)
    net, given = wrap(Mixing(share, times)), torch.randn(3, 4)
    variants = [Variant((Edit(Site.parse(f"path.a:out[channel={c}]"), ZERO),)) for c in range(4)]
    metric = Custom(lambda output: output.sum(1))
    swept = sweep(net, given, variants, metric)
    each = torch.stack([metric(net.run(given, v.edits).output, torch.arange(3)) for v in variants])
    assert any("not stacked: a clean row came out" in note for note in swept.notes)
    assert torch.allclose(swept.value, each, atol=1e-6 * times, rtol=1e-6)


@pytest.mark.parametrize("name", ["GPT-2", "Llama"])
def test_tiny_logits_are_swept_with_every_shortcut_and_to_the_same_relative_error(name: str) -> None:
    import copy

    built = copy.deepcopy(module(name))
    table = built.get_output_embeddings()
    table.weight = nn.Parameter(table.weight.detach() * 1e-5)
    net, ids = wrap(built, feed=Digits()), inputs(NAMED[name])
    swept, usual = sweep(net, ids, heads(net), METRIC), sweep(network(NAMED[name]), ids, heads(net), METRIC)
    assert (swept.notes, swept.plan.shortcuts) == ((), usual.plan.shortcuts)
    assert torch.allclose(swept.effect * 1e5, usual.effect, atol=1e-5 * float(usual.value.abs().max()))


def test_the_plan_says_what_it_will_cost() -> None:
    net, ids = causal("GPT-2")
    plan = sweep(net, ids, heads(net), METRIC).plan
    assert (plan.variants, plan.rows) == (8, 2)
    assert 1 < plan.forwards <= 9
    assert plan.memory > 0
    assert str(plan).startswith("8 reruns of 2 rows in ")


def test_one_row_of_one_token_with_a_table_of_positions_is_not_taken_for_rows() -> None:
    net = wrap(
        Transformer(Shape(vocab=11, context=8, width=6, layers=2, heads=2, d_head=2, hidden=2, positions="learned"))
    )
    edits = [Edit(Site.parse("mlp_act.0[neuron=1,pos=0]"), ZERO), Edit(Site.parse("resid_pre.0"), Scale(1.0))]
    metric = LogitDifference(torch.tensor([0]), torch.tensor([5]))
    swept = sweep(net, torch.tensor([[3]]), [Variant((edit,)) for edit in edits], metric)
    for edit, value in zip(edits, swept.value):
        assert torch.allclose(value, metric(net.run(torch.tensor([[3]]), (edit,)).output, torch.tensor([0])), atol=1e-6)


# laws on random networks ----------------------------------------------------------------------------------------------

shapes = st.fixed_dictionaries(
    {
        "layers": st.integers(1, 3),
        "heads": st.integers(1, 3),
        "d_head": st.sampled_from([2, 4]),
        "hidden": st.integers(1, 9),
        "norm": st.sampled_from(["rms", "none"]),
        "positions": st.sampled_from(["rotary", "learned", "none"]),
        "act": st.sampled_from(["gelu", "relu"]),
        "bias": st.booleans(),
    }
)


@settings(max_examples=20, deadline=None, phases=[Phase.generate])
@given(shapes, st.integers(1, 3), st.integers(1, 5), st.randoms(use_true_random=False), st.sampled_from([1, 8, 4096]))
def test_on_random_transformers_the_sweep_is_the_loop_in_any_order(
    shape: dict, rows: int, length: int, random, budget: int
) -> None:
    # In float64: a norm of an almost empty stream makes float32's rounding as large as the bar.
    net = wrap(Transformer(Shape(vocab=11, context=8, width=6, **shape), seed=random.randrange(1000)).double())
    ids = torch.randint(0, 11, (rows, length), generator=torch.Generator().manual_seed(random.randrange(1000)))
    net.locate(net.batch(ids))
    sites = [Site("z", layer).at(head=random.randrange(shape["heads"])) for layer in range(shape["layers"])]
    sites += [Site("mlp_act", layer).at(neuron=random.randrange(shape["hidden"])) for layer in range(shape["layers"])]
    sites += [site.at(pos=random.randrange(-length, length)) for site in sites] + net.sites("resid_pre.*")
    edits = [Edit(site, random.choice([ZERO, Put(0.5), Scale(1.7)])) for site in sites]
    variants = [Variant(tuple(random.sample(edits, random.randint(0, 2)))) for _ in range(8)]
    metric = LogitDifference(torch.arange(rows), torch.arange(rows) + 5)
    swept = sweep(net, ids, variants, metric, positions=budget)
    each = torch.stack([metric(net.run(ids, v.edits).output, torch.arange(rows)) for v in variants])
    near = 1e-6 * max(1.0, float(each.abs().max()))
    assert torch.allclose(swept.value, each, atol=near, rtol=0)
    order = random.sample(range(8), 8)
    again = sweep(net, ids, [variants[i] for i in order], metric, positions=budget)
    assert torch.allclose(again.value, swept.value[order], atol=near, rtol=0)


@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(1, 4), st.integers(0, 1000))
def test_on_random_mlps_the_sweep_is_the_loop(widths: list[int], rows: int, seed: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU(inplace=bool(seed % 2)))]
        net, given_rows = wrap(nn.Sequential(*layers)), torch.randn(rows, widths[0])
    variants = [
        Variant((Edit(Site.parse(f"path.{2 * i}:out[channel={c}]"), ZERO),))
        for i, width in enumerate(widths[1:])
        for c in range(width)
    ]
    metric = Custom(lambda output: output.sum(1))
    each = torch.stack([metric(net.run(given_rows, v.edits).output, torch.arange(rows)) for v in variants])
    assert torch.allclose(
        sweep(net, given_rows, variants, metric).value, each, atol=1e-5 * max(1.0, float(each.abs().max())), rtol=0
    )
