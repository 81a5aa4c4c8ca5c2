"""Gradients: what a small displacement does, at every kind of site; parameters are frozen for the pass and thawed after."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from cutaway.network import Add, Custom, Edit, LogitDifference, Network, Site, gradients, logits_of, wrap

from .zoo import NAMED, Digits, inputs, module

METRIC = LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51]))


def double(name: str) -> tuple[Network, Tensor]:
    built = copy.deepcopy(module(name)).double()
    if NAMED[name].experts:
        built.set_experts_implementation("eager")  # the fused product knows no float64
    return wrap(built, feed=Digits()), inputs(NAMED[name])


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "Gemma 2", "GPT-NeoX", "OPT", "Mixtral", "Bloom", "BERT", "Mamba"])
def test_gradients_are_finite_differences(name: str) -> None:
    net, ids = double(name)
    sites = [
        site
        for point in ("q", "k", "v", "z", "mlp_act", "mlp_out", "attn_out", "mixer_out", "resid_pre", "resid_post")
        for site in net.sites(f"{point}.0")
    ]
    found = gradients(net, ids, sites, METRIC)
    torch.manual_seed(0)
    assert len(sites) >= 3
    for site in sites:
        value, gradient = found.value[str(site)], found.gradient[str(site)]
        step = torch.randn_like(value) * 1e-4
        there, back = (METRIC(net.run(ids, [Edit(site, Add(sign * step))]).output, torch.arange(2)) for sign in (1, -1))
        expected, change = (gradient.double() * step).flatten(1).sum(1), (there - back).double() / 2
        assert torch.allclose(expected, change, atol=5e-7, rtol=2e-3), (
            site
        )  # norms and softmax of many families are float32 inside
        assert float(gradient.abs().max()) > 0
        assert torch.allclose(value, net.read(ids, site)[str(site)])  # the same functions, but not the same kernels
    assert torch.allclose(found.metric, METRIC(net(ids), torch.arange(2)))


def test_where_tensors_are_written_in_place_gradients_are_those_before_the_writing() -> None:
    torch.manual_seed(0)
    net, x = wrap(nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Linear(6, 1))), torch.randn(3, 4)
    metric = Custom(lambda output: logits_of(output)[:, 0])
    found = gradients(net, x, ["path.0:out", "path.1:out"], metric)
    on = net.module[0](x) > 0
    assert torch.allclose(found.gradient["path.1:out"], net.module[2].weight.expand(3, -1))
    assert torch.allclose(found.gradient["path.0:out"], net.module[2].weight * on)
    assert torch.allclose(found.value["path.0:out"], net.module[0](x))


def test_a_site_that_the_metric_does_not_hang_on_has_gradient_zero() -> None:
    net, ids = double("GPT-2")
    found = gradients(net, ids, ["resid_post.1"], METRIC).gradient["resid_post.1"]
    assert float(found[:, :-1].abs().max()) == 0.0
    assert float(found[:, -1].abs().max()) > 0


def test_parameters_are_frozen_for_the_pass_only() -> None:
    net, ids = double("GPT-2")
    net.module.requires_grad_(True)
    net.module.transformer.wpe.weight.requires_grad_(False)
    before = [p.requires_grad for p in net.module.parameters()]
    seen: list[bool] = []

    def look(*_: object) -> None:
        seen.append(any(p.requires_grad for p in net.module.parameters()))

    handle = net.module.transformer.h[0].register_forward_hook(look)
    gradients(net, ids, ["z.*"], METRIC)
    with pytest.raises(ZeroDivisionError):
        gradients(net, ids, ["z.*"], Custom(lambda output: 1 / 0))
    handle.remove()
    assert seen[-1] is False
    assert [p.requires_grad for p in net.module.parameters()] == before
    assert all(p.grad is None for p in net.module.parameters())


def test_gradients_are_found_inside_no_grad_and_inference_code() -> None:
    net, ids = double("GPT-2")
    outside = gradients(net, ids, ["z.0"], METRIC).gradient["z.0"]
    with torch.no_grad():
        assert torch.equal(gradients(net, ids, ["z.0"], METRIC).gradient["z.0"], outside)


def test_one_pass_gives_every_address_that_is_asked_for() -> None:
    net, ids = double("GPT-2")
    found = gradients(net, ids, ["z.*", Site("mlp_act", 1).at(neuron=3)], METRIC)
    assert set(found.gradient) == {"z.0", "z.1", "mlp_act.1"}
    assert found.gradient["z.0"].shape == (2, 6, 4, 8)
