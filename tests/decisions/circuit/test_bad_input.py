"""Traces with edges, and circuits, of what is odd or wrong: each is defined, and said."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from tests.decisions.circuit.small import cutter, of_organism, ready, short_of_memory
from tests.network.zoo import VOCABULARY, Digits, bert_like, llama_like

import cutaway as cw
import cutaway.decisions.claims as claims_module
from cutaway.decisions import DecisionError
from cutaway.decisions.circuit.checks import worst_strengths
from cutaway.decisions.circuit.circuit import Circuit, circuit, edge_name
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.halves import halves
from cutaway.decisions.circuit.share import shares
from cutaway.network import Network, logits_of, wrap
from cutaway.organisms.compiled import compile
from cutaway.training.transformer import Shape, Transformer
from submodels.networks import PROMPTS, small

OTHERS = ["the rug sat on the", "the mat sat on the"]


def tiny(**more: Any) -> Network:
    """One block with one head, that reads text."""
    return small(layers=1, heads=1, **more)


def traced(net: Network, decision: cw.Decision, **more: Any) -> cw.Trace:
    return cw.trace(net, decision, **({"edges": True, "nulls": 0, "neurons": 0, "draws": 4} | more))


def found_in(given: Cutter, **more: Any) -> Circuit:
    return circuit(given, **({"strata": 2, "steps": ()} | more))


@cache
def program(name: str, dtype: torch.dtype = torch.float32) -> Cutter:
    """A compiled program with nothing beside it, in a dtype."""
    organism = compile(name, seed=7003, inert=0, decoys=0, noise=0)
    organism.network.to(dtype)
    return of_organism(organism)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces with fewer passes, no adversary and fewer random sets: none of them is looked at."""
    monkeypatch.setattr("cutaway.decisions.tracing.circuit", partial(circuit, strata=2, steps=()))
    monkeypatch.setattr("cutaway.decisions.circuit.find.HALVES", 4)
    monkeypatch.setattr("cutaway.decisions.circuit.checks.HALVES", 4)
    monkeypatch.setattr("cutaway.decisions.circuit.checks.WRONG", 1)


# prompts and counterfactuals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (["the cat sat", "the mat sat on the"], "counterfactual 0 has 4 tokens and its prompt 6"),
        (["the rug sat on the", "the dog sat on the mat"], "counterfactual 1 has 7 tokens and its prompt 6"),
        (["the rug sat on the"], "1 counterfactuals for 2 prompts"),
    ],
)
def test_a_counterfactual_of_another_length_is_refused_with_both_lengths_and_what_to_try(
    others: Any, said: str
) -> None:
    with pytest.raises(DecisionError, match=rf"{said}; give prompts that match row by row, token by token, or none"):
        traced(tiny(), cw.Decision(PROMPTS, " mat", " rug", counterfactual=others))


def test_lengths_are_compared_prompt_by_prompt_though_the_longest_are_alike() -> None:
    decision = cw.Decision(["the cat sat on the", "the dog"], " mat", " rug", counterfactual=["the cat", OTHERS[1]])
    with pytest.raises(DecisionError, match="counterfactual 0 has 3 tokens and its prompt 6"):
        traced(tiny(), decision)


@pytest.mark.usefixtures("quick")
def test_prompts_of_different_lengths_have_the_effects_that_each_has_alone() -> None:
    net = tiny()
    prompts, others = ["the cat sat on the", "the dog"], ["the rug sat on the", "the mat"]
    both = ready(net, cw.Decision(prompts, " mat", " rug", counterfactual=others))
    everything = torch.eye(len(both.graph))
    for row, (prompt, other) in enumerate(zip(prompts, others)):
        alone = ready(net, cw.Decision(prompt, " mat", " rug", counterfactual=other))
        torch.testing.assert_close(both.effects(everything)[:, row], alone.effects(everything)[:, 0])


@pytest.mark.usefixtures("quick")
def test_prompts_of_different_lengths_are_traced_with_their_edges() -> None:
    decision = cw.Decision(
        ["the cat sat on the", "the dog"], " mat", " rug", counterfactual=["the rug sat on the", "the mat"]
    )
    net = tiny()
    found, metric = traced(net, decision), decision.pose(net).metric
    clean, other = (metric(net(x), torch.arange(2)).mean() for x in (decision.inputs, decision.counterfactual))
    assert found.circuit is not None and len(found.edges)
    assert found.circuit.total.mean == pytest.approx(float(other - clean), rel=1e-4)


@pytest.mark.usefixtures("quick")
def test_what_stands_in_is_said_of_the_parts_and_the_edges() -> None:
    with_other = cw.Decision(PROMPTS, " mat", " rug", counterfactual=OTHERS)
    assert traced(tiny(), with_other).baseline == "values on the counterfactual"
    found = traced(tiny(), cw.Decision(PROMPTS, " mat", " rug"))
    assert found.baseline == "values of 4 other inputs (resample)"
    assert "2 prompts: chosen with one half of the stand-ins, reported with the other" in found.notes


@pytest.mark.usefixtures("quick")
def test_without_counterfactual_and_reference_edges_are_set_to_zero_and_none_is_claimed() -> None:
    found = traced(tiny(reference=None), cw.Decision(PROMPTS, " mat", " rug"))
    assert found.baseline == "zero" and any("parts are set to zero" in note for note in found.notes)
    assert len(found.edges) and {row["state"] for row in found.edges} <= {"undecided", "used together"}


# nothing to explain -------------------------------------------------------------------------------------------------


def test_a_decision_with_no_total_effect_has_nothing_to_explain_in_parts_and_edges() -> None:
    net = tiny()
    with torch.no_grad():
        net.module.unembed.weight.zero_()
    found = traced(net, cw.Decision(PROMPTS, " mat", " rug"))
    assert found.circuit.verdict == "nothing to explain" and not len(found.edges)
    assert any(note.startswith("nothing to explain: taking every part away") for note in found.notes)
    assert any(note.startswith("nothing to explain: cutting every edge") for note in found.notes)


@pytest.mark.parametrize(
    "metric",
    [lambda x: 0 * logits_of(x)[:, -1, 0] + 3, lambda x: torch.full((len(logits_of(x)),), 3.0)],
    ids=["of the logits", "of nothing"],
)
def test_a_constant_metric_has_nothing_to_explain(metric: Callable[[Any], torch.Tensor]) -> None:
    found = traced(tiny(), cw.Decision(PROMPTS, metric=metric))
    assert found.circuit.verdict == "nothing to explain" and not len(found.edges)
    assert found.metric.mean == 3 and found.total.mean == 0 and not found.used


def read_as(given: Cutter, metric: Callable[[torch.Tensor, int, int], torch.Tensor]) -> Cutter:
    """The same, but the decision is `metric(logits, answer, instead)`, on eight prompts that have one answer."""
    decision, answers = given.posed.decision, list(zip(given.posed.decision.answer, given.posed.decision.instead))
    rows = [row for row in range(given.posed.batch.rows) if answers[row] == answers[0]][:8]
    others = torch.as_tensor(decision.counterfactual)[rows]
    answer, instead = answers[0]
    read = lambda x: metric(logits_of(x)[:, -1], answer, instead)  # noqa: E731
    return ready(given.net, cw.Decision(given.posed.batch.ids[rows], metric=read, counterfactual=others))


@pytest.mark.usefixtures("quick")
def test_a_metric_that_counts_right_answers_has_no_share_and_an_exact_circuit() -> None:
    given = program("majority")
    counted = read_as(given, lambda logits, answer, _: (logits.argmax(-1) == answer).float())
    assert counted.posed.batch.rows >= 2 and float(shares(counted, 1).absolute.max()) == 0
    assert found_in(counted).names == found_in(given).names


def test_changes_that_cancel_over_the_prompts_are_not_called_nothing() -> None:
    pair = cw.Decision(PROMPTS, " mat", " rug", counterfactual=PROMPTS[::-1])
    found = traced(tiny(), pair)
    assert abs(found.total.mean) < 1e-5
    assert not any("changes nothing" in note for note in found.notes)
    assert any("cancel" in note for note in found.notes)


def test_a_total_that_is_no_number_is_not_called_nothing() -> None:
    found = found_in(
        read_as(program("majority"), lambda logits, answer, other: (logits[:, answer] - logits[:, other]).log())
    )
    assert found.verdict.startswith("not explained: no number comes out")


# networks of every build --------------------------------------------------------------------------------------------


def llama(**more: Any) -> Any:
    return hf.LlamaForCausalLM(hf.LlamaConfig(**llama_like(num_hidden_layers=1, num_attention_heads=2, **more)))


BUILDS: dict[str, Callable[[], Any]] = {
    "one head": lambda: hf.LlamaForCausalLM(
        hf.LlamaConfig(**llama_like(num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1))
    ),
    "grouped": lambda: llama(num_key_value_heads=1),
    "grouped and fused": lambda: hf.Phi3ForCausalLM(
        hf.Phi3Config(**llama_like(num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1))
    ),
    "fused": lambda: hf.GPTNeoXForCausalLM(hf.GPTNeoXConfig(**bert_like(num_hidden_layers=1, num_attention_heads=2))),
    "no norm": lambda: Transformer(
        Shape(vocab=VOCABULARY, context=8, width=16, layers=1, heads=1, d_head=16, hidden=12, norm="none"), 0
    ),
}


@torch.no_grad()
def opened(build: str, dtype: torch.dtype = torch.float32) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = BUILDS[build]().eval()
        for parameter in module.parameters():
            parameter.normal_(std=0.4) if parameter.ndim > 1 else None
    return wrap(module.to(dtype), feed=Digits(), name=build)


def asked(count: int = 8) -> cw.Decision:
    drawn = torch.Generator().manual_seed(0)
    ids, others = (torch.randint(3, VOCABULARY, (count, 4), generator=drawn) for _ in range(2))
    return cw.Decision(ids, answer=7, instead=9, counterfactual=others)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("build", BUILDS)
def test_a_trace_with_edges_names_edges_whose_figures_are_those_of_cutting_them(build: str) -> None:
    net = opened(build)
    found = traced(net, asked()).circuit
    given = ready(net, asked())
    assert found is not None and len(found.edges) and found.verdict.partition(":")[0] in ("explained", "not explained")
    _, held, _ = halves(given, 0)
    alone = held.effects(held.cuts([[given.graph.numbers[edge_name(row)]] for row in found.edges])).mean(1)
    assert found.edges["knockout"] == pytest.approx(alone.tolist(), rel=1e-3, abs=1e-5)
    everything = float(held.effects(torch.ones(1, len(given.graph))).mean())
    assert found.total.mean == pytest.approx(everything, rel=1e-4)


def test_one_head_is_named_as_head_0_and_keys_of_a_group_by_all_of_its_heads() -> None:
    for build, name in (("one head", "embed → z.0[head=0]/k"), ("grouped", "embed → z.0[head=0:2]/k")):
        assert name in ready(opened(build), asked()).graph.numbers


# half precision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_network_in_half_precision_has_the_circuit_that_it_has_in_single(dtype: torch.dtype) -> None:
    half, single = found_in(program("fact", dtype)), found_in(program("fact"))
    assert half.names == single.names and half.explained
    assert half.total.mean == pytest.approx(single.total.mean, rel=0.02)
    assert half.edges["knockout"] == pytest.approx(single.edges["knockout"], rel=0.02)


@pytest.mark.usefixtures("quick")
def test_a_trace_in_half_precision_is_measured_in_single() -> None:
    given = program("fact", torch.float16)
    found = traced(given.net, given.posed.decision)
    assert found.circuit is not None and found.circuit.explained and found.used
    assert given.effects(torch.eye(len(given.graph))).dtype == torch.float32


def rounded(dtype: torch.dtype, apart: float) -> Cutter:
    """Two outputs whose weights differ by less than what the network rounds: the decision is rounding and nothing else."""
    network = Transformer(Shape(vocab=11, context=8, width=16, layers=1, heads=1, d_head=16, hidden=12), 0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2)
        network.unembed.weight[2] = network.unembed.weight[1]
        network.unembed.weight[1] *= 1 + apart
    drawn = torch.Generator().manual_seed(0)
    ids, others = (torch.randint(0, 11, (8, 6), generator=drawn) for _ in range(2))
    net = wrap(network.to(dtype).eval())
    return ready(net, cw.Decision(ids, answer=1, instead=2, counterfactual=others))


ROUNDED = [(torch.float32, 1e-7), (torch.float16, 2e-3)]


@pytest.mark.parametrize(("dtype", "apart"), ROUNDED, ids=str)
def test_rounding_is_not_taken_for_an_effect(dtype: torch.dtype, apart: float) -> None:
    given = rounded(dtype, apart)
    assert float(given.effects(torch.ones(1, len(given.graph))).abs().max()) > 0
    assert found_in(given).verdict == "nothing to explain"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("dtype", "apart"), ROUNDED, ids=str)
def test_parts_and_edges_agree_on_whether_there_is_anything_to_explain(dtype: torch.dtype, apart: float) -> None:
    given = rounded(dtype, apart)
    found = traced(given.net, given.posed.decision)
    assert found.circuit is not None and found.circuit.verdict == "nothing to explain"
    assert any(note.startswith("nothing to explain: taking every part away") for note in found.notes)


# memory that runs out, and Ctrl-C -----------------------------------------------------------------------------------


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[Cutter, int], None]:
    """Makes a network that runs out of memory with more than so many rows."""

    return partial(short_of_memory, monkeypatch)


def one_block(rows: int = 8) -> Cutter:
    return cutter(rows=rows, layers=1, heads=1, d_head=16)


@pytest.mark.usefixtures("quick")
def test_a_circuit_with_little_memory_is_the_circuit_with_much(memory: Callable[[Cutter, int], None]) -> None:
    given = program("fact")
    expected = found_in(given)
    memory(given, 64)
    found = found_in(given)
    assert found.names == expected.names and found.edges["knockout"] == pytest.approx(expected.edges["knockout"])


def test_stacks_that_were_halved_are_told(memory: Callable[[Cutter, int], None]) -> None:
    given = program("fact")
    memory(given, 64)
    assert any("memory ran out" in note for note in found_in(given).notes)


def test_shares_with_little_memory_are_taken_some_rows_at_a_time(memory: Callable[[Cutter, int], None]) -> None:
    expected, given = shares(one_block(), 2), one_block()
    memory(given, 5)
    torch.testing.assert_close(shares(given, 2).score, expected.score, rtol=1e-5, atol=1e-7)


def test_an_adversary_with_little_memory_finds_the_same_strengths(memory: Callable[[Cutter, int], None]) -> None:
    expected, given = worst_strengths(one_block(), [0], [0, 3], 1, 0), one_block()
    memory(given, 12)
    found = worst_strengths(given, [0], [0, 3], 1, 0)
    assert found.keys() == expected.keys()
    for step, strengths in expected.items():
        torch.testing.assert_close(found[step], strengths)


def test_where_not_even_one_rerun_fits_it_is_said_what_to_do(memory: Callable[[Cutter, int], None]) -> None:
    given = one_block()
    memory(given, 4)
    with pytest.raises(MemoryError, match="give fewer rows or shorter inputs at a time"):
        found_in(given)


class Stopped:
    """Stops as Ctrl-C does at the `at`-th cut."""

    def __init__(self, at: int) -> None:
        self.at, self.decide = at, Cutter.decide

    def __call__(self, *args: Any, **more: Any) -> Any:
        self.at -= 1
        if self.at < 0:
            raise KeyboardInterrupt
        return self.decide(*args, **more)


@pytest.mark.usefixtures("quick")
def test_after_ctrl_c_parts_are_taken_up_again_and_so_is_the_search_for_edges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, decision = opened("no norm"), asked()
    whole, measured = traced(net, decision), list[int]()
    stopped = Stopped(5)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Cutter, "decide", lambda *args, **more: stopped(*args, **more))
        traced(net, decision, keep=tmp_path)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.module.modules())
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept and {path.suffix for path in kept} == {".json"}
    monkeypatch.setattr(sys.modules["cutaway.decisions.effects"], "_measure", lambda *_: measured.append(1))
    again = traced(net, decision, keep=tmp_path)
    assert not measured and again.nodes == whole.nodes
    assert again.edges == whole.edges and again.circuit.verdict == whole.circuit.verdict


# what is asked for wrongly ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked_for", "said"),
    [
        ({"edges": True, "refine": "mlp_act.0[neuron=0:2]"}, "give refine="),
        ({"refine": ["mlp_act.0[neuron=0:2]"]}, "edges=True"),
        ({"edges": True, "adversary": 50}, "expected 0, 20, 80, 320"),
        ({"rephrased": cw.Decision(PROMPTS, " mat", " rug")}, "edges=True"),
    ],
)
def test_what_would_be_ignored_is_refused(asked_for: dict[str, Any], said: str) -> None:
    with pytest.raises(DecisionError, match=said):
        cw.trace(small(), cw.Decision(PROMPTS, " mat", " rug"), **asked_for)


def test_rephrased_prompts_need_counterfactuals_where_the_decision_has_them() -> None:
    pair = cw.Decision(PROMPTS, " mat", " rug", counterfactual=PROMPTS[::-1])
    with pytest.raises(DecisionError, match="give them to both"):
        cw.trace(small(), pair, edges=True, nulls=0, neurons=0, rephrased=cw.Decision(PROMPTS, " mat", " rug"))


def test_six_prompts_with_one_counterfactual_each_make_no_claim_about_edges() -> None:
    given = program("fact")
    six = given.rows(torch.arange(6))
    found = found_in(six)
    assert not found.claimed and "used" not in found.edges["state"]
    assert not claims_module._of_circuit(found, ("counterfactual", "fact", "0", 0, None))
