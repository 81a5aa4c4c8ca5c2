"""What holds for every kind of sub-model on every sort of network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from cutaway.network import Edit, Network, Put, Site, Variant, sweep
from cutaway.network.metric import value
from cutaway.submodels import (
    Decomposition,
    Directions,
    Slice,
    SubModel,
    baseline,
    mask_without,
    masked,
    orthonormal,
    take_away,
)

from .networks import CASES, decompositions, directions, drawn, opened, output

each = pytest.mark.parametrize(("name", "kind"), CASES)


def close(a: Tensor, b: Tensor, near: float = 1e-5) -> bool:
    return a.shape == b.shape and float((a - b).abs().max()) <= near * max(1.0, float(b.abs().max()))


def code_of(net: Network, given: Any, one: Decomposition) -> Tensor:
    return one.encode({site: net.read(given, site)[str(site)] for site in one.reads})


def random_code(one: Decomposition, code: Tensor, seed: int) -> Tensor:
    """A code to stand in, one for each row; the routing of experts has an axis of tokens, which takes one for all."""
    by_token = one.reads[0].point == "experts"
    return drawn(*((1, *code.shape[1:]) if by_token else code.shape), seed=seed)


@each
def test_a_mask_of_one_gives_the_network_bit_for_bit(name: str, kind: str) -> None:
    net, given = opened(name)
    clean, found = output(net, given), decompositions(name, kind)
    assert found
    for one in found:
        code = code_of(net, given, one)
        for stand_in in (0.0, random_code(one, code, 1)):
            run = net.run(given, masked(one, torch.ones(one.atoms), stand_in))
            assert all(receipt.fired for receipt in run.receipts)
            assert torch.equal(getattr(run.output, "logits", run.output), clean)


@each
def test_masking_every_atom_and_the_rest_is_the_baseline_put_there(name: str, kind: str) -> None:
    net, given = opened(name)
    clean, changed = output(net, given), 0
    for one in decompositions(name, kind):
        code = code_of(net, given, one)
        stand_in = random_code(one, code, 3)
        gone = output(net, given, masked(one, torch.zeros(one.atoms), stand_in, rest=0.0))
        put = output(net, given, [Edit(site, Put(one.decode(stand_in, site))) for site in one.writes])
        assert close(gone, put)
        changed += not close(gone, clean, 1e-3)
    assert changed


@each
def test_atoms_and_rest_sum_to_the_tensor(name: str, kind: str) -> None:
    net, given = opened(name)
    for one in decompositions(name, kind):
        (site,) = one.writes
        clean = net.read(given, site)[str(site)]
        only_atoms = net.run(given, masked(one, torch.ones(one.atoms), rest=0.0), [site]).read[str(site)]
        only_rest = net.run(given, masked(one, torch.zeros(one.atoms)), [site]).read[str(site)]
        assert close(only_atoms, one.decode(code_of(net, given, one), site))
        assert close(only_atoms + only_rest, clean)
        assert bool(only_rest.abs().max() > 1e-3) == (kind in ("orthonormal", "oblique"))


@each
def test_decode_is_linear(name: str, kind: str) -> None:
    net, given = opened(name)
    for one in decompositions(name, kind):
        code = code_of(net, given, one)
        a, b = drawn(*code.shape, seed=1), drawn(*code.shape, seed=2)
        for site in one.writes:
            assert close(one.decode(2 * a - 3 * b, site), 2 * one.decode(a, site) - 3 * one.decode(b, site))


@each
def test_the_parts_hold_every_atom_once(name: str, kind: str) -> None:
    for one in decompositions(name, kind):
        assert sorted(atom for atoms in one.parts.values() for atom in atoms) == list(range(one.atoms))


@pytest.mark.parametrize("name", ["own", "GPT-2", "Llama", "Mixtral", "CNN"])
def test_the_order_of_parts_does_not_matter(name: str) -> None:
    net, given = opened(name)
    kinds = {"CNN": ["channels"], "Mixtral": ["heads", "experts"]}.get(name, ["heads", "neurons"])
    found = [one for kind in kinds for one in decompositions(name, kind)]
    parts = [part for one in found for part in list(one.parts)[:3]]
    for owners in ((), tuple(found)):
        sites = [site for one in found for site in one.reads]
        values = baseline(net, net.batch(given), sites, "zero" if name in ("CNN", "Mixtral") else "mean")
        edits = [take_away(net, SubModel("some", tuple(order), owners), values) for order in (parts, parts[::-1])]
        forwards, backwards = (output(net, given, one) for one in edits)
        assert close(forwards, backwards, 1e-6)
        assert not close(forwards, output(net, given), 1e-3)


@pytest.mark.parametrize("kind", ["zero", "mean", "resample"])
@pytest.mark.parametrize("name", ["own", "GPT-2", "Llama"])
def test_a_neuron_is_the_same_part_as_an_address_a_slice_and_a_one_hot_direction(name: str, kind: Any) -> None:
    net, given = opened(name)
    site = Site("mlp_act", 1)
    (whole,) = (one for one in decompositions(name, "neurons") if one.reads == (site,))
    one_hot = Directions(site, torch.eye(whole.atoms)[3:4])
    part = "mlp_act.1[neuron=3]"
    values = baseline(net, net.batch(given), [site], kind, draws=2)
    ways = [
        SubModel("address", (part,)),
        SubModel("slice", (part,), (whole,)),
        SubModel("d", (one_hot.name,), (one_hot,)),
    ]
    first, *others = (output(net, given, take_away(net, way, values)) for way in ways)
    assert not close(first, output(net, given), 1e-4)
    assert all(close(other, first, 1e-6) for other in others)


@pytest.mark.parametrize("kind", ["zero", "mean", "resample"])
def test_directions_at_one_position_or_one_head_take_the_baseline_of_that_place(kind: Any) -> None:
    net, given = opened("own")
    for address, width, index in (("resid_post.0[pos=-1]", 16, all_but_last), ("z.0[head=1]", 4, all_but_head_1)):
        every = Directions(Site.parse(address), torch.eye(width))
        values = baseline(net, net.batch(given), [every.site], kind, draws=2)
        gone = take_away(net, SubModel("all", (every.name,), (every,)), values)
        plain = take_away(net, SubModel("all", (address,)), values)
        assert close(output(net, given, gone), output(net, given, plain))
        whole = every.site.whole
        after, before = (net.run(given, edits, [whole]).read[str(whole)] for edits in (gone, ()))
        assert torch.equal(index(after), index(before))
        assert not close(after, before, 1e-3)


def all_but_last(x: Tensor) -> Tensor:
    return x[:, :-1]


def all_but_head_1(x: Tensor) -> Tensor:
    return x[:, :, [0, 2]]


@each
def test_masks_in_a_sweep_are_masks_in_a_run(name: str, kind: str) -> None:
    net, given = opened(name)
    metric, batch = value(1), net.batch(given)
    variants = []
    for one in decompositions(name, kind):
        code = code_of(net, given, one)
        part = list(one.parts)[-1]
        variants.append(Variant(masked(one, mask_without(one, [part]), random_code(one, code, 4))))
    swept = sweep(net, batch, variants, metric)
    rows = torch.arange(batch.rows)
    loop = torch.stack([metric(net.run(given, variant.edits).output, rows) for variant in variants])
    assert close(swept.value, loop)
    assert float((loop - metric(net(given), rows)).abs().max()) > 1e-4


def test_rows_of_directions_must_be_dual_and_independent() -> None:
    with pytest.raises(ValueError, match="orthonormal"):
        Directions(Site("resid_post", 0), drawn(2, 8))
    with pytest.raises(ValueError, match=r"2 rows span 1 dimensions.*leave the dependent rows out"):
        orthonormal(torch.ones(2, 8))
    assert directions("resid_post.0", 8, oblique=True).atoms == 2


def test_slices_of_a_kind_that_does_not_exist_are_refused() -> None:
    from cutaway.submodels import slices

    with pytest.raises(ValueError, match="unknown kind of slice 'neuron'; expected heads, neurons"):
        slices(opened("own")[0], ["neuron"])


def test_a_mask_of_an_unknown_part_names_the_known_ones() -> None:
    one = decompositions("own", "heads")[0]
    assert isinstance(one, Slice)
    with pytest.raises(KeyError, match=r"z\.0\[head=0\] … z\.0\[head=2\]"):
        mask_without(one, ["z.0[head=3]"])
