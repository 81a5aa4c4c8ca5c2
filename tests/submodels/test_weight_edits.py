"""A part that is zeroed by a hook and the same part that is zeroed in the weights give one network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cutaway.network import Site
from cutaway.submodels import Directions, SubModel, baseline, mask_without, masked, slice_of, take_away

from .networks import Convolutions, decompositions, directions, drawn, opened, output, seeded

each = pytest.mark.parametrize("name", ["own", "GPT-2", "Llama"])


def close(a: Tensor, b: Tensor, near: float = 1e-5) -> bool:
    return a.shape == b.shape and float((a - b).abs().max()) <= near * max(1.0, float(b.abs().max()))


@each
@pytest.mark.parametrize("kind", ["heads", "neurons"])
def test_zeroing_columns_is_zeroing_the_head_or_neuron(name: str, kind: str) -> None:
    net, given = opened(name)
    clean, zero = output(net, given), baseline(net, net.batch(given), [], "zero")
    for one in decompositions(name, kind):
        for part in list(one.parts)[:4]:
            weights = one.weight_edit(net, part)
            assert weights is not None and len(weights) == 1
            edited = output(net, given, weights=weights)
            assert close(edited, output(net, given, take_away(net, SubModel("part", (part,)), zero)))
            assert not close(edited, clean, 1e-4)
    assert torch.equal(output(net, given), clean)


@each
@pytest.mark.parametrize("oblique", [False, True])
def test_projecting_the_reader_is_taking_the_directions_away(name: str, oblique: bool) -> None:
    net, given = opened(name)
    width = net.read(given, "mlp_act.1")["mlp_act.1"].shape[-1]
    one = directions("mlp_act.1", width, oblique, atoms=3)
    weights = one.weight_edit(net, one.name)
    assert weights is not None
    edited = output(net, given, weights=weights)
    assert close(edited, output(net, given, masked(one, mask_without(one, [one.name]))))
    assert not close(edited, output(net, given), 1e-4)


def test_two_weight_edits_are_the_union_of_the_parts() -> None:
    net, given = opened("GPT-2")
    (first, second) = decompositions("GPT-2", "heads")
    parts = ("z.0[head=1]", "z.1[head=2]")
    edits = [one.weight_edit(net, part) for one, part in zip((first, second), parts)]
    assert edits[0] is not None and edits[1] is not None
    zero = baseline(net, net.batch(given), [], "zero")
    assert close(
        output(net, given, weights=edits[0] | edits[1]),
        output(net, given, take_away(net, SubModel("both", parts), zero)),
    )


def test_parts_that_no_single_matrix_reads_have_no_weight_edit() -> None:
    own, mixture = opened("own")[0], opened("Mixtral")[0]
    for net, name, kind in ((own, "own", "mlps"), (own, "own", "blocks"), (mixture, "Mixtral", "experts")):
        for one in decompositions(name, kind):
            assert one.weight_edit(net, next(iter(one.parts))) is None
    for address, width in (("resid_post.0", 16), ("mlp_act.0[pos=-1]", 10), ("z.0", 4)):
        one = Directions(Site.parse(address), torch.eye(width)[:1])
        assert one.weight_edit(own, one.name) is None


def test_a_channel_that_a_linear_reads_has_a_weight_edit_and_one_that_a_convolution_writes_has_none() -> None:
    from cutaway.network import wrap

    net, given = wrap(seeded(Convolutions)), drawn(2, 3, 8, 8)
    read = slice_of(net, "path.out:in", "channel", net.read(given, "path.out:in")["path.out:in"])
    weights = read.weight_edit(net, "path.out:in[channel=5]")
    assert weights is not None
    zero = baseline(net, net.batch(given), [], "zero")
    gone = take_away(net, SubModel("channel", ("path.out:in[channel=5]",)), zero)
    assert close(output(net, given, weights=weights), output(net, given, gone))
    assert not close(output(net, given, gone), output(net, given), 1e-4)
    written = slice_of(net, "path.a:out", "channel", net.read(given, "path.a:out")["path.a:out"])
    assert written.weight_edit(net, "path.a:out[channel=2]") is None
