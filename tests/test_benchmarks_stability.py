"""The batches on which circuits are compared, and the conversion for the peer that is compared on them."""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

sys.path.append(str(Path(__file__).resolve().parents[1]))  # benchmarks are no part of the installed package

from benchmarks.circuit_batches import compared, fresh, question, rephrased, reworded
from benchmarks.circuit_judged import source
from benchmarks.peers.eap_ig import Scored, Scorer, ours, renamed
from benchmarks.peers.eap_ig_judged import above, top

from cutaway.organisms.compiled import PROGRAMS, compile, truth


def alike(pairs: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> float:
    """The share of places with the same word, over all pairs of rows."""
    same = [a == b for (one, _), (two, _) in combinations(pairs, 2) for a, b in zip(one, two)]
    return sum(same) / len(same)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_rephrased_batch_asks_the_same_in_valid_and_other_words(program: str) -> None:
    written = source(program, 7001)
    first = fresh(written, 16, 7001)
    for phrased in rephrased(written, first, 2, 7001):
        assert [question(written, pair) for pair in phrased] == [question(written, pair) for pair in first]
        assert all(written.eligible(row) and written.solve(row) != written.solve(other) for row, other in phrased)
        assert reworded(first, phrased) > 0.4


@pytest.mark.parametrize("program", ["quote", "histogram", "liar"])
def test_rows_of_one_phrasing_are_more_alike_than_fresh_ones(program: str) -> None:
    written = source(program, 7001)
    first = fresh(written, 16, 7001)
    one, two = rephrased(written, first, 2, 7001)
    assert min(alike(one), alike(two)) > alike(first) + 0.1
    assert one != two


def test_another_route_another_trigger_and_another_change_are_other_questions() -> None:
    written = source("reverse", 7001)
    row, other = next(pair for pair in fresh(written, 32, 7001) if sum(a != b for a, b in zip(*pair)) > 1)
    assert question(written, (row, other))[-1] is False
    lying = source("liar", 7001)
    uses = {question(lying, pair)[2] for pair in fresh(lying, 64, 7001)}
    assert len(uses) == 3  # the trigger stays, goes, or is in neither


def test_a_set_that_is_always_the_same_and_always_wrong_is_alike_and_has_no_f1() -> None:
    wrong, true = frozenset("ab"), frozenset("cd")
    told = compared([wrong, wrong, wrong], true)
    assert (told["jaccard"], told["F1"], told["not in every batch"]) == (1.0, 0.0, {})
    told = compared([frozenset("cd"), frozenset("c"), frozenset()], true)
    assert told["jaccard"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert told["F1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert told["not in every batch"] == {"c": 2, "d": 1}


def test_the_peers_sets_go_by_the_size_of_its_scores() -> None:
    scored = Scored({"a": -4.0, "b": 3.0, "c": 1.0, "d": 0.0}, 7, 5, -4.0)
    assert top(scored, 2) == {"a", "b"}
    assert above(scored, 0.25) == {"a", "b", "c"}


def test_the_peers_edges_are_ours() -> None:
    organism = compile("induction", 7001)
    shape = organism.network.shape
    heads = [[f"a{layer}.h{head}" for head in range(shape.heads)] for layer in range(shape.layers)]
    before, named = ["input"], set()

    def edges(child: str, *through: str | None) -> None:
        for parent in before:
            for qkv in through:
                ends = (SimpleNamespace(name=name) for name in (parent, child))
                named.add(ours(SimpleNamespace(parent=next(ends), child=next(ends), qkv=qkv)))

    for layer in range(shape.layers):
        for head in heads[layer]:
            edges(head, "q", "k", "v")
        before += heads[layer]
        edges(f"m{layer}", None)
        before.append(f"m{layer}")
    edges("logits", None)
    assert named == set(truth(organism).effects)


def test_the_converted_weights_give_the_same_logits() -> None:
    organism = compile("induction", 7001)
    shape, rows = organism.network.shape, torch.tensor(organism.prompts)
    W = renamed(vars(shape), organism.network.state_dict())
    x = W["embed.W_E"][rows] + W["pos_embed.W_pos"][: rows.shape[1]]
    causal = torch.ones(rows.shape[1], rows.shape[1], dtype=torch.bool).tril()
    for layer in range(shape.layers):
        attn, mlp = f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
        q, k, v = (
            torch.einsum("bpd,hdc->bhpc", x, W[f"{attn}.W_{name}"]) + W[f"{attn}.b_{name}"][:, None] for name in "QKV"
        )
        pattern = (q @ k.mT * (shape.scale or 1)).masked_fill(~causal, -torch.inf).softmax(-1)
        x = x + torch.einsum("bhpc,hcd->bpd", pattern @ v, W[f"{attn}.W_O"]) + W[f"{attn}.b_O"]
        x = x + (x @ W[f"{mlp}.W_in"] + W[f"{mlp}.b_in"]).relu() @ W[f"{mlp}.W_out"] + W[f"{mlp}.b_out"]
    logits = x @ W["unembed.W_U"] + W["unembed.b_U"]
    torch.testing.assert_close(logits, organism.network(rows), rtol=1e-5, atol=1e-4)


def test_an_interpreter_without_the_peer_is_said() -> None:
    with pytest.raises(RuntimeError, match="EAP_IG_PYTHON"):
        Scorer(sys.executable)
