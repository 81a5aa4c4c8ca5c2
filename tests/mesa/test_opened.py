"""A causal network over interleaved points and labels (Garg et al. 2022), opened as a subject."""

import pytest
import torch
from torch import Tensor, nn

from cutaway.mesa.opened import Fed, Opened
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.screen import screen
from cutaway.mesa.signs import SIGNS
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression
from cutaway.mesa.watched import Watched
from cutaway.network import wrap

DIM, POINTS = 3, 5


class Block(nn.Module):
    """Causal attention of one head and a small MLP; `sees_all` drops the causal mask."""

    def __init__(self, width: int, sees_all: bool) -> None:
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 16), nn.GELU(), nn.Linear(16, width))
        self.causal = not sees_all

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        x = x + self.out(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal))
        return x + self.mlp(x)


class InContext(nn.Module):
    """x and y tokens in turn, the answer read at the last."""

    def __init__(self, sees_all: bool = False, layers: int = 3) -> None:
        super().__init__()
        torch.manual_seed(7001)
        self.embed = nn.Linear(DIM + 1, 12)
        self.blocks = nn.Sequential(*(Block(12, sees_all) for _ in range(layers)))
        self.head = nn.Linear(12, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.blocks(self.embed(tokens)))


def fed(prompts: Prompts) -> Fed:
    queries = prompts.queries.shape[1]
    rows = torch.zeros(prompts.count, queries, 2 * prompts.points + 1, DIM + 1)
    rows[:, :, 0:-1:2, :DIM] = prompts.xs.float().unsqueeze(1)
    rows[:, :, 1::2, DIM] = prompts.ys.float().unsqueeze(1)
    rows[:, :, -1, :DIM] = prompts.queries.float()
    return Fed(rows.flatten(0, 1), range(1, 2 * prompts.points, 2))


@pytest.fixture
def prompts() -> Prompts:
    return Regression(DIM, POINTS, queries=4).draw(6, 7001)


def opened(module: nn.Module) -> Opened:
    return Opened(wrap(module), fed, lambda output: output[:, -1, 0])


def test_its_answers_are_the_networks(prompts):
    module = InContext()
    found = answers(opened(module), prompts)
    assert torch.equal(found, module(fed(prompts).inputs)[:, -1, 0].reshape(6, 4))


def test_running_on_from_any_layer_gives_the_same_states(prompts):
    subject = opened(InContext())
    seen = states(subject, prompts)
    assert len(seen) == subject.depth + 1 == 4
    assert seen[1].tokens.points == POINTS
    for layer in range(4):
        torch.testing.assert_close(subject.run(seen[0], 0, layer).stream, seen[layer].stream)
        torch.testing.assert_close(subject.answer(subject.run(seen[layer], layer, 3)), answers(subject, prompts))


def test_what_is_written_into_a_state_reaches_the_answer(prompts):
    subject = opened(InContext())
    state = subject.run(subject.start(prompts), 0, 1)
    changed = state.stream.clone()
    changed[:, state.tokens.point, 0] += 5.0  # in one channel: a norm takes away what all have in common
    assert (subject.answer(subject.run(state.having(changed), 1, 3)) - answers(subject, prompts)).abs().max() > 0.01


def test_a_lens_reads_it():
    watched = Watched.of(opened(InContext()), Regression(DIM, POINTS, queries=4), 7001, fit=12, held=6)
    torch.testing.assert_close(watched.readings[-1], watched.final, rtol=1e-3, atol=1e-3)


def test_a_network_whose_context_sees_the_query_is_refused(prompts):
    subject = opened(InContext(sees_all=True))
    with pytest.raises(ValueError, match="sees the query"):
        subject.run(subject.start(prompts), 0, 2)


def test_every_sign_reads_it_before_it_ever_ran():
    found = screen(opened(InContext()), Regression(DIM, POINTS), seed=7001)
    assert found.verdict.label != "iterative optimizer"  # nothing was trained
    assert {row["sign"] for row in found.table()} == {sign.name for sign in SIGNS}


def test_some_problems_alone_and_several_times_over_run_as_among_the_others(prompts):
    subject = opened(InContext())
    seen = subject.run(subject.start(prompts), 0, 1)
    few = seen.having(seen.stream[:2].repeat(5, 1, 1))
    whole = subject.answer(subject.run(seen, 1, 3))
    torch.testing.assert_close(subject.answer(subject.run(few, 1, 3)), whole[:2].repeat(5, 1))


def test_what_is_fed_and_read_in_another_form_is_refused(prompts):
    wrong = Opened(wrap(InContext()), lambda given: fed(given).inputs, lambda output: output[:, -1, 0])
    with pytest.raises(TypeError, match="expected Fed"):
        wrong.start(prompts)
    wrong = Opened(wrap(InContext()), fed, lambda output: output[:, :, 0])
    with pytest.raises(ValueError, match="one number a row"):
        answers(wrong, prompts)


def test_rows_that_are_no_query_each_are_refused(prompts):
    subject = Opened(wrap(InContext()), lambda given: Fed(fed(given).inputs[:5], [1]), lambda output: output[:, -1, 0])
    with pytest.raises(ValueError, match="5 rows were fed"):
        subject.start(prompts)
