"""The tokenizers of tiny Python: ours and Hugging Face's are the same, and a network is asked in text."""

import pytest

import cutaway as cw
from cutaway.dial.tiny_python import TinyPython
from cutaway.dial.tiny_python.vocabulary import IDS, VOCABULARY
from cutaway.dial.transformer import SparseShape, SparseTransformer

PYTHON = TinyPython(comments=0.3, apostrophes=0.5)
TOKENIZER = PYTHON.tokenizer()
PROGRAMS = PYTHON.programs(150, seed=7010)


def test_hugging_face_gives_the_same_ids_and_the_same_text():
    for program in PROGRAMS:
        assert TOKENIZER.encode(program).ids == PYTHON.encode(program)
        assert TOKENIZER.decode(PYTHON.encode(program)) == program
    assert TOKENIZER.get_vocab() == IDS


def test_an_opening_and_a_closing_mark_are_two_tokens_and_an_apostrophe_is_none():
    tokens = [
        VOCABULARY[token] for token in PYTHON.encode("# red isn't here\na = 'red' + \"sky\"".replace('"sky"', '"blue"'))
    ]
    assert [token for token in tokens if "'" in token or '"' in token] == [" isn't", "'…", "…'", '"…', '…"']


def test_no_token_is_in_the_vocabulary_twice():
    assert len(set(VOCABULARY)) == len(VOCABULARY) == len(IDS)


def test_a_network_is_asked_in_text():
    module = SparseTransformer(SparseShape(len(VOCABULARY), 64, 16, layers=1), seed=7000)
    network = cw.open(module, feed=TOKENIZER, reference=PROGRAMS[:4])
    batch = network.feed("for a in range(")
    assert batch.ids.tolist() == [PYTHON.encode("for a in range(")]
    assert batch.tokens == (("<|bos|>", "for ", "a", " in ", "range", "("),)


def test_a_word_outside_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="no token for a word"):
        cw.network.load.Wrapped(TOKENIZER).encode("import os")


def test_without_the_package_the_error_names_the_command(no_tokenizers):
    with pytest.raises(ImportError, match=r'pip install "cutaway\[hf\]"'):
        PYTHON.tokenizer()
