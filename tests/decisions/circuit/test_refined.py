"""Parts in pieces: neurons, channels, directions, dictionary features and parameter components as nodes of their own."""

from functools import partial

import pytest
import torch
from tests.decisions.circuit.pieces import dictionary, refined
from tests.decisions.circuit.refined_by_hand import cut_by_hand, features, neurons
from tests.decisions.circuit.small import cutter, of_family, of_organism, one_point, slopes
from tests.network import zoo

from cutaway.decisions.circuit.circuit import circuit
from cutaway.decisions.circuit.share import shares
from cutaway.decisions.graph.components import Components, components
from cutaway.decisions.graph.graph import graph
from cutaway.decisions.graph.refine import RefineError
from cutaway.network import Site
from cutaway.organisms.compiled import compile
from cutaway.submodels import Directions, SubModel, orthonormal, slice_of


def directions(site: str, rows: int = 2, seed: int = 0, label: str = "direction") -> Directions:
    drawn = torch.randn(rows, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Directions(Site.parse(site), orthonormal(drawn), label=label)


GROUPS = ("mlp_act.1[neuron=3]", "mlp_act.1[neuron=5:8]")
REFINED = {
    "neurons": lambda given: GROUPS,
    "all neurons": lambda given: [f"mlp_act.2[neuron={i}]" for i in range(12)],
    "channels": lambda given: ["mlp_out.1[channel=0:4]", "mlp_out.1[channel=-1]"],
    "directions": lambda given: [directions("mlp_out.1")],
    "directions of all heads": lambda given: [directions("attn_out.1")],
    "directions of the embedding": lambda given: [directions("embed")],
    "directions of neurons": lambda given: [
        Directions(Site.parse("mlp_act.0"), torch.eye(12, dtype=torch.float64)[[1, 4]], label="two")
    ],
    "a dictionary": lambda given: [dictionary("mlp_out.1", "mlp_out.1", 16, 16)],
    "a transcoder": lambda given: [dictionary("mlp_in.1", "mlp_out.1", 16, 16)],
    "components of an MLP": lambda given: [components(given.net, "mlp_act.0", 3)],
    "components of heads": lambda given: [components(given.net, "z.1", 3)],
    "several parts": lambda given: [*GROUPS, directions("mlp_out.2"), "embed[channel=2]"],
}
PART = {
    "neurons": "mlp_out.1",
    "channels": "mlp_out.1",
    "directions": "mlp_out.1",
    "directions of neurons": "mlp_out.0",
    "a dictionary": "mlp_out.1",
    "a transcoder": "mlp_out.1",
    "components of an MLP": "mlp_out.0",
    "directions of the embedding": "embed",
}
each_kind = pytest.mark.parametrize("kind", list(REFINED))


def difference(logits: torch.Tensor) -> torch.Tensor:
    return logits[:, -1, 1] - logits[:, -1, 2]


def pieces_of(given, plain) -> set[str]:
    known = {writer.part for writer in plain.graph.writers}
    return {writer.part for writer in given.graph.writers} - known


# the laws of pieces ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(PART))
@pytest.mark.parametrize("stand_in", ["counterfactual", "resample"])
def test_all_pieces_of_a_part_cut_together_are_the_part_cut(kind, stand_in):
    plain = cutter(kind=stand_in)
    given, part = refined(plain, *REFINED[kind](plain)), PART[kind]
    pieces = pieces_of(given, plain)
    readers = [reader.name for reader in plain.graph.readers if f"{part} → {reader.name}" in plain.graph.numbers]
    assert len(pieces) > 1 and readers
    whole = plain.effects(plain.cuts([[plain.graph.numbers[f"{part} → {reader}"]] for reader in readers]))
    apart = given.effects(given.cuts([[given.graph.numbers[f"{p} → {r}"] for p in pieces] for r in readers]))
    torch.testing.assert_close(apart, whole, rtol=0, atol=1e-9)
    assert float(whole.abs().max()) > 1e-3


def test_an_edge_into_all_groups_of_neurons_is_the_edge_into_the_mlp():
    plain = cutter()
    given = refined(plain, *GROUPS)
    into = [f"embed → {name}/mlp" for name in (*GROUPS, "mlp_out.1[rest]")]
    together = given.effects(given.cuts([[given.graph.numbers[name] for name in into]]))
    whole = plain.effects(plain.cuts([[plain.graph.numbers["embed → mlp_out.1/mlp"]]]))
    torch.testing.assert_close(together, whole, rtol=0, atol=1e-9)


@each_kind
def test_cutting_every_edge_gives_the_other_prompts_decision_and_cutting_none_changes_nothing(kind):
    plain = cutter()
    given = refined(plain, *REFINED[kind](plain))
    everything, nothing = given.effects(torch.stack([torch.ones(len(given.graph)), torch.zeros(len(given.graph))]))
    torch.testing.assert_close(everything, plain.effects(torch.ones(1, len(plain.graph)))[0], rtol=0, atol=1e-9)
    torch.testing.assert_close(nothing, torch.zeros_like(nothing), rtol=0, atol=1e-12)


@each_kind
@pytest.mark.parametrize("stand_in", ["counterfactual", "mean", "zero"])
def test_every_edge_has_the_slope_that_differentiating_the_exact_cut_gives(kind, stand_in):
    plain = cutter(kind=stand_in)
    given = refined(plain, *REFINED[kind](plain))
    expected, work = slopes(given, 0.3), one_point(given, 0.3)
    near = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(work.score.sum((1, 2)).double(), expected, rtol=1e-4, atol=near)
    total = given.effects(torch.ones(1, len(given.graph)))[0]
    torch.testing.assert_close(work.total, total, rtol=0, atol=1e-9)


@pytest.mark.parametrize("norm", ["rms", "none"])
def test_shares_of_pieces_sum_to_the_share_of_their_part(norm):
    plain = cutter(norm=norm)
    given = refined(plain, directions("mlp_out.1"))
    expected, found = shares(plain, 3).signed, shares(given, 3).signed
    pieces = [found[given.graph.numbers[f"{piece} → output"]] for piece in pieces_of(given, plain)]
    whole = expected[plain.graph.numbers["mlp_out.1 → output"]]
    torch.testing.assert_close(torch.stack(pieces).sum(), whole, rtol=1e-4, atol=1e-6)


def test_a_graph_without_refinement_is_the_one_that_it_was():
    given = cutter()
    again = graph(given.net, given.posed.batch, refine=["z.1[head=0]", "mlp_out.2"])
    assert list(again.numbers) == list(given.graph.numbers)
    assert again.sites == given.graph.sites
    assert len(given.graph) == 3 * (2 * 3 * 1 + 1 * 3) + (2 * 3 + 1) * 3 * 3 + 10


# against the computation by hand --------------------------------------------------------------------------------------


def by_hand(plain, given, pieces) -> None:
    """Compares every edge of a refined graph, alone, and random sets of edges, with the computation by hand."""
    ids, others = plain.posed.batch.ids, plain.posed.decision.counterfactual["input_ids"]
    network = plain.net.module
    some = torch.rand(4, len(given.graph), generator=torch.Generator().manual_seed(1)) < 0.4
    sets = [{name} for name in given.graph.numbers]
    sets += [{given.graph.name(int(edge)) for edge in row.nonzero()[:, 0]} for row in some]
    found = given.effects(given.cuts([[given.graph.numbers[name] for name in names] for names in sets]))
    clean = difference(network(ids))
    for names, effect in zip(sets, found):
        expected = difference(cut_by_hand(network, ids, others, names, pieces)) - clean
        torch.testing.assert_close(effect, expected.detach(), rtol=1e-6, atol=1e-10)


def test_edges_of_groups_of_neurons_equal_the_computation_by_hand():
    plain = cutter()
    rest = [i for i in range(12) if i not in (3, 5, 6, 7)]
    groups = {GROUPS[0]: [3], GROUPS[1]: [5, 6, 7], "mlp_out.1[rest]": rest}
    by_hand(plain, refined(plain, *GROUPS), {1: neurons(1, groups)})


def test_edges_of_directions_equal_the_computation_by_hand():
    plain, kind = cutter(), directions("mlp_out.1")
    part = {kind.name: lambda read, act, out: out @ kind.read.T @ kind.read}
    by_hand(plain, refined(plain, kind), {1: features(1, part, "mlp_out.1[rest]")})


@pytest.mark.parametrize("read", ["mlp_in.1", "mlp_out.1"])
def test_edges_of_features_and_of_their_error_equal_the_computation_by_hand(read):
    plain, kind = cutter(), dictionary(read, "mlp_out.1", 16, 16, atoms=3)

    def wrote(atom, read_, act, out):
        code = torch.relu((out if read == "mlp_out.1" else read_) @ kind.encoder + kind.bias)
        return code[..., [atom]] * kind.decoder[atom]

    parts = {name: partial(wrote, atom) for atom, name in enumerate(kind.parts)}
    by_hand(plain, refined(plain, kind), {1: features(1, parts, "mlp_out.1[error]")})


def test_edges_of_parameter_components_equal_the_computation_by_hand():
    plain = cutter()
    kind = components(plain.net, "mlp_act.1", 2)
    parts = {
        name: lambda read, act, out, atom=atom: (act @ kind.read[atom])[..., None] * kind.write[atom]
        for atom, name in enumerate(kind.parts)
    }
    by_hand(plain, refined(plain, kind), {1: features(1, parts, "mlp_out.1[error]")})


def test_all_singular_components_leave_no_error():
    plain = cutter()
    given = refined(plain, components(plain.net, "mlp_act.1", 12))
    left = [edge for name, edge in given.graph.numbers.items() if name.startswith("mlp_out.1[error]")]
    assert float(given.effects(given.cuts([left])).abs().max()) < 1e-12


# names ----------------------------------------------------------------------------------------------------------------


@each_kind
def test_every_edge_has_one_name_that_leads_back_to_its_ends(kind):
    plain = cutter()
    given = refined(plain, *REFINED[kind](plain)).graph
    assert len(given.numbers) == len(given)
    for name, edge in given.numbers.items():
        writer, reader = name.split(" → ")
        assert writer == given.writers[given.edges[edge][0]].part and reader == given.readers[given.edges[edge][1]].name


@pytest.mark.parametrize("kind", ["neurons", "all neurons", "channels"])
def test_the_names_of_the_pieces_make_the_graph_again(kind):
    plain = cutter()
    given = refined(plain, *REFINED[kind](plain)).graph
    again = graph(plain.net, plain.posed.batch, given.pieces)
    assert given.pieces and again.numbers == given.numbers
    assert not plain.graph.pieces


def test_the_parts_of_a_sub_model_are_nodes_of_their_own_beside_what_is_left():
    plain = cutter()
    both = SubModel("both", ("mlp_act.1[neuron=-1]", "z.0[head=1]", "mlp_out.2"))
    assert pieces_of(refined(plain, both), plain) == {"mlp_act.1[neuron=11]", "mlp_out.1[rest]"}
    kind = slice_of(plain.net, "mlp_act.1", "neuron")
    one = SubModel("one", ("mlp_act.1[neuron=2]",), (kind,))
    assert pieces_of(refined(plain, one), plain) == {"mlp_act.1[neuron=2]", "mlp_out.1[rest]"}
    assert not pieces_of(refined(plain), plain)


def test_two_orthogonal_directions_of_two_sub_models_are_two_nodes():
    plain, rows = cutter(), directions("mlp_out.1").read
    one, two = (Directions(Site.parse("mlp_out.1"), rows[i : i + 1], label=f"d{i}") for i in range(2))
    found = pieces_of(refined(plain, one, SubModel("two", tuple(two.parts), (two,))), plain)
    assert found == {"d0@mlp_out.1", "d1@mlp_out.1", "mlp_out.1[rest]"}


@pytest.mark.parametrize(
    ("refine", "said"),
    [
        (["mlp_act.9[neuron=3]"], r"cannot refine by 'mlp_act.9.*blocks 0 to 2 only"),
        (["neurons.1"], "names no point; expected one of"),
        (["mlp_act.1[neuron=12]"], "picks nothing: there are 12, 0 to 11"),
        (["mlp_act.1[neuron=2:5]", "mlp_act.1[neuron=4]"], "overlap; expected parts that share nothing"),
        (["mlp_act.1[neuron=2]", "mlp_out.1[channel=4]"], "in a second way"),
        (["mlp_act.1[neuron=2,pos=3]"], "picks no neurons or channels alone; try"),
        (["mlp_act.1"], "a node already; try mlp_act.1.neuron=0:8."),
        (["z.1[head=7]"], "is no node of this graph; in its block these are: mlp_out.1, z.1.head=0."),
        (["attn_out.1"], "is no node of this graph"),
        (["resid_post.1[channel=3]"], "does not write to the stream; expected a part that does"),
        (["q.1[head=0]"], "does not write to the stream"),
        ("mlp_act.1[neuron=2]", "expected several: try refine="),
        ([directions("resid_post.1")], "does not write to the stream"),
        ([directions("mlp_out.1"), directions("mlp_out.1", seed=1, label="other")], "overlap; expected atoms of one"),
        ([directions("mlp_out.1"), directions("mlp_out.1")], "overlap"),
        ([directions("mlp_out.1"), "mlp_act.1[neuron=2]"], "in a second way"),
        (["mlp_act.1[neuron=2]", directions("mlp_out.1")], "in a second way"),
        ([directions("mlp_out.1", label="embed → z")], "reads like an edge"),
        ([dictionary("resid_pre.1", "mlp_out.1", 16, 16)], "expected mlp_out.1 itself or mlp_in.1, mlp_pre.1, mlp_act.1"),
        ([dictionary("mlp_in.0", "mlp_out.1", 16, 16)], "expected mlp_out.1 itself"),
        ([Directions(Site.parse("z.1[head=0]"), torch.eye(8)[:1])], "expected one whole tensor"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_node_is_refused_with_what_can(refine, said):
    given = cutter()
    with pytest.raises(RefineError, match=said):
        graph(given.net, given.posed.batch, refine)


def test_components_say_what_they_need():
    given = cutter()
    with pytest.raises(ValueError, match="expected 1 to 12"):
        components(given.net, "mlp_act.1", 13)
    with pytest.raises(ValueError, match="expected what a matrix takes to the stream"):
        Components(Site.parse("mlp_out.1"), torch.eye(3), torch.eye(3))
    with pytest.raises(ValueError, match="as many of each"):
        Components(Site.parse("mlp_act.1"), torch.eye(3), torch.eye(4))


# organisms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "part"), [("fact", "mlp_out.2"), ("pointer", "mlp_out.0"), ("bigram", "mlp_out.0")]
)
def test_refining_the_used_mlp_names_the_neurons_that_the_program_wrote_into(program, part):
    organism = compile(program, seed=7001)
    assert part in organism.used
    layer = int(part.removeprefix("mlp_out."))
    down = organism.network.blocks[layer].mlp.down.weight
    every = [f"mlp_act.{layer}[neuron={i}]" for i in range(down.shape[1])]
    wrote = {name for name, column in zip(every, down.T) if bool(column.any())}
    found = circuit(refined(of_organism(organism), *every), steps=())
    named = {end.removesuffix("/mlp") for name in found.names for end in name.split(" → ")}
    assert found.explained
    assert named & set(every) == wrote


@pytest.mark.parametrize("program", ["fact", "induction", "bigram"])
def test_refining_an_mlp_that_is_not_used_names_nothing_in_it(program):
    organism = compile(program, seed=7001)
    plain = of_organism(organism)
    idle = next(part for part in sorted(organism.inert | organism.decoys) if part.startswith("mlp"))
    layer = int(idle.removeprefix("mlp_out."))
    given = refined(plain, *(f"mlp_act.{layer}[neuron={i}]" for i in range(organism.network.shape.hidden)))
    found = circuit(given, steps=())
    assert found.names == circuit(plain, steps=()).names and found.explained
    assert not any(f"mlp_act.{layer}" in name for name in found.names)


def test_the_direction_that_an_organism_writes_carries_its_part_and_leaves_the_rest_idle():
    organism = compile("fact", seed=7001)
    plain = of_organism(organism)
    rows = organism.network.blocks[2].mlp.down.weight.detach().T.double()
    _, size, v = torch.linalg.svd(rows, full_matrices=False)
    rank = int((size > 1e-5 * size[0]).sum())
    given = refined(plain, Directions(Site.parse("mlp_out.2"), v[:rank].float(), label="written"))
    total = float(given.effects(torch.ones(1, len(given.graph))).abs().mean())
    cuts = given.cuts([[given.graph.numbers[f"{p} → output"]] for p in ("written@mlp_out.2", "mlp_out.2[rest]")])
    used, idle = given.effects(cuts).abs().mean(1).tolist()
    assert used > 0.1 * total and idle < 1e-5 * total


# families -------------------------------------------------------------------------------------------------------------

WITHOUT_NEURONS = {"Gemma 2", "Gemma 3", "OLMo 2", "Mixtral", "Qwen2-MoE", "gpt-oss"}  # a norm behind the MLP, experts
SUMS = [family for family in zoo.ZOO if family.inputs == "text" and family.additive]


@pytest.mark.parametrize("family", SUMS, ids=str)
def test_neurons_of_every_family_are_exact_or_refused_with_the_reason(family):
    plain = of_family(family)
    if "mlp_out.0" not in {writer.part for writer in plain.graph.writers}:
        pytest.skip("its blocks have no MLP")
    try:
        given = refined(plain, "mlp_act.0[neuron=3]", "mlp_act.0[neuron=5:8]")
    except RefineError as error:
        assert family.name in WITHOUT_NEURONS and ("no mlp_act" in str(error) or "give directions at" in str(error))
        return
    assert family.name not in WITHOUT_NEURONS
    into = [_edges(one, "embed → mlp_", "") for one in (plain, given)]
    out = [_edges(one, "mlp_", " → output") for one in (plain, given)]
    for whole, apart in (into, out):
        expected = plain.effects(plain.cuts([whole]))
        torch.testing.assert_close(given.effects(given.cuts([apart])), expected, rtol=1e-4, atol=1e-6)
    slope = slopes(given, 0.3)
    assert float((one_point(given, 0.3).score.sum((1, 2)) - slope).abs().max()) < 1e-4 * float(slope.abs().max())


def _edges(given, start: str, end: str) -> list[int]:
    """The edges into or out of block 0's MLP or its pieces."""
    names = [name for name in given.graph.numbers if name.startswith(start) and name.endswith(end)]
    return [given.graph.numbers[name] for name in names if ".0" in name]
