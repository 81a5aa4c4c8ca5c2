"""Text continued by a network, with edits active."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from cutaway.network.batch import TextFeed
from cutaway.network.edit import Edit
from cutaway.network.metric import logits_of
from cutaway.network.network import Network


def generate(
    net: Network, prompt: str | Sequence[int], tokens: int = 20, edits: Sequence[Edit] = (), stop: str | None = None
) -> str:
    """The greedy continuation of `prompt`, `tokens` long, with `edits` made in every step.

    Every step reads the whole text afresh, with no cache: an edit then acts on earlier positions as it would have from the
    start (a cache filled before the edit would keep stale keys). Position selectors, ranges too, mean positions of the
    prompt: they are resolved once, so `pos=-1` stays its last token and `pos=2:` ends with it. Stops after `stop`.
    """
    if not isinstance(net.feed, TextFeed):
        raise TypeError(
            f"{net.name} was opened without a tokenizer, so it continues no text; open it with feed=tokenizer"
        )
    ids = list(net.feed.tokenizer.encode(prompt)) if isinstance(prompt, str) else list(prompt)
    edits = [_from_the_start(edit, len(ids)) for edit in edits]
    written: list[int] = []
    room = tokens if net.feed.context is None else max(0, min(tokens, net.feed.context - len(ids)))
    for _ in range(room):
        logits = logits_of(net.run(net.feed.batch([ids + written]), edits).output)
        written.append(int(logits[0, -1].argmax()))
        if stop is not None and stop in net.feed.tokenizer.decode(written):
            break
    return net.feed.tokenizer.decode(written)


def _from_the_start(edit: Edit, length: int) -> Edit:
    """Position selectors as absolute positions of the prompt: the text grows, its end moves."""
    pos = dict(edit.site.select).get("pos")
    if isinstance(pos, tuple):
        first, end, _ = slice(*pos).indices(length)
        return replace(edit, site=edit.site.at(pos=(first, end)))
    if isinstance(pos, int) and -length <= pos < 0:
        return replace(edit, site=edit.site.at(pos=length + pos))
    return edit


def probabilities(output: Any, top: int = 10) -> list[list[tuple[int, float]]]:
    """The `top` most probable tokens at the last position and their probabilities, per row."""
    logits = logits_of(output)
    logits = (logits[:, -1] if logits.ndim == 3 else logits).float()
    p, ids = torch.softmax(logits, dim=-1).topk(min(top, logits.shape[-1]))
    return [list(zip(i.tolist(), q.tolist())) for i, q in zip(ids, p)]
