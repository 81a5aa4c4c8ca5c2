"""Scores: what knows all foretells all, what knows nothing no more than by chance; what stands beside is no larger than allowed."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from tests.dial.reading.circuits import TEXTS, circuit, planted

from cutaway.dial.reading import Fit, collected, rule_text, score
from cutaway.dial.reading.beside import distilled, of_ngram
from cutaway.dial.reading.score import Share, alarms_of, answered, halves, network_margins, scored
from cutaway.dial.tasks import Examples, Pair
from cutaway.dial.tasks.task import padded


def presence(count: int, seed: int) -> Examples:
    """Answer 8 where token 3 is there, 9 where it is not; partners differ in that."""
    rng, pairs = Random(seed), []
    for _ in range(count // 2):
        row = [rng.choice((4, 5, 6)) for _ in range(6)]
        other = list(row)
        other[rng.randrange(6)] = 3
        pairs.append(Pair((tuple(row), tuple(other)), (9, 8)))
    return padded(pairs, 0)


def test_wilsons_interval_is_as_published() -> None:
    assert Share(8, 10).interval == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(10, 10).interval[1] == pytest.approx(1.0)


Coin = Callable[[np.random.Generator], np.ndarray]
OWN = np.random.default_rng(0).normal(1.0, 1.0, size=2000)


def test_who_knows_the_network_foretells_all_its_errors() -> None:
    for said in (OWN, np.where(OWN > 0, 1.0, -1.0)):
        found = scored("itself", said, OWN)
        assert found.agreement.share == found.foretold.share == 1
        assert found.alarms.share == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(
    "coin", (lambda rng: rng.choice((-1.0, 1.0), 2000), lambda rng: rng.normal(size=2000), lambda rng: np.ones(2000))
)
def test_a_coin_and_who_says_one_thing_foretell_errors_as_often_as_they_raise_false_alarms(coin: Coin) -> None:
    draws = []
    for seed in range(7000, 7060):
        rng = np.random.default_rng(seed)
        draws.append(scored("coin", coin(rng), np.sort(rng.normal(1.0, 1.0, size=2000)), seed=seed - 7000))
    for name in ("foretold", "alarms"):
        shares = [getattr(each, name) for each in draws]
        low, high = Share(sum(each.hits for each in shares), sum(each.n for each in shares)).interval
        assert low <= 0.05 <= high and high - low < 0.01


def test_with_a_threshold_for_each_answer_errors_are_foretold_though_more_is_said_for_one_of_them() -> None:
    own = np.random.default_rng(0).normal(1.0, 1.0, size=2000)
    kinds = np.tile((8, 9), 1000)
    said = own + 10.0 * (kinds == 9)
    found = scored("apart", said, own, kinds=kinds)
    assert found.foretold.share == 1 and found.alarms.share == pytest.approx(0.05, abs=0.01)
    assert scored("apart", said, own).foretold.share < 0.7
    coin = scored("coin", np.random.default_rng(1).normal(size=2000), own, kinds=kinds)
    assert coin.foretold.share == pytest.approx(0.05, abs=0.03)


def test_what_is_said_in_one_half_of_the_pairs_does_not_move_the_threshold_of_that_half() -> None:
    errs, said, half = OWN <= 0, np.random.default_rng(1).normal(size=2000), halves(1000, seed=3)
    before = alarms_of(said, errs, 0.05, seed=3)
    lowered = ~errs & (half == 0) & (np.arange(2000) % 5 == 0)
    after = alarms_of(np.where(lowered, -9.0, said), errs, 0.05, seed=3)
    assert (after[half == 0] == before[half == 0])[~lowered[half == 0]].all()
    assert after[lowered].all() and not after[half == 1].any() and before[half == 1].any()


def test_the_two_prompts_of_a_pair_count_as_one() -> None:
    own = np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    found = scored("half", np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0]), own)
    assert (found.agreement.hits, found.agreement.n) == (2.0, 3)
    assert (found.foretold.n, found.alarms.n) == (2, 2)
    twice = scored("twice", np.repeat(OWN, 2), np.repeat(OWN, 2))
    assert twice.agreement.n == twice.foretold.n + twice.alarms.n == 2000
    assert Share(30.0, 40).interval == Share(30, 40).interval


def test_the_tree_finds_what_the_answer_depends_on_and_keeps_to_its_bits() -> None:
    known, fresh = presence(200, 0), presence(100, 1)
    found = distilled(known, known.answer.tolist(), 60.0)
    assert (found.says(fresh) > 0).all()
    for bits in (5.0, 20.0, 40.0):
        assert distilled(known, known.answer.tolist(), bits).bits <= bits
    small = distilled(known, known.answer.tolist(), 5.0)
    assert 0.4 <= (small.says(fresh) > 0).mean() <= 0.6


def test_an_ngram_repeats_the_answer_after_the_longest_end_that_it_knows() -> None:
    pairs = [Pair(((1, 2), (3, 2)), (8, 9)), Pair(((4, 2), (5, 2)), (8, 9))]
    known = padded(pairs, 0)
    says = of_ngram(known, [8, 9, 8, 9])
    assert (says(known) > 0).all()
    assert says(padded([Pair(((1, 2), (1, 6)), (8, 9))], 0))[0] == pytest.approx(np.log(3))


def test_an_ngram_and_a_tree_that_know_nothing_are_right_half_the_time_and_not_by_the_order_of_the_answers() -> None:
    known, fresh = presence(200, 0), presence(400, 1)
    even = [8, 9] * 100
    for says in (of_ngram(known, even, most=0), distilled(known, even, 1.0).says):
        said = says(fresh)
        assert 0.4 <= (said > 0).mean() <= 0.6
        assert 0.4 <= (said[::2] > 0).mean() <= 0.6
        np.testing.assert_array_equal(said, says(fresh))


def test_a_card_puts_the_rule_text_beside_the_others_on_the_same_prompts() -> None:
    each = planted("marked")
    rule = rule_text(circuit("marked"), each.network, each.task, TEXTS, Fit(examples=128))
    fresh = each.task.examples(128, "test", 3)
    card = score(rule, each.network, each.task, fresh, training=256)
    assert [row.name for row in card.rows] == ["rule text", "program", "n-gram", "distilled"]
    assert card.row("rule text").agreement.share == card.row("program").agreement.share == 1
    assert card.row("n-gram").agreement.share < 0.9
    assert card.row("distilled").bits is not None and card.row("distilled").bits <= rule.bits
    with pytest.raises(ValueError, match="of the training split"):
        score(rule, each.network, each.task, each.task.examples(8, "train", 0), training=8)


def test_errors_are_collected_until_there_are_enough_or_no_more_may_be_drawn() -> None:
    task, network = planted("marked").task, planted("marked").network
    assert len(collected(network, task, errors=1, most=1000)) == 1000
    wrong = replace(task, sample=lambda rng: _swapped(task.sample(rng)))
    found = collected(network, wrong, errors=100)
    assert len(found) == 1000
    assert (network_margins(network, found) < 0).all()
    assert answered(network, found) == found.other.tolist()


def test_no_prompt_is_collected_twice() -> None:
    task, network = planted("marked").task, planted("marked").network
    few = replace(task, sample=lambda rng: task.sample(Random(rng.randrange(5000))))
    found = collected(network, few, errors=1, most=4000)
    rows = {tuple(row) for row in found.rows()}
    assert len(rows) == len(found) < 4000
    assert {few.split(row) for row in rows} == {"test"}


def _swapped(pair: Pair) -> Pair:
    return Pair(pair.prompts, (pair.answers[1], pair.answers[0]))


def test_margins_are_those_of_the_logits() -> None:
    network, examples = planted("marked").network, planted("marked").task.examples(8, "test", 3)
    logits = network(examples.prompts)[torch.arange(8), examples.last]
    rows = torch.arange(8)
    expected = logits[rows, examples.answer] - logits[rows, examples.other]
    np.testing.assert_allclose(network_margins(network, examples), expected.numpy(), rtol=1e-4, atol=1e-4)
