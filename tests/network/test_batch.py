"""What goes in: prompts of any length, ids, tensors, tuples, dicts; and what cannot go in is said."""

import pytest
import torch
from torch import nn

from cutaway.network import Batch, TextFeed, wrap
from cutaway.network.batch import Wrapped, tensor_batch

from .zoo import NAMED, POSITIONS, Digits, inputs, module, network


def feed(**options: object) -> TextFeed:
    return TextFeed(Digits(), frozenset({"input_ids", "attention_mask", "position_ids"}), **options)  # type: ignore[arg-type]


def test_prompts_are_padded_on_the_left_with_positions_that_count_from_the_first_token() -> None:
    batch = feed(pad=9)(["4 5 6", "7"])
    assert batch.ids is not None
    assert batch.ids.tolist() == [[4, 5, 6], [9, 9, 7]]
    assert batch.kwargs["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert batch.kwargs["position_ids"].tolist() == [[0, 1, 2], [0, 0, 0]]
    assert batch.tokens == (("4", "5", "6"), ("", "", "7"))
    assert batch.text == ("4 5 6", "7")


def test_positions_of_roberta_count_from_its_padding_index() -> None:
    net = network(NAMED["RoBERTa"])
    assert isinstance(net.feed, TextFeed)
    assert net.feed.first == 1
    assert net.feed.context == POSITIONS - 1
    assert net.feed(["4 5 6", "7"]).kwargs["position_ids"].tolist() == [[1, 2, 3], [1, 1, 1]]


def test_without_the_position_ids_left_padding_would_be_silently_off() -> None:
    """The trap: GPT-2 with an attention mask alone puts a padded prompt at the wrong positions."""
    net = network(NAMED["GPT-2"])
    batch = net.batch([[3, 4, 5, 6], [7, 8]])
    right = net(batch).logits[1, -1]
    mask_alone = {name: value for name, value in batch.kwargs.items() if name != "position_ids"}
    wrong = net(Batch((), mask_alone, 2)).logits[1, -1]
    alone = net([[7, 8]]).logits[0, -1]
    assert torch.allclose(right, alone, atol=1e-5)
    assert not torch.allclose(wrong, alone, atol=1e-2)


@pytest.mark.parametrize("prompts", [[""], ["1 2", ""], [[]], []])
def test_an_empty_prompt_is_refused(prompts: list) -> None:
    with pytest.raises(ValueError, match=r"an empty prompt.*at least one character"):
        feed()(prompts)


def test_a_prompt_longer_than_the_context_is_refused_with_by_how_much() -> None:
    net = network(NAMED["GPT-2"])
    with pytest.raises(ValueError, match=f"has 50 tokens; this network reads at most {POSITIONS}; shorten it by 2"):
        net([[3] * 50])


def test_prompts_of_different_lengths_need_a_network_that_takes_a_mask() -> None:
    without = TextFeed(Digits(), frozenset({"input_ids"}))
    assert without(["1 2", "3 4"]).positions == 2
    with pytest.raises(ValueError, match="takes no attention_mask; give prompts of one length"):
        without(["1 2", "3"])


def test_tensors_tuples_and_dicts_are_fed_as_they_are() -> None:
    x = torch.randn(3, 2)
    assert tensor_batch(x).args[0] is x
    assert tensor_batch((x, x)).rows == 3
    assert tensor_batch({"x": x, "flag": True}).kwargs == {"x": x, "flag": True}
    with pytest.raises(TypeError, match="cannot feed a str"):
        wrap(nn.Linear(2, 2))("text")
    with pytest.raises(ValueError, match="no tensor with a batch axis"):
        tensor_batch({"flag": True})


def test_rows_are_taken_from_everything_that_has_the_batch_axis() -> None:
    batch = feed()(["4 5 6", "7"]).take(torch.tensor([1, 1, 0]))
    assert batch.ids is not None
    assert batch.ids[:, -1].tolist() == [7, 7, 6]
    assert batch.text == ("7", "7", "4 5 6")
    assert batch.rows == 3


def test_ids_alone_give_what_the_module_gives() -> None:
    net, ids = network(NAMED["Llama"]), inputs(NAMED["Llama"])
    with torch.no_grad():
        assert torch.equal(net(ids).logits, module("Llama")(input_ids=ids).logits)


def test_a_tokenizer_without_a_token_for_unknown_words_says_which_text_it_cannot_read() -> None:
    import tokenizers
    from tokenizers import models, pre_tokenizers

    inner = tokenizers.Tokenizer(models.WordLevel({"left": 0, "right": 1}))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert Wrapped(inner).encode("right left") == [1, 0]
    with pytest.raises(ValueError, match=r"no token for a word of 'left up'.*give words that it has"):
        Wrapped(inner).encode("left up")
