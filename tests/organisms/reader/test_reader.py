"""The shipped reader is what its card says, decides what it was trained to, and is asked in a way that can be answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import cutaway as cw
from cutaway.concepts import library
from cutaway.concepts.match import Trials
from cutaway.network import Network
from cutaway.organisms import concepts_asked
from cutaway.organisms.code_making import digests
from cutaway.organisms.reader import RECIPE, TASKS, asked, card, erasing, persona, questions, scores, shipping
from cutaway.organisms.reader.training import train_reader

ROUNDING = 0.02  # of the answers may come out otherwise on another machine


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
    found, told = scores(reader), card()["held_out"]
    for task, one in found.items():
        assert one.right.value == pytest.approx(told[task]["right"], abs=ROUNDING)
        assert one.above[1] > 0.15, task  # the lower end


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


def test_erased_emotion_is_at_chance_and_a_subspace_of_shuffled_answers_takes_little(reader) -> None:
    before, told = scores(reader), {key: scores(reader, "test", *erasing(reader, "emotion", key)) for key in (None, 1)}
    majority = before["emotion"].majority
    assert told[None]["emotion"].right.value < majority + 0.05 < told[1]["emotion"].right.value
    others = [task for task in TASKS if task != "emotion"]
    assert all(abs(told[None][task].right.value - before[task].right.value) <= 0.01 for task in others)


def test_the_command_line_takes_its_concepts_each_with_questions() -> None:
    concepts, about = concepts_asked("reader", count=16)
    assert [one.name for one in concepts] == [f"reader.{task}" for task in (*TASKS, "power")] == list(about)
    assert about["reader.power"].crossed["answer"]


def test_one_seed_trains_one_network() -> None:
    short = replace(RECIPE, steps=2, batch=4, seed=3)
    first, again, other = (train_reader(replace(short, seed=seed)).network.state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(weight, again[name]) for name, weight in first.items())
    assert any(not torch.equal(weight, other[name]) for name, weight in first.items())
