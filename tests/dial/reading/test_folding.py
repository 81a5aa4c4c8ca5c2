"""A folded rule text says what it said before, with no line left that always says the same."""

import numpy as np
import pytest
from tests.dial.reading.circuits import TEXTS, circuit, planted

from cutaway.dial.reading import Fit, rule_text
from cutaway.dial.reading.folding import folded
from cutaway.dial.reading.levels import Levels, Rise
from cutaway.dial.reading.rule_text import Answer, Look, RuleText, Sum

SEEN = Levels(((3, 4),), (1.5,), 0.0)
LINES = (
    Sum("read", 0.5, token=SEEN),
    Sum("query", 2.0),
    Sum("key", 0.7, adds=(("read", 1.0),)),
    Sum("same key", -1.0),
    Sum("same value", 0.25),
    Look(
        "head",
        ((0.5, "query", "key"), (0.3, "query", "same key")),
        0.1,
        (("read", "z"), ("same value", "zz")),
        slope=0.2,
    ),
    Sum("neuron", -0.5, adds=(("query", 1.0),), steps=Rise()),
    Sum("out", 0.0, adds=(("z", 1.0), ("zz", 2.0), ("neuron", -1.0))),
    Sum("alone", 0.0, adds=(("neuron", 3.0),)),
)
ANSWERS = (
    Answer(7, Levels((), (), 0.0), ()),
    Answer(8, Levels(((3,),), (0.2,), -0.1), (("out", 1.0), ("alone", -0.1))),
)
RULE = RuleText("which", LINES, ANSWERS, tuple((token, f"t{token}") for token in (3, 4, 7, 8)), vocab=32)


def test_a_folded_text_says_the_same_in_fewer_lines_and_bits() -> None:
    prompts, last = np.random.default_rng(0).integers(0, 9, (40, 7)), np.full(40, 6)
    less = folded(RULE)
    np.testing.assert_allclose(less.preferences(prompts, last), RULE.preferences(prompts, last), atol=0.01)
    assert np.ptp(less.preferences(prompts, last)[:, 1]) > 0.1
    assert [line.name for line in less.lines] == ["read", "key", "same value", "head", "out"]
    assert less.bits < RULE.bits
    assert folded(less) == less


@pytest.mark.parametrize("program", ("negated", "marked"))
def test_a_text_in_which_nothing_is_always_the_same_stays_as_it_is(program: str) -> None:
    rule = rule_text(circuit(program), planted(program).network, planted(program).task, TEXTS, Fit(examples=64))
    assert len(folded(rule).lines) == len(rule.lines)
    assert folded(rule).texts == rule.texts
