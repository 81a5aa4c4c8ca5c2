"""Attempts to fool a circuit: edges left out or put in, heads relabelled, prompts repeated, halves that know each other."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
import transformers as hf
from tests.decisions.circuit.small import cutter, of_organism, ready
from tests.network.zoo import VOCABULARY, Digits, bert_like, llama_like

import cutaway as cw
from cutaway.decisions.circuit.checks import examine
from cutaway.decisions.circuit.circuit import Circuit, circuit, edge_name, halves
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import Found
from cutaway.decisions.circuit.share import shares
from cutaway.network import wrap
from cutaway.organisms.compiled import Organism, compile
from cutaway.organisms.compiled.variants import compile_variant

QUICK: dict[str, Any] = {"strata": 2, "steps": ()}
OF_THE_OTHER_HALF = ("from", "to", "through", "knockout", "low", "high", "n", "telescoping")


@cache
def program(name: str) -> Cutter:
    """A compiled program without anything beside it, on eight prompts."""
    whole = of_organism(compile(name, seed=7003, inert=0, decoys=0, noise=0))
    return whole.rows(torch.arange(8))


def true_edges(given: Cutter) -> list[int]:
    exact = given.effects(torch.eye(len(given.graph))).mean(1).abs()
    return (exact > 0.01 * exact.max()).nonzero()[:, 0].tolist()


def checked(given: Cutter, named: Found) -> dict[str, bool]:
    """Whether each check holds for a set that somebody names."""
    fit, held, _ = halves(given, 0)
    total = float(held.effects(torch.ones(1, len(held.graph))).mean())
    found = examine(fit, held, named, total, limit=0.05, floor=0.01 * abs(total), steps=())
    return {check.what: check.holds for check in found.checks}


@pytest.fixture
def few_wrong_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks with fewer random sets: what is looked at here is not drawn at random."""
    monkeypatch.setattr("cutaway.decisions.circuit.checks.HALVES", 4)
    monkeypatch.setattr("cutaway.decisions.circuit.checks.WRONG", 1)


# wrong sets ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("few_wrong_sets")
@pytest.mark.parametrize("name", ["fact", "majority", "pointer", "brackets", "induction"])
def test_the_checks_hold_for_the_true_edges_and_fail_without_any_one_of_them(name: str) -> None:
    given = program(name)
    true = true_edges(given)
    assert all(checked(given, Found(edges=true)).values())
    for left_out in true:
        holds = checked(given, Found(edges=[edge for edge in true if edge != left_out]))
        assert not holds["sufficient: everything else cut"], given.graph.name(left_out)


@pytest.mark.usefixtures("few_wrong_sets")
def test_an_edge_too_many_fails_the_check_that_every_edge_is_needed() -> None:
    given = program("majority")
    true = true_edges(given)
    surplus = next(edge for edge in range(len(given.graph)) if edge not in true)
    failing = [what for what, holds in checked(given, Found(edges=[*true, surplus])).items() if not holds]
    assert failing == ["minimal: the weakest edge or group cut"]


@pytest.mark.usefixtures("few_wrong_sets")
def test_with_one_of_two_redundant_edges_left_out_the_rest_suffices_and_is_not_minimal() -> None:
    given = of_organism(compile_variant("quote", 7003, "redundant", 0, 0, 0))
    found = circuit(given, **QUICK)
    assert found.explained and {row["kind"] for row in found.groups} == {"redundant"}
    numbers = given.graph.numbers
    for group in found.groups:
        for left_out in group["edges"]:
            named = [numbers[name] for name in found.names if name != left_out]
            assert not all(checked(given, Found(edges=named)).values()), left_out


# other names --------------------------------------------------------------------------------------------------------


def renamed(edge: str, order: list[int]) -> str:
    """The name of an edge or a part after head `order[i]` became head i, of grouped heads in their groups."""
    new = {str(old): str(place) for place, old in enumerate(order)}
    pairs = enumerate(order[::2])
    groups = {f"{old // 2 * 2}:{old // 2 * 2 + 2}": f"{2 * place}:{2 * place + 2}" for place, old in pairs}

    def of(part: str) -> str:
        before, head, after = part.partition("[head=")
        number, end, rest = after.partition("]")
        return before + head + (new | groups).get(number, number) + end + rest

    return " → ".join(map(of, edge.split(" → ")))


def relabelled(names: dict[str, float], order: list[int]) -> dict[str, float]:
    """Numbers by name of the edge, under the new names."""
    return {renamed(name, order): value for name, value in names.items()}


def rows_of(order: list[int], size: int) -> torch.Tensor:
    """The rows of a projection in the new order of its heads."""
    return (torch.tensor(order)[:, None] * size + torch.arange(size)).flatten()


def permute_llama(module: Any, order: list[int]) -> None:
    """Groups of two queries to a key: whole groups change places, and the two heads of a group."""
    keys = [old // 2 for old in order[::2]]
    for block in module.model.layers:
        attention = block.self_attn
        for part, heads in ((attention.q_proj, order), (attention.k_proj, keys), (attention.v_proj, keys)):
            part.weight.copy_(part.weight[rows_of(heads, 8)])
        attention.o_proj.weight.copy_(attention.o_proj.weight[:, rows_of(order, 8)])


def permute_phi3(module: Any, order: list[int]) -> None:
    """The same with queries, keys and values in one matrix, side by side."""
    keys = [old // 2 for old in order[::2]]
    rows = torch.cat([rows_of(order, 8), 32 + rows_of(keys, 8), 48 + rows_of(keys, 8)])
    for block in module.model.layers:
        block.self_attn.qkv_proj.weight.copy_(block.self_attn.qkv_proj.weight[rows])
        block.self_attn.o_proj.weight.copy_(block.self_attn.o_proj.weight[:, rows_of(order, 8)])


def permute_neox(module: Any, order: list[int]) -> None:
    """Queries, keys and values of a head beside each other, head by head."""
    for block in module.gpt_neox.layers:
        joint = block.attention.query_key_value
        joint.weight.copy_(joint.weight[rows_of(order, 24)])
        joint.bias.copy_(joint.bias[rows_of(order, 24)])
        block.attention.dense.weight.copy_(block.attention.dense.weight[:, rows_of(order, 8)])


FAMILIES = {
    "Llama: grouped": (lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**llama_like())), permute_llama),
    "Phi-3: grouped and fused": (lambda: hf.Phi3ForCausalLM(hf.Phi3Config(**llama_like())), permute_phi3),
    "GPT-NeoX: fused": (lambda: hf.GPTNeoXForCausalLM(hf.GPTNeoXConfig(**bert_like())), permute_neox),
}


@torch.no_grad()
def built(family: str) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        module = FAMILIES[family][0]().eval().double()
        for parameter in module.parameters():
            parameter.normal_(std=0.3) if parameter.ndim > 1 else None
    return module


@pytest.mark.parametrize("family", FAMILIES)
def test_relabelling_heads_relabels_every_cut_and_every_share_and_nothing_else(family: str) -> None:
    order = [3, 2, 0, 1]  # both groups of two change places, and one of them its heads
    drawn = torch.Generator().manual_seed(0)
    ids, others = (torch.randint(3, VOCABULARY, (4, 5), generator=drawn) for _ in range(2))
    measured = []
    for permuted in (False, True):
        module = built(family)
        if permuted:
            with torch.no_grad():
                FAMILIES[family][1](module, order)
        net = wrap(module, feed=Digits(), name=family)
        given = ready(net, cw.Decision(ids, answer=7, instead=9, counterfactual=others))
        exact, share = given.effects(torch.eye(len(given.graph))).mean(1).tolist(), shares(given, 2).signed.tolist()
        names = [given.graph.name(edge) for edge in range(len(given.graph))]
        measured.append((dict(zip(names, exact)), dict(zip(names, share))))
    for before, after in zip(*measured):
        assert max(map(abs, before.values())) > 1e-2 and before != pytest.approx(after, rel=1e-3, abs=1e-6)
        assert relabelled(before, order) == pytest.approx(after, rel=1e-4, abs=1e-6)


@torch.no_grad()
def with_heads_in_order(organism: Organism, order: list[int]) -> Organism:
    """The same network with head `order[i]` in the place of head i, in every block."""
    network = deepcopy(organism.network)
    rows = rows_of(order, network.shape.d_head)
    for block in network.blocks:
        for part in (block.attn.query, block.attn.key, block.attn.value):
            for parameter in part.parameters():
                parameter.copy_(parameter[rows])
        block.attn.out.weight.copy_(block.attn.out.weight[:, rows])
    return replace(organism, network=network)


COMPILED = {
    "edges": lambda: compile("induction", seed=7003, inert=0, decoys=0, noise=0),
    "edges beside idle and noisy parts": lambda: compile("pointer", seed=7004),
    "a redundant group": lambda: compile_variant("quote", 7003, "redundant", 0, 0, 0),
    "a backup": lambda: compile_variant("quote", 7003, "backup", 0, 0, 0),
}


def figures_of(found: Circuit, order: list[int] | None = None) -> dict[str, Any]:
    """All that a circuit says of edges, groups and blocks; under the names of heads in a new `order` where it is given."""

    def name(edge: str) -> str:
        return edge if order is None else renamed(edge, order)

    said = {name(edge_name(row)): row for row in found.edges.rows()}
    groups = {(row["kind"], frozenset(map(name, row["edges"]))): row for row in found.groups.rows()}
    return {
        "verdict": found.verdict,
        "states": {edge: (row["state"], row["at"], row["n"]) for edge, row in said.items()},
        "effects": {(e, x): row[x] for e, row in said.items() for x in ("knockout", "low", "high")},
        # Which of two equal ones is cut first, is open.
        "telescoping": sorted(row["telescoping"] for row in said.values()),
        "shares": {edge: row["share"] for edge, row in said.items()},
        "groups": {group: frozenset(map(name, row["parts"])) for group, row in groups.items()},
        "together": {group: row["together"] for group, row in groups.items()},
        "layers": {(row["before"], x): row[x] for row in found.layers for x in ("edges", "named", "unexplained")},
        "floor": found.floor,
    }


@pytest.mark.usefixtures("few_wrong_sets")
@pytest.mark.parametrize("what", COMPILED)
def test_relabelling_the_heads_of_a_compiled_program_relabels_its_circuit_and_nothing_else(what: str) -> None:
    organism = COMPILED[what]()
    heads = organism.network.shape.heads
    order = [*range(1, heads), 0]  # every head changes its place
    before = circuit(of_organism(organism), **QUICK)
    after = circuit(of_organism(with_heads_in_order(organism, order)), **QUICK)
    assert before.explained and after.names == {renamed(edge, order) for edge in before.names} != before.names
    expected, found = figures_of(before, order), figures_of(after)
    for name in ("verdict", "states", "groups"):
        assert found[name] == expected[name]
    near = 1e-4 * abs(before.total.mean)
    for name in ("effects", "telescoping", "floor"):
        assert found[name] == pytest.approx(expected[name], rel=1e-4, abs=near)
    for name in ("shares", "together", "layers"):
        assert found[name] == pytest.approx(expected[name], rel=1e-4, abs=1e-4)


# other prompts ------------------------------------------------------------------------------------------------------


def of_rows(given: Cutter, rows: list[int]) -> Cutter:
    """The decision on these of its prompts, asked anew."""
    decision = given.posed.decision
    ids, others = given.posed.batch.ids[rows], torch.as_tensor(decision.counterfactual)[rows]
    return ready(
        given.net,
        replace(
            decision,
            inputs=ids,
            counterfactual=others,
            answer=[decision.answer[row] for row in rows],
            instead=[decision.instead[row] for row in rows],
        ),
    )


@cache
def asked(name: str, times: int = 1, count: int = 16) -> Cutter:
    """A compiled program asked its first different prompts, each so many times."""
    whole = of_organism(compile(name, seed=7003, inert=0, decoys=0, noise=0))
    ids = whole.posed.batch.ids.tolist()
    different = [row for row, one in enumerate(ids) if ids.index(one) == row][:count]
    return of_rows(whole, different * times)


def numbers_of(found: Circuit) -> list[list[Any]]:
    return [[row[column] for column in OF_THE_OTHER_HALF] for row in found.edges]


def test_duplicating_the_prompts_changes_no_effect_of_any_edge() -> None:
    once, twice = cutter(rows=4), cutter(rows=4).rows(torch.tensor([0, 1, 2, 3]).repeat(2))
    cuts = torch.eye(len(once.graph))[::5]
    torch.testing.assert_close(twice.effects(cuts), once.effects(cuts).repeat(1, 2), rtol=1e-9, atol=1e-12)


def test_duplicating_the_prompts_changes_no_exact_figure_of_a_trace() -> None:
    given = asked("fact", count=4)
    once, twice = (cw.trace(given.net, asked("fact", n, 4).posed.decision, nulls=0) for n in (1, 2))
    assert once.total.mean == pytest.approx(twice.total.mean, rel=1e-6)
    assert {row["part"]: row["exact"] for row in twice.nodes} == pytest.approx(
        {row["part"]: row["exact"] for row in once.nodes}, rel=1e-5, abs=1e-5
    )


def test_a_prompt_given_twice_is_never_in_both_halves() -> None:
    fit, held, _ = halves(asked("fact", 2), 0)
    chosen, reported = ({tuple(row) for row in half.posed.batch.ids.tolist()} for half in (fit, held))
    assert chosen and reported and not chosen & reported


@pytest.mark.usefixtures("few_wrong_sets")
def test_a_circuit_of_prompts_given_twice_is_that_of_prompts_given_once() -> None:
    once, twice = (circuit(asked("fact", n), **QUICK) for n in (1, 2))
    figures = [{edge_name(row): (row["knockout"], row["n"]) for row in found.edges} for found in (once, twice)]
    assert figures[0].keys() == figures[1].keys()
    for name, (knockout, n) in figures[0].items():
        assert figures[1][name] == (pytest.approx(knockout, rel=1e-5), n)


# the two halves -----------------------------------------------------------------------------------------------------


def test_the_halves_hold_every_prompt_once_and_answers_alike() -> None:
    given = asked("fact")
    fit, held, notes = halves(given, 0)
    whole, parts = given.posed.batch.ids.tolist(), [half.posed.batch.ids.tolist() for half in (fit, held)]
    assert sorted(parts[0] + parts[1]) == sorted(whole) and not notes
    assert abs(len(parts[0]) - len(parts[1])) <= 1


def test_of_few_prompts_the_stand_ins_are_divided_and_none_is_in_both_halves() -> None:
    given = cutter(rows=2, kind="resample", layers=1, heads=1, d_head=16)
    fit, held, notes = halves(given, 0)
    site = given.graph.sites[0]
    drawn = [[one[site] for one in half.values.values] for half in (fit, held)]
    assert len(drawn[0]) == len(drawn[1]) == given.values.draws // 2
    assert not any(torch.equal(one, other) for one in drawn[0] for other in drawn[1])
    assert any("one half of the stand-ins" in note for note in notes)


def given_halves(monkeypatch: pytest.MonkeyPatch, fit: Cutter, held: Cutter, **more: Any) -> Circuit:
    """The circuit chosen on `fit` and reported on `held`."""
    monkeypatch.setattr("cutaway.decisions.circuit.circuit.halves", lambda *_: (fit, held, []))
    return circuit(fit, **QUICK, **more)


@pytest.mark.usefixtures("few_wrong_sets")
def test_what_is_chosen_does_not_know_the_prompts_that_it_is_reported_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given = asked("majority", count=24)
    fit, held, other = (given.rows(torch.arange(at, at + 8)) for at in (0, 8, 16))
    one, two = given_halves(monkeypatch, fit, held), given_halves(monkeypatch, fit, other)
    assert one.names == two.names and one.names
    assert (one.floor, one.missing, one.runs, one.passes) == (two.floor, two.missing, two.runs, two.passes)
    assert numbers_of(one) != numbers_of(two)


@pytest.mark.usefixtures("few_wrong_sets")
def test_what_is_reported_does_not_know_the_prompts_that_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    given = asked("majority", count=24)
    fit, held, other = (given.rows(torch.arange(at, at + 8)) for at in (0, 8, 16))
    one, two = given_halves(monkeypatch, fit, held), given_halves(monkeypatch, other, held)
    assert one.names == two.names and one.floor != two.floor
    assert numbers_of(one) == numbers_of(two)
    assert (one.total, one.checks[0].moved, one.layers) == (two.total, two.checks[0].moved, two.layers)


def test_what_a_group_does_together_is_of_the_half_that_did_not_choose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of_organism(compile_variant("quote", 7003, "redundant", 0, 0, 0))
    closed = whole.posed.batch.rows // 2
    fit, held = whole.rows(torch.arange(closed)), whole.rows(torch.arange(closed, 2 * closed))
    found = given_halves(monkeypatch, fit, held)
    for row in found.groups:
        cut = held.cuts([[held.graph.numbers[name] for name in row["edges"]]])
        assert row["together"] == pytest.approx(float(held.effects(cut).abs().mean()) / abs(found.total.mean), rel=1e-5)


def test_edges_that_were_chosen_and_reported_on_the_same_prompts_are_not_claimed() -> None:
    found = circuit(asked("fact", count=6), **QUICK)
    assert len(found.edges) and {row["state"] for row in found.edges} == {"undecided"}
    assert any("6 prompts" in note for note in found.notes)
