"""Laws of masked nodes and cut edges, on a network with random weights."""

from __future__ import annotations

import pytest
import torch

from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.edges import between, costs, count, matrices, weight_of, wired
from cutaway.dial.prune.masked import complements, losses, nodes_of, with_rest
from cutaway.dial.tasks.task import Examples, loss
from cutaway.dial.transformer import SparseShape, SparseTransformer


@pytest.fixture(scope="module")
def network() -> SparseTransformer:
    """Random everywhere, some weights dead."""
    found = SparseTransformer(SparseShape(vocab=30, context=24, width=16, hidden=24, d_head=8))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in found.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.3)
            if weight.ndim == 2:
                weight.mul_(torch.rand(weight.shape, generator=generator) < 0.6)
    return found.requires_grad_(False).eval()


@pytest.fixture(scope="module")
def examples() -> Examples:
    generator = torch.Generator().manual_seed(4)
    prompts = torch.randint(30, (8, 9), generator=generator)
    answer = torch.tensor([3, 5] * 4)
    return Examples(prompts, torch.tensor([8, 8, 6, 6, 4, 4, 7, 7]), answer, 8 - answer)


@pytest.fixture(scope="module")
def nodes(network):
    return nodes_of(network, torch.randint(30, (20, 12), generator=torch.Generator().manual_seed(5)))


def test_a_mask_of_ones_leaves_the_networks_own_loss(network, nodes, examples):
    masked = losses(network, nodes, examples, torch.ones(2, len(nodes)))
    own = loss(network(examples.prompts), examples)
    torch.testing.assert_close(masked.mean(1), own.expand(2))


def test_every_mask_has_its_own_loss_whatever_it_is_stacked_with(network, nodes, examples):
    masks = torch.rand(3, len(nodes), generator=torch.Generator().manual_seed(0))
    together = losses(network, nodes, examples, masks)
    alone = torch.cat([losses(network, nodes, examples, mask[None]) for mask in masks])
    torch.testing.assert_close(together, alone)


def test_means_are_of_what_passes_by(network, nodes):
    windows = torch.randint(30, (20, 12), generator=torch.Generator().manual_seed(5))
    seen = {}
    network.stream(windows, at=lambda address, x: seen.setdefault(address, x))
    for address, part in nodes.slices.items():
        torch.testing.assert_close(nodes.means[part], seen[address].mean((0, 1)))
    torch.testing.assert_close(nodes.brought["z.1"], seen["z.1"].mean((0, 1)))


def test_nodes_are_named_in_the_grammar_of_sites(nodes):
    assert len(nodes.addresses) == len(nodes) == 2 * (7 * 16 + 24)
    assert nodes.addresses[nodes.slices["mlp_act.1"].start + 17] == "mlp_act.1[neuron=17]"
    assert nodes.addresses[nodes.slices["q.0"].start + 2] == "q.0[channel=2]"


def test_live_weights_are_counted_not_assumed(network, nodes):
    every = between(network, nodes, torch.ones(len(nodes), dtype=torch.bool))
    inside = [weight for name, weight in network.named_parameters() if name.startswith("blocks") and weight.ndim == 2]
    assert count(every) == sum(int(weight.count_nonzero()) for weight in inside)
    assert count(between(network, nodes, torch.zeros(len(nodes), dtype=torch.bool))) == 0


def test_a_network_with_every_edge_is_the_network(network, nodes, examples):
    every = between(network, nodes, torch.ones(len(nodes), dtype=torch.bool))
    assert torch.equal(wired(network, nodes, every)(examples.prompts), network(examples.prompts))


def test_cutting_all_edges_out_of_a_node_is_setting_it_to_its_mean(network, nodes, examples):
    mask, neuron = torch.ones(1, len(nodes)), nodes.slices["mlp_act.0"].start + 5
    mask[0, neuron] = 0
    edges = between(network, nodes, mask[0].bool())
    cut = wired(network, nodes, edges)
    expected = losses(network, nodes, examples, mask)
    torch.testing.assert_close(losses(cut, nodes, examples, torch.ones_like(mask)), expected)


def test_the_original_is_left_as_it_is(network, nodes, examples):
    before = network(examples.prompts)
    wired(network, nodes, between(network, nodes, torch.zeros(len(nodes), dtype=torch.bool)))
    assert torch.equal(network(examples.prompts), before)


def test_costs_of_edges_are_the_slope_of_cutting_them_slowly(network, nodes, examples):
    every = between(network, nodes, torch.ones(len(nodes), dtype=torch.bool))
    cut = wired(network, nodes, every).requires_grad_()
    ones = torch.ones(1, len(nodes))
    found = costs(network, cut, nodes, losses(cut, nodes, examples, ones).mean())
    for matrix in matrices(network, nodes):
        row, column = weight_of(network, matrix).abs().nonzero()[7].tolist()
        slowly = wired(network, nodes, every)
        layer = slowly.get_submodule(matrix.name)
        step = 0.01 * layer.weight[row, column].item()
        layer.weight[row, column] -= step
        layer.bias[row] += step * matrix.mean[column]
        rise = losses(slowly, nodes, examples, ones).mean() - losses(network, nodes, examples, ones).mean()
        assert found[matrix.name][row, column].item() == pytest.approx(100 * rise.item(), rel=0.05, abs=2e-4), (
            matrix.name
        )


def test_kept_nodes_stay_whole_in_every_complement(nodes):
    kept = (torch.arange(len(nodes)) % 5 == 0).float()
    masks = with_rest(kept, complements(nodes, 4, seed=0))
    assert (masks[:, kept.bool()] == 1).all()
    assert not masks[0, ~kept.bool()].any()
    shares = masks[1:, ~kept.bool()].mean(1)
    assert shares.min() < 0.5 < shares.max()


def test_a_complement_does_not_depend_on_how_neurons_are_numbered(network, examples):
    windows = torch.randint(30, (20, 12), generator=torch.Generator().manual_seed(5))
    order = torch.randperm(24, generator=torch.Generator().manual_seed(6))
    other = renumbered(network, order)
    one, two = nodes_of(network, windows), nodes_of(other, windows)
    part = one.slices["mlp_act.0"]
    drawn, again = complements(one, 3, seed=0), complements(two, 3, seed=0)
    assert torch.equal(drawn[:, part][:, order], again[:, part])
    first, second = (Criterion(net, found, examples, 0.15) for net, found in ((network, one), (other, two)))
    up = "blocks.0.mlp.up"
    assert torch.equal(first.live[0][up][order], second.live[0][up])


def renumbered(network: SparseTransformer, order: torch.Tensor) -> SparseTransformer:
    """The same network with the neurons of its first MLP in another order."""
    import copy

    found = copy.deepcopy(network)
    mlp = found.blocks[0].mlp
    mlp.up.weight.data, mlp.up.bias.data = mlp.up.weight[order], mlp.up.bias[order]
    mlp.down.weight.data = mlp.down.weight[:, order]
    return found
