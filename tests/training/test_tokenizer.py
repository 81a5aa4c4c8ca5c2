"""The tokenizer: answers are always one token."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.training.tokenizer import BOS, ISOLATED, PAD, read_tokenizer, stream, train_tokenizer

TEXTS = [
    "def f(self, name='abc', *args):\n    return [self.name, {'a': \"b\"}, (1, 2)]\n",
    'class A:\n    """It\'s a docstring."""\n\n    def g(self):\n        if not self.x:\n            pass\n',
] * 20
TOKENIZER = train_tokenizer(TEXTS, 400)

# Text made of what merges in code, of the isolated characters and of anything at all.
PARTS = st.one_of(
    st.sampled_from(
        [*ISOLATED, "''", "''')", "f('", "')", " (", "self", ".x", " ", "    ", "\n    ", "\t", "\\'", "\r", "é"]
    ),
    st.text(max_size=6),
)
SNIPPETS = st.lists(PARTS, max_size=12).map("".join).filter(lambda text: "<|" not in text)


def ids(text: str) -> list[int]:
    return TOKENIZER.encode(text, add_special_tokens=False).ids


@settings(max_examples=500, deadline=None)
@given(left=SNIPPETS, answer=st.sampled_from(ISOLATED), right=SNIPPETS)
def test_quotes_brackets_commas_colons_and_newlines_are_one_token_whatever_surrounds_them(left, answer, right):
    (alone,) = ids(answer)
    tokens = ids(left + answer + right)
    assert tokens == [*ids(left), alone, *tokens[len(ids(left)) + 1 :]]
    expected = sum((left + answer + right).count(character) for character in answer)
    assert tokens.count(alone) == expected


@settings(max_examples=300, deadline=None)
@given(SNIPPETS)
def test_decoding_gives_the_text_back(text):
    assert TOKENIZER.decode(ids(text)) == text


def test_no_token_but_one_contains_an_isolated_character():
    for character in ISOLATED:
        holders = [token for token in range(TOKENIZER.get_vocab_size()) if character in TOKENIZER.decode([token])]
        assert holders == ids(character)


def test_a_run_of_indentation_is_apart_from_the_word_after_it():
    tokens = [TOKENIZER.decode([token]) for token in ids("\n        return")]
    assert tokens[:2] == ["\n", "        "]
    assert "".join(tokens[2:]) == "return"


def test_a_text_starts_with_bos_and_the_special_tokens_come_first():
    assert TOKENIZER.encode("x").ids[0] == TOKENIZER.token_to_id(BOS) == 0
    assert TOKENIZER.token_to_id(PAD) == 1
    assert stream(TOKENIZER, ["x", "y"]).tolist() == [0, *ids("x"), 0, *ids("y")]


def test_training_twice_gives_the_same_tokenizer():
    assert train_tokenizer(TEXTS, 400).to_str() == TOKENIZER.to_str()


def test_a_tokenizer_read_back_gives_the_same_tokens():
    again = read_tokenizer(TOKENIZER.to_str())
    assert again.encode(TEXTS[0]).ids == TOKENIZER.encode(TEXTS[0]).ids


def test_a_vocabulary_smaller_than_the_bytes_is_refused():
    with pytest.raises(ValueError, match="at least 258"):
        train_tokenizer(TEXTS, 200)


def test_without_the_package_the_error_names_the_command(no_tokenizers):
    with pytest.raises(ImportError, match=r'pip install "cutaway\[hf\]"'):
        train_tokenizer(TEXTS)


def test_a_word_with_its_space_is_tokenized_alone_as_after_other_text():
    assert ids(" self") == ids("x self")[1:]
