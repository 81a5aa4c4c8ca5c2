"""Where the named tensors of one network are, and why others are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from torch import nn

from cutaway.network.passes import Wiring
from cutaway.network.site import AddressError, Port, Site

HEADED = ("batch", "position", "head", "d_head")
STREAM = ("batch", "position", "width")
NEURONS = ("batch", "position", "neuron")
AXES = {"q": HEADED, "k": HEADED, "v": HEADED, "z": HEADED, "mlp_act": NEURONS, "mlp_pre": NEURONS}
CONTRIBUTIONS = ("mixer_out_post", "attn_out_post", "cross_out_post", "mlp_out_post")
READ_ONLY = {"resid_mid": "attn_out_post.{layer} or resid_pre.{next}"}


@dataclass(frozen=True)
class Proof:
    """One check of the layout: `what` holds in block `layer` up to `error`, relative to the tensor's own size."""

    what: str
    layer: int | None
    error: float
    holds: bool


@dataclass(frozen=True, eq=False)
class Layout:
    """The ports of the named points, `ports[point, layer]`; why others are `missing`; and the proofs.

    `scale[point, layer]` is the factor with which a contribution enters the residual stream (Granite's is not 1).
    `additive` says that every block's change of the stream is the sum of its named contributions.
    """

    ports: Mapping[tuple[str, int | None], Port]
    layers: int = 0
    missing: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[tuple[str, int | None], float] = field(default_factory=dict)
    proofs: tuple[Proof, ...] = ()
    heads: Mapping[int, int] = field(default_factory=dict)
    projections: Mapping[int, str] = field(default_factory=dict)
    width: int | None = None  # channels of the residual stream

    @property
    def additive(self) -> bool:
        """Whether the residual stream is the sum of what was written to it, proved block by block."""
        sums = [proof.holds for proof in self.proofs if proof.what.startswith("resid_post")]
        return bool(sums) and len(sums) == self.layers and all(sums)

    def port(self, site: Site, wiring: Wiring) -> Port:
        """The port of `site`. Raises `AddressError` naming near addresses."""
        call = dict(site.select).get("call")
        call = call if isinstance(call, int) else None
        if site.path is not None:
            if site.path not in wiring.modules:
                near = get_close_matches(site.path, wiring.modules, n=3, cutoff=0.3)
                raise AddressError(f"{site}: no module {site.path!r}; near names: {', '.join(near) or 'none'}")
            return Port(site.path, site.side, (), call=call, convolution=channels_first(wiring, site.path))
        port = self.ports.get((site.point, site.layer))
        if port is not None:
            return replace(port, call=call)
        there = sorted(layer for point, layer in self.ports if point == site.point and layer is not None)
        if site.layer is not None and site.layer >= self.layers > 0:
            raise AddressError(f"{site}: this network has blocks 0 to {self.layers - 1} only")
        if site.point in self.missing:
            where = f"block {site.layer}" if there else "this network"
            raise AddressError(f"{site}: {where} has no {site.point}: {self.missing[site.point]}")
        known = sorted({point for point, _ in self.ports})
        if not known:
            raise AddressError(
                f"{site}: no blocks were found in this network; use module paths, e.g. path.{_first(wiring)}:out"
            )
        if there:
            raise AddressError(f"{site}: {site.point} exists in blocks {', '.join(map(str, there))} only")
        raise AddressError(f"{site}: not found in this network, which has {', '.join(known)}")


def _first(wiring: Wiring) -> str:
    return next((name for name, part in wiring.modules.items() if name and not list(part.children())), "MODULE")


SPATIAL = ("BatchNorm", "MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "InstanceNorm", "GroupNorm")


def channels_first(wiring: Wiring, path: str) -> tuple[int, ...] | None:
    """How many axes a tensor of this module has when its channels are axis 1, as behind a convolution, not the last.

    A module without weights goes by the siblings before it (None if they disagree, as in ConvNeXt, which turns its images
    around between them); a module of several parts by what is inside.
    """
    part = wiring.modules[path]
    if (
        convolves(part)
        or type(part).__name__.startswith(SPATIAL)
        or getattr(part, "data_format", "") == "channels_first"
    ):
        return (3, 4, 5)
    if not list(part.parameters()):
        around, _, name = path.rpartition(".")
        siblings = [child for child, _ in wiring.modules[around].named_children()] if path else []
        before = [f"{around}.{child}".lstrip(".") for child in siblings[: siblings.index(name)]] if path else []
        weighted = [channels_first(wiring, one) for one in before if list(wiring.modules[one].parameters())]
        agree = all(bool(one) == bool(weighted[-1]) for one in weighted)
        return () if not weighted else weighted[-1] if agree else None
    inside = [inner for inner in part.modules() if convolves(inner)]
    if not inside:
        return ()
    mixed = any("2d" in type(inner).__name__ for inner in inside) or any(
        isinstance(inner, nn.Linear) for inner in part.modules()
    )
    return (4, 5) if mixed else (3, 4, 5)


def convolves(part: nn.Module) -> bool:
    """Whether a module is a convolution (GPT-2's Conv1D is not)."""
    return "Conv" in type(part).__name__ and hasattr(part, "kernel_size")
