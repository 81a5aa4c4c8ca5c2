"""What once went wrong without a word: each is an error now, or right."""

import pytest
import torch
from transformers import GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel

import cutaway as cw
from cutaway.network import ZERO, AddressError, Edit, LogitDifference, Site, Variant, sweep, wrap
from cutaway.network.sweep import Sweeper

TINY = {
    "vocab_size": 50,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 16,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
IDS = torch.randint(3, 50, (4, 6), generator=torch.Generator().manual_seed(0))


def language_model() -> cw.Network:
    torch.manual_seed(0)
    return wrap(GPT2LMHeadModel(GPT2Config(**TINY)), feed=lambda ids: {"input_ids": ids}, reference=IDS)


def test_a_wildcard_keeps_its_selector() -> None:
    net = language_model()
    read = net.read(IDS, "z.*[head=1]")
    assert {name: x.shape[2] for name, x in read.items()} == {"z.0[head=1]": 1, "z.1[head=1]": 1}
    last = net.read(IDS, "resid_post.*[pos=-1]")["resid_post.1[pos=-1]"]
    assert torch.equal(last, net.read(IDS, "resid_post.1")["resid_post.1"][:, -1:])


def test_a_range_that_picks_nothing_is_refused() -> None:
    net = language_model()
    with pytest.raises(AddressError, match=r"head=90:99 picks nothing; this tensor has 2"):
        net.run(IDS, [Edit(Site.parse("z.0[head=90:99]"), ZERO)])


def test_a_sequence_classifier_is_traced_though_its_scores_are_pooled() -> None:
    torch.manual_seed(0)
    module = GPT2ForSequenceClassification(GPT2Config(**TINY, num_labels=3, pad_token_id=0)).eval()
    net = wrap(module, feed=lambda ids: {"input_ids": ids}, reference=IDS)
    trace = cw.trace(net, cw.Decision(IDS[:1], answer=0, instead=2), nulls=0, neurons=0)
    assert len(trace.nodes) == 6
    assert all(abs(row["exact"]) > 0 for row in trace.nodes)


def test_the_memory_error_of_the_cpu_halves_the_stack_too(monkeypatch: pytest.MonkeyPatch) -> None:
    net = language_model()
    variants = [Variant((Edit(Site("z", layer).at(head=head), ZERO),)) for layer in range(2) for head in range(2)]
    metric = LogitDifference(torch.arange(4), torch.arange(4) + 5)
    right = sweep(net, IDS, variants, metric)
    once, real = [], Sweeper._stack_once

    def full(self: Sweeper, members: list[int]) -> None:
        if len(members) > 1 and not once:
            once.append(members)
            raise RuntimeError(
                "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried 1 byte"
            )
        real(self, members)

    monkeypatch.setattr(Sweeper, "_stack_once", full)
    halved = sweep(net, IDS, variants, metric)
    assert once and any("halved" in note for note in halved.notes)
    assert torch.allclose(halved.value, right.value, atol=1e-6)


def test_a_rerun_of_id_tensors_needs_no_reference() -> None:
    torch.manual_seed(0)
    net = cw.open(GPT2LMHeadModel(GPT2Config(**TINY)))
    rerun = cw.without(net, cw.Decision({"input_ids": IDS[:1]}, answer=5, instead=7), "mlp_out.0", baseline="zero")
    assert rerun.receipts[0].fired == 1


def test_three_prompts_keep_the_interval_over_donors() -> None:
    net = cw.open("organism:quote")
    rows = [list(row) for row in net.reference[:3]]
    trace = cw.trace(net, cw.Decision(rows, answer=1, instead=2), nulls=0, neurons=0)
    assert {row["n"] for row in trace.nodes} <= {8, 32}
