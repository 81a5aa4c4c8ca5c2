"""What lowers the price is measured at equal work: the plans take what they say, and a difference is paired by seed."""

import pytest
from benchmarks.dial_lower import IDEAS, ORIGINS, SEEDS, Steps
from benchmarks.dial_lower_report import bought, lines, section, took
from benchmarks.figures import Result

from cutaway.dial.corpora import corpus_named
from cutaway.dial.operations import of_a_window
from cutaway.dial.plan import Plan


def work(name: str) -> float:
    """Operations of a run of 64-token windows of width 128, with all that it came from."""
    corpus, idea = corpus_named("tiny"), ORIGINS[name]
    plan = Plan(pressure=idea.pressure, tokens=idea.tokens)
    recipe, shape = plan.recipe(corpus), plan.shape(corpus)
    own = recipe.steps * recipe.batch * of_a_window(shape, recipe.context)
    if idea.teacher:
        own += recipe.steps * recipe.batch * of_a_window(shape, recipe.context, backward=False)
    return own + sum(work(one) for one in (idea.start, idea.teacher) if one)


def test_every_idea_takes_equal_work_but_the_one_that_says_so() -> None:
    others = {idea: work(idea) / work("plain") for idea in IDEAS}
    assert others.pop("distilled") == pytest.approx(7 / 3, rel=0.01)
    assert list(others.values()) == pytest.approx([1] * len(others), rel=0.02)


def result(moved: list[float]) -> Result:
    """Losses that differ from those of plain regrowth by so much."""
    runs = [("plain", seed, seed, 1.0) for seed in SEEDS]
    runs += [(idea, seed, seed + by, 2.0) for idea in IDEAS if idea != "plain" for seed, by in zip(SEEDS[::-1], moved)]
    rows = [
        {"idea": idea, "seed": seed, "loss": loss, "executed": did, "cpu seconds": did}
        for idea, seed, loss, did in runs
    ]
    return {"settings": {"ideas": {"facts": {"networks": rows}}}}


def test_a_difference_is_paired_by_seed_with_student_s_interval() -> None:
    found = bought("top-k")(result([0.01, 0.02, 0.03]))
    assert found.value == pytest.approx(0.02)
    assert (found.low, found.high) == pytest.approx((0.02 - 0.024842, 0.02 + 0.024842), abs=1e-5)
    assert took("top-k", "executed")(result([0.0, 0.1, 0.2])).value == 2


def test_every_line_of_the_ideas_is_read_from_the_result() -> None:
    of_ideas = [line for line in lines() if not line[0].startswith("training step")]
    assert len(of_ideas) == len(IDEAS) - 1
    for _, bar, name, figure in of_ideas:
        assert name == "dial_lower" and bar.shown(figure(result([0.0, 0.1, 0.2])))


def test_the_section_has_a_row_for_each_idea_with_what_it_took() -> None:
    rows = [line for line in section(result([0.0, 0.1, 0.2])) if line.endswith("| 3 |")]
    assert len(rows) == len(IDEAS) - 1
    assert all("+0.100" in row and "2.00×" in row for row in rows)


def test_steps_are_sparse_in_the_way_that_is_timed() -> None:
    counts = {way: len(Steps(32, 4, way).pressed.layers.each) for way in ("dense", "fastest", "everywhere")}
    assert counts == {"dense": 0, "fastest": 0, "everywhere": 13}
    assert len(Steps(256, 64, "fastest").pressed.layers.each) == 12
    steps = Steps(32, 4, "everywhere")
    assert steps.one() > 0 and steps.pressed.layers.each["blocks.0.mlp.up"].sparse is None  # weights are exchanged
    assert steps.one() > 0 and steps.pressed.layers.each["blocks.0.mlp.up"].sparse is not None
