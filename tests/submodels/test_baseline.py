"""What is put in a part's place: values that the network itself made, of the right length, seeded, or a clear refusal."""

from __future__ import annotations

import pytest
import torch

from cutaway.network import Site, TextFeed, wrap
from cutaway.submodels import NoReference, SubModel, baseline, donors, take_away

from .networks import PROMPTS, TEXTS, Convolutions, Layers, Spaced, drawn, fresh, output, seeded, small, transformer

SITES = [Site("z", 0), Site("mlp_out", 1), Site("resid_post", 0)]


@pytest.mark.parametrize("name", ["own", "GPT-2", "Llama"])
def test_donors_are_as_long_as_the_prompt_and_begin_as_every_text_does(name: str) -> None:
    net = small() if name == "own" else fresh(name)
    batch = net.batch(PROMPTS)
    found = donors(net, batch, 12)
    assert found.rows == 12
    assert found.positions == batch.positions
    assert found.real is None or bool(found.real.all())
    assert found.ids is not None
    assert set(found.ids[:, 0].tolist()) == {0}
    assert len({tuple(row) for row in found.ids.tolist()}) > 6
    words = [net.feed.tokenizer.encode(text) for text in TEXTS]
    for row in found.ids[:, 1:].tolist():
        assert any(row == text[i : i + len(row)] for text in words for i in range(len(text)))


@pytest.mark.parametrize("reference", [[TEXTS[0] * 3], TEXTS[0] * 3, torch.tensor([[0, 9, 3, 4, 5, 6, 7, 8, 2]] * 2)])
def test_donors_of_one_text_or_of_ids_begin_with_the_start_token_too(reference: object) -> None:
    net = small(reference=reference)
    found = donors(net, net.batch("the cat sat"), 5)
    assert found.ids is not None
    assert found.ids.shape == (5, 4)
    assert set(found.ids[:, 0].tolist()) == {0}
    assert 0 not in found.ids[:, 1:]


def test_a_prompt_without_the_start_token_gets_donors_without_it() -> None:
    net = small()
    found = donors(net, net.batch([[3, 4, 5]]), 20)
    assert found.ids is not None
    assert 0 not in found.ids


def test_donors_are_seeded() -> None:
    net, prompt = small(), "the cat sat on"
    batch = net.batch(prompt)
    drawn_ids = [donors(net, batch, 6, seed).ids for seed in (1, 1, 2)]
    assert torch.equal(drawn_ids[0], drawn_ids[1])
    assert not torch.equal(drawn_ids[0], drawn_ids[2])


def test_short_reference_texts_are_joined_and_too_short_a_reference_is_refused() -> None:
    prompt = "the cat sat on the mat"
    joined = small(reference=["a cat", "the dog", "on a mat", "the rug sat"] * 4)
    assert donors(joined, joined.batch(prompt), 4).positions == 7
    few = small(reference=["a cat", "the dog"])
    with pytest.raises(ValueError, match=r"no text of \d tokens, expected at least 2; give more or longer"):
        donors(few, few.batch(prompt), 4)
    one = small(reference=["a cat on the mat"])
    with pytest.raises(ValueError, match="holds 1 text of 5 tokens"):
        donors(one, one.batch("a dog on the rug"), 4)


def test_without_a_reference_there_are_no_donors_and_the_error_says_what_to_do() -> None:
    net = wrap(transformer(), Spaced())
    for kind in ("resample", "mean"):
        with pytest.raises(NoReference, match=r"reference=…"):
            baseline(net, net.batch("the cat"), SITES, kind)
    assert baseline(net, net.batch("the cat"), SITES, "zero").draws == 1


def test_resampled_values_are_what_the_network_does_on_each_donor() -> None:
    net = small()
    batch = net.batch(PROMPTS)
    values = baseline(net, batch, SITES, "resample", draws=5, seed=3)
    others = donors(net, batch, 5, seed=3)
    assert values.draws == 5
    for draw in range(5):
        read = net.read(others.take(torch.tensor([draw])), *SITES)
        for site in SITES:
            assert torch.allclose(values.values[draw][site], read[str(site)], atol=1e-6)


def test_the_mean_has_no_position_and_is_over_real_positions_only() -> None:
    net = small()
    batch = net.batch(PROMPTS)
    values = baseline(net, batch, SITES, "mean").values[0]
    read = net.read(donors(net, batch, 64), *SITES)
    for site in SITES:
        assert values[site].shape[:2] == (1, 1)
        assert torch.allclose(values[site][0, 0], read[str(site)].flatten(0, 1).mean(0), atol=1e-6)
    assert isinstance(net.feed, TextFeed)
    padded = net.feed(["the cat sat on", "the dog sat on", "the rug on the", "a"])
    assert padded.real is not None and not bool(padded.real.all())
    mean = baseline(small(reference=padded), net.batch("the rug sat on"), SITES, "mean").values[0]
    whole = net.read(net.batch(["the cat sat on", "the dog sat on", "the rug on the"]), *SITES)
    for site in SITES:
        assert torch.allclose(mean[site][0, 0], whole[str(site)].flatten(0, 1).mean(0), atol=1e-5)


def test_donors_from_a_padded_reference_are_the_rows_without_padding() -> None:
    feed = small().feed
    assert isinstance(feed, TextFeed)
    net = small(reference=feed(["the cat sat on", "a", "the dog sat on", "on"]))
    assert donors(net, net.batch("the rug sat on"), 9).rows == 2
    none = small(reference=feed(["the cat sat on", "a"]))
    with pytest.raises(ValueError, match="2 inputs, 1 of them without padding"):
        donors(none, none.batch("the rug sat on"), 9)


def test_a_reference_of_another_length_is_refused() -> None:
    feed = small().feed
    assert isinstance(feed, TextFeed)
    net = small(reference=feed(["the cat sat", "the dog sat"]))
    with pytest.raises(ValueError, match="the reference inputs have 4 positions and the decision 5"):
        donors(net, net.batch("the rug sat on"), 2)


def test_tensors_are_resampled_row_by_row_and_one_reference_input_is_too_few() -> None:
    given, others = drawn(2, 6), drawn(5, 6, seed=7)
    net = wrap(seeded(Layers), reference=others)
    found = donors(net, net.batch(given), 9)
    assert sorted(row.tolist() for row in found.args[0]) == sorted(row.tolist() for row in others)
    alone = wrap(seeded(Layers), reference=others[:1])
    with pytest.raises(ValueError, match="expected at least 2"):
        donors(alone, alone.batch(given), 2)


def test_the_mean_of_a_convolution_is_over_space_and_of_an_mlp_over_inputs() -> None:
    pictures = drawn(6, 3, 8, 8, seed=5)
    net, site = wrap(seeded(Convolutions), reference=pictures), Site.parse("path.a:out")
    mean = baseline(net, net.batch(drawn(2, 3, 8, 8)), [site], "mean").values[0][site]
    assert mean.shape == (1, 6, 1, 1)
    assert torch.allclose(mean, net.read(pictures, site)[str(site)].mean((0, 2, 3), keepdim=True), atol=1e-6)
    vectors = drawn(5, 6, seed=7)
    flat, place = wrap(seeded(Layers), reference=vectors), Site.parse("path.a:out")
    mean = baseline(flat, flat.batch(drawn(2, 6)), [place], "mean").values[0][place]
    assert torch.allclose(mean[0], flat.read(vectors, place)[str(place)].mean(0), atol=1e-6)


def test_counterfactual_values_are_taken_row_by_row() -> None:
    net = small()
    batch, others = net.batch(PROMPTS), [PROMPTS[1], "the rug sat on the"]
    values = baseline(net, batch, SITES, "counterfactual", counterfactual=others)
    gone = output(
        net,
        batch,
        take_away(
            net,
            SubModel("end", ("resid_post.1",)),
            baseline(net, batch, [Site("resid_post", 1)], "counterfactual", counterfactual=others),
        ),
    )
    assert values.draws == 1
    assert torch.allclose(gone, output(net, others), atol=1e-5)
    assert not torch.allclose(gone, output(net, batch), atol=1e-2)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (PROMPTS[:1], "1 rows of 6 tokens and the decision 2 of 6"),
        (["the cat", "the dog"], "2 rows of 3 tokens and the decision 2 of 6"),
        (None, r"needs Decision\(counterfactual=…\)"),
    ],
)
def test_counterfactuals_that_do_not_match_are_refused(others: object, message: str) -> None:
    net = small()
    with pytest.raises(ValueError, match=message):
        baseline(net, net.batch(PROMPTS), SITES, "counterfactual", counterfactual=others)


def test_counterfactuals_of_padded_prompts_must_match_row_by_row() -> None:
    net = small()
    batch = net.batch(["the cat sat on the", "the dog"])
    with pytest.raises(ValueError, match="counterfactual 0 has 3 tokens and its prompt 6"):
        baseline(net, batch, SITES, "counterfactual", counterfactual=["the dog", "the cat sat on the"])
    matched = baseline(net, batch, SITES, "counterfactual", counterfactual=["the rug sat on the", "the cat"])
    assert matched.values[0][SITES[0]].shape[0] == 2


def test_an_unknown_baseline_is_refused() -> None:
    net = small()
    with pytest.raises((ValueError, TypeError), match="median"):  # by its type where types are checked, as here
        baseline(net, net.batch("the cat"), SITES, "median")  # type: ignore[arg-type]


def test_experts_take_a_donors_routing_position_by_position() -> None:
    net = fresh("Mixtral")
    batch, site = net.batch(PROMPTS), Site("experts", 0)
    values = baseline(net, batch, [site], "resample", draws=2).values[0][site]
    assert values.shape[:2] == (1, batch.positions)
