"""Circuits written for other tools, and read back."""

import json
from dataclasses import replace

import pytest
import torch

import cutaway as cw
from cutaway.decisions import DecisionError
from cutaway.decisions.circuit.circuit import edge_name
from cutaway.organisms.compiled import compile
from cutaway.organisms.opening import open_compiled
from cutaway.study.exchange import from_mib, to_graph_json, to_mib


@pytest.fixture(scope="module")
def trace() -> cw.Trace:
    organism = compile("induction", seed=5)
    decision = cw.Decision(
        torch.tensor(organism.prompts),
        answer=list(organism.answers),
        instead=list(organism.instead),
        counterfactual=torch.tensor(organism.counterfactuals),
    )
    return cw.trace(open_compiled(organism), decision, edges=True, nulls=0, neurons=0)


def test_a_circuit_written_for_mib_reads_back_with_its_edges_and_scores(trace):
    document = json.loads(json.dumps(to_mib(trace)))
    assert from_mib(document) == pytest.approx({edge_name(row): row["knockout"] for row in trace.edges})
    assert all(end in document["nodes"] for end in ("input", "logits"))


def test_edges_left_out_of_a_mib_circuit_are_not_read():
    edges = {"input->a0.h1<k>": {"score": 0.5, "in_graph": False}, "m3->logits": {"score": 2.0, "in_graph": True}}
    assert from_mib({"edges": edges}) == {"mlp_out.3 → output": 2.0}


def test_graph_json_links_only_nodes_that_it_lists(trace):
    document = json.loads(json.dumps(to_graph_json(trace)))
    known = {node["node_id"] for node in document["nodes"]}
    assert {end for link in document["links"] for end in (link["source"], link["target"])} == known
    assert max(link["weight"] for link in document["links"]) > 0  # what speaks for the answer is positive


def test_what_cannot_be_exchanged_says_what_was_expected(trace):
    with pytest.raises(ValueError, match="expected MIB's keys"):
        from_mib({"links": []})
    with pytest.raises(ValueError, match="is no edge of MIB"):
        from_mib({"edges": {"head 3": {}}})
    with pytest.raises(DecisionError, match="edges=True"):
        to_mib(replace(trace, circuit=None))
