"""What was found in a network, in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from cutaway.network.batch import Batch, TextFeed
from cutaway.network.layout import Layout
from cutaway.network.site import AddressError

if TYPE_CHECKING:
    from cutaway.network.network import Network


def described(net: Network) -> str:
    """A network as lines: what it is, what it reads, its reference, its blocks; looks for the blocks if need be."""
    lines = [f"{net!r} on {net.device}"]
    if net.source is not None:
        lines.append(f"  from       {net.source}")
    lines += [f"  reads      {_reads(net)}", f"  reference  {_reference(net)}"]
    try:
        lines += _found(net.layout)
    except AddressError:
        lines.append("  blocks     not looked for yet: run it once, or open it with reference=… (a few inputs)")
    return "\n".join(lines)


def _reads(net: Network) -> str:
    known = net.intake
    words = ["text" if isinstance(net.feed, TextFeed) else f"tensors ({', '.join(known.names[:3])})"]
    if known.vocabulary is not None:
        words.append(f"a vocabulary of {known.vocabulary:,} tokens")
    context = net.feed.context if isinstance(net.feed, TextFeed) else known.learned
    if context is not None:
        words.append(f"at most {context:,} positions")
    return ", ".join(words)


def _reference(net: Network) -> str:
    if net.reference is None:
        return "none: effects are shown, states stay undecided"
    rows = _rows(net.reference)
    return "given" if rows is None else f"{rows:,} {'texts' if isinstance(net.feed, TextFeed) else 'inputs'}"


def _rows(reference: Any) -> int | None:
    """How many inputs a reference holds, where that can be told without the feed."""
    if isinstance(reference, Batch):
        return reference.rows
    if hasattr(reference, "keys"):
        return max((len(x) for x in reference.values() if isinstance(x, Tensor) and x.ndim), default=None)
    if isinstance(reference, tuple) and reference and all(isinstance(x, Tensor) for x in reference):
        return len(reference[0])
    if isinstance(reference, str):
        return 1
    return len(reference) if isinstance(reference, Sequence | Tensor) else None


def _found(layout: Layout) -> list[str]:
    if not layout.layers:
        return ["  blocks     none found; its modules can be read by path, e.g. path.NAME:out"]
    heads = sorted(set(layout.heads.values()))
    width = [] if layout.width is None else [f"width {layout.width:,}"]
    several = f"{heads[0]} to {heads[-1]}" if len(heads) > 1 else str(heads[0]) if heads else ""
    blocks = ", ".join([str(layout.layers), *width, *([f"{several} heads"] if heads else [])])
    sums = (
        "every block adds to it what its parts write (proved)" if layout.additive else "not shown to be a sum of parts"
    )
    lines = [f"  blocks     {blocks}", f"  residual   {sums}"]
    lines.append(f"  sites      {', '.join(dict.fromkeys(point for point, _ in layout.ports))}")
    if layout.missing:
        lines.append(f"  missing    {', '.join(layout.missing)}")
    return lines
