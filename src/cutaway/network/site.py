"""Addresses: which tensor of a forward pass, and which part of it.

`z.9[head=6]`, `mlp_act.3[neuron=17]`, `resid_post.4[pos=-1]`, `path.encoder.stages.1:out[channel=3]`. The names of the
points follow Neuronpedia's interp-engine; TransformerLens' hook names are read as aliases. A `Site` is a name; the
`Port` is the place in one module where its tensor passes by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from torch import Tensor

POINTS = {
    "embed": "what the first block reads: token plus position embeddings",
    "resid_pre": "residual stream before the block",
    "attn_in": "input of the attention module (after the norm, where there is one)",
    "q": "queries per head, as the attention product gets them (after rotary positions where the family has them)",
    "k": "keys per key-value head",
    "v": "values per key-value head",
    "z": "output of each head before the output projection",
    "cross_q": "queries of cross-attention",
    "cross_k": "keys of cross-attention",
    "cross_v": "values of cross-attention",
    "cross_z": "output of each cross-attention head before the output projection",
    "cross_attn_in": "input of the cross-attention module",
    "cross_out": "raw output of the cross-attention module",
    "cross_out_post": "what cross-attention adds to the residual stream",
    "mixer_out": "raw output of a mixer of positions that is not attention (state space, recurrent)",
    "mixer_out_post": "what such a mixer adds to the residual stream",
    "attn_out": "raw output of the attention module",
    "attn_out_post": "what attention adds to the residual stream (after a post-norm, where there is one)",
    "resid_mid": "residual stream between attention and MLP (read only)",
    "mlp_in": "input of the MLP",
    "mlp_pre": "neurons before the nonlinearity",
    "mlp_act": "neurons: the input of the MLP's last matrix",
    "experts": "routing weight of each expert",
    "mlp_out": "raw output of the MLP",
    "mlp_out_post": "what the MLP adds to the residual stream",
    "resid_post": "residual stream after the block",
    "final_norm": "residual stream after the last norm",
    "logits": "output of the unembedding",
}
WHOLE = ("embed", "final_norm", "logits")  # points that belong to no block

TRANSFORMER_LENS = {
    "hook_resid_pre": "resid_pre",
    "hook_resid_mid": "resid_mid",
    "hook_resid_post": "resid_post",
    "hook_attn_in": "attn_in",
    "attn.hook_in": "attn_in",
    "attn.hook_v": "v",
    "attn.hook_rot_q": "q",
    "attn.hook_rot_k": "k",
    "attn.hook_z": "z",
    "attn.hook_out": "attn_out",
    "hook_attn_out": "attn_out_post",
    "mlp.hook_in": "mlp_in",
    "mlp.hook_pre": "mlp_pre",
    "mlp.hook_post": "mlp_act",
    "mlp.hook_out": "mlp_out",
    "hook_mlp_out": "mlp_out_post",
}

# What a selector may pick, and the axis of the tensor that it picks from.
AXIS_OF = {"pos": "position", "head": "head", "neuron": "neuron", "channel": "channel", "expert": "expert"}
SAME_AXIS = {
    "neuron": ("channel",),
    "channel": ("neuron", "width"),
}  # a channel of the stream, a neuron of a plain Linear
_SELECT = re.compile(r"^(?P<stem>[^\[\]]+?)(?:\[(?P<select>[^\[\]]*)\])?$")
_LENS = re.compile(r"^blocks\.(?P<layer>\d+)\.(?P<hook>.+)$")
Index = int | tuple[int | None, int | None]  # one, or from start to stop


class AddressError(ValueError):
    """An address that cannot be read, or that names nothing in this network."""


@dataclass(frozen=True)
class Site:
    """One tensor of the forward pass (`point` of a `layer`, or `side` of the module at `path`) and the part `select`ed.

    >>> str(Site.parse("blocks.9.attn.hook_z[head=6]"))
    'z.9[head=6]'
    """

    point: str
    layer: int | None = None
    path: str | None = None
    side: Literal["in", "out"] = "out"
    select: tuple[tuple[str, Index], ...] = ()

    @staticmethod
    def parse(address: str | Site) -> Site:
        """Reads an address. Raises `AddressError` that says what was expected."""
        return address if isinstance(address, Site) else _parsed(address)

    @staticmethod
    def maybe(name: str) -> Site | None:
        """The site that an address names; None for a name that is no address."""
        try:
            return _parsed(name)
        except AddressError:
            return None

    def at(self, **select: Index | slice) -> Site:
        """The same tensor, with these selectors added: `site.at(head=3)`, `site.at(neuron=slice(0, 5))`."""
        merged = dict(self.select) | {n: (i.start, i.stop) if isinstance(i, slice) else i for n, i in select.items()}
        return replace(self, select=tuple(sorted(merged.items(), key=lambda item: item[0])))

    @property
    def whole(self) -> Site:
        """The same tensor, nothing selected."""
        return replace(self, select=())

    def __str__(self) -> str:
        return _shown(self)


@cache
def _shown(site: Site) -> str:
    if site.path is not None:
        stem = f"path.{site.path}:{site.side}"
    else:
        stem = site.point if site.layer is None else f"{site.point}.{site.layer}"
    inside = ",".join(f"{name}={_show(index)}" for name, index in site.select)
    return f"{stem}[{inside}]" if inside else stem


@cache
def _parsed(address: str) -> Site:
    match = _SELECT.match(address.strip())
    if match is None:
        raise AddressError(f"cannot read the address {address!r}; expected POINT.LAYER[head=…], e.g. z.9[head=6]")
    select = _selectors(match["select"], address)
    return replace(_stem(match["stem"], address), select=select)


def _stem(stem: str, address: str) -> Site:
    if stem.startswith("path."):
        path, _, side = stem.removeprefix("path.").partition(":")
        if side not in ("", "in", "out") or not path:
            raise AddressError(f"cannot read {address!r}; expected path.MODULE:in or path.MODULE:out")
        return Site("path", path=path, side="in" if side == "in" else "out")
    lens = _LENS.match(stem)
    if lens is not None:
        if lens["hook"] in ("attn.hook_q", "attn.hook_k"):
            name = lens["hook"][-1]
            raise AddressError(
                f"{address!r} is before rotary positions in TransformerLens; {name}.{lens['layer']} is what the attention "
                f"product gets, after them where the family has them: write that, or hook_rot_{name}"
            )
        if lens["hook"] not in TRANSFORMER_LENS:
            raise AddressError(f"{address!r} looks like TransformerLens, but {lens['hook']!r} is not a hook known here")
        return Site(TRANSFORMER_LENS[lens["hook"]], int(lens["layer"]))
    point, _, layer = stem.partition(".")
    if point not in POINTS:
        raise AddressError(f"{address!r} names no point; expected one of {', '.join(POINTS)}, or path.MODULE:out")
    if point in WHOLE:
        if layer:
            raise AddressError(f"{address!r}: {point} belongs to no block; write {point}")
        return Site(point)
    if not layer.isdigit():
        raise AddressError(f"{address!r} needs a block number, e.g. {point}.0")
    return Site(point, int(layer))


def _selectors(text: str | None, address: str) -> tuple[tuple[str, Index], ...]:
    if not text:
        return ()
    pairs: dict[str, Index] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in AXIS_OF and name != "call":
            raise AddressError(f"{address!r}: unknown selector {name!r}; expected {', '.join(AXIS_OF)} or call")
        if not re.fullmatch(r"-?\d+|(-?\d+)?:(-?\d+)?", value):
            raise AddressError(
                f"{address!r}: {name}={value!r} is not an index; expected {name}=3, {name}=-1 or {name}=2:5"
            )
        if ":" in value:
            start, stop = (int(piece) if piece else None for piece in value.split(":"))
            pairs[name] = (start, stop)
        else:
            pairs[name] = int(value)
    return tuple(sorted(pairs.items(), key=lambda item: item[0]))


def _show(index: Index) -> str:
    if isinstance(index, tuple):
        return ":".join("" if end is None else str(end) for end in index)
    return str(index)


@dataclass(frozen=True)
class Port:
    """Where a tensor passes by in one module: its `side`, which tensor of several (`index`) and what its axes are.

    `heads` splits the last axis, so that a head is always one index of an axis of its own. `call` picks one call of a
    module that runs several times; None is every call. Axes left empty are told from the tensor: channels are axis 1 of
    tensors with as many axes as `convolution` lists, and the last axis of others; None: it cannot be told for images.
    """

    module: str
    side: Literal["in", "out", "q", "k", "v", "z", "experts"]
    axes: tuple[str, ...] = ("batch", "position", "width")
    index: int = 0
    heads: int | None = None
    call: int | None = None
    convolution: tuple[int, ...] | None = ()
    flat: bool = False  # batch and position are one axis of the raw tensor

    def open(self, x: Tensor, positions: int | None = None) -> Tensor:
        """The raw tensor as its named axes; a view, so that nothing is copied."""
        if self.side in ("q", "k", "v"):
            return x.transpose(1, 2)
        if self.flat and x.ndim == 2 and positions is not None:
            x = x.unflatten(0, (-1, positions))
        return x.unflatten(-1, (self.heads, -1)) if self.split else x

    def close(self, x: Tensor) -> Tensor:
        """The inverse of `open`."""
        if self.side in ("q", "k", "v"):
            return x.transpose(1, 2)
        x = x.flatten(-2) if self.split else x
        return x.flatten(0, 1) if self.flat and x.ndim == 3 else x

    @property
    def split(self) -> bool:
        """Whether the raw tensor holds the heads side by side in its last axis."""
        return self.heads is not None and self.side in ("in", "out")

    def axes_for(self, ndim: int) -> tuple[str, ...]:
        """The names of the axes of a tensor with `ndim` of them."""
        if self.axes:
            return self.axes
        if self.convolution is None and ndim > 3:
            return ("batch", *(f"space{i}" for i in range(ndim - 1)))
        inner = ("position",) if ndim == 3 else tuple(f"space{i}" for i in range(ndim - 2))
        return ("batch", "channel", *inner) if ndim in (self.convolution or ()) else ("batch", *inner, "channel")

    def index_of(self, site: Site, ndim: int) -> tuple[slice, ...]:
        """The index that takes the part that `site` selects, kept as slices so that no axis is lost."""
        axes = self.axes_for(ndim)
        index = [slice(None)] * ndim
        for name, where in site.select:
            if name != "call":
                axis = self.axis(name, axes, site)
                index[axis] = (
                    slice(*where) if isinstance(where, tuple) else slice(where, where + 1 if where != -1 else None)
                )
        return tuple(index)

    def check(self, site: Site, x: Tensor) -> None:
        """Raises `AddressError` when a selector of `site` lies outside `x`, the opened tensor."""
        axes = self.axes_for(x.ndim)
        for name, where in site.select:
            if name == "call":
                continue
            size = x.shape[self.axis(name, axes, site)]
            if isinstance(where, tuple) and not range(size)[slice(*where)]:
                raise AddressError(
                    f"{site}: {name}={_show(where)} picks nothing; this tensor has {size} of them, 0 to {size - 1}"
                )
            if isinstance(where, int) and not -size <= where < size:
                raise AddressError(
                    f"{site}: {name}={where} is outside; this tensor has {size} of them, 0 to {size - 1}"
                )

    @staticmethod
    def axis(name: str, axes: Sequence[str], site: Site) -> int:
        """Which of `axes` the selector `name` picks from. Raises `AddressError` that says what can be picked by."""
        for axis in (AXIS_OF[name], *SAME_AXIS.get(name, ())):
            if axis in axes:
                return axes.index(axis)
        have = [known for known, axis in AXIS_OF.items() if axis in axes]
        raise AddressError(
            f"{site}: this tensor cannot be picked by {name}; it can be by {', '.join(have) or 'nothing'}"
        )
