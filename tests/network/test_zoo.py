"""The laws of the network package, on every architecture of the zoo."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cutaway.network import ZERO, Apply, Custom, Edit, LogitDifference, Network, Site, Variant, gradients, sweep, wrap
from cutaway.network.batch import tensor_batch

from .zoo import NAMED, ZOO, Family, inputs, module, network, output_of

HEADED = [family for family in ZOO if family.heads]
TEXT = [family for family in ZOO if family.inputs == "text"]
MIXTURES = [family for family in ZOO if family.experts]
each = pytest.mark.parametrize("family", ZOO, ids=str)


def close(a: Tensor, b: Tensor, near: float = 1e-5) -> bool:
    """Equal up to `near`, relative to the largest value."""
    return a.shape == b.shape and float((a - b).abs().max()) <= near * max(float(b.abs().max()), 1e-6)


def plain(net: Network, given: Any) -> Tensor:
    """What the module gives by itself, cutaway's own batch aside."""
    kwargs = {"input_ids": given} if isinstance(given, Tensor) else dict(given)
    kwargs |= {"use_cache": False} if "use_cache" in net.batch(given).kwargs else {}
    with torch.no_grad():
        return output_of(net.module(**kwargs))


def total(output: Any) -> Tensor:
    """A metric that hangs on every output: a fixed random direction of all logits, per row."""
    flat = output_of(output).flatten(1)
    return flat @ torch.linspace(-1, 1, flat.shape[1], dtype=flat.dtype)


def ablations(family: Family, net: Network) -> list[Variant]:
    """Every head; every block's output and MLP where there are no heads; channels of a module where there are no blocks."""
    if family.channel:
        return [Variant((Edit(Site.parse(f"path.{family.channel}:out[channel={c}]"), ZERO),)) for c in range(6)]
    if not family.heads:
        return [Variant((Edit(site, ZERO),)) for site in (*net.sites("mixer_out.*"), *net.sites("resid_post.*"))]
    heads = net.layout.heads
    return [Variant((Edit(Site("z", layer).at(head=h), ZERO),)) for layer in heads for h in range(heads[layer])]


@each
def test_a_pass_with_no_edits_is_the_module_bit_for_bit(family: Family) -> None:
    net = network(family)
    expected = plain(net, inputs(family))
    assert torch.equal(output_of(net(inputs(family))), expected)
    assert net.layout is not None  # the attention of most families is read through the interface from here on
    assert torch.equal(output_of(net(inputs(family))), expected)


@each
def test_the_layout_is_what_the_table_says_and_every_proof_holds(family: Family) -> None:
    layout = network(family).layout
    assert layout.additive == family.additive
    assert bool(layout.heads) == family.heads
    assert set(layout.missing) == set(family.missing)
    assert all(len(why) > 20 for why in layout.missing.values())
    assert [proof for proof in layout.proofs if not proof.holds] == []
    assert max((proof.error for proof in layout.proofs), default=0.0) < 1e-6
    for layer in layout.heads:
        assert layout.heads[layer] == 4
        assert layout.projections[layer] == family.projection.format(layer=layer)


@each
def test_the_page_of_architectures_says_what_is_found(family: Family) -> None:
    """`docs/architectures.md` is made by `python benchmarks/architectures.py`; a row that is no longer true fails here."""
    page = (Path(__file__).parents[2] / "docs" / "architectures.md").read_text()
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {family.name} |")]
    _, _, heads, additive, _, _, missing, _ = line.split("|")
    net = network(family)
    assert additive.strip() == ("yes" if net.layout.additive else "no")
    assert heads.strip() == (("q, k, v, z" if net.wiring.attention else "z only") if net.layout.heads else "–")
    assert all(f"`{point}`" in missing and why in missing for point, why in net.layout.missing.items())


@each
def test_a_point_is_there_in_some_block_or_named_as_missing(family: Family) -> None:
    net = network(family)
    there = {point for point, _ in net.layout.ports}
    for point in ("z", "attn_out", "mlp_out", "mlp_act", "resid_mid"):
        assert point in there or point in net.layout.missing or not net.layout.layers


@pytest.mark.parametrize("family", HEADED, ids=str)
def test_zeroing_a_head_is_zeroing_what_the_projection_reads_of_it(family: Family) -> None:
    net, given = network(family), inputs(family)
    for layer in net.layout.heads:
        part = module(family.name).get_submodule(family.projection.format(layer=layer))

        def without_head_2(_: Any, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            x = args[0].clone()
            width = x.shape[-1] // 4
            x[..., 2 * width : 3 * width] = 0
            return (x, *args[1:])

        handle = part.register_forward_pre_hook(without_head_2)
        by_hand = plain(net, given)
        handle.remove()
        run = net.run(given, [Edit(Site("z", layer).at(head=2), ZERO)])
        assert run.receipts[0].fired == 1
        assert run.receipts[0].moved > 0
        assert not torch.equal(by_hand, plain(net, given))
        assert close(output_of(run.output), by_hand)


@each
def test_the_sweep_equals_the_loop(family: Family) -> None:
    net, given = network(family), inputs(family)
    variants = ablations(family, net)
    metric = Custom(total)
    swept = sweep(net, given, variants, metric)
    rows = torch.arange(len(swept.clean))
    loop = torch.stack([metric(net.run(given, variant.edits).output, rows) for variant in variants])
    clean = metric(net(given), rows)
    assert len(variants) >= 4
    assert swept.notes == ()
    assert close(swept.value, loop)
    assert float((swept.effect - (loop - clean)).abs().max()) <= 1e-5 * float(clean.abs().max())
    assert float((loop - clean).abs().max()) > 1e-4 * float(clean.abs().max())


@pytest.mark.parametrize("family", TEXT, ids=str)
def test_a_left_padded_batch_equals_each_prompt_alone(family: Family) -> None:
    net = network(family)
    prompts = [row[:length].tolist() for row, length in zip(inputs(family, 3, 9), (9, 4, 7))]
    sites = ["resid_post.1", *(["z.1"] if family.heads else [])] if net.layout.layers else []
    run = net.run(prompts, read=sites)
    for row, prompt in enumerate(prompts):
        alone = net.run([prompt], read=sites)
        assert close(output_of(alone.output), plain(net, torch.tensor([prompt])))
        assert close(output_of(run.output)[row, -len(prompt) :], output_of(alone.output)[0])
        for site in sites:
            assert close(run.read[site][row, -len(prompt) :], alone.read[site][0])


@pytest.mark.parametrize("family", TEXT, ids=str)
def test_a_right_padded_batch_with_its_mask_equals_each_prompt_alone(family: Family) -> None:
    net = network(family)
    ids = inputs(family, 3, 9)
    lengths = torch.tensor([9, 4, 7])
    mask = (torch.arange(9) < lengths[:, None]).long()
    given = {"input_ids": ids * mask, "attention_mask": mask}
    sites = ["resid_post.1", *(["z.1"] if family.heads else [])] if net.layout.layers else []
    run = net.run(tensor_batch(given), read=sites)
    for row, length in enumerate(lengths.tolist()):
        alone = net.run(ids[row : row + 1, :length], read=sites)
        assert close(output_of(run.output)[row, :length], output_of(alone.output)[0])
        for site in sites:
            assert close(run.read[site][row, :length], alone.read[site][0])


def state(net: Network) -> list[Any]:
    """Everything that a pass may touch and must put back."""
    parts = list(net.module.modules())
    return [
        [part.training for part in parts],
        [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in parts],
        ["forward" in part.__dict__ for part in parts],
        [parameter.requires_grad for parameter in net.module.parameters()],
        [config._attn_implementation for config in net.wiring.readable],
    ]


@each
def test_everything_is_put_back_after_a_pass_and_after_an_exception(family: Family) -> None:
    net, given = network(family), inputs(family)
    assert net.layout is not None
    variants = ablations(family, net)[:3]
    net.module.train()
    try:
        before = state(net)
        net.run(given, variants[0].edits)
        sweep(net, given, variants, Custom(total))
        assert state(net) == before

        def burst(x: Tensor) -> Tensor:
            raise KeyboardInterrupt

        for go in (lambda e: net.run(given, e), lambda e: sweep(net, given, [Variant(tuple(e))], Custom(total))):
            with pytest.raises(KeyboardInterrupt):
                go([Edit(variants[0].edits[0].site, Apply(burst))])
            assert state(net) == before
    finally:
        net.module.eval()


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "Gemma 2", "BERT", "ViT", "ResNet", "Mamba"])
def test_in_bfloat16_the_sweep_equals_the_loop_to_its_tolerance(name: str) -> None:
    family = NAMED[name]
    feed = network(family).feed if family.inputs == "text" else None
    given = {k: v.bfloat16() for k, v in g.items()} if isinstance(g := inputs(family), dict) else g
    net = wrap(copy.deepcopy(module(name)).bfloat16(), feed=feed, reference=given)
    assert [proof for proof in net.layout.proofs if not proof.holds] == []
    variants = ablations(family, net)
    metric = Custom(lambda output: total(output).float())
    swept = sweep(net, given, variants, metric)
    loop = torch.stack([metric(net.run(given, v.edits).output, torch.arange(2)) for v in variants])
    assert torch.equal(output_of(net(given)), plain(net, given))
    assert close(swept.value, loop, 2e-2)


def test_dropout_and_checkpointing_are_off_in_a_pass_and_on_again_after() -> None:
    net, given = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    metric = LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51]))
    clean, gradient = output_of(net(given)), gradients(net, given, ["z.0"], metric).gradient["z.0"]
    net.module.train()
    net.module.activation_checkpointing_enable()
    try:
        assert not torch.equal(plain(net, given), clean)
        assert torch.equal(output_of(net(given)), clean)
        assert torch.equal(gradients(net, given, ["z.0"], metric).gradient["z.0"], gradient)
    finally:
        net.module.activation_checkpointing_disable()
        net.module.eval()


def test_the_users_module_is_not_changed_by_anything() -> None:
    net, given = network(NAMED["Llama"]), inputs(NAMED["Llama"])
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    kept = {name: value for name, value in vars(net.module).items() if not name.startswith("_")}
    gradients(net, given, ["z.*"], LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51])))
    sweep(net, given, ablations(NAMED["Llama"], net), Custom(total))
    after = net.module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert {name: value for name, value in vars(net.module).items() if not name.startswith("_")} == kept


# experts and shared weights -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", MIXTURES, ids=str)
def test_zeroing_an_expert_is_zeroing_its_weights(family: Family) -> None:
    net, given = network(family), inputs(family)
    layers = [layer for point, layer in net.layout.ports if point == "experts"]
    for layer in layers:
        name = net.layout.ports["experts", layer].module
        experts = net.module.get_submodule(name)
        weights = {f"{name}.down_proj": experts.down_proj.clone()}
        weights[f"{name}.down_proj"][1] = 0
        if hasattr(experts, "down_proj_bias"):
            weights[f"{name}.down_proj_bias"] = experts.down_proj_bias.clone()
            weights[f"{name}.down_proj_bias"][1] = 0
        by_weight = output_of(net.run(given, weights=weights).output)
        run = net.run(given, [Edit(Site("experts", layer).at(expert=1), ZERO)])
        assert run.receipts[0].moved > 0
        assert close(output_of(run.output), by_weight)


@pytest.mark.parametrize("family", MIXTURES, ids=str)
def test_experts_in_a_stack_equal_the_loop(family: Family) -> None:
    net, given = network(family), inputs(family, rows=3)
    layers = [layer for point, layer in net.layout.ports if point == "experts"]
    count = net.layout.ports["experts", layers[0]].heads or 0
    variants = [Variant((Edit(Site("experts", layer).at(expert=e), ZERO),)) for layer in layers for e in range(count)]
    swept = sweep(net, given, variants, Custom(total))
    loop = torch.stack([total(net.run(given, v.edits).output) for v in variants])
    assert swept.notes == ()
    assert float(swept.effect.abs().max()) > 0
    assert close(swept.value, loop)


def test_one_call_of_a_shared_block_is_addressed_by_its_number() -> None:
    net, given = network(NAMED["ALBERT"]), inputs(NAMED["ALBERT"])
    name = "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output"
    part = net.module.get_submodule(name)
    seen: list[Tensor] = []

    def second_only(_: Any, args: Any, output: Tensor) -> Tensor:
        seen.append(output)
        return torch.zeros_like(output) if len(seen) == 2 else output

    handle = part.register_forward_hook(second_only)
    by_hand = plain(net, given)
    handle.remove()
    site = Site.parse(f"path.{name}:out").at(call=1)
    run = net.run(given, [Edit(site, ZERO)])
    assert len(seen) == 2
    assert run.receipts[0].fired == 1
    assert close(output_of(run.output), by_hand)
    every = [Variant((Edit(site.whole.at(call=call), ZERO),)) for call in (0, 1)]
    swept = sweep(net, given, [*every, Variant((Edit(site.whole, ZERO),))], Custom(total))
    loop = torch.stack([total(net.run(given, v.edits).output) for v in (*every, Variant((Edit(site.whole, ZERO),)))])
    assert swept.notes == ()
    assert close(swept.value, loop)
