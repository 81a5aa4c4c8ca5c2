"""The shipped code model: its files are what its card says, and it answers about held-out code."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cutaway.organisms import code_model
from cutaway.organisms.code_decisions import clear
from cutaway.organisms.code_making import SHAPE, make, rounded
from cutaway.organisms.code_model import FOLDER, card, check, decisions, load_code_model
from cutaway.organisms.code_questions import Question, first_token, last_logits, questions, score
from cutaway.organisms.code_reference import load_reference, snippets
from cutaway.training.corpus import standard_library
from cutaway.training.export import load
from cutaway.training.loop import held_out_loss
from cutaway.training.tokenizer import stream
from cutaway.training.transformer import Transformer


@pytest.fixture(scope="module")
def model():
    return load_code_model()


def test_the_shipped_files_are_the_ones_on_the_card_and_small():
    check(FOLDER)
    assert set(card()["sha256"]) == {path.name for path in FOLDER.iterdir()} - {"card.json"}
    assert (FOLDER / "model.safetensors").stat().st_size <= 4.5e6


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "reference.json"])
def test_a_damaged_or_missing_file_is_named(tmp_path: Path, monkeypatch, name: str):
    folder = shutil.copytree(FOLDER, tmp_path / "code")
    monkeypatch.setattr(code_model, "FOLDER", folder)
    damaged = bytearray((folder / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / name).write_bytes(damaged)
    with pytest.raises(ValueError, match=f"{name} of the code model is damaged"):
        load_code_model()
    (folder / name).unlink()
    with pytest.raises(ValueError, match="no such file"):
        load_code_model()


def test_the_loaded_network_predicts_in_evaluation_mode_with_the_shape_on_the_card(model):
    assert model.network.shape == SHAPE
    assert not model.network.training
    ids = torch.tensor([model.tokenizer.encode("x = 'abc").ids])
    assert ids[0, 0] == 0
    assert torch.isfinite(model.network(ids)).all()
    assert sum(weight.numel() for weight in model.network.parameters()) == card()["weights"]


def test_the_stored_weights_lose_nothing_when_rounded_again(model):
    again = rounded(model.network).state_dict()
    assert all(torch.equal(weight, again[name]) for name, weight in model.network.state_dict().items())


def test_the_shipped_decisions_are_right_by_more_than_two_in_logit(model):
    shipped = decisions()
    assert len(shipped) >= 12
    assert {one["about"] for one in shipped} >= {"closing quote", "closing bracket", "colon"}
    assert {one["answer"] for one in shipped} >= {"'", '"', ")", "]", "}", ":"}
    for one in shipped:
        answer, instead = (first_token(model.tokenizer, one["prompt"], one[text]) for text in ("answer", "instead"))
        (row,) = last_logits(model.network, model.tokenizer, [one["prompt"]])
        assert float(row[answer] - row[instead]) == pytest.approx(one["difference"], abs=1e-2)
        assert row[answer] - row[instead] > 2


def test_the_answers_and_alternatives_of_the_shipped_decisions_are_one_token_each(model):
    for one in decisions():
        before = model.tokenizer.encode(one["prompt"]).ids
        for text in (one["answer"], one["instead"]):
            assert model.tokenizer.encode(one["prompt"] + text).ids[:-1] == before
            assert len(model.tokenizer.encode(text, add_special_tokens=False).ids) == 1


def test_a_counterfactual_differs_in_one_token_and_turns_the_choice_round(model):
    paired = [one for one in decisions() if one["counterfactual"]]
    assert len(paired) >= 4
    for one in paired:
        ids, others = (model.tokenizer.encode(one[text]).ids for text in ("prompt", "counterfactual"))
        assert len(ids) == len(others)
        assert sum(a != b for a, b in zip(ids, others)) == 1
        (row,) = last_logits(model.network, model.tokenizer, [one["counterfactual"]])
        answer, instead = (first_token(model.tokenizer, one["prompt"], one[text]) for text in ("answer", "instead"))
        assert row[instead] > row[answer]


def test_the_first_decision_is_the_most_likely_next_token(model):
    one = decisions()[0]
    (row,) = last_logits(model.network, model.tokenizer, [one["prompt"]])
    assert int(row.argmax()) == first_token(model.tokenizer, one["prompt"], one["answer"])
    assert one["chance"] > 0.5


def test_the_figures_on_the_card_hold_on_shipped_code_that_was_held_out(model):
    """The corpus differs between versions of Python, the shipped snippets do not."""
    tokens = stream(model.tokenizer, model.reference)
    assert held_out_loss(model.network, tokens, 64) < card()["held_out_nats_per_token"] + 0.6
    assert held_out_loss(Transformer(SHAPE), tokens, 64) > 6


def test_on_held_out_files_the_model_closes_strings_and_brackets_and_an_untrained_one_does_not(model):
    asked = questions(standard_library().validation, at_most=60)
    trained = {one.kind: one.balanced for one in score(model.network, model.tokenizer, asked)}
    untrained = {one.kind: one.balanced for one in score(Transformer(SHAPE), model.tokenizer, asked)}
    assert trained["quote"] > 0.95 > 0.7 > untrained["quote"]
    assert trained["line end"] > 0.95 > 0.7 > untrained["line end"]
    assert trained["bracket"] > 0.6 > untrained["bracket"]


def test_the_clear_decisions_of_an_untrained_network_are_few_or_none(model):
    assert len(clear(Transformer(SHAPE), model.tokenizer)) < len(decisions()) / 4


SOURCE = """\
class A:
    def __init__(self, name, size):
        self._name = name
        super().__init__(size=size)
        x = ["abc", f('it')]

    def g(self):
        return {"a": (1, 2)}
"""


def asked_about(kind: str) -> set[tuple[str, str]]:
    found = [question for question in questions([SOURCE]) if question.kind == kind]
    return {(question.prompt.splitlines()[-1].strip(), question.answer) for question in found}


def test_questions_are_cut_right_before_the_answer_that_the_source_gives():
    for question in questions([SOURCE]):
        if question.group != "made":
            assert question.prompt + question.answer in SOURCE
        assert question.answer not in question.others
    assert asked_about("quote") == {('x = ["abc', '"'), ('return {"a', '"')}
    assert ("x = [\"abc\", f('it'", ")") in asked_about("bracket")
    assert ('return {"a": (1, 2)', "}") in asked_about("bracket")
    assert ("def g(self)", ":") in asked_about("line end")
    assert ("super().__init__(size=size)", "\n") in asked_about("line end")
    assert asked_about("copied argument") == {
        ("self._name =", " name"),
        ("super().__init__(size=", "size"),
        ("self.name =", " name"),
        ("self.size =", " size"),
    }


def test_a_network_that_always_says_the_same_is_right_half_of_the_time_on_two_balanced_groups(model):
    class Constant(torch.nn.Module):
        def forward(self, ids):
            logits = torch.zeros(*ids.shape, model.tokenizer.get_vocab_size())
            logits[..., model.tokenizer.token_to_id("'")] = 1.0
            return logits

    pair = [Question("quote", mark, "x", mark, (other,)) for mark, other in ("'\"", "\"'")]
    (one,) = score(Constant(), model.tokenizer, [*pair, pair[1]])
    assert one.balanced == 0.5
    assert one.groups == {"'": (1, 1), '"': (0, 2)}


def test_the_reference_holds_hundreds_of_distinct_snippets_that_fit_the_context(model):
    reference = load_reference()
    assert model.reference == reference.code
    assert len(set(reference.code)) == len(reference.code) >= 400
    assert len(set(reference.english)) == len(reference.english) >= 100
    assert all(40 <= len(text) <= 330 for text in reference.code)
    assert sum(len(text) > 200 for text in reference.code) >= 60
    assert max(len(encoding.ids) for encoding in model.tokenizer.encode_batch(list(reference.code))) <= SHAPE.context


def test_snippets_do_not_overlap_in_their_file_and_obey_the_filter():
    lines = [f"    value_{i} = function_{i}(argument_{i}, 'text', {i})\n" for i in range(8)]
    source = "def long_enough(argument):\n" + "".join(lines[:3]) + "if True:\n" + "".join(lines[3:])
    pieces = snippets([source], fits=lambda text: "value_7" not in text, alike=20)
    assert len(pieces) >= 5
    assert not any("value_7" in piece for piece in pieces)
    assert sum(piece.count("value_") for piece in pieces) == len(
        {i for i in range(8) if f"value_{i}" in "".join(pieces)}
    )


def test_making_a_model_writes_a_folder_whose_card_vouches_for_it(tmp_path: Path):
    texts = standard_library()
    few = replace(texts, train=texts.train[:6], validation=(SOURCE * 3, texts.validation[0]))
    folder = make(tmp_path, steps=2, library=few)
    check(folder)
    assert {path.name for path in folder.iterdir()} == {path.name for path in FOLDER.iterdir()}
    assert load(folder).network.shape == SHAPE
