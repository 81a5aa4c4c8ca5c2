"""What a network can be asked, and what it is told when it cannot."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cutaway.decisions import Decision, DecisionError, trace
from cutaway.network import LogitDifference, logits_of, wrap
from submodels.networks import PROMPTS, Convolutions, Layers, Spaced, drawn, opened, seeded, small, transformer


def ids_of(decision: Decision, net: Any) -> tuple[list[int], list[int]]:
    metric = decision.pose(net).metric
    assert isinstance(metric, LogitDifference) and metric.instead is not None
    return metric.answer.tolist(), metric.instead.tolist()


def test_a_leading_space_belongs_to_the_token() -> None:
    net, word = small(), Spaced.vocabulary.index
    assert ids_of(Decision("the cat sat on", " the", " mat"), net) == ([word(" the")], [word(" mat")])
    assert ids_of(Decision("the cat sat on ", "the", "a"), net) == ([word("the")], [word("a")])
    assert ids_of(Decision(PROMPTS, [" mat", " rug"], " cat"), net) == (
        [word(" mat"), word(" rug")],
        [word(" cat")] * 2,
    )


def test_the_metric_is_the_difference_of_the_two_logits_at_the_last_position() -> None:
    net = small()
    posed = Decision(PROMPTS, " mat", " rug").pose(net)
    logits = logits_of(net(PROMPTS))[:, -1]
    mat, rug = (Spaced.vocabulary.index(word) for word in (" mat", " rug"))
    assert torch.allclose(posed.metric(net(PROMPTS), torch.arange(2)), logits[:, mat] - logits[:, rug])
    assert posed.answers == (" mat", " mat")
    alone = Decision(PROMPTS, " mat").pose(net).metric(net(PROMPTS), torch.arange(2))
    p = torch.softmax(logits, -1)[:, mat]
    assert torch.allclose(alone, (p / (1 - p)).log(), atol=1e-4)


def test_several_tokens_are_refused_with_the_pieces_and_what_to_do() -> None:
    message = r"answer ' bird' is 5 tokens here \(' ' 'b' 'i' 'r' 'd'\) and a decision is about one; put what both answers share"
    with pytest.raises(DecisionError, match=message):
        Decision("the", " bird", " cat").pose(small())
    with pytest.raises(DecisionError, match=r"instead '' makes no token"):
        Decision("the", " cat", "").pose(small())


class Merging(Spaced):
    """A tokenizer to which "ab" is one token alone, but two after a word."""

    def encode(self, text: str) -> list[int]:
        return [0, 1] if text == "ab" else [*super().encode(text)]


def test_an_answer_that_is_several_tokens_after_the_prompt_is_refused_though_alone_it_is_one() -> None:
    net = wrap(transformer(), Merging())
    with pytest.raises(DecisionError, match=r"answer 'ab' is 2 tokens here \('a' 'b'\)"):
        Decision("the", "ab", " cat").pose(net)


@pytest.mark.parametrize(("answer", "instead"), [(" mat", " mat"), ([" mat", " rug"], [" cat", " rug"]), (3, 3)])
def test_an_answer_that_equals_the_alternative_is_refused(answer: Any, instead: Any) -> None:
    with pytest.raises(DecisionError, match="the same output, so there is nothing to decide"):
        Decision(PROMPTS, answer, instead).pose(small())


@pytest.mark.parametrize(
    ("answer", "instead", "role"), [([" mat"], " rug", "answer"), (" mat", [" rug"] * 3, "instead")]
)
def test_lists_of_another_length_are_refused(answer: Any, instead: Any, role: str) -> None:
    with pytest.raises(DecisionError, match=rf"{role} has \d entries for 2 inputs; give one, or one for each input"):
        Decision(PROMPTS, answer, instead).pose(small())


@pytest.mark.parametrize("name", ["CNN", "ViT"])
def test_a_classifier_is_asked_by_class_number(name: str) -> None:
    net, given = opened(name)
    posed = Decision(given, answer=1, instead=4).pose(net)
    logits = logits_of(net(given))
    assert torch.allclose(posed.metric(net(given), torch.arange(2)), logits[:, 1] - logits[:, 4])
    by_row = Decision(given, answer=torch.tensor([0, 3]), instead=torch.tensor([2, 2])).pose(net)
    assert torch.allclose(by_row.metric(net(given), torch.arange(2)), logits[[0, 1], [0, 3]] - logits[:, 2])


@pytest.mark.parametrize(
    ("answer", "instead", "message"), [(5, 1, "answer is output 5"), (1, -1, "instead is output -1")]
)
def test_a_class_that_the_network_does_not_have_is_refused(answer: int, instead: int, message: str) -> None:
    net, given = opened("CNN")
    with pytest.raises(DecisionError, match=f"{message}; this network has 5 outputs, give one of 0 to 4"):
        Decision(given, answer, instead).pose(net)


def test_text_is_no_answer_without_a_tokenizer_and_a_number_is_no_text() -> None:
    net, given = opened("CNN")
    with pytest.raises(DecisionError, match="opened without a tokenizer; give a class number"):
        Decision(given, "cat", "dog").pose(net)
    with pytest.raises(DecisionError, match="answer is a float; expected text"):
        Decision(PROMPTS, 1.5, " cat").pose(small())


def test_a_regressor_is_read_as_it_is() -> None:
    net, given = wrap(seeded(lambda: Layers(outputs=1)), reference=drawn(20, 6, seed=4)), drawn(3, 6)
    posed = Decision(given).pose(net)
    assert torch.equal(posed.metric(net(given), torch.arange(3)), net(given)[:, 0])
    found = trace(net, Decision(given), nulls=0)
    assert found.metric.mean == pytest.approx(float(net(given).mean()), abs=1e-6)
    assert max(abs(row["exact"]) for row in found.nodes) > 1e-3


def test_several_outputs_need_an_answer_or_a_metric() -> None:
    with pytest.raises(DecisionError, match=r"gives \(1, 5\) numbers for one input, so a decision needs answer=…"):
        Decision(drawn(2, 3, 8, 8)).pose(wrap(seeded(Convolutions)))


def test_any_function_of_the_output_is_a_metric() -> None:
    net, given = opened("CNN")
    found = trace(net, Decision(given, metric=lambda logits: logits.softmax(-1)[:, 2]), nulls=0)
    assert found.metric.mean == pytest.approx(float(net(given).softmax(-1)[:, 2].mean()), abs=1e-6)
    text = small()
    entropy = Decision(PROMPTS, metric=lambda logits: torch.distributions.Categorical(logits=logits[:, -1]).entropy())
    assert max(abs(row["exact"]) for row in trace(text, entropy, nulls=0).nodes) > 1e-3


@pytest.mark.parametrize(
    ("metric", "shape"), [(lambda x: x, r"\(2, 5\)"), (lambda x: x.sum(), r"\(\)"), (lambda x: 1.0, "float")]
)
def test_a_metric_of_another_shape_is_refused(metric: Any, shape: str) -> None:
    net, given = opened("CNN")
    with pytest.raises(ValueError, match=f"the metric gave {shape} for 2 examples; expected one number per example"):
        trace(net, Decision(given, metric=metric))


def test_a_decision_that_is_not_a_number_is_refused() -> None:
    net, given = opened("CNN")
    with pytest.raises(DecisionError, match="the decision is nan on input 1"):
        trace(
            net, Decision(given, metric=lambda logits: logits[:, 0] * torch.tensor([1.0, float("nan")])[: len(logits)])
        )


def test_a_prompt_longer_than_the_context_is_refused() -> None:
    with pytest.raises(ValueError, match=r"25 tokens; this network reads at most 24; shorten it by 1"):
        Decision("a" * 24, " cat", " dog").pose(small())


class Words:
    """A tokenizer with a token for every word that it does not know, as word-piece ones have."""

    vocabulary = ("[unk]", "the", "cat", "sat", "mat", "rug")

    def encode(self, text: str) -> list[int]:
        return [self.vocabulary.index(w) if w in self.vocabulary else 0 for w in text.split()]

    def decode(self, ids: Any) -> str:
        return " ".join(self.vocabulary[i] for i in ids)


def test_an_answer_that_the_tokenizer_does_not_know_is_refused() -> None:
    net = wrap(transformer(), Words())
    with pytest.raises(DecisionError, match=r"instead ' bird' is not in the vocabulary: .* makes '\[unk\]' of it"):
        Decision("the cat sat", " mat", " bird").pose(net)
    with pytest.raises(DecisionError, match=r"answer ' bird' is not in the vocabulary"):
        Decision("the cat sat", " bird").pose(net)
    assert ids_of(Decision("the cat sat", " mat", " rug"), net) == ([4], [5])
    assert ids_of(Decision("the cat sat", " [unk]", " rug"), net) == ([0], [5])


def test_a_counterfactual_that_is_the_prompt_itself_is_named_as_the_error() -> None:
    for inputs, other in (("the cat", ["the cat"]), (PROMPTS, list(PROMPTS))):
        with pytest.raises(DecisionError, match="the counterfactual is the prompt itself"):
            trace(small(), Decision(inputs, " mat", " rug", counterfactual=other))
    Decision(PROMPTS, " mat", " rug", counterfactual=[PROMPTS[0], "the rug sat on the"]).pose(small())


def test_outputs_are_counted_once_for_both_classes() -> None:
    calls: list[int] = []

    class Counting(Layers):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            calls.append(len(x))
            return super().forward(x)

    Decision(drawn(3, 6), answer=0, instead=1).pose(wrap(seeded(Counting)))
    assert calls == [1]


def test_decisions_on_tensors_are_equal_by_their_contents() -> None:
    one, again, other = (Decision(drawn(3, 6, seed=seed), torch.tensor([0, 1, 2])) for seed in (0, 0, 1))
    assert one == again and hash(one) == hash(again)
    assert one != other
    assert one != Decision(drawn(3, 6), torch.tensor([0, 1, 1]))
    assert one != Decision(drawn(3, 6).double(), torch.tensor([0, 1, 2]))
    assert Decision("a", " b") == Decision("a", " b") != Decision("a", " c")
