"""The figures on rule texts: what is not small is not counted as small, what was not found counts as no agreement."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from benchmarks import dial_rules
from benchmarks.dial_planted import corpus
from benchmarks.dial_rules import EDITED, above, agreement, agreement_of_small, control, lines, small, wrong_circuit

from cutaway.dial.planted import Planted
from cutaway.dial.prune.edges import touched
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.store import Stored
from cutaway.dial.tiny_python import TinyPython
from cutaway.dial.transformer import SparseShape, SparseTransformer


def way(agreement: float, hits: float, of: int) -> dict[str, Any]:
    return {"agreement": agreement, "foretold": [hits, of], "alarms": 0.05, "bits": None}


def row(task: str, edges: int, agreement: float, hits: float) -> dict[str, Any]:
    cards = {
        "rule text": way(agreement, hits, 100),
        **dict.fromkeys(("program", "n-gram", "distilled", EDITED), way(1, 10, 100)),
    }
    named = dict.fromkeys(("fresh", "shifted", "edited"), cards)
    return {"task": task, "edges": edges, **named, "control": {"agreement": 0.5}}


RESULT = {
    "settings": {
        "rules": {
            "facts": {
                "networks": [
                    row("for_while", 2, 1.0, 90),
                    row("quote_kind", 40, 0.98, 50),
                    {"task": "bracket_kind", "searches": [None]},
                    row("with_as", 12, 0.97, 30),
                ]
            }
        }
    }
}


def test_only_circuits_within_the_limit_are_small_and_none_found_is_none() -> None:
    assert small(RESULT).value == 1 / 3
    assert agreement_of_small(RESULT).value == (1.0 + 0.97) / 2


def test_a_circuit_that_was_not_found_agrees_on_nothing() -> None:
    assert agreement(RESULT).value == (1.0 + 0.98) / 3
    assert control(RESULT).value == 0.5


def test_what_is_foretold_is_set_against_another_way_in_the_same_network() -> None:
    found = above("n-gram")(RESULT)
    assert round(found.value, 9) == round(((0.9 - 0.1) + (0.5 - 0.1)) / 2, 9)
    assert "70.0% against 10.0%" in found.of
    assert all(bar.shown(figure(RESULT)) for _, bar, _, figure in lines())


def test_a_network_that_is_too_unsure_of_its_answers_has_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    network = SparseTransformer(SparseShape(122, 64, 16), 7001).eval()
    windows = TinyPython().stream(64 * 4, 7001).view(4, 64)
    stored = SimpleNamespace(network=network, windows=windows, record=SimpleNamespace(held_out=4.8))
    monkeypatch.setattr(dial_rules, "network_of", lambda seed: stored)
    found = dial_rules.row(7001, "for_while")
    assert found["why"].startswith("not solved: for_while") and "edges" not in found


def test_a_wrong_circuit_has_as_many_nodes_and_others() -> None:
    planted = Planted("marked", 7001)
    right = TaskCircuit("marked", nodes_of(planted.network, corpus(planted)), planted.nodes, planted.edges, True)
    wrong = wrong_circuit(cast(Stored, planted), right, 7001)  # both have a network
    assert wrong.size[1] == right.size[1] and not wrong.kept.equal(right.kept)
    assert not (touched(planted.network, right.nodes, wrong.edges) & ~wrong.kept).any()
