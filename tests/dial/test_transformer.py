"""Laws of the one-page transformer of weight-sparse training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import cutaway as cw
from cutaway.dial.transformer import SITES, Largest, SparseShape, SparseTransformer

SHAPE = SparseShape(vocab=30, context=24, width=32)
RECENT = replace(SHAPE, positions="recent")
both = pytest.mark.parametrize("shape", [SHAPE, RECENT], ids=["learned", "recent"])


def network(shape: SparseShape = SHAPE, seed: int = 0) -> SparseTransformer:
    """A network whose every parameter, also those that start at 0, is random."""
    found = SparseTransformer(shape, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in found.parameters():
            if not weight.any():
                weight.normal_(0, 0.3, generator=generator)
    return found.eval()


def tokens(rows: int = 3, length: int = 12) -> torch.Tensor:
    return torch.randint(30, (rows, length), generator=torch.Generator().manual_seed(1))


def test_the_same_seed_makes_the_same_network_and_another_seed_another():
    one, same, other = (SparseTransformer(SHAPE, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["embed.weight"], other["embed.weight"])


def test_every_site_passes_by_once_in_the_order_of_computing():
    seen: list[str] = []
    network().stream(tokens(), at=lambda address, x: (seen.append(address), x)[1])
    nodes = [address for address in seen if not address.startswith("z.")]
    assert nodes == [f"{site}.{layer}" for layer in range(2) for site in SITES]
    assert seen.index("z.0") == seen.index("attn_out.0") - 1


def test_what_a_site_gives_goes_on_in_its_place():
    net = network()
    clean = net.stream(tokens())
    for site in (*SITES, "z"):
        changed = net.stream(tokens(), at=lambda address, x, site=site: x * 0 if address == f"{site}.0" else x)
        assert not torch.allclose(clean, changed), site


def test_a_preference_is_the_difference_of_two_logits():
    net, ids = network(), tokens()
    answer, other = torch.tensor([3, 4, 5]), torch.tensor([6, 7, 8])
    logits = net(ids)[:, -1]
    expected = logits.gather(1, answer[:, None]) - logits.gather(1, other[:, None])
    torch.testing.assert_close(net.preference(net.stream(ids)[:, -1], ids[:, -1], answer, other), expected[:, 0])


@both
def test_a_token_does_not_see_what_follows(shape):
    net, ids = network(shape), tokens()
    longer = torch.cat([ids, tokens(length=4)], dim=1)
    torch.testing.assert_close(net(longer)[:, :12], net(ids))


@both
def test_padding_on_the_left_changes_nothing(shape):
    net, ids = network(shape), tokens()
    padded = torch.cat([torch.zeros(3, 5, dtype=torch.long), ids], dim=1)
    real = torch.cat([torch.zeros(3, 5, dtype=torch.long), torch.ones_like(ids)], dim=1)
    torch.testing.assert_close(net(padded, real)[:, 5:], net(ids))


def test_a_head_with_a_steep_slope_looks_at_the_last_token_alone_and_one_without_at_all_alike():
    net = network(RECENT)
    with torch.no_grad():
        net.blocks[0].attn.query.weight.zero_()
        net.blocks[0].attn.query.bias.zero_()
        net.blocks[0].attn.sink.fill_(-100.0)
        net.blocks[0].attn.slope.copy_(torch.tensor([100.0, 0.0]))
    seen: dict[str, torch.Tensor] = {}
    net.stream(tokens(), at=lambda address, x: seen.setdefault(address, x))
    values = seen["v.0"]
    torch.testing.assert_close(seen["z.0"][..., :16], values[..., :16])
    counts = torch.arange(1, values.shape[1] + 1)[:, None]
    torch.testing.assert_close(seen["z.0"][..., 16:], values[..., 16:].cumsum(1) / counts)


def test_only_the_largest_magnitudes_survive():
    x = torch.tensor([[3.0, -4.0, 1.0, -2.0]])
    assert torch.equal(Largest(0.5)(x), torch.tensor([[3.0, -4.0, 0.0, 0.0]]))
    assert Largest(1.0)(x) is x


def test_a_sink_that_draws_everything_leaves_attention_only_its_bias():
    net = network()
    with torch.no_grad():
        net.blocks[0].attn.sink.fill_(1e4)
    seen: dict[str, torch.Tensor] = {}
    net.stream(tokens(), at=lambda address, x: seen.setdefault(address, x))
    assert not seen["z.0"].any()
    torch.testing.assert_close(seen["attn_out.0"], net.blocks[0].attn.out.bias.expand_as(seen["attn_out.0"]))


def test_a_query_attends_to_no_more_tokens_than_allowed():
    wide, narrow = network(), network(SparseShape(vocab=30, context=24, width=32, attend=1))
    assert not torch.allclose(wide(tokens()), narrow(tokens()))
    last = tokens(1)
    slopes = torch.autograd.functional.jacobian(lambda x: _z(narrow, last, x)[0, -1, :16], torch.zeros(1, 12, 32))
    reached = slopes.abs().sum((0, 1, 3)).gt(0)  # which positions' values reach the first head's last query
    assert reached.sum() == 1


def test_a_head_whose_scores_are_all_equal_attends_to_no_more_either():
    shape = SparseShape(vocab=30, context=24, width=32, attend=2)
    narrow = network(shape)
    with torch.no_grad():
        narrow.blocks[0].attn.query.weight.zero_()
        narrow.blocks[0].attn.query.bias.zero_()
    slopes = torch.autograd.functional.jacobian(lambda x: _z(narrow, tokens(1), x)[0, -1, :16], torch.zeros(1, 12, 32))
    assert slopes.abs().sum((0, 1, 3)).gt(0).sum() == 2


def _z(net: SparseTransformer, ids: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
    seen: dict[str, torch.Tensor] = {}

    def at(address: str, x: torch.Tensor) -> torch.Tensor:
        seen[address] = x + added if address == "v.0" else x
        return seen[address]

    net.stream(ids, at=at)
    return seen["z.0"]


@both
def test_it_opens_as_a_network_whose_places_are_proved(shape):
    opened = cw.open(network(shape), reference=tokens())
    assert all(proof.holds for proof in opened.layout.proofs)
    assert not opened.layout.missing


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"width": 20}, "multiple of d_head"),
        ({"keep": 0.0}, "share above 0"),
        ({"keep": 1.5}, "share above 0"),
        ({"layers": 0}, "positive integer"),
        ({"attend": -1}, "0 or more"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        SparseShape(**{"vocab": 30, "context": 24, "width": 32, **wrong})


def test_an_input_longer_than_the_context_is_refused():
    with pytest.raises(ValueError, match=r"25 positions.*at most 24"):
        network()(tokens(length=25))


@both
def test_the_last_block_may_compute_one_position_of_each_row(shape):
    net, ids = network(shape), tokens()
    last = torch.tensor([ids.shape[1] - 1] * (len(ids) - 1) + [1])
    every = net.stream(ids)[torch.arange(len(ids)), last]
    seen = {}
    torch.testing.assert_close(
        net.stream(ids, at=lambda address, x: seen.setdefault(address, x), last=last)[:, 0], every
    )
    assert {address: x.shape[1] for address, x in seen.items() if x.shape[1] == 1}.keys() == {
        f"{site}.{net.shape.layers - 1}" for site in ("q", "z", "attn_out", "mlp_in", "mlp_act", "mlp_out")
    }
