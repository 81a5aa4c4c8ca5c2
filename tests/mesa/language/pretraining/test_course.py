"""Laws of training on text: the same from the same seed, nothing given is changed, and only regressions move what reads them."""

from dataclasses import replace

import pytest
import torch
from tests.mesa.language.pretraining.test_host import MADE

from cutaway.mesa.language.pretraining import Host
from cutaway.mesa.language.pretraining.course import windows

TEXT = torch.randint(256, (500,), generator=torch.Generator().manual_seed(7001))


@pytest.fixture(scope="module")
def host() -> Host:
    return MADE.host(MADE.taught().twin)


def test_the_same_seed_gives_the_same_network_and_leaves_the_given_one_as_it_was(host: Host) -> None:
    before = {name: weight.clone() for name, weight in host.state_dict().items()}
    one, two = (MADE.course(host, TEXT, 0.4, (0, 3)) for _ in range(2))
    assert list(one) == [0, 3]
    for name, weight in before.items():
        assert torch.equal(host.state_dict()[name], weight) and torch.equal(one[0].state_dict()[name], weight)
        assert torch.equal(one[3].state_dict()[name], two[3].state_dict()[name])


def test_text_alone_moves_every_block_and_neither_entry_nor_readout(host: Host) -> None:
    after = MADE.course(host, TEXT, 0.0, (3,))[3]
    for block, before in zip(after.blocks, host.blocks, strict=True):
        assert not torch.equal(block.mlp[1].down.weight, before.mlp[1].down.weight)
    assert torch.equal(after.enter.weight, host.enter.weight) and torch.equal(after.readout.weight, host.readout.weight)


def test_regressions_among_the_text_move_entry_and_readout_too(host: Host) -> None:
    after = MADE.course(host, TEXT, 0.5, (3,))[3]
    assert not torch.equal(after.enter.weight, host.enter.weight)
    assert not torch.equal(after.readout.weight, host.readout.weight)


def test_text_is_learned(host: Host) -> None:
    text = torch.arange(500) % 7
    longer = replace(MADE, steps=60, lr=1e-2)
    ids = windows(text, 8, 11, 7001)
    losses = [
        float(torch.nn.functional.cross_entropy(network(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()))
        for network in longer.course(host, text, 0.0, (0, 60)).values()
    ]
    assert losses[1] < 0.5 * losses[0]


def test_windows_are_pieces_of_the_text() -> None:
    for window in windows(torch.arange(50), 20, 6, 7001):
        assert torch.equal(window, window[0] + torch.arange(7))


def test_blocks_that_did_not_learn_their_step_are_not_used() -> None:
    with pytest.raises(ArithmeticError, match="after 4 starts"):
        replace(MADE, most=0.0).taught()


def test_a_share_or_a_checkpoint_that_cannot_be_is_refused(host: Host) -> None:
    with pytest.raises(ValueError, match="0 to below 1"):
        MADE.course(host, TEXT, 1.0)
    with pytest.raises(ValueError, match="expected 0 to 3"):
        MADE.course(host, TEXT, 0.0, (4,))
