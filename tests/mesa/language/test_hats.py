"""Hat matrices: of what ignores labels, of what solves a ridge regression, of an iteration, of what is there by chance."""

import pytest
import torch

from cutaway.mesa.language import Features, HatSigns, Instructions, Lexicon, centred, hats
from cutaway.mesa.language.hats import alike

FEATURES = Features(shots=8, dim=3)
SHOTS = FEATURES.draw(4, 7001)


def kernel(shots):
    """Of the query with the demonstrations, and of these with each other; centred, so that 1 is an eigenvector."""
    points = FEATURES.vectors()[shots.ids[:, shots.items] - 1].sum(2).double()
    query = FEATURES.vectors()[shots.ids[:, shots.query] - 1].sum(1).double()
    middle = points.mean(1, keepdim=True)
    points, query = points - middle, query - middle[:, 0]
    return torch.einsum("pd,pnd->pn", query, points), points @ points.mT


def ridge(shots):
    """The closed form, in one layer that the next ones keep."""
    asked, inner = kernel(shots)
    solved = torch.linalg.solve(inner + torch.eye(shots.shots).double(), shots.ys.double())
    return (asked * solved).sum(1).expand(4, -1)


def descent(shots):
    """Kernel gradient descent, a step a layer."""
    asked, inner = kernel(shots)
    weights, course = torch.zeros(shots.count, shots.shots).double(), []
    rate = 0.7 / torch.linalg.eigvalsh(inner)[:, -1:]
    for _ in range(5):
        course.append((asked * weights).sum(1))
        weights = weights + rate * (shots.ys - torch.einsum("pij,pj->pi", inner, weights))
    return torch.stack(course)


def blind(shots):
    """What does not look at labels."""
    return shots.ids[:, shots.query].sum(1).double().expand(3, -1)


def counting(shots):
    """What counts labels, later ones more, whatever is asked."""
    return (shots.ys * torch.arange(shots.shots)).sum(1).double().expand(3, -1)


def chance(shots):
    """A random network of the labels and the query."""
    generator = torch.Generator().manual_seed(7001)
    inward = torch.randn(3, shots.shots, 3, 20, generator=generator).double()
    query = FEATURES.vectors()[shots.ids[:, shots.query] - 1].sum(1).double()
    return torch.einsum("lsdh,ps,pd->lph", inward, shots.ys.double(), query).tanh().sum(-1)


def test_the_hat_matrix_of_what_ignores_labels_is_nothing():
    found = hats(blind, SHOTS)
    assert found.shape == (3, 4, 8, 8)
    assert found.abs().max() == 0
    assert HatSigns.of(found).size == 0
    assert str(HatSigns.of(found).symmetry) == "–"


def test_the_hat_matrix_of_ridge_regression_is_its_closed_form():
    inner = kernel(SHOTS.asking(0))[1]
    expected = inner @ torch.linalg.inv(inner + torch.eye(8).double())
    torch.testing.assert_close(hats(ridge, SHOTS)[-1], expected)


def test_ridge_regression_at_once_is_symmetric_and_does_not_grow():
    signs = HatSigns.of(hats(ridge, SHOTS))
    assert signs.symmetry.value == pytest.approx(1)
    assert signs.growth.value == pytest.approx(0, abs=1e-9)
    assert abs(signs.crossed) < 0.7


def test_descent_is_symmetric_commutes_changes_shape_and_does_strong_directions_first():
    signs = HatSigns.of(hats(descent, SHOTS))
    assert signs.symmetry.value == pytest.approx(1)
    assert signs.commutation.value == pytest.approx(1)
    assert signs.growth.low > 0
    assert signs.order.low > 0


def test_chance_is_neither_symmetric_nor_does_it_commute():
    signs = HatSigns.of(hats(chance, SHOTS))
    assert signs.symmetry.high < 0.6
    assert signs.commutation.high < 0.6


def test_counting_labels_leaves_nothing_to_read():
    found = hats(counting, SHOTS)
    assert torch.equal(found[-1], torch.arange(8).double().expand(4, 8, 8))  # rows are queries, columns labels
    assert centred(found).abs().max() < 1e-9
    assert HatSigns.of(found).specific.value < 1e-12


def test_layers_that_the_lens_cannot_read_are_left_out():
    signs = HatSigns.of(hats(descent, SHOTS), (0.0, 0.1, 0.9, 0.9, 1.0))
    assert signs.readable == 2


def test_nothing_is_like_nothing():
    assert alike(torch.zeros(2, 2), torch.eye(2)).isnan()


def test_an_instruction_has_no_hat_matrix():
    told = Instructions(Lexicon.arbitrary(400, 0)).draw(2, 0)
    with pytest.raises(ValueError, match="no demonstrations"):
        hats(blind, told)
