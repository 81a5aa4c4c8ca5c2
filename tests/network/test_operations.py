"""Operations, counted: a sweep computes what comes after the edit and little else; a read or an edit costs nothing."""

import torch
import transformers as hf
from torch.utils.flop_counter import FlopCounterMode

from cutaway.network import ZERO, Edit, LogitDifference, Network, Site, Variant, gradients, sweep, wrap

from .zoo import Digits

LAYERS, HEADS, WIDTH, VOCAB, ROWS, LENGTH = 6, 4, 256, 96, 8, 16


def gpt2() -> tuple[Network, torch.Tensor, LogitDifference]:
    """A six-layer GPT-2; eager attention, whose products the counter sees."""
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCAB, "n_embd": WIDTH, "n_layer": LAYERS, "n_head": HEADS, "n_positions": 32}
    config = hf.GPT2Config(**sizes, bos_token_id=1, eos_token_id=2, attn_implementation="eager")
    net = wrap(hf.GPT2LMHeadModel(config), feed=Digits())
    ids = torch.randint(0, VOCAB, (ROWS, LENGTH))
    net.locate(net.batch(ids))
    return net, ids, LogitDifference(torch.arange(ROWS), torch.arange(ROWS) + 20)


def heads(**select: int) -> list[Variant]:
    return [
        Variant((Edit(Site("z", layer).at(head=h, **select), ZERO),)) for layer in range(LAYERS) for h in range(HEADS)
    ]


def operations(do) -> int:
    with FlopCounterMode(display=False) as counter:
        do()
    return counter.get_total_flops()


def pieces(queries: int, keys: int) -> dict[str, int]:
    """Multiply-adds ×2 of one row in one block, for `queries` positions that look at `keys` positions."""
    return {
        "read": 2 * queries * WIDTH * 3 * WIDTH,  # queries, keys and values
        "look": 2 * 2 * queries * keys * WIDTH,  # scores, and the values weighed by them
        "write": 2 * queries * WIDTH * WIDTH + 2 * 2 * queries * WIDTH * 4 * WIDTH,  # output projection and MLP
    }


def floor(queries: int, keys: int) -> int:
    """What no exact method that reruns rows can do without: the clean pass, then for each edited head what comes after it.

    That is its own block's output projection and MLP, then the blocks above; in the last block only the last position is
    written, and of the unembedding only the two logits of each row's answer.
    """
    whole, last = pieces(queries, keys), pieces(1, keys)
    clean = LAYERS * sum(pieces(keys, keys).values()) + 2 * keys * WIDTH * VOCAB
    if queries < keys:
        clean += LAYERS * sum(whole.values())  # the clean run of the positions that are computed
    total = 0
    for layer in range(LAYERS):
        after = sum(sum(whole.values()) for _ in range(layer + 1, LAYERS - 1))
        if layer < LAYERS - 1:
            after += whole["write"] + whole["read"] + whole["look"]  # this block's, and what the last block reads
        total += HEADS * (after + last["write"] + 2 * 2 * WIDTH)
    return ROWS * (clean + total)


def test_a_sweep_of_all_heads_computes_little_more_than_what_comes_after_each() -> None:
    net, ids, metric = gpt2()
    counted = operations(lambda: sweep(net, ids, heads(), metric))
    assert floor(LENGTH, LENGTH) <= counted <= 1.15 * floor(LENGTH, LENGTH)


def test_edits_of_the_last_position_compute_little_more_than_that_position() -> None:
    net, ids, metric = gpt2()
    counted = operations(lambda: sweep(net, ids, heads(pos=-1), metric))
    loop = operations(lambda: [net.run(ids, variant.edits) for variant in heads(pos=-1)])
    assert counted <= 1.15 * floor(1, LENGTH)
    assert loop > 11 * counted


def test_reading_and_editing_cost_no_products() -> None:
    net, ids, _ = gpt2()
    plain = operations(lambda: net(ids))
    assert operations(lambda: net.run(ids, read=["z.*", "mlp_act.*", "resid_post.*"])) == plain
    assert operations(lambda: net.run(ids, heads()[3].edits)) == plain


def test_attribution_is_one_forward_and_one_backward() -> None:
    net, ids, metric = gpt2()
    plain = operations(lambda: net(ids))
    assert operations(lambda: gradients(net, ids, ["z.*", "mlp_out.*"], metric)) <= 2 * plain
