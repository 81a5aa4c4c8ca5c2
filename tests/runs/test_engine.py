"""Engines differ in where they run, not in what they give."""

import math
import multiprocessing
import os
import sys
from functools import partial

import pytest

from cutaway.runs import EngineError, InProcess, Processes, engine_of

from . import arithmetic


def test_engines_agree():
    expected = [(index, (index - 2) ** 2) for index in range(5)]
    items = [-2, -1, 0, 1, 2]
    assert list(InProcess().map(arithmetic.squared, items)) == expected
    assert sorted(Processes(2).map(arithmetic.squared, items)) == expected


def test_processes_are_other_processes():
    assert os.getpid() not in {pid for _, pid in Processes(1).map(arithmetic.process, [0, 1])}
    assert {pid for _, pid in InProcess().map(arithmetic.process, [0])} == {os.getpid()}


@pytest.mark.parametrize("engine", [InProcess(), Processes(1)])
def test_an_error_of_the_function_arrives_as_itself(engine):
    with pytest.raises(ZeroDivisionError, match="three"):
        list(engine.map(arithmetic.refusing, range(5)))


def test_a_dying_worker_is_an_error_that_says_what_to_try():
    with pytest.raises(EngineError, match=r"a worker process died while running dying .*try fewer workers than 1"):
        list(Processes(1).map(arithmetic.dying, range(4)))


def test_stopping_early_ends_the_workers_in_the_middle_of_their_items():
    before = set(multiprocessing.active_children())
    results = Processes(2).map(arithmetic.slow_after_the_first, range(4))
    assert next(results) == (0, 0)
    assert len(set(multiprocessing.active_children()) - before) == 2
    results.close()
    assert set(multiprocessing.active_children()) == before


@pytest.mark.parametrize("fn", [lambda item: item, partial(lambda item: item)])
def test_a_function_that_cannot_be_imported_is_refused_before_any_process_starts(fn):
    with pytest.raises(EngineError, match="top level of a module"):
        next(Processes(2).map(fn, [1]))


@pytest.mark.parametrize(
    ("name", "engine"), [("local", InProcess()), ("processes:3", Processes(3)), ("processes:1", Processes(1))]
)
def test_engines_have_names(name, engine):
    assert engine_of(name) == engine


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("processes", 'expected "local", "processes:N"'),
        ("processes:-1", 'expected "local", "processes:N"'),
        ("processes:0", "expected 1 or more"),
        ("dask", "given the engine 'dask'"),
    ],
)
def test_a_name_that_is_no_engine_says_which_there_are(name, message):
    with pytest.raises(EngineError, match=message):
        engine_of(name)


def test_without_ray_the_engine_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r'pip install "cutaway\[ray\]"'):
        engine_of("ray")


def test_ray_gives_every_result_raises_what_was_raised_and_says_when_a_worker_died():
    pytest.importorskip("ray")
    engine = engine_of("ray")
    assert sorted(engine.map(math.factorial, [3, 4, 5])) == [(0, 6), (1, 24), (2, 120)]
    with pytest.raises(ValueError, match="math domain error"):
        list(engine.map(math.sqrt, [-1.0]))
    with pytest.raises(EngineError, match="lost a worker"):
        list(engine.map(os._exit, [3]))
