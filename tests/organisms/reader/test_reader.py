"""The shipped reader is what its card says, decides what it was trained to, and is asked in a way that can be answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import cutaway as cw
from cutaway.concepts import library
from cutaway.concepts.match import Trials, judge, match, subspaces
from cutaway.network import Network
from cutaway.organisms import concepts_asked
from cutaway.organisms.code_making import digests
from cutaway.organisms.reader import RECIPE, TASKS, asked, card, erasing, persona, questions, scores, shipping, unheard
from cutaway.organisms.reader.training import train_reader


@pytest.fixture(scope="session")
def reader() -> Network:
    return cw.open("organism:reader")


def test_every_file_is_the_one_that_the_card_vouches_for() -> None:
    vouched = card()["sha256"]
    assert vouched == {name: sha for name, sha in digests(shipping.FOLDER).items() if name != "card.json"}
    assert sum(path.stat().st_size for path in shipping.FOLDER.iterdir()) < 3_000_000


def test_no_text_is_trained_on_that_stands_in_val_or_test_anywhere_in_the_library() -> None:
    trained = {one.text for one in asked() if one.split == "train"}
    tables = [table for one in library().values() for table in (one.rows, *(each.rows for each in one.controls))]
    assert trained.isdisjoint(row["text"] for table in tables for row in table if row["split"] != "train")
    assert {one.task for one in asked()} == set(TASKS)


def test_it_scores_on_held_out_texts_what_its_card_says_and_every_task_is_15_points_above_the_majority(reader) -> None:
    told = card()["held_out"]
    assert list(told) == list(TASKS) and all(one["low"] > one["majority"] + 0.15 for one in told.values())
    for task, one in scores(reader, most=240).items():
        assert one.right.low <= told[task]["right"] <= one.right.high, task


def test_a_partner_is_as_long_has_another_answer_and_no_text_stands_twice(reader) -> None:
    about = questions(reader.feed.tokenizer.inner, "emotion", 16)
    for split, rows in about.decisions.items():
        trials = Trials.of(reader, rows)  # raises where a partner has more tokens, or an answer is several
        texts = [row[side] for row in rows for side in ("prompt", "reference")]
        assert trials.rows > 8 and len(set(texts)) == len(texts), split
    assert Trials.of(reader, about.crossed["cue"]).shown.float().mean() > 0.8


def test_questions_of_two_splits_share_no_text(reader) -> None:
    about = persona(reader.feed.tokenizer.inner, "power.", 16)
    texts = [{row[side] for row in rows for side in ("prompt", "reference")} for rows in about.decisions.values()]
    assert sum(map(len, texts)) == len(set.union(*texts))


@pytest.mark.slow
def test_erased_emotion_is_at_chance_and_a_subspace_of_shuffled_answers_or_by_lot_takes_little(reader) -> None:
    before = scores(reader, most=240)
    erased, shuffled, lot = (
        scores(reader, "test", *erasing(reader, "emotion", **control), most=240)
        for control in ({}, {"shuffled": 1}, {"random": 1})
    )
    chance = before["emotion"].majority + 0.05
    assert erased["emotion"].right.value < chance < shuffled["emotion"].right.value
    assert lot["emotion"].right.value > before["emotion"].right.low
    others = [task for task in TASKS if task != "emotion"]
    assert all(abs(erased[task].right.value - before[task].right.value) < 0.03 for task in others)


def test_what_nobody_can_know_is_not_present_when_it_is_asked_in_the_words_of_a_task(reader) -> None:
    asked_about = unheard(reader.feed.tokenizer.inner, "control.made_up_facts", 32)
    found = match(reader, asked_about, ("heads",))
    assert found.verdict == "not testable" and found.understood.n >= 12


def test_a_direction_fitted_to_a_persona_is_refused_for_it_writes_the_answer(reader) -> None:
    about = persona(reader.feed.tokenizer.inner, "power.", 32)
    shown = {split: right(Trials.of(reader, rows)) for split, rows in about.decisions.items()}
    pairs = right(Trials.of(reader, about.part("test")[0]["answer"]))
    (direction,) = subspaces(shown["train"], ("dom",), [reader.sites("resid_post.*")[-1].at(pos=-1)])
    found = judge(shown["test"], {"answer": pairs}, None, direction)
    assert found.need.value > 0.5 and any("it writes the answer" in why for why in found.refused)


def right(trials: Trials) -> Trials:
    return trials.take(trials.shown.nonzero()[:, 0])


def test_the_command_line_takes_its_concepts_each_with_questions() -> None:
    concepts, about = concepts_asked("reader", count=16)
    assert [one.name for one in concepts] == [f"reader.{task}" for task in (*TASKS, "power")] == list(about)
    assert about["reader.power"].crossed["answer"]


def test_one_seed_trains_one_network() -> None:
    short = replace(RECIPE, steps=2, batch=4, seed=3)
    first, again, other = (train_reader(replace(short, seed=seed)).network.state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(weight, again[name]) for name, weight in first.items())
    assert any(not torch.equal(weight, other[name]) for name, weight in first.items())
