"""Text continued with an edit active: every step is the edited network, and positions count in the prompt."""

import pytest
import torch

from cutaway.network import ZERO, AddressError, Edit, Network, Put, Site, generate, probabilities, wrap

from .zoo import NAMED, POSITIONS, Digits, module, network

PROMPT = "3 14 15 92 65"


def by_hand(net: Network, edit: Edit | None, steps: int) -> str:
    """Greedy continuation with a plain hook on the projection, head 1 zeroed (at one absolute position, if the edit has one)."""
    ids, part = Digits().encode(PROMPT), net.module.get_submodule("transformer.h.0.attn.c_proj")
    pos = None if edit is None else dict(edit.site.select).get("pos")

    def without(_: object, args: tuple) -> tuple:
        x = args[0].clone()
        x[:, slice(None) if pos is None else 3, 8:16] = 0
        return (x,)

    handle = part.register_forward_pre_hook(without) if edit else None
    with torch.no_grad():
        for _ in range(steps):
            ids.append(int(net.module(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    if handle:
        handle.remove()
    return Digits().decode(ids[5:])


@pytest.mark.parametrize(
    "edit", [None, Edit(Site("z", 0).at(head=1), ZERO), Edit(Site("z", 0).at(head=1, pos=-2), ZERO)], ids=str
)
def test_generation_with_an_edit_is_the_loop_by_hand(edit: Edit | None) -> None:
    net = network(NAMED["GPT-2"])
    assert generate(net, PROMPT, 6, [edit] if edit else []) == by_hand(net, edit, 6)


@pytest.mark.parametrize(
    "given, resolved", [((-3, -1), (2, 4)), ((2, None), (2, 5)), ((None, 3), (0, 3)), ((1, 99), (1, 5))]
)
def test_a_range_of_positions_means_the_prompt_however_long_the_text_has_grown(given: tuple, resolved: tuple) -> None:
    net = network(NAMED["GPT-2"])
    away = Put(torch.linspace(-30, 30, 32).view(1, 1, 32))
    written = [
        generate(net, PROMPT, 6, [Edit(Site("resid_post", 0).at(pos=slice(*pos)), away)]) for pos in (given, resolved)
    ]
    assert written[0] == written[1]
    ids = Digits().encode(PROMPT)
    for _ in range(6):
        edit = Edit(Site("resid_post", 0).at(pos=slice(*resolved)), away)
        ids.append(int(net.run([ids], [edit]).output.logits[0, -1].argmax()))
    assert written[0] == Digits().decode(ids[5:])


def test_a_range_outside_the_prompt_is_refused() -> None:
    with pytest.raises(AddressError, match="picks nothing"):
        generate(network(NAMED["GPT-2"]), PROMPT, 6, [Edit(Site("z", 0).at(pos=slice(5, 8)), ZERO)])


def test_an_edit_changes_what_is_written() -> None:
    net = network(NAMED["GPT-2"])
    push = torch.zeros(1, 1, 32)
    push[..., 0] = 100.0
    assert generate(net, PROMPT, 4) != generate(net, PROMPT, 4, [Edit(Site("resid_post", 1), Put(push))])


def test_it_stops_after_a_text_and_at_the_end_of_the_context() -> None:
    net = network(NAMED["GPT-2"])
    written = generate(net, PROMPT, 6).split()
    assert generate(net, PROMPT, 6, stop=written[2]).split() == written[: written.index(written[2]) + 1]
    assert len(generate(net, [3] * (POSITIONS - 2), 10).split()) == 2


def test_without_a_tokenizer_nothing_is_written() -> None:
    with pytest.raises(TypeError, match="opened without a tokenizer"):
        generate(wrap(module("GPT-2")), "1 2 3")


def test_probabilities_are_those_of_the_last_position() -> None:
    net = network(NAMED["GPT-2"])
    output = net([PROMPT])
    (token, p), *_ = probabilities(output, top=3)[0]
    full = output.logits[0, -1].softmax(0)
    assert token == int(full.argmax())
    assert p == pytest.approx(float(full.max()))
