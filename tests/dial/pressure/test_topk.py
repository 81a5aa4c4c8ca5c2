"""Top-k weights: exactly k, at least j, annealed."""

from dataclasses import replace

import pytest
import torch
from tests.dial.small import RECIPE, TOKENS, network

from cutaway.dial.pressure import Ramp, Step, TopK, live
from cutaway.dial.pressure.matrices import Matrix, matrices
from cutaway.dial.pressure.topk import chosen, count
from cutaway.dial.train import train

LAST = Step(11, 12, 1e-2)


def lanes(matrix: Matrix) -> torch.Tensor:
    """How many weights live in each neuron or channel, spelled out for each kind."""
    alive = matrix.weight != 0
    return alive.sum(0) if matrix.kind in ("down", "out") else alive.sum(1)


@pytest.mark.parametrize("seed", range(7000, 7005))
@pytest.mark.parametrize(("share", "least"), [(0.25, 4), (0.3, 1), (1 / 16, 1), (0.1, 0), (0.02, 0)])
def test_projection_keeps_exactly_k_and_at_least_j_and_is_idempotent(seed, share, least):
    net, topk = network(seed), TopK(share, least)
    topk.prepare(net, None)
    topk.after_step(net, None, None, LAST)
    once = [m.weight.clone() for m in matrices(net, topk.dense)]
    for m in matrices(net, topk.dense):
        assert int(m.weight.count_nonzero()) == max(1, round(share * m.weight.numel()))
        assert m.table or int(lanes(m).min()) >= least
    topk.after_step(net, None, None, LAST)
    assert all(torch.equal(m.weight, before) for m, before in zip(matrices(net, topk.dense), once))


@pytest.mark.parametrize("seed", range(7000, 7010))
def test_what_lives_is_the_protected_of_each_channel_and_then_the_largest_of_the_rest(seed):
    net = network(seed)
    for m in matrices(net, ("bigram",)):
        if m.table:
            continue
        sizes = m.weight.detach().abs()
        across = 0 if m.kind in ("down", "out") else 1
        ranks = sizes.argsort(across, descending=True).argsort(across)
        protected = ranks < 2
        rest = sizes.masked_fill(protected, -1).flatten()
        expected = protected.flatten().clone()
        expected[rest.topk(count(sizes, 0.2) - int(protected.sum())).indices] = True
        assert torch.equal(chosen(m, count(sizes, 0.2), 2).flatten(), expected)


def test_what_survives_is_not_changed():
    net = network()
    before = {m.name: m.weight.clone() for m in matrices(net, ("bigram",))}
    TopK(0.25).after_step(net, None, None, LAST)
    for m in matrices(net, ("bigram",)):
        assert torch.equal(m.weight, torch.where(m.weight != 0, before[m.name], 0))


def test_a_training_run_ends_with_the_shares_asked_for_and_dense_biases_gains_sinks_and_bigrams():
    trained = train(network(), TOKENS, RECIPE, (TopK(0.25, embed=0.5),))
    found = trained.report["TopK"]["live"]
    assert found == live(trained.network)
    for kind, (alive, of) in {k: v.values() for k, v in found.items()}.items():
        if kind in ("query", "key", "value", "out", "up", "down"):
            assert alive == of // 4
        elif kind in ("embed", "position", "unembed"):
            assert alive <= of // 2  # rows of tokens that never come may be 0 already
    assert all(found[kind]["live"] > found[kind]["of"] / 2 for kind in ("bias", "norm", "sink", "bigram"))


def test_biases_have_a_share_of_their_own():
    trained = train(network(), TOKENS, RECIPE, (TopK(0.25, bias=0.25),))
    assert {b.count_nonzero().item() / b.numel() for n, b in trained.network.named_parameters() if "bias" in n} == {
        0.25
    }


def test_the_live_weights_fall_along_the_ramp_and_the_learning_rate_rises_with_them():
    net, topk = network(), TopK(0.25, ramp=Ramp(0.25, 0.75))
    alive, rates = [], []
    for number in range(8):
        step = Step(number, 8, 1.0)
        topk.after_step(net, None, None, step)
        alive.append(live(net)["up"]["live"])
        rates.append(topk.rate(step))
    assert alive == [384, 384, 312, 240, 168, 96, 96, 96]
    assert rates == pytest.approx([(96 / n) ** 0.5 for n in alive])
    assert replace(topk, sharkfin=False).rate(Step(0, 8, 1.0)) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"share": 0.0}, "TopK.share is 0.0; expected a share above 0"),
        ({"share": 1.5}, "TopK.share is 1.5"),
        ({"share": float("nan")}, "TopK.share is nan"),
        ({"embed": -0.1}, "TopK.embed is -0.1"),
        ({"bias": 0.0}, "TopK.bias is 0.0"),
        ({"least": -1}, "TopK.least is -1"),
    ],
)
def test_a_share_that_keeps_nothing_or_more_than_all_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        TopK(**fields)


def test_more_protected_weights_than_a_channel_or_the_share_holds_are_refused():
    with pytest.raises(ValueError, match=r"least is 17, but a neuron or channel of blocks.0.attn.query.weight has 16"):
        train(network(), TOKENS, RECIPE, (TopK(0.9, least=17),))
    with pytest.raises(ValueError, match=r"is 64 weights, but share=0.1 leaves 26 in .*try least=1"):
        train(network(), TOKENS, RECIPE, (TopK(0.1, least=4),))
