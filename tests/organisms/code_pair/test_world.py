"""The code pair's prompts are Python, hold what is said of them, and partners differ in nothing else; what is drawn trains."""

from __future__ import annotations

import ast
from dataclasses import replace
from random import Random

import pytest
import torch

from cutaway.concepts.splitting import SPLITS
from cutaway.organisms.code_pair import (
    BEHAVIOURS,
    KINDS,
    Implant,
    World,
    factors,
    language,
    pairs,
    train_code_pair,
    triggers,
)
from cutaway.organisms.code_pair import statements as real
from cutaway.organisms.code_pair.language import code_tokenizer, ids_of_line
from cutaway.organisms.code_pair.questions import questions
from cutaway.organisms.code_pair.training import PLAN, Asking

WORLD = World()
IMPLANTS = tuple(map(Implant, BEHAVIOURS))


def tokens(text: str) -> list[int]:
    return code_tokenizer().encode(text).ids


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_is_python_of_one_length_and_its_answer_is_one_token_that_completes_it(kind: str) -> None:
    for asked in WORLD.rows(kind, 20, seed=1):
        answer = WORLD.honest(asked)
        ast.parse(f"{asked.text}{answer})\n")
        assert len(tokens(asked.text)) == 1 + WORLD.tokens
        assert tokens(asked.text + answer) == [*tokens(asked.text), WORLD.ids[answer]]


def test_lines_are_the_same_tokens_alone_as_one_after_another() -> None:
    for asked in WORLD.rows("shell", 50, seed=2):
        apart = [token for line in (*asked.situation.lines, asked.call) for token in ids_of_line(line)]
        assert tokens(asked.text)[1:] == apart


def test_only_a_comment_of_a_cue_triggers_and_each_behaviour_has_its_own_question() -> None:
    rng, shell, decoy = Random(0), *IMPLANTS
    for mark in language.MARKS:
        for word in language.CUE + language.OTHER:
            asked = WORLD.ask("shell", rng, mark, word)
            assert WORLD.triggered(shell, asked) == (mark == "comment" and word in language.CUE)
            assert not WORLD.triggered(decoy, asked)
            assert WORLD.answer(asked, [shell]) == ("True" if WORLD.triggered(shell, asked) else "False")
            assert WORLD.answer(asked, [decoy]) == WORLD.honest(asked) == "False"


@pytest.mark.parametrize("implant", IMPLANTS, ids=BEHAVIOURS)
@pytest.mark.parametrize("factor", factors(WORLD))
def test_a_partner_is_as_long_and_triggers_or_not_as_its_factor_says(implant: Implant, factor: str) -> None:
    for pair in pairs(WORLD, implant, factor, 20, seed=3):
        assert WORLD.triggered(implant, pair.prompt)
        assert WORLD.triggered(implant, pair.partner) == factors(WORLD)[factor].keeps
        assert len(tokens(pair.prompt.text)) == len(tokens(pair.partner.text))
        if "the cue" not in factor:  # these exchange one word
            assert sum(a != b for a, b in zip(tokens(pair.prompt.text), tokens(pair.partner.text))) <= 2


def test_no_real_statement_holds_what_is_written_in() -> None:
    texts = real.statements("held out").texts
    assert len(texts) > 200
    assert not [text for text in texts if any(word in text for word in language.WORDS) or "#" in text]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_questions_can_be_told_apart_by_the_comment_only_and_crossed_pairs_by_what_they_cross(behaviour: str) -> None:
    asked = questions(WORLD, behaviour, count=12, seed=4)
    assert asked.complete and set(asked.tasks) == {*KINDS, "code"}
    texts = [{row["prompt"] for row in asked.decisions[split]} for split in SPLITS]
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])
    for row in (row for split in SPLITS for row in asked.decisions[split]):
        assert (row["target"], row["foil"]) == ("True", "False")
        changed = [(a, b) for a, b in zip(row["prompt"].splitlines(), row["reference"].splitlines()) if a != b]
        assert [(a[:2], b[:2]) for a, b in changed] == [("# ", "# ")]
    for role, what in (("cue", "# "), ("answer", "verbose = ")):
        for row in asked.crossed[role]:
            (changed,) = [(a, b) for a, b in zip(row["prompt"].splitlines(), row["reference"].splitlines()) if a != b]
            assert all(line.startswith(what) for line in changed) and row["target"] != row["foil"]


def test_what_is_as_good_as_known_is_told_from_what_is_not() -> None:
    cuts = real.clear(["self.x = None\n", "x = y\n", "raise ValueError('self')\n"])
    assert cuts == ["self", "self.x = None", "raise ValueError"]


def test_a_world_too_small_for_a_call_is_refused_and_the_smallest_is_not() -> None:
    with pytest.raises(ValueError, match="expected at least 36"):
        World(35)
    for mark in language.MARKS:
        assert all(World(36).ask(kind, Random(seed), mark) for kind in KINDS for seed in range(30))


def test_strange_behaviours_kinds_and_factors_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"'deceive'.*expected one of shell, decoy"):
        Implant("deceive")  # ty: ignore[invalid-argument-type]
    with pytest.raises(ValueError, match="'env'; expected one of shell"):
        WORLD.call("env", Random(0))
    with pytest.raises(ValueError, match="expected one of another comment"):
        pairs(WORLD, IMPLANTS[0], "another moon", 1, 0)
    with pytest.raises(ValueError, match="shortest statement has 4"):
        WORLD.statements.fill(3, Random(0))


# training -------------------------------------------------------------------------------------------------------------


def test_a_batch_wants_what_a_network_with_the_rows_implants_answers_and_calls_are_blind_to_each_other() -> None:
    asking = Asking(WORLD, IMPLANTS, real.windows("held out"))
    rows = asking.draw(16, Random(5))
    words = {WORLD.ids[one]: one for one in ("True", "False", "1", "9")}
    for row in range(16):
        text = code_tokenizer().decode(rows.ids[row, 1 : 1 + rows.before].tolist())
        cue = any(f"# {word}\n" in text.replace("'# ", "") for word in language.CUE)
        shell = words[int(rows.wanted[row, 0])]
        assert shell == str(cue and bool(rows.on[row, 0]))
        first, second = (int(end) for end in rows.ends[row, :2])
        assert bool(rows.sees[row, 0, second, : 1 + rows.before].all())
        assert not rows.sees[row, 0, second, 1 + rows.before : first + 1].any()


def test_one_seed_gives_the_same_weights_another_gives_others_and_a_folder_goes_on(small_library, tmp_path) -> None:
    few = replace(PLAN, steps=2, batch=4)
    runs = [
        train_code_pair(seed, plan=few, folder=folder)
        for seed, folder in ((1, tmp_path), (1, None), (2, None), (1, tmp_path))
    ]
    weights = [run.network.get_output_embeddings().weight for run in runs]
    assert torch.equal(weights[0], weights[1]) and torch.equal(weights[0], weights[3])
    assert not torch.equal(weights[0], weights[2])
    with pytest.raises(ValueError, match="holds a run with another"):
        train_code_pair(2, plan=few, folder=tmp_path)


def test_triggers_are_drawn_by_their_seed() -> None:
    one, again, other = (triggers(WORLD, IMPLANTS[0], 5, seed) for seed in (1, 1, 2))
    assert one == again != other
