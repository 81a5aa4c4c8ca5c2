"""Networks of circuits by hand: they answer as drawn, and what is said of their inputs holds of the drawing."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
import torch

from cutaway.organisms.gates import Circuit, GateNetwork, Setting, answer, decisions, gate_network, namings, opened
from cutaway.organisms.gates.network import RIVALS, SWITCHES, WATCHERS

SETTINGS = [
    Setting(switches, level, tuple(range(SWITCHES + 1)))
    for switches in product((False, True), repeat=SWITCHES)
    for level in range(len(RIVALS))
]


@cache
def gates(seed: int) -> GateNetwork:
    return gate_network(seed)


@pytest.mark.parametrize("seed", [7000, 7001, 7002])
def test_every_question_is_answered_as_it_is_drawn_in_every_setting(seed: int):
    one = gates(seed)
    asked = [(circuit, setting) for circuit in one.circuits for setting in SETTINGS]
    net = opened(one)
    batch = net.batch([setting.text(f"{circuit.kind}?") for circuit, setting in asked])
    said = net.run(batch).output[:, -1].argmax(-1).tolist()
    assert [one.vocabulary[word] for word in said] == [answer(one, *each) for each in asked]


def test_the_order_of_the_words_does_not_matter():
    one = gates(7000)
    net = opened(one)
    here = Setting((True, False, True, True, False, True), 1, tuple(range(SWITCHES + 1)))
    texts = [Setting(here.switches, here.level, order).text("most?") for order in ((6, 5, 4, 3, 2, 1, 0), here.order)]
    turned, plain = net.run(net.batch(texts)).output[:, -1]
    assert torch.allclose(turned, plain, atol=1e-4)


def test_what_is_known_of_a_cause_holds_of_the_drawing():
    one = gates(7000)
    for circuit, named in namings(one):
        if named != circuit.inputs or circuit.kind == "backup":  # whose causes show only while the other is held
            continue
        for known in decisions(one, circuit, named, 40, seed=2):
            here = _setting(one, known.row["prompt"])
            without = [_off(one, circuit, here, [part]) for part in named]
            for state, other in zip(known.states, without):
                assert (state == "used") == (known.answer == "yes" != other), known
            if "overdetermined" in known.states:
                assert _off(one, circuit, here, named) != "yes" == known.answer


def test_one_seed_gives_one_network_and_another_seed_another():
    again, other = gate_network(7000), gates(7001)
    assert all(torch.equal(a, b) for a, b in zip(gates(7000).network.parameters(), again.network.parameters()))
    assert gates(7000).circuits == again.circuits != other.circuits
    assert len(set(other.places.values())) == len(other.places)


def test_a_circuit_has_as_many_inputs_as_its_kind():
    with pytest.raises(ValueError, match="'both' has 2 inputs; given watch 0"):
        Circuit("both", ("watch 0",), 0.4)


def _setting(one: GateNetwork, prompt: str) -> Setting:
    """What a prompt says."""
    words = prompt.split()
    switches = tuple(one.vocabulary[2 * place] in words for place in range(SWITCHES))
    return Setting(switches, next(RIVALS.index(word) for word in words if word in RIVALS), tuple(range(SWITCHES + 1)))


def _off(one: GateNetwork, circuit: Circuit, here: Setting, parts) -> str:
    """The answer with the switches of these watchers off."""
    places = {WATCHERS.index(part) for part in parts}
    switches = tuple(on and place not in places for place, on in enumerate(here.switches))
    return answer(one, circuit, Setting(switches, here.level, here.order))
