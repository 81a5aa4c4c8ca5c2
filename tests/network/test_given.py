"""What cannot be run on is said in words: given, expected, what to try. Where nothing is known, torch's words with shapes."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from transformers import BatchEncoding

from cutaway.network import (
    ZERO,
    AddressError,
    Custom,
    Edit,
    InputError,
    LogitDifference,
    Network,
    Site,
    Variant,
    gradients,
    sweep,
    wrap,
)

from .zoo import NAMED, POSITIONS, VOCABULARY, Digits, inputs, module, network

METRIC = LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51]))
BAD = {
    "one axis": (torch.arange(5), r"shape \(5,\); expected \[rows, positions\]; give one text as ids\[None\]"),
    "beyond the vocabulary": (torch.full((1, 3), VOCABULARY), f"token id {VOCABULARY} .* ids 0 to {VOCABULARY - 1}"),
    "negative": (torch.tensor([[3, -1]]), "token id -1 was given"),
}


@pytest.mark.parametrize("given", ["tensor", "dict"])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["GPT-2", "Llama", "OPT", "BERT", "Mamba"])
def test_token_ids_that_cannot_be_right_are_refused(name: str, bad: str, given: str) -> None:
    ids, said = BAD[bad]
    with pytest.raises(InputError, match=said):
        wrap(module(name)).run(ids if given == "tensor" else {"input_ids": ids})


@pytest.mark.parametrize("name", ["GPT-2", "OPT", "BERT", "RoBERTa"])
def test_a_text_beyond_the_learned_positions_is_refused(name: str) -> None:
    net = wrap(module(name))
    most = POSITIONS - (name == "RoBERTa")
    assert net.run(torch.full((1, most), 3)).output is not None
    with pytest.raises(
        InputError, match=f"{most + 1} tokens were given; .* learned {most} positions; shorten them by 1"
    ):
        net.run(torch.full((1, most + 1), 3))


def test_a_network_with_rotary_positions_has_no_such_limit() -> None:
    assert wrap(module("Llama")).run(torch.full((1, POSITIONS + 2), 3)).output.logits.shape[1] == POSITIONS + 2


def test_ids_of_texts_are_looked_up_in_the_vocabulary_too() -> None:
    with pytest.raises(InputError, match="token id 96"):
        network(NAMED["GPT-2"]).run([[3, 96]])


def test_ids_alone_have_positions_like_those_of_a_dict() -> None:
    net, ids = wrap(module("GPT-2")), inputs(NAMED["GPT-2"])
    assert net.batch(ids).positions == 6
    variants = [Variant((Edit(Site("z", 1).at(head=0, pos=-1), ZERO),))]
    assert "positions from 5" in sweep(net, ids, variants, METRIC).plan.shortcuts


@pytest.mark.parametrize("verb", ["run", "sweep", "gradients", "locate"])
def test_what_a_network_cannot_run_on_is_told_with_the_shapes_of_its_reference(verb: str) -> None:
    net, x = wrap(nn.Sequential(nn.Linear(4, 3)), reference=torch.randn(9, 4)), torch.randn(2, 5)
    metric = Custom(lambda output: output.sum(1))
    verbs = {
        "run": lambda: net.run(x),
        "sweep": lambda: sweep(net, x, [Variant((Edit(Site.parse("path.0:out"), ZERO),))], metric),
        "gradients": lambda: gradients(net, x, ["path.0:out"], metric),
        "locate": lambda: net.locate(net.batch(x)),
    }
    with pytest.raises(
        InputError, match=r"argument 0 \(2, 5\) float32: mat1 .* reference, argument 0 \(9, 4\) float32"
    ):
        verbs[verb]()


def test_without_a_reference_the_names_that_a_network_takes_are_told() -> None:
    with pytest.raises(InputError, match=r"expected what its forward takes \(input\)"):
        wrap(nn.Sequential(nn.Linear(4, 3))).run(torch.randn(2, 5))


def test_an_error_of_ones_own_change_is_left_as_it_is() -> None:
    def broken(x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("mine")

    from cutaway.network import Apply

    with pytest.raises(RuntimeError, match=r"^mine$"):
        wrap(nn.Sequential(nn.Linear(4, 3))).run(torch.randn(2, 4), [Edit(Site.parse("path.0:out"), Apply(broken))])


# references -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [dict, BatchEncoding])
def test_what_a_tokenizer_made_is_read_without_its_padding(kind: type) -> None:
    ids = {"input_ids": [[1, 2, 3], [4, 5, 9]], "attention_mask": [[1, 1, 1], [1, 1, 0]]}
    net = wrap(module("GPT-2"), feed=Digits(), reference=kind(ids))
    assert net.reference_ids == [[1, 2, 3], [4, 5]]
    assert wrap(module("GPT-2"), feed=Digits(), reference=["1 2", "3"]).reference_ids == [[1, 2], [3]]
    assert wrap(module("GPT-2"), feed=Digits(), reference="1 2").reference_ids == [[1, 2]]
    assert torch.equal(net(kind(ids)).logits, net([[1, 2, 3], [4, 5]]).logits)


def test_a_dict_without_ids_and_a_mixture_are_refused() -> None:
    net = network(NAMED["GPT-2"])
    with pytest.raises(
        TypeError, match=r"a dict with texts was given; .* expected texts, ids, or a dict with input_ids"
    ):
        net.batch({"texts": ["1 2"]})
    with pytest.raises(ValueError, match=r"input_ids \(3,\) with attention_mask \(3,\)"):
        net.batch({"input_ids": torch.arange(3)})
    with pytest.raises(TypeError, match="1 texts and 1 rows of ids were given together"):
        net.batch(["1 2", [3]])
    with pytest.raises(TypeError, match="has no reference texts"):
        _ = wrap(module("GPT-2")).reference_ids


# what was found -------------------------------------------------------------------------------------------------------


def test_a_network_prints_what_was_found_in_it() -> None:
    lines = str(wrap(module("GPT-2"), feed=Digits(), reference=["1 2", "3"], source="gpt2")).splitlines()
    assert lines[0].startswith("Network(GPT2LMHeadModel: GPT2LMHeadModel, ")
    assert lines[1:5] == [
        "  from       gpt2",
        "  reads      text, a vocabulary of 96 tokens, at most 48 positions",
        "  reference  2 texts",
        "  blocks     2, width 32, 4 heads",
    ]
    assert "proved" in lines[5]
    assert 4 <= len(lines) <= 8


def test_a_network_that_cannot_be_looked_at_yet_says_so() -> None:
    shown = str(wrap(module("GPT-2")))
    assert "not looked for yet" in shown and "none: effects are shown" in shown
    assert "none found" in str(wrap(nn.Sequential(nn.Linear(4, 3)), reference=torch.randn(9, 4)))


# sharded --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sharded() -> Network:
    """A network whose first weight is a DTensor on a mesh of this process alone."""
    distributed = pytest.importorskip("torch.distributed")
    if not distributed.is_available() or not distributed.is_gloo_available():
        pytest.skip("needs torch.distributed with gloo")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.distributed.tensor import Shard, distribute_tensor

        distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
        built = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3))
        mesh = distributed.device_mesh.init_device_mesh("cpu", (1,))
        built[0].weight = nn.Parameter(distribute_tensor(built[0].weight.detach(), mesh, [Shard(0)]))
    yield wrap(built)
    distributed.destroy_process_group()


def test_a_sharded_weight_is_not_edited(sharded: Network) -> None:
    with pytest.raises(AddressError, match=r"0\.weight is offloaded, sharded or quantised"):
        sharded.run(torch.randn(2, 4), weights={"0.weight": torch.zeros(6, 4)})
