"""Rule texts of planted circuits: they decide as the network does, from the text alone, and only if the circuit is right."""

import copy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from tests.dial.reading.circuits import SEED, TEXTS, circuit, planted, random_circuit

from cutaway.dial.planted import programs
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.reading import Fit, RuleText, rule_text, words
from cutaway.dial.reading.beside import of_rule_text
from cutaway.dial.reading.rule_text import Look
from cutaway.dial.reading.score import network_margins

FEW = Fit(examples=128)
SOME = ("marked-votes", "at-place", "last-mark", "asked-mark", "exactly-one", "both-or-third", "negated", "induction")


@cache
def written(program: str, seed: int = SEED) -> RuleText:
    each = planted(program, seed)
    return RuleText.parse(rule_text(circuit(program, seed), each.network, each.task, TEXTS, FEW).json())


def agreement(rule: RuleText, program: str, seed: int = SEED, count: int = 256) -> float:
    fresh = planted(program, seed).task.examples(count, "test", 7)
    own = network_margins(planted(program, seed).network, fresh)
    return float(((of_rule_text(rule)(fresh) > 0) == (own > 0)).mean())


@pytest.mark.parametrize("program", SOME)
def test_the_text_of_a_planted_circuit_decides_as_the_network_does(program: str) -> None:
    assert agreement(written(program), program) >= 0.99


@pytest.mark.parametrize("program", ("marked-neuron", "negated", "both"))
def test_a_text_decides_as_the_network_does_also_after_prompts_that_are_no_question(program: str) -> None:
    each, rule = planted(program), written(program)
    fresh, generator = each.task.examples(256, "test", 7), torch.Generator().manual_seed(SEED)
    body = slice(4, fresh.prompts.shape[1] - 1)
    other = torch.randint(0, 32, fresh.prompts[:, body].shape, generator=generator)
    changed = torch.rand(other.shape, generator=generator) < 0.3
    fresh.prompts[:, body] = torch.where(changed, other, fresh.prompts[:, body])
    own = network_margins(each.network, fresh)
    assert ((of_rule_text(rule)(fresh) > 0) == (own > 0)).mean() >= 0.99
    assert (own > 0).mean() < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", (SEED, SEED + 1))
@pytest.mark.parametrize("program", programs())
def test_every_planted_circuit_has_a_text_that_agrees(program: str, seed: int) -> None:
    assert agreement(written(program, seed), program, seed, 512) >= 0.99


def test_random_edges_have_texts_that_agree_by_chance() -> None:
    found = []
    for program in ("marked", "negated", "both"):
        for seed in range(2):
            each = planted(program)
            rule = rule_text(random_circuit(program, seed), each.network, each.task, TEXTS, FEW)
            found.append(agreement(rule, program))
    assert max(found) <= 0.75
    assert 0.4 <= np.mean(found) <= 0.6


def test_without_one_of_its_edges_a_text_no_longer_agrees() -> None:
    whole, each = circuit("marked"), planted("marked")
    for name, there in whole.edges.items():
        for row, column in there.nonzero().tolist():
            fewer = {**whole.edges, name: there.clone()}
            fewer[name][row, column] = False
            cut = TaskCircuit(whole.task, whole.nodes, whole.kept, fewer, False)
            assert agreement(rule_text(cut, each.network, each.task, TEXTS, FEW), "marked") <= 0.85


def test_a_text_that_was_saved_and_parsed_says_the_same() -> None:
    each, fresh = planted("negated"), planted("negated").task.examples(16, "test", 3)
    rule = rule_text(circuit("negated"), each.network, each.task, TEXTS, FEW)
    assert RuleText.parse(rule.json()) == rule == written("negated")
    one_by_one = [RuleText.parse(rule.json()).decide(row) for row in fresh.rows()]
    said = of_rule_text(rule)(fresh)
    assert [answer == right for answer, right in zip(one_by_one, fresh.answer.tolist())] == (said > 0).tolist()


def test_a_text_does_not_depend_on_what_stands_after_the_prompt() -> None:
    fresh = planted("induction").task.examples(16, "test", 3)
    padded = torch.nn.functional.pad(fresh.prompts, (0, 2), value=5).numpy()
    rule, last = written("induction"), fresh.last.numpy()
    np.testing.assert_allclose(rule.preferences(padded, last), rule.preferences(fresh.prompts.numpy(), last))


def test_every_node_has_one_line_and_every_edge_a_place_in_one() -> None:
    rule, whole = written("negated"), circuit("negated")
    kept = [address for address, there in zip(whole.nodes.addresses, whole.kept.tolist()) if there]
    assert sorted(line.name for line in rule.lines if not isinstance(line, Look)) == sorted(kept)
    into = [line.adds for line in rule.lines if not isinstance(line, Look) and "_in." not in line.name]
    assert sum(map(len, into)) == whole.size[0]
    said = words(rule)
    assert len(said) == len(rule.lines) + 1
    assert all(line.startswith(each.name) for line, each in zip(said, rule.lines))


def test_the_words_name_the_mark_that_a_head_looks_for() -> None:
    text = "\n".join(words(written("marked")))
    embed = planted("marked").network.embed.weight
    (channel,) = (int(name.partition("=")[2].rstrip("]")) for name, _ in _reads_of_key(written("marked")))
    marked = [token for token in range(32) if embed[token, channel] != 0]
    assert "mostly at " + ", ".join(repr(f"t{token}") for token in marked) in text


def _reads_of_key(rule: RuleText) -> tuple[tuple[str, float], ...]:
    return next(line.adds for line in rule.lines if not isinstance(line, Look) and line.name.startswith("k."))


def test_a_head_with_a_slope_weighs_positions_by_how_far_back_they_are() -> None:
    shares = Look("head.0[0]", (), 0.0, (), slope=0.5).scores(np.zeros((1, 3), dtype=int), {})[0]
    near = np.exp(-0.5 * np.array([2.0, 1.0, 0.0]))
    assert np.allclose(shares[2], near / (near.sum() + 1))


def test_a_network_that_could_be_trained_has_the_same_text() -> None:
    each = planted("marked")
    trained = copy.deepcopy(each.network).requires_grad_(True)
    assert rule_text(circuit("marked"), trained, each.task, TEXTS, FEW) == written("marked")


def test_fewer_levels_cost_fewer_bits() -> None:
    each = planted("strongest")
    coarse = rule_text(circuit("strongest"), each.network, each.task, TEXTS, Fit(levels=2, examples=128))
    assert coarse.bits < written("strongest").bits
    assert agreement(coarse, "strongest") < agreement(written("strongest"), "strongest")


def test_a_text_that_chooses_its_tokens_among_more_costs_more_bits_and_keeps_them_when_saved() -> None:
    each, more = planted("marked"), (*TEXTS, *(f"t{token}" for token in range(len(TEXTS), 1024)))
    few, many = (rule_text(circuit("marked"), each.network, each.task, texts, FEW) for texts in (TEXTS, more))
    assert (few.vocab, many.vocab) == (32, 1024)
    assert few.bits == written("marked").bits < many.bits == RuleText.parse(many.json()).bits
    assert few.lines == many.lines and few.texts == many.texts
    with pytest.raises(ValueError, match=r"vocab is 2, but token \d+ is named"):
        replace(few, vocab=2)


def test_what_is_no_rule_text_or_no_answer_of_it_is_refused() -> None:
    with pytest.raises(ValueError, match="this is no rule text"):
        RuleText.parse('{"lines": []}')
    with pytest.raises(ValueError, match="token 99 is no answer"):
        written("marked").decide([1, 2, 3], between=(99,))
    with pytest.raises(ValueError, match="expected 2 levels or more"):
        Fit(levels=1)
