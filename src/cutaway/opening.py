"""`cw.open`: a network from a name, a folder, a hub id or a torch module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cutaway.network import Network, OpenError, pretrained, wrap

ORGANISM = "organism:"
SHIPPED = "shipped:"
"""What names of shipped networks of the dial begin with."""


def open(
    what: str | Path | nn.Module,
    feed: Any = None,
    reference: Any = None,
    *,
    sites: Mapping[str, str] | None = None,
    dtype: torch.dtype | None = None,
    device: str | None = None,
) -> Network:
    """Opens a network.

    `what` is a torch module, a Hugging Face folder or hub id, a folder that cutaway wrote, "organism:NAME" (a network
    whose answer is known; "organism:code" is the shipped code model), "shipped:sparse" or "shipped:dense" (the dial's
    pair). `feed` is a tokenizer or a function from your inputs to tensors; `reference` are inputs of the same kind that
    means, donors and nulls are drawn from (text networks get a shipped sample of text and code). `sites` declares places
    that cannot be found by watching the network run.

    Raises `OpenError`, saying what was given, what was expected and what to try.
    """
    from cutaway.organisms.opening import open_organism, sample_texts

    if isinstance(what, str) and what.startswith(ORGANISM):
        if feed is not None or sites is not None:
            raise OpenError("an organism brings its own feed and sites; open it by name alone, or with reference=…")
        net = _moved(open_organism(what.removeprefix(ORGANISM)), dtype, device)
        return net if reference is None else replace(net, reference=reference)
    if isinstance(what, nn.Module):
        if dtype is not None or device is not None:
            raise OpenError("a module is opened as it is; move it yourself first: module.to(device=…, dtype=…)")
        net = wrap(what, feed, reference, sites=sites)
    elif isinstance(what, str | Path):
        shipped = str(what).startswith(SHIPPED)
        ours = (_from_dial if shipped else _from_folder)(str(what), feed, reference, sites)
        net = (
            _moved(ours, dtype, device)
            if ours is not None
            else _from_hugging_face(str(what), feed, reference, sites, dtype, device)
        )
    else:
        raise OpenError(
            f"cannot open a {type(what).__name__}; expected a torch module, a folder, a hub id or 'organism:NAME'"
        )
    if net.reference is None and reads_text(net):
        return replace(net, reference=sample_texts())
    return net


def _moved(net: Network, dtype: torch.dtype | None, device: str | None) -> Network:
    """A small network of ours, in this dtype and on this device."""
    net.module.to(device=None if device == "auto" else device, dtype=dtype)
    return net


def reads_text(net: Network) -> bool:
    """Whether the network's feed is a tokenizer."""
    from cutaway.network import TextFeed

    return isinstance(net.feed, TextFeed)


def _from_folder(name: str, feed: Any, reference: Any, sites: Mapping[str, str] | None) -> Network | None:
    """A folder that `cutaway.training.export.save` or `cutaway.dial.store.save` wrote; None if it is anything else."""
    folder = Path(name).expanduser()
    config = folder / "config.json"
    if not config.is_file():
        return None
    from cutaway.dial.store import is_network
    from cutaway.training.export import FORMAT, load

    if is_network(folder):
        return _from_dial(str(folder), feed, reference, sites)
    if json.loads(config.read_text(encoding="utf-8")).get("format") != FORMAT:
        return None
    module, tokenizer = load(folder)
    return wrap(module, feed or tokenizer, reference, name=folder.name, sites=sites, source=str(folder))


def _from_dial(name: str, feed: Any, reference: Any, sites: Mapping[str, str] | None) -> Network:
    """A network of the dial, shipped or from a folder; one of tiny Python reads no other texts, and brings its own."""
    from cutaway.dial.corpora import texts_of
    from cutaway.dial.shipping import network_named

    try:
        stored = network_named(name)
    except ValueError as error:
        raise OpenError(str(error)) from error
    if reference is None and feed is None:
        reference = texts_of(stored.record.corpus, stored.network.shape.context)
    return wrap(stored.network, feed or stored.tokenizer, reference, name=Path(name).name, sites=sites, source=name)


def _from_hugging_face(
    where: str,
    feed: Any,
    reference: Any,
    sites: Mapping[str, str] | None,
    dtype: torch.dtype | None,
    device: str | None,
) -> Network:
    module, tokenizer = pretrained(where, dtype, device)
    return wrap(
        module, feed if feed is not None else tokenizer, reference, name=Path(where).name, sites=sites, source=where
    )
