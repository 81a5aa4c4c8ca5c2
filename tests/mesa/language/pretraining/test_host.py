"""Laws of a language model with given blocks in its middle: text is causal, a regression is at first done by those blocks."""

import pytest
import torch

from cutaway.mesa.language.pretraining import Host, Pretraining
from cutaway.mesa.reference.layerwise import Twin
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

MADE = Pretraining(Regression(3, 8, queries=4), middle=2, width=16, lessons=2, most=9.0, steps=3, batch=2, context=12)


@pytest.fixture(scope="module")
def twin() -> Twin:
    return MADE.taught().twin


@pytest.fixture
def host(twin: Twin) -> Host:
    return MADE.host(twin)


def test_before_any_text_a_regression_is_answered_as_by_the_taught_blocks_alone(host: Host, twin: Twin) -> None:
    prompts = MADE.task.draw(6, 7001)
    torch.testing.assert_close(answers(host, prompts), answers(twin, prompts), atol=1e-5, rtol=1e-5)
    assert host.depth == MADE.middle + 2 * MADE.around
    assert not torch.allclose(answers(MADE.host(twin, "random"), prompts), answers(twin, prompts), atol=1e-3)


def test_blocks_are_copies_so_that_each_can_go_its_own_way(host: Host, twin: Twin) -> None:
    with torch.no_grad():
        host.blocks[1].attn.out.weight.zero_()
    assert host.blocks[2].attn.out.weight.abs().max() > 0
    assert all(block.attn.out.weight.abs().max() > 0 for step in twin.steps for block in step.blocks)


def test_no_byte_is_foretold_from_later_ones(host: Host) -> None:
    ids = torch.randint(256, (2, 12), generator=torch.Generator().manual_seed(7001))
    other = ids.clone()
    other[:, 8] = (ids[:, 8] + 1) % 256
    one, two = host(ids), host(other)
    torch.testing.assert_close(one[:, :8], two[:, :8])
    assert not torch.allclose(one[:, 9:], two[:, 9:])


def test_it_keeps_the_contract_of_a_subject(host: Host) -> None:
    prompts = MADE.task.draw(4, 7002)
    seen = states(host, prompts)
    for layer in range(host.depth + 1):
        torch.testing.assert_close(host.run(seen[layer], layer, host.depth).stream, seen[-1].stream)
    alone = answers(host, prompts.asking(prompts.queries[:, :1]))
    torch.testing.assert_close(alone[:, 0], answers(host, prompts)[:, 0])
    torch.testing.assert_close(answers(host, prompts.reordered(1)), answers(host, prompts))


def test_what_does_not_fit_is_refused(host: Host) -> None:
    with pytest.raises(ValueError, match="at most 12"):
        host(torch.zeros(1, 13, dtype=torch.long))
    with pytest.raises(ValueError, match="expected 3"):
        host.start(Regression(4, 8).draw(2, 7001))
    with pytest.raises(ValueError, match="0 ≤ first ≤ last ≤ depth"):
        host.run(host.start(MADE.task.draw(2, 7001)), 3, 1)
