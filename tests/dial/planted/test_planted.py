"""Planted programs: each is a circuit that is enough, of edges that are all needed, among many weights that are not."""

from random import Random

import pytest
import torch

from cutaway.dial.planted import Planted, check, programs
from cutaway.dial.planted.check import OWN, TARGET
from cutaway.dial.planted.wiring import LOUD
from cutaway.dial.prune.edges import between
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.tasks import loss, solved
from cutaway.dial.transformer import SparseTransformer

SEED = 7001


@pytest.fixture(scope="module")
def planted() -> dict[str, Planted]:
    return {program: Planted(program, SEED) for program in programs()}


@pytest.mark.parametrize("program", programs())
def test_the_circuit_is_enough_and_every_edge_of_it_is_needed(program: str, planted: dict[str, Planted]) -> None:
    proof = check(planted[program], count=32, draws=1)
    assert proof.failures == ()
    assert len(proof.cut) == planted[program].size[0]


def test_a_proof_fails_where_an_edge_is_not_needed_or_the_circuit_is_not_enough() -> None:
    planted = Planted("marked", SEED)
    edges = {name: there.clone() for name, there in planted.edges.items()}
    matrix = next(name for name, there in edges.items() if name.endswith("attn.value") and there.any())
    row, column = edges[matrix].nonzero()[0].tolist()
    edges[matrix][row, (column + 1) % planted.network.shape.width] = True
    planted.__dict__["_written"] = (*planted._written[:2], edges)
    assert len(check(planted, count=32, draws=1).failures) == 1
    edges[matrix][row, column] = False
    assert any("alone" in failure for failure in check(planted, count=32, draws=1).failures)


def test_there_are_twenty_programs_and_more_that_differ_in_their_rule_or_their_wiring(
    planted: dict[str, Planted],
) -> None:
    wirings = {program: tuple(int(there) for there in _by_kind(each).values()) for program, each in planted.items()}
    assert len(planted) >= 20
    assert len({(each.task.about, wirings[program]) for program, each in planted.items()}) == len(planted)
    assert len({each.task.about for each in planted.values()}) >= 20
    assert len(set(wirings.values())) >= 12


def _by_kind(planted: Planted) -> dict[str, torch.Tensor]:
    """How many edges of each kind of matrix, in any layer."""
    kinds: dict[str, torch.Tensor] = {}
    for name, there in planted.edges.items():
        kind = name.split(".", 2)[2]
        kinds[kind] = kinds.get(kind, torch.tensor(0)) + there.sum()
    return kinds


def test_seeds_put_one_program_in_different_places_and_the_same_seed_in_the_same() -> None:
    one, again, other = Planted("both", SEED), Planted("both", SEED), Planted("both", SEED + 1)
    assert one.network.state_dict().keys() == again.network.state_dict().keys()
    assert all(
        torch.equal(a, b) for a, b in zip(one.network.state_dict().values(), again.network.state_dict().values())
    )
    assert one.size == other.size
    assert one.nodes.shape != other.nodes.shape or not torch.equal(one.nodes, other.nodes)


def test_the_nodes_are_the_ends_of_the_edges(planted: dict[str, Planted]) -> None:
    for each in planted.values():
        nodes = nodes_of(each.network, each.windows(8, 0))
        live = between(each.network, nodes, each.nodes)
        assert all(bool((there <= live[name]).all()) for name, there in each.edges.items())
        for node in each.nodes.nonzero()[:, 0]:
            fewer = each.nodes.clone()
            fewer[node] = False
            left = between(each.network, nodes, fewer)
            assert any(bool((each.edges[name] & ~left[name]).any()) for name in left)


def test_prompts_of_training_selection_and_test_share_no_first_line() -> None:
    task = Planted("negated", SEED).task
    sets = [task.examples(256, split, SEED).rows() for split in ("train", "selection", "test")]
    lines = [{tuple(row[:4]) for row in rows} for rows in sets]
    assert not lines[0] & lines[1] and not lines[0] & lines[2] and not lines[1] & lines[2]


def test_partners_have_one_first_line_and_exchanged_answers_that_the_rule_gives(planted: dict[str, Planted]) -> None:
    for each in planted.values():
        pair = each.task.sample(Random(SEED))
        assert pair.prompts[0][:4] == pair.prompts[1][:4]
        assert tuple(map(each.task.rule, pair.prompts)) == pair.answers
        assert 1 <= sum(a != b for a, b in zip(*pair.prompts)) <= 2


def test_what_is_no_prompt_has_no_answer() -> None:
    with pytest.raises(ValueError, match="is no prompt of this task"):
        Planted("marked", SEED).task.rule((0,) * 10)


@pytest.mark.parametrize("program", ["marked", "one-of-two", "induction"])
def test_shuffled_weights_do_not_solve_the_task(program: str, planted: dict[str, Planted]) -> None:
    each = planted[program]
    shuffled = SparseTransformer(each.network.shape).requires_grad_(False)
    generator = torch.Generator().manual_seed(SEED)
    for name, weight in each.network.named_parameters():
        order = torch.randperm(weight.numel(), generator=generator)
        shuffled.get_parameter(name).copy_(weight.flatten()[order].view_as(weight))
    examples = each.task.examples(64, "test", SEED)
    assert loss(each.network(examples.prompts), examples) < OWN
    assert loss(shuffled(examples.prompts), examples) > TARGET
    assert solved(shuffled(examples.prompts), examples) < 0.8


def test_every_token_is_equally_loud_at_every_position(planted: dict[str, Planted]) -> None:
    network = planted["induction"].network
    embedded = network.embed.weight[:, None] + network.position.weight[None]
    loud = embedded.square().sum(-1)
    assert torch.allclose(loud, torch.full_like(loud, LOUD), atol=1e-3)


def test_an_unknown_program_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="there is no program 'sort' to plant; expected one of marked, "):
        Planted("sort", SEED)
