"""The mean and zero beside the trace's own stand-in, and what their disagreement is called."""

import pytest
import torch
from tests.decisions.circuit.small import SHAPE, cutter, of_organism, ready

import cutaway as cw
from cutaway.decisions.circuit.others import EVERYTHING, REST, alive, in_words, others
from cutaway.decisions.estimate import Estimate
from cutaway.organisms.compiled import compile_variant
from cutaway.training.transformer import Transformer


def test_the_first_two_rows_are_every_edge_and_everything_but_the_named_ones():
    given = cutter(kind="mean")
    named = [0, 3]
    rows = others(given, given, named, {}, 0.0, 0).rows()
    assert [row["from"] for row in rows[:2]] == [EVERYTHING, REST]
    assert (
        rows[0]["here"]
        == rows[0]["mean"]
        == pytest.approx(float(given.effects(torch.ones(1, len(given.graph))).mean()))
    )
    assert rows[1]["here"] == pytest.approx(float(given.effects(1 - given.cuts([named])).mean()))


def test_each_edge_has_its_exact_effect_under_each_stand_in():
    given = {kind: cutter(kind=kind) for kind in ("counterfactual", "mean", "zero")}
    named = [1, 7, 20]
    rows = others(given["counterfactual"], given["counterfactual"], named, {}, 0.0, 0).rows()[2 : 2 + len(named)]
    for kind, column in (("counterfactual", "here"), ("mean", "mean"), ("zero", "zero")):
        exact = given[kind].effects(given[kind].cuts([[edge] for edge in named])).mean(1).tolist()
        assert [row[column] for row in rows] == pytest.approx(exact, rel=1e-6)


def test_edges_of_a_redundant_group_are_dead_alone_and_alive_jointly():
    organism = compile_variant("quote", 7105, "redundant")
    given = of_organism(organism)
    parts = organism.groups[0].parts
    grouped = [edge for edge in range(len(given.graph)) if given.graph.name(edge).split(" → ")[0] in parts]
    floor = 0.01 * float(given.effects(torch.ones(1, len(given.graph))).mean().abs())
    words = others(given, given, grouped, dict.fromkeys(grouped, "redundant"), floor, 0)["words"]
    assert "dead alone, alive jointly: redundant" in words


def test_a_network_opened_without_a_reference_leaves_the_mean_empty():
    net = cw.open(Transformer(SHAPE, 0).eval())
    ids, matched = (torch.randint(0, SHAPE.vocab, (5, 6)) for _ in range(2))
    decision = cw.Decision({"input_ids": ids}, answer=1, instead=2, counterfactual={"input_ids": matched})
    given = ready(net, decision)
    rows = others(given, given, [0], {}, 0.0, 0).rows()
    assert all(row["mean"] is None for row in rows) and all(row["zero"] is not None for row in rows)


@pytest.mark.parametrize(
    ("here", "mean", "zero", "together", "words"),
    [
        (True, True, True, None, ""),
        (True, False, True, None, "alive under resample, dead under the mean"),
        (False, False, True, None, "dead under resample, alive under zero: carries a constant"),
        (False, True, True, None, "dead under resample, alive under mean and zero: carries what these inputs share"),
        (False, False, False, "redundant", "dead alone, alive jointly: redundant"),
        (False, None, True, None, ""),
        (False, False, False, None, ""),
        (None, True, False, "spread", ""),
    ],
)
def test_disagreement_is_told_in_words(here, mean, zero, together, words):
    assert in_words({"here": here, "mean": mean, "zero": zero}, together, "resample") == words


def test_an_edge_whose_interval_spans_the_floor_is_neither_alive_nor_dead():
    assert alive(Estimate(1.0, 0.5, 1.5, 8, "prompts"), 0.1) is True
    assert alive(Estimate(0.01, -0.05, 0.05, 8, "prompts"), 0.1) is False
    assert alive(Estimate(0.3, -0.2, 0.8, 8, "prompts"), 0.1) is None
    assert alive(Estimate(0.01, 0.01, 0.01, 1, "rerun"), 0.1) is False
