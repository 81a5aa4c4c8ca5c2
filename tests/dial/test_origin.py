"""A run begins from a network that is there or learns from it, says what that one took, and refuses what does not fit."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.dial.small import KillAfter, KilledError, same
from tests.dial.test_plan import SMALL

from cutaway.dial.corpora import corpus_named
from cutaway.dial.operations import operations, teaching
from cutaway.dial.plan import begun, carried_out
from cutaway.dial.pressure import live
from cutaway.dial.store import Stored, load, save
from cutaway.dial.sweep import key

DENSE = replace(SMALL, pressure="dense", seed=7001)


@pytest.fixture(scope="module")
def dense() -> Stored:
    """A network trained without pressure."""
    return carried_out(DENSE)


@pytest.fixture(scope="module")
def folder(dense: Stored, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where it is."""
    return str(save(dense, tmp_path_factory.mktemp("trained") / "dense"))


def test_a_start_is_the_network_itself_under_any_pressure(dense: Stored, folder: str) -> None:
    corpus = corpus_named("tiny")
    for pressure in ("regrowth=1/4", "topk=1/2+activations=1/2"):
        found = begun(replace(SMALL, start=folder, pressure=pressure), corpus, corpus.stream(100, 7000))
        assert same(found, dense.network)
        assert found.bigram is not None and not found.bigram.weight.requires_grad
    assert found.shape.keep == 0.5 and dense.network.shape.keep == 1


def test_regrowth_begins_at_the_largest_weights_of_a_start_unless_told_otherwise(folder: str) -> None:
    for words, start in (("regrowth=1/4", "largest"), ("regrowth=1/4:start=random", "random")):
        assert replace(SMALL, start=folder, pressure=words).pressing.pressures[0].start == start
    assert SMALL.pressing.pressures[0].start == "random"


def test_an_annealed_network_says_where_it_began_and_what_that_took(dense: Stored, folder: str) -> None:
    found = carried_out(replace(SMALL, start=folder)).record
    assert found.start is not None and found.teacher is None
    assert (found.start.name, found.start.executed, found.start.cpu_seconds, found.start.tokens) == (
        "dense",
        dense.record.executed,
        dense.record.cpu_seconds,
        dense.record.tokens,
    )
    assert found.executed == dense.record.executed  # its own alone
    assert "began from dense (loss" in str(found) and "not counted in this run" in str(found)
    assert str(Path(folder).parent) not in str(asdict(found))


def test_what_a_start_came_from_is_counted_too(folder: str, tmp_path: Path) -> None:
    second = carried_out(replace(SMALL, start=folder, seed=7002))
    third = carried_out(replace(SMALL, start=str(save(second, tmp_path / "second")), seed=7003)).record
    assert third.start is not None and second.record.start is not None
    assert third.start.executed == second.record.executed + second.record.start.executed
    assert third.start.tokens == 2 * second.record.tokens


def test_a_distilled_network_is_another_and_says_what_its_teacher_took(
    dense: Stored, folder: str, tmp_path: Path
) -> None:
    plan = replace(SMALL, teacher=folder, distil=2.0)
    stored, alone = carried_out(plan), carried_out(SMALL)
    assert not same(stored.network, alone.network)
    found = stored.record
    assert found.teacher is not None and found.teacher.executed == dense.record.executed
    recipe = plan.recipe(corpus_named("tiny"))
    assert found.teacher.teaching == teaching(dense.network, recipe)
    assert 3 * found.teacher.teaching == pytest.approx(operations(dense.network, recipe).executed, rel=0.02)
    assert found.pressures[1].startswith("Distil(weight=2.0")
    assert load(save(stored, tmp_path / "net")).record.teacher == found.teacher


def test_a_killed_run_from_a_start_with_a_teacher_ends_in_the_identical_network(folder: str, tmp_path: Path) -> None:
    plan = replace(SMALL, start=folder, teacher=folder)
    whole = carried_out(plan)
    with pytest.raises(KilledError):
        carried_out(plan, tmp_path, KillAfter(3), every=2)
    resumed = carried_out(plan, tmp_path, every=2)
    assert same(resumed.network, whole.network) and resumed.record.losses == whole.record.losses


def test_a_plan_without_origins_has_the_name_and_key_that_it_always_had(folder: str) -> None:
    corpus = corpus_named("tiny")
    fields = {"corpus", "width", "layers", "pressure", "tokens", "seed", "lr", "batch", "context"}
    assert SMALL.name == "tiny-1x16-regrowth1of4-517-seed7000" and set(key(SMALL, corpus)) == fields | {"data"}
    plans = [
        SMALL,
        *(replace(SMALL, **given) for given in ({"start": folder}, {"teacher": folder}, {"kernels": "dense"})),
    ]
    assert len({plan.name for plan in plans}) == len({str(key(plan, corpus)) for plan in plans}) == 4
    assert folder not in str(key(plans[1], corpus))  # what matters is what is in it


@pytest.mark.parametrize("role", ["start", "teacher"])
def test_a_folder_that_holds_no_network_of_the_dial_is_refused(role: str, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=f"given as {role} is no network of the dial; expected a folder that .*; train one"
    ):
        replace(SMALL, **{role: str(tmp_path)}).check(corpus_named("tiny"))


@pytest.mark.parametrize("role", ["start", "teacher"])
def test_a_network_of_another_corpus_is_refused(role: str, dense: Stored, tmp_path: Path) -> None:
    other = replace(dense, record=replace(dense.record, corpus="library", corpus_hash="0123456789"))
    folder = str(save(other, tmp_path / "other"))
    with pytest.raises(
        ValueError, match=r"was trained on library .*data 01234567.*; expected tiny .*; try --corpus library"
    ):
        replace(SMALL, **{role: folder}).check(corpus_named("tiny"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": 32}, "has width 16; this run has width 32"),
        ({"layers": 2}, "has layers 1; this run has layers 2"),
        ({"context": 8}, "has context 16; this run has context 8"),
    ],
)
def test_a_start_of_other_sizes_is_refused(changes: dict, said: str, folder: str) -> None:
    with pytest.raises(ValueError, match=f"{said}; a network keeps its sizes; try those of the start"):
        replace(SMALL, start=folder, **changes).check(corpus_named("tiny"))


def test_a_teacher_may_have_other_sizes_but_no_shorter_context(folder: str) -> None:
    corpus = corpus_named("tiny")
    replace(SMALL, teacher=folder, width=32, layers=2, context=8).check(corpus)
    with pytest.raises(ValueError, match=r"takes 16 positions; expected at least the 24 .* try --context 16"):
        replace(SMALL, teacher=folder, context=24).check(corpus)


def test_annealing_reaches_the_share_that_was_asked_for(folder: str) -> None:
    for words in ("topk=1/2:least=1", "regrowth=1/2"):
        found = carried_out(replace(SMALL, start=folder, pressure=words)).network
        assert live(found)["up"]["live"] <= live(found)["up"]["of"] / 2
