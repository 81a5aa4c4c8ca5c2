"""Looking closer at used parts only: groups of neurons, then smaller ones, down to those that a program wrote into."""

import pytest
import torch
from tests.decisions.circuit.pieces import refined
from tests.decisions.circuit.small import cutter, of_organism

from cutaway.decisions.circuit.circuit import circuit
from cutaway.decisions.graph.zoom import closer
from cutaway.organisms.compiled import compile


def ends(found) -> set[str]:
    return {end.removesuffix("/mlp") for name in found.names for end in name.split(" → ")}


def test_groups_hold_every_neuron_once_and_single_neurons_stay():
    given = cutter()
    batch = given.posed.batch
    assert closer(given.net, batch, ["mlp_out.2"], 2) == ["mlp_act.2[neuron=0:6]", "mlp_act.2[neuron=6:12]"]
    assert closer(given.net, batch, ["mlp_act.2[neuron=6:9]"], 2) == ["mlp_act.2[neuron=6]", "mlp_act.2[neuron=7:9]"]
    assert closer(given.net, batch, ["mlp_act.2[neuron=7]"], 2) == ["mlp_act.2[neuron=7]"]
    assert len(closer(given.net, batch, ["mlp_out.0"], 99)) == 12
    assert closer(given.net, batch, ["z.0[head=1]", "embed", "mlp_out.1[rest]", "z.0[head=1]/q", "output"]) == []
    with pytest.raises(ValueError, match="expected at least 2"):
        closer(given.net, batch, ["mlp_out.2"], 1)


def test_zooming_into_what_is_used_ends_at_the_neurons_that_a_program_wrote_into():
    organism = compile("fact", seed=7001)
    plain = of_organism(organism)
    found, sizes = circuit(plain, steps=()), []
    for _ in range(4):
        given = refined(plain, *closer(plain.net, plain.posed.batch, sorted(ends(found)), 2))
        sizes.append(len(given.graph))
        found = circuit(given, steps=())
    written = organism.network.blocks[2].mlp.down.weight.any(0)
    expected = {f"mlp_act.2[neuron={i}]" for i in torch.nonzero(written)[:, 0].tolist()}
    assert {end for end in ends(found) if end.startswith("mlp_")} == expected
    every = refined(plain, *closer(plain.net, plain.posed.batch, [f"mlp_out.{i}" for i in range(3)], 99))
    assert max(sizes) < len(every.graph) / 2


def test_zooming_into_a_circuit_without_mlps_asks_for_nothing():
    plain = of_organism(compile("induction", seed=7001))
    assert closer(plain.net, plain.posed.batch, ends(circuit(plain, steps=()))) == []
