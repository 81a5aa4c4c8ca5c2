"""Claims: written by a trace, read back, run again on prompts that the trace never saw."""

from dataclasses import replace
from random import Random

import pytest
import torch

import cutaway as cw
from cutaway.decisions.claims import Claim, ClaimError, claims_of, read_claims, verify
from cutaway.decisions.graph.graph import graph
from cutaway.network import Network
from cutaway.organisms.compiled import Organism, compile
from cutaway.organisms.opening import open_compiled

ORGANISM = compile("conditional", seed=11)


def asked(organism: Organism, rows: range) -> cw.Decision:
    return cw.Decision(
        torch.tensor(organism.prompts)[rows],
        answer=list(organism.answers[rows.start : rows.stop]),
        instead=list(organism.instead[rows.start : rows.stop]),
        counterfactual=torch.tensor(organism.counterfactuals)[rows],
    )


@pytest.fixture(scope="module")
def net() -> Network:
    return open_compiled(ORGANISM)


@pytest.fixture(scope="module")
def trace(net: Network) -> cw.Trace:
    return cw.trace(net, asked(ORGANISM, range(20)), edges=True, nulls=0, neurons=0)


def test_the_claims_of_a_known_circuit_hold_on_fresh_prompts(net, trace):
    found = verify(net, claims_of(trace), asked(ORGANISM, range(20, 32)))
    assert all(found["holds"]) and not any(found["same inputs"])
    assert {row.intervention for row in claims_of(trace)} == {"without", "cut", "cut all but"}


def test_the_claims_of_permuted_edges_fail(net, trace):
    edges = sorted(graph(net, trace.decision.pose(net).batch).numbers)
    permuted = [
        replace(claim, names=tuple(Random(i).sample(edges, len(claim.names))))
        for i, claim in enumerate(claims_of(trace))
        if claim.intervention == "cut"
    ]
    assert not any(verify(net, permuted, asked(ORGANISM, range(20, 32)))["holds"])


def test_the_claim_that_the_named_edges_are_enough_fails_without_any_one_of_them(net, trace):
    (enough,) = [claim for claim in claims_of(trace) if claim.intervention == "cut all but"]
    less = [replace(enough, names=tuple(n for n in enough.names if n != one)) for one in enough.names]
    assert not any(verify(net, less, asked(ORGANISM, range(20, 32)))["holds"])


def test_a_saved_trace_carries_its_claims_and_they_read_back_equal(net, trace, tmp_path):
    cw.save(trace, tmp_path / "run")
    assert read_claims(tmp_path / "run") == read_claims(tmp_path / "run" / "claims.jsonl") == claims_of(trace)
    assert cw.load(tmp_path / "run") == trace


def test_on_its_own_prompts_a_claim_says_so(net, trace):
    assert all(verify(net, claims_of(trace)[:1], trace.decision)["same inputs"])


def test_the_predicted_interval_widens_as_fewer_fresh_examples_are_asked():
    claim = Claim("cut", ("a → b/q",), -2.0, -2.2, -1.8, 16, "beyond", 0.1, "mean", "net", "", 0)
    (few_low, few_high), (many_low, many_high) = claim.predicted(4), claim.predicted(1_000_000)
    assert few_low < many_low and many_high < few_high
    assert (many_low, many_high) == pytest.approx((-2.2, -1.8), rel=1e-4)


def test_edges_of_another_network_are_refused_by_name(net, trace):
    (claim, *_) = [one for one in claims_of(trace) if one.intervention == "cut"]
    with pytest.raises(ClaimError, match=r"no edge 'z.9\[head=9\] → output'"):
        verify(net, [replace(claim, names=("z.9[head=9] → output",))], trace.decision)


def test_lines_that_are_no_claims_are_refused_with_their_number(tmp_path):
    (tmp_path / "claims.jsonl").write_text('\n{"names": ["a"]}\n')
    with pytest.raises(ClaimError, match="line 2"):
        read_claims(tmp_path)
    with pytest.raises(ClaimError, match="is no file"):
        read_claims(tmp_path / "nowhere")
