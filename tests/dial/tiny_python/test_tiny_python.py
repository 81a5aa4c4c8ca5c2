"""Tiny Python: programs compile and are consistent, and a text is its tokens."""

import doctest

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.dial.tiny_python.consistency import Reader

from cutaway.dial.tiny_python import TinyPython, tiny_python, vocabulary

PYTHON = TinyPython()
PROGRAMS = PYTHON.programs(400, seed=7000)
WORDS = PYTHON.vocabulary()


def test_every_program_compiles():
    unusual = TinyPython(depth=6, longest=40, comments=0.5, apostrophes=1.0).programs(60, seed=7001)
    for program in [*PROGRAMS, *unusual]:
        compile(program, "program", "exec")


def test_text_to_tokens_and_back_is_exact():
    for program in PROGRAMS:
        assert PYTHON.decode(PYTHON.encode(program)) == program


def test_the_stream_is_the_programs_back_to_back_with_bos_before_each():
    expected = [token for program in PROGRAMS for token in PYTHON.encode(program)]
    assert PYTHON.stream(len(expected), seed=7000).tolist() == expected


def test_a_seed_gives_the_same_programs_again_and_another_seed_others():
    assert torch.equal(PYTHON.stream(2000, seed=7003), PYTHON.stream(2000, seed=7003))
    assert not torch.equal(PYTHON.stream(2000, seed=7003), PYTHON.stream(2000, seed=7004))


def test_every_token_but_padding_occurs():
    counts = torch.bincount(PYTHON.stream(100_000, seed=7005), minlength=len(WORDS))
    assert [word for word, count in zip(WORDS, counts) if not count] == ["<|pad|>"]


def test_text_that_is_no_tiny_python_is_refused():
    with pytest.raises(ValueError, match="vocabulary is closed"):
        PYTHON.encode("import os\n")


def test_every_program_is_consistent():
    assert [fault for program in PROGRAMS for fault in Reader(program).faults] == []


@pytest.mark.parametrize(
    "program",
    [
        "print(a)\n",
        "a = set()\na.upper()\n",
        "a = 1\na += 'red'\n",
        "def load(a):\n    return a\nb = load(1, 2)\n",
        "a = 1\ndef load(b):\n    return a\n",
        "class Box:\n    def __init__(self, a):\n        self.size = a\nb = Box(1)\nprint(b.rate)\n",
        "for a in range(2):\n    b = 1\nprint(b)\n",
        "a = 1\nb = 2\nwhile a < 2:\n    b += 1\n",
        "a = 1\nb = 'red'\na, b = b, a\n",
        "if 1 < 2:\n    a = 1\n",
    ],
)
def test_the_reader_finds_what_is_inconsistent(program):
    assert Reader(program).faults


def test_brackets_nest_to_the_depth_that_is_asked_for():
    def deepest(depth: int) -> int:
        programs = "".join(TinyPython(depth=depth, comments=0).programs(300, seed=7006))
        levels = [0]
        for character in programs:
            levels.append(levels[-1] + (character in "([{") - (character in ")]}"))
        return max(levels)

    assert 1 < deepest(1) < deepest(3) <= 5


def test_the_apostrophes_and_comments_of_the_settings_are_written():
    plain = "".join(TinyPython(comments=0.5, apostrophes=0).programs(100, seed=7007))
    shifted = "".join(TinyPython(comments=0.5, apostrophes=1).programs(100, seed=7007))
    assert "n't" not in plain and "n't" in shifted and " is here" not in shifted
    assert "#" not in "".join(TinyPython(comments=0).programs(100, seed=7007))


def test_no_program_occurs_in_the_streams_of_two_seeds():
    one, other = (PYTHON.programs(1500, seed) for seed in (7100, 7200))
    assert not set(one) & set(other)


@given(at=st.integers(0, 10**6), seed=st.integers(0, 40))
def test_cutting_a_text_between_two_tokens_changes_no_token_before_the_cut(at, seed):
    tokens = PYTHON.encode(PROGRAMS[seed])
    tokens = tokens[: at % len(tokens) + 1]
    assert PYTHON.encode(PYTHON.decode(tokens)) == tokens


@pytest.mark.parametrize(
    "settings",
    [{"depth": 0}, {"blocks": 4}, {"shortest": 5, "longest": 4}, {"comments": 1.5}, {"apostrophes": -0.1}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match="expected"):
        TinyPython(**settings)


def test_an_empty_stream_and_no_programs_are_refused():
    with pytest.raises(ValueError, match="stream of 0"):
        PYTHON.stream(0, seed=7000)
    with pytest.raises(ValueError, match="0 programs"):
        PYTHON.programs(0, seed=7000)


@pytest.mark.parametrize("module", [tiny_python, vocabulary])
def test_the_examples_of_the_docstrings_are_true(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed
