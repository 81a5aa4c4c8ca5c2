"""Sub-models as names: sums of parts, unknown names, on disk and back, the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cutaway.network import AddressError, Site, wrap
from cutaway.runs.folder import RunError
from cutaway.submodels import (
    Directions,
    SubModel,
    as_submodel,
    baseline,
    catalogue,
    contrastive,
    difference_of_means,
    load_submodels,
    orthonormal,
    random_parts,
    save_submodels,
    slices,
    take_away,
)

from .networks import PROMPTS, Spaced, decompositions, directions, drawn, opened, output, small, transformer


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("mlp_outt.0", "near names: .*mlp_out.0"),
        ("resid_pot.1", "near names: .*resid_post.1"),
        ("z.7[head=0]", "z.0"),
        ("path.blocks.0.mpl:out", "blocks.0.mlp"),
    ],
)
def test_an_unknown_part_is_an_error_that_offers_near_names(name: str, near: str) -> None:
    net, given = opened("own")
    with pytest.raises(AddressError, match=near):
        take_away(net, as_submodel(name), baseline(net, net.batch(given), [], "zero"))


def test_a_head_that_is_not_there_is_an_error() -> None:
    net, given = opened("own")
    with pytest.raises(AddressError, match="head=3 is outside; this tensor has 3 of them"):
        net.run(given, take_away(net, as_submodel("z.0[head=3]"), baseline(net, net.batch(given), [], "zero")))


def test_a_union_holds_every_part_once_and_ablates_like_both() -> None:
    net, given = opened("own")
    a, b = as_submodel(["z.0[head=1]", "mlp_out.1"]), as_submodel(["mlp_out.1", "z.1[head=0]"])
    union = a | b
    assert union.parts == ("z.0[head=1]", "mlp_out.1", "z.1[head=0]")
    zero = baseline(net, net.batch(given), [], "zero")
    by_hand = as_submodel(["z.1[head=0]", "mlp_out.1", "z.0[head=1]"])
    assert torch.equal(
        output(net, given, take_away(net, union, zero)), output(net, given, take_away(net, by_hand, zero))
    )
    assert as_submodel([]).parts == ()
    assert as_submodel(a) is a


def test_a_union_of_directions_and_slices_takes_both_away() -> None:
    net, given = opened("own")
    one, other = (
        directions("mlp_out.1", 16, True),
        Directions(Site("mlp_out", 1), orthonormal(drawn(1, 16, seed=9)), label="other"),
    )
    whole = (
        SubModel("one", (one.name,), (one,)) | SubModel("other", (other.name,), (other,)) | as_submodel("z.0[head=1]")
    )
    zero = baseline(net, net.batch(given), [], "zero")
    edits = take_away(net, whole, zero)
    assert [str(edit.site) for edit in edits] == ["z.0[head=1]", "mlp_out.1"]
    assert {receipt.fired for receipt in net.run(given, edits).receipts} == {1}
    assert len(whole.decompositions) == 2


def test_a_union_keeps_what_both_were_thought_to_be_and_why() -> None:
    one = SubModel("one", ("mlp_out.0",), labels=("copies", "quotes"), evidence={"q": 0.01}, provenance={"seed": 3})
    other = SubModel("other", ("mlp_out.1",), labels=("quotes",), evidence={"q": 0.2})
    union = one | other | as_submodel("z.0[head=1]")
    assert union.labels == ("copies", "quotes")
    assert union.evidence == {"one + other": {"one": {"q": 0.01}, "other": {"q": 0.2}}}
    assert union.provenance == {"one + other": {"one": {"seed": 3}}}


def test_two_directions_of_one_name_cannot_be_joined_silently() -> None:
    one, other = directions("mlp_out.1", 16, False), directions("mlp_out.1", 16, False, seed=8)
    with pytest.raises(ValueError, match="give their directions different labels"):
        SubModel("one", (one.name,), (one,)) | SubModel("other", (other.name,), (other,))
    assert (SubModel("one", (one.name,), (one,)) | SubModel("same", (one.name,), (one,))).parts == (one.name,)


def test_random_parts_are_seeded_and_different() -> None:
    net, _ = opened("own")
    pool = [part for one in decompositions("own", "neurons") for part in one.parts]
    drawn_sets = [random_parts(net, pool, 7, seed).parts for seed in (0, 0, 1)]
    assert drawn_sets[0] == drawn_sets[1] != drawn_sets[2]
    assert len(set(drawn_sets[0])) == 7


def test_submodels_come_back_from_disk_as_they_were_and_ablate_the_same(tmp_path: Path) -> None:
    net, given = opened("own")
    (heads,) = (one for one in decompositions("own", "heads") if one.reads[0].layer == 0)
    straight, oblique = directions("mlp_out.1", 16, False), directions("resid_post.0", 16, True)
    saved = [
        SubModel(
            "plain", ("z.1[head=2]", "mlp_out.0"), labels=("copies",), evidence={"q": 0.01}, provenance={"seed": 3}
        ),
        SubModel("sliced", ("z.0[head=1]", "z.0[head=2]"), (heads,)),
        SubModel("both", (straight.name, oblique.name), (straight, oblique)),
    ]
    save_submodels(saved, tmp_path / "found")
    again = load_submodels(tmp_path / "found")
    assert [one.name for one in again] == ["plain", "sliced", "both"]
    assert (again[0].labels, again[0].evidence, again[0].provenance) == (("copies",), {"q": 0.01}, {"seed": 3})
    assert again[1].decompositions == (heads,)
    assert sorted(file.name for file in (tmp_path / "found").iterdir() if file.suffix == ".safetensors") == [
        "tensors.safetensors"
    ]
    clean = output(net, given)
    for before, after in zip(saved, again):
        assert before.parts == after.parts
        sites = [Site("z", 0), Site("z", 1), Site("mlp_out", 0), Site("mlp_out", 1), Site("resid_post", 0)]
        values = baseline(net, net.batch(given), sites, "resample", draws=2)
        outputs = [output(net, given, take_away(net, one, values, draw=1)) for one in (before, after)]
        assert torch.equal(*outputs)
        assert not torch.equal(outputs[0], clean)


def test_a_folder_is_not_overwritten_unasked_and_one_without_submodels_is_refused(tmp_path: Path) -> None:
    save_submodels([as_submodel("mlp_out.0")], tmp_path / "found")
    with pytest.raises(RunError):
        save_submodels([as_submodel("mlp_out.1")], tmp_path / "found")
    save_submodels([as_submodel("mlp_out.1")], tmp_path / "found", overwrite=True)
    assert load_submodels(tmp_path / "found")[0].parts == ("mlp_out.1",)
    with pytest.raises(RunError):
        load_submodels(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "by", "rows"),
    [
        ("own", ("heads", "mlps"), 2 * 3 + 2),
        ("GPT-2", ("heads", "neurons", "mlps"), 2 * 4 + 2 * 128 + 2),
        ("Llama", ("heads", "attentions"), 2 * 4 + 2),
        ("Mixtral", ("experts",), 2 * 4),
        ("CNN", ("channels", "modules"), 2 * 6 + 2),
        ("ViT", ("blocks",), 4),
    ],
)
def test_the_catalogue_has_a_line_for_every_part(name: str, by: tuple[str, ...], rows: int) -> None:
    net, given = opened(name)
    table = catalogue(net, by, given)
    assert len(table) == len(set(table["submodel"])) == rows
    assert min(table["strength"]) > 0
    assert min(table["atoms"]) >= 1


@pytest.mark.parametrize(
    ("name", "by", "said"),
    [
        ("CNN", ("heads", "mlps"), "has no heads or mlps; try channels, modules"),
        ("own", ("experts",), "has no experts; try heads, neurons, mlps, attentions, blocks"),
        ("own", "modules", r"given as the text 'modules'; expected a list: try \['modules'\]"),
    ],
)
def test_a_catalogue_without_a_line_is_an_error_that_says_what_to_try(name: str, by: Any, said: str) -> None:
    net, given = opened(name)
    with pytest.raises(ValueError, match=said):
        catalogue(net, by, given)


def test_strength_is_the_root_mean_square_and_zero_for_a_dead_part() -> None:
    module = transformer()
    nn.init.zeros_(module.blocks[1].attn.value.weight[4:8])  # head 1 of block 1
    nn.init.zeros_(module.blocks[0].mlp.up.weight)
    net = wrap(module, Spaced())
    table = catalogue(net, ("heads", "mlps", "neurons"), PROMPTS)
    dead = {row["submodel"] for row in table if row["strength"] == 0}
    assert dead == {"z.1[head=1]", "mlp_out.0", *(f"mlp_act.0[neuron={i}]" for i in range(10))}
    z = net.read(PROMPTS, "z.0[head=2]")["z.0[head=2]"]
    (found,) = (row["strength"] for row in table if row["submodel"] == "z.0[head=2]")
    assert found == pytest.approx(float(z.pow(2).mean().sqrt()), rel=1e-5)


def test_strengths_are_measured_on_the_reference_where_there_is_one() -> None:
    module = transformer()
    cats, dogs = ([f"the {animal} sat on the {animal} on" for _ in range(9)] for animal in ("cat", "dog"))
    first, second = (catalogue(wrap(module, Spaced(), texts))["strength"] for texts in (cats, dogs))
    assert first != second
    assert first == catalogue(wrap(module, Spaced(), cats))["strength"]
    assert catalogue(wrap(module, Spaced()))["strength"] not in (first, second)


def test_difference_of_means_points_from_one_mean_to_the_other() -> None:
    a, b = drawn(5, 3, 8), drawn(7, 3, 8, seed=1)
    found = difference_of_means("resid_post.0", a, b)
    delta = a.flatten(0, 1).mean(0) - b.flatten(0, 1).mean(0)
    assert torch.allclose(found.read[0] * delta.norm(), delta, atol=1e-6)
    with pytest.raises(ValueError, match="the same mean"):
        difference_of_means("resid_post.0", a, a)


def test_the_contrastive_direction_takes_what_was_added_and_leaves_the_rest_alone() -> None:
    base, other = (drawn(2000, 8, seed=s) * torch.tensor([5.0, 3, 1, 1, 1, 1, 1, 0.5]) for s in (0, 1))
    added = torch.tensor([1.0, 0, 0, 0, 0, 0, 0, 1.0]) / 2**0.5
    found = contrastive("resid_post.0", other + 6 * drawn(2000, 1, seed=2) * added, base)
    gone = (base @ found.read.T) @ found.out
    assert float((added - (added @ found.read.T) @ found.out).norm()) < 0.1
    assert float(gone.norm()) < 0.3 * float((base @ added).norm())


def test_slices_are_listed_in_the_order_of_the_blocks() -> None:
    net = small(layers=3)
    layers = [one.site.layer for one in slices(net, ["mlps", "heads"], net.batch(PROMPTS))]
    assert layers == [0, 0, 1, 1, 2, 2]
