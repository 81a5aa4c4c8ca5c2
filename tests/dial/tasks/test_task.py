"""What is done with examples: loss, accuracy, the shuffled control; and what is refused."""

import math
from dataclasses import replace

import pytest
import torch
from tests.dial.tasks.drawn import ALL, BYTE_PAIRS, PYTHON, examples

from cutaway.dial.tasks import Examples, Pair, Task, loss, shuffled, solved
from cutaway.dial.tasks.library import answer_token, library_tasks
from cutaway.dial.tasks.tiny import tiny_tasks

QUOTES = examples("quote_kind")
VOCAB = len(PYTHON.vocabulary())


def logits(drawn: Examples, right: float, wrong: float = 0.0) -> torch.Tensor:
    """Logits that give the answer and the other candidate these values at the last token, and noise elsewhere."""
    made = torch.randn(*drawn.prompts.shape, VOCAB, generator=torch.Generator().manual_seed(7000))
    rows = torch.arange(len(drawn))
    made[rows, drawn.last, drawn.answer] = right
    made[rows, drawn.last, drawn.other] = wrong
    return made


def test_guessing_costs_log_two_and_solves_nothing():
    assert loss(logits(QUOTES, 0.0), QUOTES).item() == pytest.approx(math.log(2))
    assert solved(logits(QUOTES, 0.0), QUOTES) == 0.0


def test_the_loss_is_the_cross_entropy_between_the_two_candidates():
    expected = -math.log(math.exp(1.5) / (math.exp(1.5) + math.exp(0.25)))
    assert loss(logits(QUOTES, 1.5, 0.25), QUOTES).item() == pytest.approx(expected, rel=1e-6)


def test_a_network_that_is_always_right_solves_the_task_and_one_that_never_is_does_not():
    assert solved(logits(QUOTES, 9.0), QUOTES) == 1.0
    assert solved(logits(QUOTES, -9.0), QUOTES) == 0.0
    assert loss(logits(QUOTES, 9.0), QUOTES) < 0.001


def test_pairs_of_like_length_are_run_together_and_find_back_to_their_places():
    many = examples("bracket_kind", count=200)
    parts = many.by_length
    assert sum(map(len, parts)) == len(many) and len(parts) > 1
    assert [part.prompts.shape[1] for part in parts] == [int(part.last.max()) + 1 for part in parts]
    rows = [row for part in parts for row in part.rows()]
    assert [rows[place] for place in many.place] == many.rows()


def test_what_prefers_one_token_everywhere_solves_half():
    made = torch.zeros(*QUOTES.prompts.shape, VOCAB)
    made[..., QUOTES.answer[0]] = 5.0
    assert solved(made, QUOTES) == 0.5


def test_shuffling_exchanges_the_answers_of_half_the_pairs_and_leaves_the_prompts():
    control = shuffled(QUOTES, seed=7000)
    exchanged = (control.answer != QUOTES.answer).view(-1, 2)
    assert torch.equal(exchanged[:, 0], exchanged[:, 1])
    assert exchanged[:, 0].sum() == len(QUOTES) // 4
    assert torch.equal(control.prompts, QUOTES.prompts)
    assert torch.equal(control.answer + control.other, QUOTES.answer + QUOTES.other)
    assert solved(logits(QUOTES, 9.0), control) == 0.5


def test_shuffling_again_with_the_seed_gives_the_same_and_another_seed_does_not():
    assert torch.equal(shuffled(QUOTES, 7001).answer, shuffled(QUOTES, 7001).answer)
    assert not torch.equal(shuffled(QUOTES, 7001).answer, shuffled(QUOTES, 7002).answer)


def test_taking_pairs_keeps_partners_together():
    taken = QUOTES.take(torch.tensor([3, 0]))
    assert taken.rows() == [QUOTES.rows()[row] for row in (6, 7, 0, 1)]
    assert taken.answer.tolist() == QUOTES.answer[[6, 7, 0, 1]].tolist()


def test_two_answers_that_are_one_token_are_refused():
    with pytest.raises(ValueError, match="both answers of a pair are token 7"):
        Pair(((1, 2), (1, 3)), (7, 7))
    with pytest.raises(ValueError, match="both answers are one token"):
        replace(QUOTES, other=QUOTES.answer)


def test_prompts_without_partners_are_refused():
    with pytest.raises(ValueError, match="in pairs"):
        Examples(QUOTES.prompts[:3], QUOTES.last[:3], QUOTES.answer[:3], QUOTES.other[:3])


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="expected one of train, selection, test"):
        ALL["quote_kind"].examples(4, "validation", seed=7000)


@pytest.mark.parametrize("count", [0, 3, -2])
def test_an_odd_count_and_none_are_refused(count):
    with pytest.raises(ValueError, match="even number"):
        ALL["quote_kind"].examples(count, "train", seed=7000)


def test_a_task_that_has_too_few_prompts_says_how_many_it_gave():
    def sample(rng):
        first = rng.randrange(20)
        return Pair(((0, first, 9, 2), (0, first, 9, 3)), (2, 3))

    task = Task("few", "Too few.", sample, lambda tokens: tokens[-1], frozenset({9}))
    there = sum(task.split((0, first, 9)) == "train" for first in range(20))
    assert len(task.examples(2 * there, "train", seed=7000)) == 2 * there
    with pytest.raises(ValueError, match=f"after {2 * there} examples of the split 'train'"):
        task.examples(2 * there + 2, "train", seed=7000)


def test_a_context_too_short_to_say_the_split_is_refused():
    with pytest.raises(ValueError, match="context is 3"):
        tiny_tasks(context=3)


def test_a_longer_context_makes_longer_prompts():
    (task,) = (task for task in tiny_tasks(context=120) if task.name == "quote_kind")
    drawn = task.examples(24, "train", seed=7000)
    assert drawn.prompts.shape[1] > QUOTES.prompts.shape[1] + 20
    assert [task.rule(row) for row in drawn.rows()] == drawn.answer.tolist()


def test_a_tokenizer_that_merges_an_answer_into_its_prompt_is_refused():
    tokenizers = pytest.importorskip("tokenizers")
    merging = tokenizers.Tokenizer(tokenizers.models.BPE())
    merging.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=300, show_progress=False)
    merging.train_from_iterator(["name = [data]\n", "x\n"] * 9, trainer)
    with pytest.raises(ValueError, match="merges the answer"):
        library_tasks(merging)


def test_an_answer_of_several_tokens_is_refused():
    with pytest.raises(ValueError, match="is 2 tokens"):
        answer_token(BYTE_PAIRS, "name", "))")
