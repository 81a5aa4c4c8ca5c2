"""Every task of both corpora: its rule, its pairs, its splits."""

import pytest
from tests.dial.tasks.drawn import ALL, BYTE_PAIRS, LIBRARY, TINY, changed, completed, examples, partners, text

from cutaway.dial.tasks import SPLITS, task_named, tasks
from cutaway.dial.tasks.tiny import tiny_tasks
from cutaway.dial.tiny_python import TinyPython

# Tokens in which partners differ, where one is not enough to change the answer and keep the line legal.
MORE = {"list_call": 2, "arity": 2, "range_variable": 2, "object_attribute": 2, "def_call": 2, "return_ends": 2}
MORE |= {"comment_string": 3, "loop_variable": 3, "with_variable": 3, "with_as": 3, "elif_else": 4, "file_str": 5}
MORE |= {"library def_call": 3, "library if_call": 3, "library for_while": 2, "library with_as": 3}


@pytest.mark.parametrize("name", ALL)
def test_the_rule_gives_the_answer_of_every_example(name):
    drawn = examples(name)
    assert [ALL[name].rule(row) for row in drawn.rows()] == drawn.answer.tolist()


@pytest.mark.parametrize("name", ALL)
def test_partners_exchange_their_answers_and_end_alike_so_the_last_token_cannot_tell(name):
    drawn = examples(name)
    assert drawn.answer[::2].tolist() == drawn.other[1::2].tolist()
    assert drawn.other[::2].tolist() == drawn.answer[1::2].tolist()
    assert all(one[-1] == other[-1] for one, other in partners(name))


@pytest.mark.parametrize("name", ALL)
def test_partners_differ_in_as_little_as_possible(name):
    assert max(changed(one, other) for one, other in partners(name)) <= MORE.get(name, 1)


@pytest.mark.parametrize("name", ALL)
def test_the_splits_share_no_prompt_and_no_first_line(name):
    newline = ALL[name].newline
    rows = {split: examples(name, split).rows() for split in SPLITS}
    for split, drawn in rows.items():
        assert {ALL[name].split(row) for row in drawn} == {split}
    lines = [{first_line(row, newline) for row in drawn} for drawn in rows.values()]
    assert len(set().union(*lines)) == sum(map(len, lines))


def first_line(row: list[int], newline: frozenset[int]) -> tuple[int, ...]:
    return tuple(row[: next(at for at, token in enumerate(row) if token in newline)])


@pytest.mark.parametrize("name", ALL)
def test_a_prompt_with_its_answer_begins_a_program_that_compiles(name):
    drawn = examples(name)
    for row, answer in zip(drawn.rows(), drawn.answer.tolist()):
        assert completed(text(name, [*row, answer])), text(name, [*row, answer])


@pytest.mark.parametrize("name", ["bracket_kind", "list_call", "bracket_depth"])
@pytest.mark.parametrize("corpus", ["", "library "])
def test_a_prompt_with_the_wrong_bracket_begins_none(name, corpus):
    name = corpus + name.replace("list_call", "call_index" if corpus else "list_call")
    drawn = examples(name)
    for row, other in zip(drawn.rows(), drawn.other.tolist()):
        assert not completed(text(name, [*row, other]))


@pytest.mark.parametrize("name", ALL)
def test_a_seed_gives_the_same_examples_again_and_no_prompt_twice(name):
    again, drawn = ALL[name].examples(24, "train", seed=7000), examples(name)
    assert again.rows() == drawn.rows()
    assert len(set(map(tuple, drawn.rows()))) == len(drawn)


def test_another_seed_gives_other_examples():
    task = TINY["quote_kind"]
    assert task.examples(24, "test", seed=7001).rows() != task.examples(24, "test", seed=7002).rows()


def test_tiny_prompts_fit_a_context_of_64():
    assert max(examples(name).prompts.shape[1] for name in TINY) <= 60


def test_there_are_enough_tasks_and_each_says_what_it_is_about():
    assert len(TINY) >= 20 and len(LIBRARY) >= 8
    assert all(task.about.endswith(".") for task in ALL.values())


def test_a_task_with_the_settings_of_a_shifted_corpus_has_deeper_and_longer_prompts():
    def deepest(depth: int) -> int:
        drawn = task_named("bracket_kind", TinyPython(depth=depth)).examples(60, "test", seed=7000)
        return max(text("bracket_kind", row).rpartition("\n")[2].count("[") for row in drawn.rows())

    assert deepest(3) < deepest(6)


SHIFTED = {task.name: task for task in tiny_tasks(TinyPython(depth=6, comments=0.6, apostrophes=1.0), context=100)}


@pytest.mark.parametrize("name", SHIFTED)
def test_the_rule_holds_on_prompts_with_deeper_brackets_apostrophes_and_a_long_context(name):
    drawn = SHIFTED[name].examples(8, "test", seed=7000)
    assert [SHIFTED[name].rule(row) for row in drawn.rows()] == drawn.answer.tolist()
    for row, answer in zip(drawn.rows(), drawn.answer.tolist()):
        assert completed(text(name, [*row, answer]))


def test_an_unknown_task_is_answered_with_near_names():
    with pytest.raises(ValueError, match="did you mean quote_kind"):
        task_named("quotes_kind")


def test_a_task_is_found_by_its_name_in_either_corpus():
    assert [task_named(task.name).about for task in tasks()] == [task.about for task in tasks()]
    assert (
        task_named("indent", BYTE_PAIRS).rule(BYTE_PAIRS.encode("x\nif y:\n").ids)
        == BYTE_PAIRS.encode("x\n    y").ids[3]
    )
