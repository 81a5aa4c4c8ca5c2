"""Finding where a network's named tensors are by watching it run once.

No table of architectures: one probing pass records every module call; the blocks are the module list whose members are
called one after the other; what attention and the MLP add to the residual stream are the two calls of a block whose
outputs explain `resid_post - resid_pre` exactly. A module may declare its own places instead (a `sites` mapping of
templates such as {"z": "blocks.{layer}.attn.out:in"}); declared places pass the same proofs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.network.batch import Batch
from cutaway.network.calls import Call, explain, heads_in, is_matrix, is_norm, mixes_positions, port_of
from cutaway.network.layout import AXES, HEADED, NEURONS, STREAM, Layout
from cutaway.network.passes import Wiring
from cutaway.network.proofs import probe, prove, relative, same_size, tolerance
from cutaway.network.site import WHOLE, AddressError, Port
from cutaway.network.tape import ATTENTION, Tape
from cutaway.network.trees import leaves, result


def declared(wiring: Wiring, sites: Mapping[str, str], tape: Tape) -> Layout:
    """The layout that a module or a user declares: templates with `{layer}`, e.g. {"mlp_out": "blocks.{layer}.mlp:out"}."""
    ports: dict[tuple[str, int | None], Port] = {}
    heads: dict[int, int] = {}
    for point, template in sites.items():
        for layer in [None] if point in WHOLE else range(1000):
            path, _, side = template.format(layer=layer).partition(":")
            if path not in wiring.modules:
                break
            headed = AXES.get(point) is HEADED
            count = heads_in(wiring, path) if headed else None
            if headed and count is None:
                raise AddressError(
                    f"the declared {point} needs a number of heads: give the attention module an attribute `heads`"
                )
            ports[point, layer] = Port(path, "in" if side == "in" else "out", AXES.get(point, STREAM), heads=count)
            if point == "z" and layer is not None and count is not None:
                heads[layer] = count
        if (point, None) not in ports and (point, 0) not in ports:
            raise AddressError(f"the declared place of {point}, {template!r}, names no module of this network")
    for point in ("attn_out", "mlp_out"):
        for (name, layer), port in list(ports.items()):
            if name == point:
                ports.setdefault((f"{point}_post", layer), port)
    layers = 1 + max((layer for _, layer in ports if layer is not None), default=-1)
    projections = {layer: port.module for (point, layer), port in ports.items() if point == "z" and layer is not None}
    layout = Layout(ports, layers, {}, dict.fromkeys(ports, 1.0), (), heads, projections)
    return prove(layout, tape, wiring)


def find(wiring: Wiring, batch: Batch, tape: Tape) -> Layout:
    """The layout of a network that declares none, from the `tape` of a probing pass of `batch`.

    A family whose attention does not go through the interface, or does not give the same output when read through it
    (Falcon asks for its setting by name), is left as it is: `wiring.attention` stays off.
    """
    if wiring.readable:
        wiring.attention = True
        through = probe(wiring, batch)
        seen = any(where[-1][0].endswith(ATTENTION) for where in through.calls)
        wiring.attention = seen and all(torch.equal(a, b) for a, b in zip(leaves(tape.output), leaves(through.output)))
        tape = through if wiring.attention else tape
    calls = [Call(where[-1][0], where, record) for where, record in tape.calls.items()]
    blocks = _blocks(wiring, calls)
    if not blocks:
        return Layout({}, 0, {"resid_post": "no list of blocks with one width was seen running"})
    ports: dict[tuple[str, int | None], Port] = {}
    scale: dict[tuple[str, int | None], float] = {}
    missing: dict[str, str] = {}
    heads: dict[int, int] = {}
    projections: dict[int, str] = {}
    for layer, block in enumerate(blocks):
        inner = [call for call in calls if block.where == call.where[: len(block.where)] and call is not block]
        _Block(wiring, layer, block, inner, ports, scale, missing, heads, projections).search()
    for point in ("attn_out", "mlp_out", "mlp_act", "resid_mid"):
        if not any(known == point for known, _ in ports):
            missing.setdefault(point, "no call inside a block was seen to give it")
    ports["embed", None] = ports["resid_pre", 0]
    _after_blocks(calls, blocks[-1], ports, tape.output)
    return prove(Layout(ports, len(blocks), missing, scale, (), heads, projections), tape, wiring)


def _blocks(wiring: Wiring, calls: list[Call]) -> list[Call]:
    """The members of the outermost, then longest, then last module list whose members each ran once and keep the width."""
    by_name: dict[str, list[Call]] = {}
    for call in calls:
        by_name.setdefault(call.name, []).append(call)
    best: list[Call] = []
    rank = (0, 0)
    for name, part in wiring.modules.items():
        if not isinstance(part, (nn.ModuleList, nn.Sequential)):
            continue
        members = [by_name.get(f"{name}.{child}" if name else child, []) for child, _ in part.named_children()]
        if not members or any(len(one) != 1 for one in members):
            continue
        chain = [one[0] for one in members]
        if all(_keeps_width(one) for one in chain) and any(list(wiring.modules[one.name].children()) for one in chain):
            chain.sort(key=lambda call: call.record.start)
            this = (-sum(chain[0].name.startswith(f"{other}.") for other in _lists(wiring)), len(chain))
            if not best or this >= rank:
                best, rank = chain, this
    return best


def _lists(wiring: Wiring) -> list[str]:
    return [name for name, part in wiring.modules.items() if isinstance(part, nn.ModuleList)]


def _keeps_width(call: Call) -> bool:
    return call.x is not None and call.y is not None and call.x.ndim == 3 and call.x.shape == call.y.shape


@dataclass
class _Block:
    """The search inside one block; fills `ports`, `scale` and `missing` of the whole layout."""

    wiring: Wiring
    layer: int
    block: Call
    inner: list[Call]
    ports: dict[tuple[str, int | None], Port]
    scale: dict[tuple[str, int | None], float]
    missing: dict[str, str]
    heads: dict[int, int]
    projections: dict[int, str]

    def put(self, point: str, port: Port) -> None:
        self.ports[point, self.layer] = port

    def search(self) -> None:
        self.put("resid_pre", Port(self.block.name, "in"))
        self.put("resid_post", Port(self.block.name, "out"))
        products = [call for call in self.inner if call.name.endswith(ATTENTION)]
        self.inner = [call for call in self.inner if call not in products]
        start, end = self.block.x, self.block.y
        assert start is not None and end is not None
        added = explain(end - start, self.candidates(start, self.inner), most=3 if len(products) > 1 else 2)
        for call, kind in zip(products, ("", "cross_")):
            self.attention(call, kind)
        if added is None:
            self.post_norm(start, products)
            return
        stream = start
        for point, (call, factor) in self.name_contributions(
            sorted(added, key=lambda one: one[0].record.end), products
        ):
            self.contribution(point, call, factor)
            if point == "mlp_out":
                self.neurons(call)
                self.between(stream)
            elif point == "attn_out" and not products:
                self.heads_of_own_kind(call)
            if call.y is not None:
                stream = stream + factor * call.y.view_as(stream)
        if not products and ("z", self.layer) not in self.ports:
            self.missing.setdefault(
                "z", "no attention product was seen through Hugging Face's interface, nor a matrix that reads heads"
            )

    def name_contributions(
        self, added: list[tuple[Call, float]], products: list[Call]
    ) -> list[tuple[str, tuple[Call, float]]]:
        """Each contribution in order with its point: attention, cross-attention or another mixer of positions, then the MLP."""
        if len(added) == 1:
            mixes = bool(products) or mixes_positions(self.wiring.modules[added[0][0].name])
            return [(("attn_out" if products else "mixer_out") if mixes else "mlp_out", added[0])]
        first = self.wiring.modules[added[0][0].name]
        names = ["attn_out" if products or not mixes_positions(first) else "mixer_out", "mlp_out"]
        return list(zip(names if len(added) == 2 else ["attn_out", "cross_out", "mlp_out"], added))

    def candidates(self, like: Tensor, calls: list[Call]) -> list[Call]:
        """Calls whose output could be a contribution; of equal tensors the outermost."""
        found: list[Call] = []
        for call in sorted(calls, key=lambda call: call.record.start):
            if call.y is None or call.y.numel() != like.numel() or call.y.shape[-1] != like.shape[-1]:
                continue
            if not any(torch.equal(call.y.view_as(like), one.y.view_as(like)) for one in found if one.y is not None):
                found.append(call)
        return found

    def attention(self, product: Call, kind: str) -> None:
        """q, k, v, z at the attention product (`kind` is "cross_" for cross-attention); the matrix that reads z."""
        part = product.name.removesuffix(ATTENTION)
        for side in ("q", "k", "v", "z"):
            self.put(kind + side, Port(part, side, HEADED))  # type: ignore[arg-type]
        self.put(kind + "attn_in", Port(part, "in"))
        if kind:
            return
        z = result(product.record.output, 0)
        self.heads[self.layer] = z.shape[2]
        flat = z.flatten(-2)
        matrices = [
            c for c in self.inner if c.record.start > product.record.end and is_matrix(self.wiring.modules[c.name])
        ]
        reads = next(
            (
                c
                for c in matrices
                if c.x is not None and c.x.numel() == flat.numel() and torch.equal(c.x.view_as(flat), flat)
            ),
            None,
        )
        if reads is not None:
            self.projections[self.layer] = reads.name

    def heads_of_own_kind(self, contribution: Call) -> None:
        """Families with an attention of their own (Falcon, Bloom, MPT): z is what the last matrix of attention reads."""
        inside = [
            c
            for c in self.inner
            if c.where[: len(contribution.where)] == contribution.where and is_matrix(self.wiring.modules[c.name])
        ]
        last = inside[-1] if inside else None
        count = next((n for n in map(lambda name: heads_in(self.wiring, name), [contribution.name]) if n), None)
        if last is None or count is None or last.x is None or last.x.shape[-1] % count or last.x.ndim != 3:
            return
        self.put("z", Port(last.name, "in", HEADED, heads=count))
        whole = (
            contribution  # Bloom's last matrix is the contribution; its attention reads what the module around it does
        )
        if whole is last:
            around = [c for c in self.inner if c is not last and c.where == last.where[: len(c.where)]]
            whole = max(around, key=lambda c: len(c.where), default=inside[0])
        self.put("attn_in", Port(whole.name, "in"))
        self.heads[self.layer], self.projections[self.layer] = count, last.name
        for point in ("q", "k", "v"):
            self.missing.setdefault(point, "this family's attention does not go through Hugging Face's interface")

    def contribution(self, point: str, call: Call, factor: float) -> None:
        """`point` (raw) and `point`_post (what enters the stream): the same tensor unless a norm stands between."""
        self.put(f"{point}_post", port_of(call))
        self.scale[f"{point}_post", self.layer] = factor
        raw = call
        if is_norm(self.wiring.modules[call.name]) and call.x is not None:
            raw = next(
                (
                    c
                    for c in self.candidates(call.x, self.inner)
                    if c.y is not None and torch.equal(c.y.view_as(call.x), call.x)
                ),
                call,
            )
        self.put(point, port_of(raw))

    def neurons(self, call: Call) -> None:
        """The MLP's input and its neurons: what its last matrix reads."""
        raw = self.ports["mlp_out", self.layer].module
        whole = next(c for c in self.inner if c.name == raw)
        inside = [
            c
            for c in self.inner
            if c.where[: len(whole.where)] == whole.where and is_matrix(self.wiring.modules[c.name])
        ]
        if self.experts(whole):
            return
        if len(inside) == 1 and inside[0] is whole:  # an MLP without a module of its own: two matrices in the block
            earlier = [
                c for c in self.inner if is_matrix(self.wiring.modules[c.name]) and c.record.end < whole.record.start
            ]
            inside = [*earlier[-1:], whole]
        if not inside or whole.y is None:
            self.missing.setdefault("mlp_act", "the MLP's matrices were not seen")
            return
        last = inside[-1]
        flat = last.x is not None and last.x.ndim == 2
        self.put("mlp_in", Port((inside[0] if last is whole else whole).name, "in", flat=flat))
        self.put("mlp_act", Port(last.name, "in", NEURONS, flat=flat))
        width = last.x.shape[-1] if last.x is not None else -1
        before = [c for c in inside[:-1] if c.y is not None and c.y.shape[-1] == width]
        if len(before) == 1:
            self.put("mlp_pre", Port(before[0].name, "out", NEURONS, flat=flat))
        else:
            self.missing.setdefault("mlp_pre", "the MLP is gated: its neurons have two inputs; see mlp_act")

    def experts(self, whole: Call) -> bool:
        """The routing weights, where the experts are one module that is called (hidden, chosen, weights)."""
        for call in self.inner:
            part = self.wiring.modules[call.name]
            count = getattr(part, "num_experts", None)
            if (
                "Experts" in type(part).__name__
                and isinstance(count, int)
                and call.where[: len(whole.where)] == whole.where
            ):
                self.put("experts", Port(call.name, "experts", ("batch", "position", "expert"), heads=count))
                self.put("mlp_in", Port(whole.name, "in"))
                self.missing.setdefault("mlp_act", "the MLP is a mixture of experts; see experts")
                return True
        return False

    def between(self, stream: Tensor) -> None:
        """resid_mid: the first call that reads the stream with attention's contribution added."""
        near = tolerance(stream)
        reads = [
            c
            for c in self.inner
            if c.x is not None and same_size(c.x, stream) and relative(c.x.view_as(stream), stream) < near
        ]
        start = self.block.x
        if start is not None and reads and relative(start, stream) > near:
            first = min(reads, key=lambda c: c.record.start)
            self.put("resid_mid", Port(first.name, "in", flat=first.x is not None and first.x.ndim == 2))
        else:
            self.missing.setdefault(
                "resid_mid", "attention and MLP read the same stream (parallel), or nothing reads it between them"
            )

    def post_norm(self, start: Tensor, products: list[Call]) -> None:
        """Encoders that normalise the sum (BERT): each norm reads the stream plus one contribution."""
        why = "the stream is normalised after each addition, so it is no sum of contributions"
        self.missing.setdefault("attn_out_post", why)
        self.missing.setdefault("mlp_out_post", why)
        names = ["attn_out", "cross_out", "mlp_out"]
        stream, points = start, names if len(products) > 1 else names[::2] if products else names[2:]
        for norm in (c for c in self.inner if is_norm(self.wiring.modules[c.name])):
            if not points or norm.x is None or norm.x.shape != stream.shape:
                continue
            earlier = [c for c in self.inner if c.record.end < norm.record.start]
            one = explain(norm.x - stream, self.candidates(stream, earlier), most=1)
            if one is None or norm.y is None:
                continue
            point = points.pop(0)
            self.put(point, port_of(one[0][0]))
            if point == "mlp_out":
                self.neurons(one[0][0])
            elif points == ["mlp_out"]:
                self.put("resid_mid", Port(norm.name, "out"))
            stream = norm.y
        for point in points:
            self.missing.setdefault(point, "no norm of the block was seen to read the stream plus one contribution")


def _after_blocks(calls: list[Call], last: Call, ports: dict[tuple[str, int | None], Port], output: Any) -> None:
    """The final norm (reads what the last block wrote) and the unembedding (gives what the network gives, per position)."""
    after = [c for c in calls if c.record.start > last.record.end and c.x is not None and c.y is not None]
    assert last.y is not None
    for call in after:
        if call.x is not None and call.x.shape == last.y.shape and torch.equal(call.x, last.y):
            if call.y is not None and call.y.shape == last.y.shape:
                ports["final_norm", None] = Port(call.name, "out")
            break
    heads = [
        c for c in after if c.y is not None and c.y.ndim == 3 and c.x is not None and c.x.shape[-1] == last.y.shape[-1]
    ]
    wide = [c for c in heads if c.y is not None and c.y.shape[-1] != last.y.shape[-1]]
    if wide and any(leaf.shape == wide[-1].y.shape for leaf in leaves(output) if wide[-1].y is not None):
        ports["logits", None] = Port(wide[-1].name, "out", ("batch", "position", "vocab"))
