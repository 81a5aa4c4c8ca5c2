"""Fixed support with regrowth: its size never changes, and dead weights have no part in training."""

from dataclasses import replace

import pytest
import torch
from tests.dial.small import RECIPE, TOKENS, network, same
from torch import nn

from cutaway.dial.pressure import Pressure, Ramp, Regrowth, Step, live
from cutaway.dial.pressure.matrices import matrices
from cutaway.dial.pressure.regrowth import erdos_renyi, exchange, moments
from cutaway.dial.train import Pressed, one_step, train
from cutaway.training.loop import adamw

LONG = replace(RECIPE, steps=16)
METHOD = Regrowth(0.25, every=3)


def run(pressures, after):
    """Trains step by step and calls `after(pressed, optimiser, number)` after each."""
    pressed = Pressed(network(), pressures)
    optimiser = adamw(pressed, LONG)
    for number in range(LONG.steps):
        torch.manual_seed(7000 + number)
        one_step(pressed, optimiser, LONG.windows.draw(TOKENS, 4, 8), LONG, number)
        after(pressed, optimiser, number)
    return pressed


def supports(pressed):
    return {name: alive.clone() for name, alive in pressed.supports["Regrowth"].named_buffers()}


def check_dead(pressed, optimiser):
    """Dead weights and what is remembered of them are 0."""
    alive = supports(pressed)
    for m in matrices(pressed.network, ("bigram",)):
        for values in (m.weight, *moments(optimiser, m.weight)):
            assert values[~alive[m.key]].count_nonzero() == 0
        assert len(moments(optimiser, m.weight)) == 2


def test_the_support_has_its_size_at_every_step_and_changes_only_where_weights_are_exchanged():
    history = []
    run((METHOD,), lambda pressed, optimiser, number: history.append(supports(pressed)))
    for name, first in history[0].items():
        sizes = {int(support[name].sum()) for support in history}
        assert sizes == {round(0.25 * first.numel())}
    changed = [n for n in range(1, 16) if any(not torch.equal(history[n][k], history[n - 1][k]) for k in history[0])]
    assert changed == [3, 6, 9]  # 12 is 75 %


def test_dead_weights_and_their_moments_are_zero_after_every_step():
    run((METHOD,), lambda pressed, optimiser, number: check_dead(pressed, optimiser))


def test_a_grown_weight_begins_at_zero_with_moments_of_zero_and_moves_at_the_next_step():
    before, grown = {}, {}

    def check(pressed, optimiser, number):
        now = supports(pressed)
        for m in matrices(pressed.network, ("bigram", "embed", "position")):
            if m.key in grown:  # grown one step ago
                assert m.weight[grown.pop(m.key)].count_nonzero() > 0
            if before and (new := now[m.key] & ~before[m.key]).any():
                for values in (m.weight, *moments(optimiser, m.weight)):
                    assert values[new].count_nonzero() == 0
                grown[m.key] = new
        before.update(now)
        seen.append(len(grown))

    seen = []
    run((METHOD,), check)
    assert max(seen) == 7


def test_gradients_of_dead_weights_matter_only_where_weights_are_exchanged():
    class Noise(Pressure):
        """Adds noise to the gradients of weights that are 0, but where they are asked for."""

        def before_step(self, network: nn.Module, supports: nn.Module, optimiser, step: Step) -> None:
            if step.number % 3:
                for m in matrices(network, ("bigram",)):
                    m.weight.grad.add_(torch.randn_like(m.weight) * ~alive[m.key])

    clean = run((METHOD,), lambda *_: None)
    alive = supports(Pressed(network(), (METHOD,)))
    noisy = run((Noise(), METHOD), lambda pressed, *_: alive.update(supports(pressed)))
    assert same(noisy.network, clean.network)


def test_a_support_that_is_found_small_grows_to_its_share_and_stays_there():
    method = replace(METHOD, share=0.25, first=0.05, every=2, ramp=Ramp(0.0, 0.4))
    sizes = {}

    def count(pressed, optimiser, number):
        for name, alive in supports(pressed).items():
            sizes.setdefault(name, []).append(int(alive.sum()))
        check_dead(pressed, optimiser)

    run((method,), count)
    for name, alive in supports(Pressed(network(), (method,))).items():
        found = sizes[name]
        assert found == sorted(found) and len(set(found)) > 2
        assert (found[0], found[-1]) == (max(1, round(0.05 * alive.numel())), round(0.25 * alive.numel()))
        assert found[6] == found[-1]  # the first exchange after the ramp's end


def test_a_support_that_begins_at_its_share_is_one_that_does_not_grow():
    grown, plain = (run((replace(METHOD, first=first),), lambda *_: None) for first in (METHOD.share, None))
    assert same(grown.network, plain.network)


def test_the_smallest_live_weights_are_dropped_and_dead_ones_with_the_largest_gradients_grow():
    weight = torch.tensor([[1.0, -0.1, 0.0, 0.3], [0.0, 0.0, -0.2, 0.0]])
    alive = torch.tensor([[1, 1, 0, 1], [0, 0, 1, 0]], dtype=torch.bool)
    gradient = torch.tensor([[0.0, 9.0, 0.5, 9.0], [-2.0, 0.1, 9.0, 1.0]])
    kept, grown = exchange(weight, gradient, alive, 0.5)
    assert torch.equal(kept, torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0]], dtype=torch.bool))
    assert torch.equal(grown, torch.tensor([[0, 0, 0, 0], [1, 0, 0, 1]], dtype=torch.bool))


def test_no_more_are_dropped_than_there_are_dead_ones_to_grow():
    alive = torch.ones(2, 4, dtype=torch.bool)
    alive[0, 0] = False
    kept, grown = exchange(torch.randn(2, 4), torch.randn(2, 4), alive, 0.5)
    assert (int(kept.sum()), int(grown.sum())) == (6, 1)
    assert grown[0, 0]


def test_the_share_that_is_exchanged_falls_along_a_cosine_to_zero():
    method = Regrowth(every=10, drop=0.2, until=0.75)
    found = [method.dropping(Step(number, 400, 1.0)) for number in range(400)]
    assert [n for n, share in enumerate(found) if share] == list(range(10, 300, 10))
    assert found[10] == pytest.approx(0.2, abs=1e-3)
    assert found[150] == pytest.approx(0.1)
    assert found[290] < 1e-3


def test_densities_by_erdos_and_renyi_sum_to_the_share_and_favour_small_matrices():
    shapes = [(128, 128), (512, 128), (16, 16)]
    found = erdos_renyi(shapes, 0.1)
    sizes = [a * b for a, b in shapes]
    assert sum(d * n for d, n in zip(found, sizes)) == pytest.approx(0.1 * sum(sizes))
    assert found[0] / found[1] == pytest.approx((256 / 128**2) / (640 / (512 * 128)))
    assert found[2] == 1.0  # would be more than all
    assert erdos_renyi([(4, 4)], 0.3) == pytest.approx([0.3])
    method = Regrowth(0.3, densities="erdos-renyi")
    counts = {m.name: n for m, n in method.counts(network()).items() if not m.table}
    total = sum(m.weight.numel() for m in matrices(network(), ("bigram",)) if not m.table)
    assert sum(counts.values()) == pytest.approx(0.3 * total, abs=4)


def test_a_support_can_begin_at_the_largest_weights_of_a_dense_network():
    dense = network()
    pressed = Pressed(network(), (Regrowth(0.25, start="largest"),))
    for before, after in zip(matrices(dense, ("bigram",)), matrices(pressed.network, ("bigram",))):
        alive = after.weight != 0
        assert int(alive.sum()) == round(0.25 * alive.numel())
        assert before.weight[alive].abs().min() >= before.weight[~alive].abs().max()
        assert torch.equal(before.weight[alive], after.weight[alive])


def test_the_report_counts_what_lives_at_most_the_support_and_embeddings_have_a_share_of_their_own():
    trained = train(network(), TOKENS, LONG, (replace(METHOD, embed=0.5),))
    found = trained.report["Regrowth"]["live"]
    assert found == live(trained.network)
    assert 90 <= found["up"]["live"] <= 96  # what grew and never moved is 0
    assert 44 < found["unembed"]["live"] <= 88
    assert found["bias"]["live"] > found["bias"]["of"] / 2


def test_another_seed_draws_another_support():
    first, again, other = (supports(Pressed(network(), (replace(METHOD, seed=s),))) for s in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"share": 0.0}, "Regrowth.share is 0.0"),
        ({"embed": 2.0}, "Regrowth.embed is 2.0"),
        ({"until": 0.0}, "Regrowth.until is 0.0"),
        ({"every": 0}, "Regrowth.every is 0"),
        ({"first": 0.5}, "Regrowth.first is 0.5"),
        ({"first": 0.01, "until": 0.4}, "an end before until"),
        ({"drop": 1.0}, "Regrowth.drop is 1.0"),
        ({"densities": "even"}, "'uniform' or 'erdos-renyi'"),
        ({"start": "first"}, "'random' or 'largest'"),
    ],
)
def test_settings_that_cannot_be_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Regrowth(**fields)
