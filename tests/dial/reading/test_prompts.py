"""Laws of replaced tokens: few places differ, the first line and the last token stay, the answers are the true program's."""

import pytest
import torch

from cutaway.dial.reading.prompts import answer_of, deciding, joined, replaced, shared, unseen
from cutaway.dial.tasks import task_named

QUOTE, WITH = task_named("quote_kind"), task_named("with_as")


@pytest.mark.parametrize("task", (QUOTE, WITH), ids=lambda task: task.name)
@pytest.mark.parametrize("decoys", (False, True))
def test_few_tokens_are_replaced_and_neither_the_first_line_nor_the_last_token(task, decoys: bool) -> None:
    before, after = replaced(task, task.examples(60, "test", 7001), 2, 7001, decoys)
    assert 0 < len(after) == len(before) and (after.last == before.last).all()
    differ = [[at for at, (a, b) in enumerate(zip(*pair)) if a != b] for pair in zip(before.rows(), after.rows())]
    assert max(map(len, differ)) == 2
    for one, other, places in zip(before.rows(), after.rows(), differ):
        assert one[-1] == other[-1] and task.split(one) == task.split(other) == "test"
        assert all(not task.newline.isdisjoint(one[:place]) for place in places)


def test_the_answers_after_an_edit_are_those_of_the_program_and_some_are_new() -> None:
    before, after = replaced(QUOTE, QUOTE.examples(400, "test", 7001), 2, 7001, decoys=True)
    assert [QUOTE.rule(row) for row in after.rows()] == after.answer.tolist()
    assert (after.answer != after.other).all() and (before.answer != after.answer).any()
    assert (before.answer + before.other == after.answer + after.other).all()


def test_decoys_are_tokens_by_which_a_pair_differs() -> None:
    before, after = replaced(QUOTE, QUOTE.examples(60, "test", 7001), 1, 7001, decoys=True)
    for at in range(0, len(before), 2):
        one, other = before.rows()[at : at + 2]
        apart = {token for pair in zip(one, other) if pair[0] != pair[1] for token in pair}
        assert apart == set(deciding(one, other, shared(one, other)))
        assert {b for a, b in zip(one, after.rows()[at]) if a != b} <= apart


def test_places_that_two_prompts_share_hold_the_same_tokens_and_no_place_is_shared_twice() -> None:
    for one, other in (([1, 2, 3, 9], [1, 5, 6, 3, 9]), ([1, 1], [1, 1, 1]), ([4], [5]), ([7, 8], [7, 8])):
        same = shared(one, other)
        assert all(one[here] == other[there] for here, there in same)
        assert all(len({place[side] for place in same}) == len(same) for side in (0, 1))
    assert len(shared([1, 2, 3, 9], [1, 5, 6, 3, 9])) == 3


def test_what_is_no_question_of_a_task_has_no_answer() -> None:
    [row, _] = QUOTE.examples(2, "test", 0).rows()
    assert answer_of(QUOTE, row) == QUOTE.rule(row)
    assert answer_of(task_named("dict_list"), row[:1]) is None


def test_what_was_seen_is_left_out_and_what_is_joined_is_as_before() -> None:
    one, other = QUOTE.examples(20, "test", 1), QUOTE.examples(20, "test", 2)
    both, seen = joined([one, other], QUOTE.pad), set[tuple[int, ...]]()
    assert both.rows() == one.rows() + other.rows()
    assert len(unseen(one, seen)) == 20 and len(unseen(one, seen)) == 0
    assert torch.equal(both.answer[20:], other.answer)
