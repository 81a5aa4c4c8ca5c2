"""Addresses: they read back as written, aliases mean the same place, and what cannot be is refused with near names."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cutaway.network import POINTS, ZERO, AddressError, Edit, NeverFired, Put, Site
from cutaway.network.site import AXIS_OF, TRANSFORMER_LENS, WHOLE, Port

from .zoo import NAMED, inputs, network

numbers = st.integers(-5, 40)
ends = st.one_of(st.none(), numbers)
indices = st.one_of(numbers, st.tuples(ends, ends))
selectors = st.dictionaries(st.sampled_from([*AXIS_OF, "call"]), indices, max_size=3)
names = st.from_regex(r"[a-z_]+(\.[a-z0-9_]+){0,3}", fullmatch=True)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    select = tuple(sorted(draw(selectors).items()))
    if draw(st.booleans()):
        return Site("path", path=draw(names), side=draw(st.sampled_from(["in", "out"])), select=select)
    point = draw(st.sampled_from(sorted(POINTS)))
    return Site(point, None if point in WHOLE else draw(st.integers(0, 99)), select=select)


@given(sites())
def test_an_address_reads_back_as_the_site_it_names(site: Site) -> None:
    assert Site.parse(str(site)) == site


@given(sites(), numbers)
def test_selecting_again_replaces_only_that_selector(site: Site, index: int) -> None:
    chosen = site.at(head=index)
    assert dict(chosen.select) == dict(site.select) | {"head": index}
    assert chosen.whole == site.whole


@pytest.mark.parametrize("hook, point", sorted(TRANSFORMER_LENS.items()))
def test_transformerlens_names_are_aliases(hook: str, point: str) -> None:
    assert Site.parse(f"blocks.7.{hook}[pos=-1]") == Site(point, 7).at(pos=-1)


def test_the_two_mlp_outputs_of_transformerlens_are_kept_apart() -> None:
    """`hook_mlp_out` is after the post-norm of Gemma 2 and `mlp.hook_out` before it: mixing them is silent and large."""
    net, ids = network(NAMED["Gemma 2"]), inputs(NAMED["Gemma 2"])
    read = net.read(ids, "blocks.0.hook_mlp_out", "blocks.0.mlp.hook_out", "resid_mid.0", "resid_post.0")
    raw, added = read["mlp_out.0"], read["mlp_out_post.0"]
    assert not torch.allclose(raw, added, atol=1e-2)
    assert torch.allclose(read["resid_mid.0"] + added, read["resid_post.0"], atol=1e-6)


@pytest.mark.parametrize(
    "address, words",
    [
        ("zz.3", "names no point"),
        ("z", "needs a block number"),
        ("z.x", "needs a block number"),
        ("logits.2", "belongs to no block"),
        ("z.3[heads=2]", "unknown selector 'heads'"),
        ("z.3[head=two]", "is not an index"),
        ("z.3[head=1", "names no point|needs a block number|cannot read"),
        ("path.:out", "expected path.MODULE"),
        ("path.encoder:sideways", "expected path.MODULE"),
        ("blocks.1.hook_nothing", "not a hook known here"),
    ],
)
def test_an_unreadable_address_says_what_was_expected(address: str, words: str) -> None:
    with pytest.raises(AddressError, match=words):
        Site.parse(address)


@pytest.mark.parametrize(
    "address, words",
    [
        ("z.9", "blocks 0 to 1 only"),
        ("cross_z.0", "not found in this network, which has"),
        ("path.transformer.h.0.attn.c_prj:out", "transformer.h.0.attn.c_proj"),
        ("z.0[head=4]", "head=4 is outside; this tensor has 4 of them, 0 to 3"),
        ("z.0[head=-5]", "outside"),
        ("mlp_act.1[neuron=128]", "neuron=128 is outside"),
        ("resid_post.1[pos=6]", "pos=6 is outside"),
        ("resid_post.1[head=0]", "cannot be picked by head; it can be by pos"),
    ],
)
def test_a_wrong_place_in_a_network_is_refused_with_what_there_is(address: str, words: str) -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    for go in (lambda: net.read(ids, address), lambda: net.run(ids, [Edit(Site.parse(address), ZERO)])):
        with pytest.raises(AddressError, match=words):
            go()


def test_a_missing_point_says_why_it_is_missing() -> None:
    with pytest.raises(AddressError, match="parallel"):
        network(NAMED["GPT-NeoX"]).read(inputs(NAMED["GPT-NeoX"]), "resid_mid.0")
    with pytest.raises(AddressError, match="block 0 has no z"):
        network(NAMED["Jamba"]).read(inputs(NAMED["Jamba"]), "z.0")
    with pytest.raises(AddressError, match="this network has no mlp_act: the MLP is a mixture of experts"):
        network(NAMED["Mixtral"]).read(inputs(NAMED["Mixtral"]), "mlp_act.0")


def test_the_middle_of_a_block_is_read_only() -> None:
    net, ids = network(NAMED["Llama"]), inputs(NAMED["Llama"])
    assert net.read(ids, "resid_mid.0")["resid_mid.0"].shape == (2, 6, 32)
    with pytest.raises(AddressError, match=r"can be read, not written.*write attn_out_post.0 or resid_pre.1"):
        net.run(ids, [Edit(Site("resid_mid", 0), ZERO)])


def test_an_edit_that_nothing_comes_by_for_is_an_error() -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    with pytest.raises(NeverFired, match=r"path.transformer.h:out"):
        net.run(ids, [Edit(Site.parse("path.transformer.h:out"), ZERO)])  # a list of modules is never called
    with pytest.raises(NeverFired, match="call=1"):
        net.run(ids, [Edit(Site.parse("path.transformer.h.0.mlp:out[call=1]"), ZERO)])


@pytest.mark.parametrize("index", [-1, 0, 2, (1, 3), (-2, None), (None, 2), (None, None)])
def test_a_selector_picks_what_python_slicing_picks(index: int | tuple) -> None:
    x = torch.arange(2 * 5 * 4.0).view(2, 5, 4)
    port = Port("m", "out")
    site = Site("path", path="m").at(pos=index)
    expected = x[:, index : index + 1 or None] if isinstance(index, int) else x[:, slice(*index)]
    assert torch.equal(x[port.index_of(site, 3)], expected)


def test_a_receipt_says_how_far_an_edit_moved_the_part() -> None:
    net, ids = network(NAMED["GPT-2"]), inputs(NAMED["GPT-2"])
    z = net.read(ids, "z.0[head=1]")["z.0[head=1]"]
    receipt = net.run(ids, [Edit(Site("z", 0).at(head=1), Put(1.0))]).receipts[0]
    expected = (1 - z).flatten(1).norm(dim=1)
    assert receipt.fired == 1
    assert torch.allclose(receipt.change[0], expected)
    assert receipt.relative == pytest.approx(float((expected / z.flatten(1).norm(dim=1)).mean()))
    assert "fired 1×" in str(receipt)
