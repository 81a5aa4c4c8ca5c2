"""Edits of weights for one pass: the same network as the edit of the activation; tied weights stay tied; nothing stays."""

import copy

import pytest
import torch

from cutaway.network import ZERO, AddressError, Edit, Site, logits_of, wrap

from .zoo import NAMED, inputs, module, network

TRANSPOSED = {"GPT-2"}  # its Conv1D stores [in, out]


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "GPT-NeoX", "Gemma 2", "OPT", "Bloom", "BERT", "Mixtral"])
def test_zeroing_the_columns_of_a_head_is_zeroing_the_head(name: str) -> None:
    net, ids = network(NAMED[name]), inputs(NAMED[name])
    path = f"{net.layout.projections[1]}.weight"
    weight = net.module.get_parameter(path).detach().clone()
    before = weight.clone()
    (weight.T if name in TRANSPOSED else weight)[:, 16:24] = 0
    by_weight = logits_of(net.run(ids, weights={path: weight}).output)
    by_activation = logits_of(net.run(ids, [Edit(Site("z", 1).at(head=2), ZERO)]).output)
    assert torch.allclose(by_weight, by_activation, atol=1e-5)
    assert not torch.allclose(by_weight, logits_of(net(ids)), atol=1e-3)
    assert torch.equal(net.module.get_parameter(path), before)


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "Gemma 2", "OPT", "BERT", "MPT"])
def test_zeroing_the_column_of_a_neuron_is_zeroing_the_neuron(name: str) -> None:
    net, ids = network(NAMED[name]), inputs(NAMED[name])
    path = f"{net.port('mlp_act.0').module}.weight"
    weight = net.module.get_parameter(path).detach().clone()
    (weight.T if name in TRANSPOSED else weight)[:, 7] = 0
    by_weight = logits_of(net.run(ids, weights={path: weight}).output)
    by_activation = logits_of(net.run(ids, [Edit(Site("mlp_act", 0).at(neuron=7), ZERO)]).output)
    assert torch.allclose(by_weight, by_activation, atol=1e-5)
    assert not torch.equal(by_weight, logits_of(net(ids)))


def test_zeroing_a_head_leaves_the_bias_of_the_projection() -> None:
    """The trap: without any heads GPT-2's attention still adds its bias; zeroing attn_out would remove that too."""
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    bias = torch.linspace(0.5, 1, 32)
    weights = {"transformer.h.0.attn.c_proj.bias": bias}
    run = net.run(ids, [Edit(Site("z", 0), ZERO)], read=["attn_out.0"], weights=weights)
    assert torch.allclose(run.read["attn_out.0"], bias.expand(2, 6, -1), atol=1e-6)


def test_tied_weights_stay_tied() -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    weight = net.module.get_parameter("transformer.wte.weight").detach().clone()
    weight[int(ids[0, 0])] = 0
    copied = copy.deepcopy(module("GPT-2"))
    with torch.no_grad():
        copied.transformer.wte.weight[int(ids[0, 0])] = 0
        expected = copied(ids).logits
    found = net.run(ids, weights={"transformer.wte.weight": weight}).output.logits
    assert torch.allclose(found, expected, atol=1e-6)
    assert float(found[..., int(ids[0, 0])].abs().max()) == 0.0


def test_a_weight_that_does_not_exist_or_fit_is_refused() -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    with pytest.raises(AddressError, match="is no parameter of GPT-2"):
        net.run(ids, weights={"lm_hed.weight": torch.zeros(1)})
    with pytest.raises(AddressError, match=r"is \(96, 32\); the replacement given is \(3,\)"):
        net.run(ids, weights={"transformer.wte.weight": torch.zeros(3)})


def test_a_key_value_head_of_grouped_attention_is_shared_by_its_group() -> None:
    net, ids = network(NAMED["Llama"]), inputs(NAMED["Llama"])
    clean = net.read(ids, "z.0", "v.0")
    assert clean["v.0"].shape == (2, 6, 2, 8)
    z = net.run(ids, [Edit(Site("v", 0).at(head=1), ZERO)], read=["z.0"]).read["z.0"]
    assert torch.equal(z[:, :, :2], clean["z.0"][:, :, :2])
    assert float(z[:, :, 2:].abs().max()) == 0.0


def test_queries_are_those_after_rotary_positions() -> None:
    net, ids = network(NAMED["Llama"]), torch.full((1, 5), 7)
    q = net.read(ids, "q.0")["q.0"]  # one token everywhere: only the rotation differs
    assert torch.allclose(q.norm(dim=-1), q.norm(dim=-1)[:, :1].expand(-1, 5, -1), atol=1e-5)
    assert not torch.allclose(q[:, 0], q[:, 4], atol=1e-2)


def test_an_offloaded_weight_is_not_edited_but_its_activations_are(tmp_path) -> None:
    accelerate = pytest.importorskip("accelerate")
    from cutaway.network import LogitDifference, Variant, sweep

    plain = network(NAMED["Llama"])
    ids = inputs(NAMED["Llama"])
    offloaded = copy.deepcopy(module("Llama"))
    accelerate.disk_offload(offloaded, str(tmp_path), execution_device=torch.device("cpu"))
    net = wrap(offloaded)
    batch = plain.batch(ids)
    assert net.layout is not None if net.reference is not None else net.locate(batch).additive
    variants = [Variant((Edit(Site("z", layer).at(head=h), ZERO),)) for layer in (0, 1) for h in range(4)]
    metric = LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51]))
    assert torch.allclose(
        sweep(net, batch, variants, metric).value, sweep(plain, ids, variants, metric).value, atol=1e-5
    )
    with pytest.raises(AddressError, match="offloaded, sharded or quantised"):
        net.run(batch, weights={"model.layers.0.mlp.down_proj.weight": torch.zeros(32, 48)})
