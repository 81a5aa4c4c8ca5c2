"""Tiny Python: programs compile and are consistent, and a text is its tokens."""

import pytest
import torch

from cutaway.dial.tiny_python import TinyPython

PYTHON = TinyPython()
PROGRAMS = PYTHON.programs(400, seed=7000)
WORDS = PYTHON.vocabulary()


def test_every_program_compiles():
    for program in [*PROGRAMS, *TinyPython(depth=6, comments=0.5, apostrophes=1.0).programs(100, seed=7001)]:
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
