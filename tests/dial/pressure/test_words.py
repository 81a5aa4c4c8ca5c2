"""Pressures in words are the pressures themselves, and a word that there is not is told the nearest."""

import pytest

from cutaway.dial.pressure import ActivationTopK, AttentionTopK, Locality, Proximal, Regrowth, TopK
from cutaway.dial.pressure.words import pressing
from cutaway.dial.transformer import SparseShape

SHAPE = SparseShape(vocab=5, context=8, width=16)


@pytest.mark.parametrize(
    ("word", "pressure"),
    [
        ("topk=1/16", TopK(1 / 16)),
        ("topk=1/64:least=2:embed=1/4", TopK(1 / 64, least=2, embed=0.25)),
        ("regrowth=1/32:every=20:densities=erdos-renyi", Regrowth(1 / 32, every=20, densities="erdos-renyi", seed=7)),
        ("regrowth=1/32:seed=3", Regrowth(1 / 32, seed=3)),
        ("l1=1e-3", Proximal(1e-3)),
        ("locality=0.01:groups=2", Locality(2, 0.01)),
    ],
)
def test_a_word_is_its_pressure(word, pressure):
    assert pressing(word, seed=7).pressures == (pressure,)


def test_shares_of_activations_and_attention_are_the_shapes():
    found = pressing("activations=1/4+attention=4")
    assert found.pressures == (ActivationTopK(), AttentionTopK())
    assert (found.shaped(SHAPE).keep, found.shaped(SHAPE).attend) == (0.25, 4)


def test_words_joined_by_a_plus_are_words_one_after_another():
    assert pressing("topk=1/4+l1=0.1") == pressing(["topk=1/4", "l1=0.1"])


@pytest.mark.parametrize("nothing", ["dense", "", [], "dense+dense"])
def test_dense_is_no_pressure(nothing):
    assert pressing(nothing).pressures == () and pressing(nothing).shaped(SHAPE) == SHAPE


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("tpk=1/16", "no pressure 'tpk'.*did you mean topk"),
        ("topk", "has no number; expected one after =, as in topk=1/16"),
        ("topk=1/0", "has '1/0'; expected a number"),
        ("topk=many", "has 'many'; expected a number"),
        ("topk=1/4:leats=2", "has the setting 'leats=2'; expected share="),
        ("topk=0", "share above 0"),
        ("topk=1e999", "has '1e999'; expected a number"),
        ("topk=1/4:least=1:least=2", "a setting twice"),
        ("topk=1/16:share=1/4", "a setting twice"),
        ("regrowth=1/4:every=2.7", "expected a whole number"),
        ("attention=1.5", "how many tokens"),
        ("activations=1/4:decides=x", "expected none"),
    ],
)
def test_a_word_that_says_nothing_is_refused(word, said):
    with pytest.raises(ValueError, match=said):
        pressing(word)
