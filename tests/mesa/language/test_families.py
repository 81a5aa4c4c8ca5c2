"""Families of few-shot prompts: what decides a label, what is novel, what is shown."""

import pytest
import torch

from cutaway.mesa.language import Features, Instructions, Lexicon, Sorting

LEXICON = Lexicon.arbitrary(400, 7001)
OWNER = {word: name for name, words in LEXICON.categories.items() for word in words}


class Words:
    """A tokenizer of whole words, with a token before every text."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def encode(self, text: str) -> list[int]:
        return [0, *(1 + self.known.setdefault(word, len(self.known)) for word in text.split())]

    def decode(self, ids) -> str:
        return " ".join(list(self.known)[place - 1] for place in ids)


def test_one_direction_decides_the_labels_of_a_task():
    features = Features(shots=40, inputs=8, dim=2, pool=2)
    weights, pairs = features.tasks()
    shots = features.draw(20, 7001, novel=False)
    inputs = torch.cat([shots.ids[:, shots.items], shots.ids[:, shots.query][:, None]], 1) - 1
    sides = torch.einsum("psd,pd->ps", features.vectors()[inputs].sum(2), weights[shots.task]).sign()
    assert torch.equal(sides, torch.cat([shots.ys, shots.truth[:, None]], 1).float())
    assert torch.equal(shots.labels, pairs[shots.task])


def test_novel_pairs_of_labels_are_never_trained_on():
    features = Features(labels=16)
    shown = {tuple(pair) for seed in range(5) for pair in features.training(200, seed, 0.3).labels.tolist()}
    novel = {tuple(pair) for pair in features.draw(400, 7001).labels.tolist()}
    assert len(novel) > 20 and not shown & novel


def test_what_is_trained_on_holds_familiar_tasks_as_often_as_asked():
    features = Features(labels=32)
    known = {tuple(pair) for pair in features.tasks()[1].tolist()}
    share = sum(tuple(pair) in known for pair in features.training(2000, 7001, 0.5).labels.tolist()) / 2000
    assert 0.45 < share < 0.55


def test_by_category_an_unseen_word_is_asked_for_whose_category_was_shown():
    shots = Sorting(LEXICON, shots=12).draw(30, 7001)
    for ids, ys, truth in zip(shots.ids, shots.ys.tolist(), shots.truth.tolist(), strict=True):
        shown, asked = ids[shots.items][:, 0].tolist(), int(ids[shots.query])
        assert asked not in shown
        sides = {sign: {OWNER[word] for word, y in zip(shown, ys, strict=True) if y == sign} for sign in (1, -1)}
        assert not sides[1] & sides[-1]
        assert OWNER[asked] not in sides[-truth]


def test_by_word_a_shown_word_is_asked_for_and_its_label_is_right():
    shots = Sorting(LEXICON, shots=9, by="word").draw(30, 7001)
    for ids, ys, truth in zip(shots.ids, shots.ys.tolist(), shots.truth.tolist(), strict=True):
        shown = ids[shots.items][:, 0].tolist()
        assert ys[shown.index(int(ids[shots.query]))] == truth


def test_familiar_labels_are_the_names_of_the_categories():
    shots = Sorting(LEXICON).draw(20, 7001, novel=False)
    right = torch.where(shots.truth > 0, shots.labels[:, 0], shots.labels[:, 1])
    asked = shots.ids[:, shots.query][:, 0]
    assert [LEXICON.names[OWNER[word]] for word in asked.tolist()] == right.tolist()


def test_an_instruction_names_the_category_of_the_word_beside_the_right_label():
    shots = Instructions(LEXICON).draw(30, 7001)
    right = torch.where(shots.truth > 0, shots.labels[:, 0], shots.labels[:, 1])
    for ids, label in zip(shots.ids.tolist(), right.tolist(), strict=True):
        assert ids[ids.index(label) + 2] == LEXICON.names[OWNER[ids[int(shots.query)]]]
    assert len({tuple(one) for one in shots.ys.tolist()}) == 2  # either label comes first


def test_a_lexicon_holds_the_words_that_are_one_token():
    tokenizer = Words()
    lexicon = Lexicon.of(tokenizer, (":", "\n"))
    assert tokenizer.decode([lexicon.names["animal"], lexicon.categories["animal"][0]]) == "animal dog"
    assert len(lexicon.categories) == 8


def test_what_a_tokenizer_puts_before_every_text_stands_once_before_a_prompt():
    lexicon = Lexicon.of(Words())
    for task in (Sorting(lexicon), Instructions(lexicon)):
        shots = task.draw(3, 7001)
        assert (shots.ids == 0).sum(1).tolist() == [1, 1, 1]
        assert (shots.ids[:, 0] == 0).all()


def test_texts_that_a_lexicon_lacks_are_asked_for():
    with pytest.raises(ValueError, match="the lexicon has no tokens for"):
        Instructions(Lexicon.arbitrary(400, 0, (":",)))


def test_a_tokenizer_of_letters_has_no_words_to_sort():
    class Letters(Words):
        def encode(self, text):
            return [ord(letter) for letter in text]

    with pytest.raises(ValueError, match="0 categories of words"):
        Lexicon.of(Letters())


def test_label_words_that_share_a_token_are_refused():
    with pytest.raises(ValueError, match="share a token"):
        Lexicon(LEXICON.categories, (3, 4, 5, 3), LEXICON.names, {})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"shots": 1}, "at least 2"), ({"by": "letter"}, "'category' or 'word'"), ({"aside": 5}, "expected 1 to 4")],
)
def test_sorting_that_makes_no_sense_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        Sorting(LEXICON, **wrong)


def test_more_words_than_a_side_has_are_refused():
    with pytest.raises(ValueError, match="different words were asked for"):
        Sorting(Lexicon.arbitrary(80, 0), shots=24, aside=1).draw(1, 0)
