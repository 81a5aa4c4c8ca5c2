"""Structural zeros: edges that carry nothing on any input, by the weights alone, and never where a norm stands between."""

import pytest
import torch
from tests.decisions.circuit.pieces import dictionary, refined
from tests.decisions.circuit.small import cutter, of_organism, ready
from tests.network import zoo

import cutaway as cw
from cutaway.decisions.graph.zeros import never_meet, zeros
from cutaway.network import Site
from cutaway.organisms.compiled import compile
from cutaway.submodels import Directions


def zeros_of(given) -> torch.Tensor:
    return zeros(given.net, given.graph, given.posed.batch)


def shares_of_total(given) -> torch.Tensor:
    """The largest effect of every edge on any example, as a share of the total."""
    total = float(given.effects(torch.ones(1, len(given.graph))).abs().mean())
    return given.effects(torch.eye(len(given.graph))).abs().amax(1) / total


@pytest.mark.parametrize("program", ["induction", "pointer", "majority", "conditional", "sort"])
@pytest.mark.parametrize("kind", ["counterfactual", "zero"])
def test_cutting_a_structural_zero_of_a_compiled_program_changes_nothing(program, kind):
    given = of_organism(compile(program, seed=7002), kind)
    zero, effects = zeros_of(given), shares_of_total(given)
    assert float(effects[zero].max()) < 1e-5
    assert int(zero.sum()) > 0.2 * len(given.graph)
    assert not bool((effects[~zero] < 1e-7).all())


def test_all_structural_zeros_cut_at_once_change_nothing_on_other_inputs_too():
    organism = compile("brackets", seed=7002)
    given = of_organism(organism)
    zero = zeros_of(given)
    rows = organism.reference
    decision = cw.Decision(rows[:20], answer=1, instead=2, counterfactual=rows[20:40])
    other = ready(given.net, decision)
    moved, total = other.effects(torch.stack([zero.float(), torch.ones(len(zero))])).abs().amax(1).tolist()
    assert moved < 1e-5 < 1e-2 < total


def test_neurons_of_a_used_mlp_have_more_zeros_and_all_are_exact():
    plain = of_organism(compile("pointer", seed=7001))
    hidden = plain.net.module.shape.hidden
    given = refined(plain, *(f"mlp_act.0[neuron={i}]" for i in range(hidden)))
    zero = zeros_of(given)
    assert float(shares_of_total(given)[zero].max()) < 1e-5
    written = plain.net.module.blocks[0].mlp.down.weight
    for i, column in enumerate(written.T):
        out = [e for name, e in given.graph.numbers.items() if name.startswith(f"mlp_act.0[neuron={i}] → ")]
        assert bool(zero[out].all()) == (not bool(column.any()))


def test_zeros_of_a_graph_in_pieces_are_those_of_the_graph_and_more():
    plain = of_organism(compile("fact", seed=7001))
    given = refined(plain, *(f"mlp_act.2[neuron={i}]" for i in range(plain.net.module.shape.hidden)))
    before, after = zeros_of(plain), zeros_of(given)
    for name, edge in plain.graph.numbers.items():
        if name in given.graph.numbers:
            assert before[edge] == after[given.graph.numbers[name]]
        elif before[edge]:
            writer, reader = name.split(" → ")
            pieces = [
                e
                for n, e in given.graph.numbers.items()
                if writer in ("mlp_out.2", n.split(" → ")[0]) and n.endswith(reader)
            ]
            assert bool(after[pieces].all())


@pytest.mark.parametrize("norm", ["rms", "none"])
def test_a_zero_is_found_where_weights_are_taken_apart_but_never_behind_a_norm(norm):
    given = cutter(norm=norm)
    block, later = given.net.module.blocks[0], given.net.module.blocks[2]
    assert not bool(zeros_of(given).any())
    with torch.no_grad():
        block.mlp.down.weight[8:] = 0  # writes channels 0 to 7 only
        later.attn.key.weight[:8, :8] = 0  # head 0's keys read the others only
        later.mlp.up.weight[:, :8] = 0
    given = ready(given.net, given.posed.decision)
    zero = zeros_of(given)
    found = {given.graph.name(edge) for edge in zero.nonzero()[:, 0].tolist()}
    assert found == (set() if norm == "rms" else {"mlp_out.0 → z.2[head=0]/k", "mlp_out.0 → mlp_out.2/mlp"})
    if norm == "none":
        effects = given.effects(torch.eye(len(given.graph))).abs().amax(1)
        assert float(effects[zero].max()) < 1e-12 < float(effects[~zero].min())


def test_the_weights_that_would_be_zero_do_matter_behind_a_norm():
    given = cutter(norm="rms")
    with torch.no_grad():
        given.net.module.blocks[0].mlp.down.weight[8:] = 0
        given.net.module.blocks[2].mlp.up.weight[:, :8] = 0
    given = ready(given.net, given.posed.decision)
    edge = given.graph.numbers["mlp_out.0 → mlp_out.2/mlp"]
    assert float(given.effects(given.cuts([[edge]])).abs().max()) > 1e-6


def test_a_neuron_is_told_from_its_neighbours_by_what_it_reads_and_writes():
    plain = cutter(norm="none")
    network = plain.net.module
    with torch.no_grad():
        network.blocks[0].mlp.down.weight[8:] = 0
        network.blocks[1].mlp.up.weight[3, :8] = 0
        network.blocks[1].mlp.down.weight[8:, 4] = 0
        network.unembed.weight[:, :8] = 0
    given = refined(plain, "mlp_act.1[neuron=3]", "mlp_act.1[neuron=4]")
    zero = zeros_of(given)
    found = {given.graph.name(edge) for edge in zero.nonzero()[:, 0].tolist()}
    assert found == {"mlp_out.0 → mlp_act.1[neuron=3]/mlp", "mlp_act.1[neuron=4] → output", "mlp_out.0 → output"}
    effects = given.effects(torch.eye(len(given.graph))).abs().amax(1)
    assert float(effects[zero].max()) < 1e-12


def test_features_write_what_they_decode_to_and_their_error_what_the_part_may():
    plain = cutter(norm="none")
    network = plain.net.module
    with torch.no_grad():
        network.unembed.weight[:, :8] = 0
    rows = torch.eye(16, dtype=torch.float64)
    given = refined(
        plain,
        Directions(Site.parse("mlp_out.1"), rows[:2], label="unread"),
        dictionary("mlp_out.2", "mlp_out.2", 16, 16),
    )
    found = {given.graph.name(edge) for edge in zeros_of(given).nonzero()[:, 0].tolist()}
    assert found == {"unread@mlp_out.1 → output"}


def test_a_way_past_the_matrices_is_no_zero():
    given = cutter(norm="none")
    block = given.net.module.blocks[2]
    with torch.no_grad():
        given.net.module.blocks[0].mlp.down.weight[8:] = 0
        block.mlp.up.weight[:, :8] = 0
    assert bool(zeros_of(given)[given.graph.numbers["mlp_out.0 → mlp_out.2/mlp"]])
    plain = block.mlp.forward
    block.mlp.forward = lambda x: plain(x) + x.tanh()
    again = ready(given.net, given.posed.decision)
    edge = again.graph.numbers["mlp_out.0 → mlp_out.2/mlp"]
    assert not bool(zeros_of(again)[edge])
    assert float(again.effects(again.cuts([[edge]])).abs().max()) > 1e-6


def test_rounding_is_no_meeting_and_a_small_weight_is():
    rows = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).Q.float()
    assert never_meet(rows[:3], rows[3:].T) and never_meet(torch.zeros(2, 6), rows.T)
    assert not never_meet(rows[:3], rows[3:].T + 1e-4 * rows[:1].T)
    assert not never_meet(1e-9 * rows[:1], rows[:1].T)


@pytest.mark.parametrize("family", [f for f in zoo.ZOO if f.inputs == "text" and f.additive][:6], ids=str)
def test_families_with_norms_have_no_structural_zeros(family):
    net = zoo.network(family)
    drawn = torch.Generator().manual_seed(0)
    ids, others = (torch.randint(3, zoo.VOCABULARY, (3, 6), generator=drawn) for _ in range(2))
    assert not bool(zeros_of(ready(net, cw.Decision(ids, answer=1, instead=2, counterfactual=others))).any())
