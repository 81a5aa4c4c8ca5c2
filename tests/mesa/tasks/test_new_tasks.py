"""Classes, smooth functions, plans and paths: what is drawn has the law that its task says, and the same seed draws the same."""

from itertools import product

import networkx
import pytest
import torch

from cutaway.mesa.tasks import Logistic, Planning, ShortestPaths, Smooth, Task

TASKS: tuple[Task, ...] = (Logistic(), Smooth(), Planning(), ShortestPaths())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_a_draw_has_the_size_of_its_task_and_is_the_seeds(task: Task) -> None:
    drawn, again, other = task.draw(3, 7000), task.draw(3, 7000), task.draw(3, 7001)
    assert drawn.xs.shape == (3, task.points, task.dim) and drawn.xs.dtype == torch.float64 and drawn.novel
    assert drawn.xs.equal(again.xs) and drawn.answers.equal(again.answers) and not drawn.xs.equal(other.xs)


def test_labels_are_1_as_often_as_the_answer_says() -> None:
    task = Logistic(dim=3, points=1, queries=1, sharpness=2.0)
    drawn = task.draw(20_000, 7000)
    assert drawn.weights is not None and set(drawn.ys.unique().tolist()) == {-1.0, 1.0}
    expected = (torch.einsum("pnd,pd->pn", drawn.xs, drawn.weights) / 2).tanh()
    for low in (-0.9, -0.5, 0.0, 0.5):
        inside = (expected > low) & (expected < low + 0.4)
        assert abs(drawn.ys[inside].mean() - expected[inside].mean()) < 0.06
    asked = torch.einsum("pqd,pd->pq", drawn.queries, drawn.weights).sigmoid()
    assert torch.allclose(drawn.answers, asked - (1 - asked))


def test_smooth_functions_have_variance_1_and_the_covariance_of_the_gaussian_kernel() -> None:
    task = Smooth(dim=2, points=2, queries=1, bandwidth=1.5, noise=0, waves=64)
    drawn = task.draw(20_000, 7000)
    apart = (drawn.xs[:, 0] - drawn.xs[:, 1]).square().sum(1)
    near = (apart > 1.5) & (apart < 2.5)
    expected = (-apart[near] / (2 * 1.5**2)).exp().mean()
    assert abs(drawn.ys.var() - 1) < 0.05
    assert abs((drawn.ys[near, 0] * drawn.ys[near, 1]).mean() - expected) < 0.05


def test_noise_is_added_to_labels_only() -> None:
    quiet, loud = (Smooth(noise=noise).draw(200, 7000) for noise in (0, 0.5))
    assert quiet.answers.equal(loud.answers) and abs((quiet.ys - loud.ys).std() - 0.5) < 0.05


def test_the_value_of_a_state_is_that_of_the_best_of_all_policies() -> None:
    task = Planning(states=4, actions=2, queries=4, discount=0.7)
    drawn = task.draw(2, 7000)
    for k in range(2):
        leads = drawn.xs[k].reshape(4, 3, 4)[:, 1:]
        policies = [torch.stack([leads[s, a] for s, a in enumerate(choice)]) for choice in product((0, 1), repeat=4)]
        eye = torch.eye(4, dtype=torch.float64)
        values = torch.stack([torch.linalg.solve(eye - 0.7 * go, go @ drawn.ys[k]) for go in policies])
        asked = drawn.queries[k, :, :4].argmax(1)
        assert torch.allclose(drawn.answers[k], values.amax(0)[asked], atol=1e-10)


def test_graphs_are_connected_without_loops_and_the_answer_is_the_distance() -> None:
    task = ShortestPaths(states=8, shortcuts=2, queries=5)
    drawn = task.draw(20, 7000)
    assert drawn.ys.sum(1).eq(1).all()
    for k in range(20):
        graph = networkx.from_numpy_array(drawn.xs[k, :, 8:].numpy())
        assert networkx.is_connected(graph) and not networkx.number_of_selfloops(graph)
        far = networkx.shortest_path_length(graph, target=int(drawn.ys[k].argmax()))
        assert drawn.answers[k].tolist() == [far[int(query[:8].argmax())] for query in drawn.queries[k]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Logistic(sharpness=0), "Logistic.sharpness is 0"),
        (lambda: Logistic(points=0), "Logistic.points is 0"),
        (lambda: Smooth(bandwidth=-1), "bandwidth=-1"),
        (lambda: Smooth(waves=0), "Smooth.waves is 0"),
        (lambda: Planning(queries=9), "queries=9"),
        (lambda: Planning(discount=1), "Planning.discount is 1"),
        (lambda: ShortestPaths(queries=12), "queries=12"),
    ],
)
def test_tasks_that_make_no_sense_are_refused(wrong, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        wrong()
    assert said in str(raised.value)
