"""Directions fitted for many labellings at once are those fitted one by one."""

from __future__ import annotations

import torch
from tests.concepts.read.world import Given, asked_of

from cutaway.concepts.read.directions import RIDGES, STRONGEST, candidates, weights, whitened
from cutaway.concepts.read.nulls import labellings
from cutaway.concepts.read.search import search
from cutaway.network import Site


def noise(*shape: int, seed: int = 7001) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def test_the_whitened_direction_is_the_same_through_either_gram_matrix() -> None:
    for rows, width in ((30, 8), (8, 30)):
        x, c = noise(rows, width), noise(rows, 3, seed=7002)
        x = x - x.mean(0)
        mean = x.square().sum() / rows / min(rows - 1, width)
        plain = torch.linalg.inv(x.T @ x / rows + 0.1 * mean * torch.eye(width, dtype=x.dtype)) @ x.T @ c
        assert torch.allclose(whitened(x, c, 0.1), plain, atol=1e-9)


def test_the_whitened_direction_is_that_of_ridge_regression_on_the_labels() -> None:
    from sklearn.linear_model import Ridge

    x, labels = noise(60, 10), (torch.arange(60) % 2).double()
    x = x - x.mean(0)
    mean = x.square().sum() / 60 / 10
    c = torch.where(labels == 1, 1 / 30, -1 / 30).double()[:, None]
    ours = whitened(x, c, 0.1)[:, 0]
    theirs = torch.tensor(Ridge(alpha=float(0.1 * mean * 60)).fit(x.numpy(), labels.numpy()).coef_)
    assert torch.allclose(ours / ours.norm(), theirs / theirs.norm(), atol=1e-8)


def test_a_difference_of_means_is_the_difference_of_the_means() -> None:
    asked = asked_of((20, 20, 10))
    train, x = asked.by_split["train"], noise(50, 6)
    c = weights(asked.sets[None, train], 2)
    found = candidates(Site.parse("resid_post.0"), x, train, c)
    means = [x[train & (asked.sets == number)].mean(0) for number in range(3)]
    against = [means[0] - means[1], means[0] - (means[1] + means[2]) / 2]
    assert torch.allclose(found.vectors[:2], torch.stack(against), atol=1e-9)


def test_labellings_searched_together_find_what_each_finds_alone() -> None:
    asked = asked_of((40, 40, 20))
    some = labellings(asked, 3, seed=7003)
    x = {
        Site.parse("resid_post.0"): noise(100, 6),
        Site.parse("z.1"): noise(100, 3, 4, seed=7002),
        Site.parse("mlp_act.1"): noise(100, 20, seed=7004),
    }
    together = search(Given(x), asked, some)
    alone = [search(Given(x), asked, one[None]) for one in some]
    assert torch.allclose(together.test, torch.cat([one.test for one in alone]))


def test_a_head_or_a_neuron_that_carries_the_labels_is_named() -> None:
    asked = asked_of((40, 40))
    labels = (asked.sets == 0).double()
    heads, neurons = noise(80, 3, 4), noise(80, 30, seed=7002)
    heads[:, 2, 1] += 6 * labels
    neurons[:, 17] -= 6 * labels
    of_heads = search(Given({Site.parse("z.0"): heads}), asked, asked.sets[None])
    of_neurons = search(Given({Site.parse("mlp_act.0"): neurons}), asked, asked.sets[None])
    assert of_heads.best.site == "z.0[head=2]" and float(of_heads.test[0]) > 0.95
    assert of_neurons.best.site == "mlp_act.0[neuron=17]" and float(of_neurons.test[0]) > 0.95
    assert of_heads.searched == 3 and of_neurons.searched == 30


def test_a_candidate_scores_readings_as_the_search_did() -> None:
    asked = asked_of((40, 40))
    for site, x in (("resid_post.0", noise(80, 6)), ("z.0", noise(80, 3, 4)), ("mlp_act.0", noise(80, 20))):
        found = search(Given({Site.parse(site): x}), asked, asked.sets[None])
        ours = found.best.score(x)
        assert torch.allclose(torch.corrcoef(torch.stack([ours, found.scores]))[0, 1], torch.ones(()).double())


def test_test_rows_do_not_touch_what_is_chosen() -> None:
    asked = asked_of((40, 40))
    x = noise(80, 6)
    other = x.clone()
    other[asked.by_split["test"]] = noise(16, 6, seed=7009)
    site = Site.parse("resid_post.0")
    first, second = (search(Given({site: one}), asked, asked.sets[None]).best for one in (x, other))
    assert first.how == second.how and torch.equal(first.vector, second.vector) and first.val == second.val


def test_as_many_candidates_are_scored_as_there_are_ways_to_fit_one() -> None:
    asked = asked_of((20, 20, 10))
    train = asked.by_split["train"]
    c = weights(asked.sets[None, train], 2)
    directions = candidates(Site.parse("resid_post.0"), noise(50, 6), train, c)
    neurons = candidates(Site.parse("mlp_act.0"), noise(50, 20), train, c)
    assert directions.scores.shape[1] == len(directions.names) == 2 * (1 + len(RIDGES))
    assert neurons.scores.shape[1] == len(neurons.sites) == 2 * STRONGEST
