"""A large circuit at a glance: its nodes as dots in columns, its weights as thin lines, without words.

Columns and colours are those of `picture`. Beside the picture of a small circuit it says how much there is to read, and no more.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import escape

from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.reading.columns import columns
from cutaway.dial.reading.graph import Node, graph_of
from cutaway.dial.reading.picture import NAMES, TOP, WIDE, step_of, steps_of
from cutaway.dial.transformer import SparseTransformer

HIGH = 460
"""Pixels below the headings."""
DOT = 2.6
THIN, THICK = 0.4, 2.2

Place = tuple[float, float]


def sketch(circuit: TaskCircuit, network: SparseTransformer) -> str:
    """The drawing, as SVG that a page with `picture.STYLE` may hold."""
    graph = graph_of(circuit, network)
    steps = steps_of(graph)
    column: dict[Hashable, int] = {node: steps.index(step_of(node)) for node in graph.nodes}
    pairs = [*((edge.start, edge.end) for edge in graph.edges), *graph.joined]
    order = {node: y for node, y in columns(column, pairs, 1.0).y.items() if isinstance(node, Node)}
    place = _places(column, order, WIDE / max(1, len(steps)))
    largest: dict[str, float] = {}
    for edge in graph.edges:
        largest[edge.matrix] = max(largest.get(edge.matrix, 0.0), abs(edge.weight))
    grey = [f'<path class="joined thin" d="{_curve(place[one], place[other])}"/>' for one, other in graph.joined]
    lines = [
        f'<path class="edge {"for" if edge.weight > 0 else "against"} thin" '
        f'stroke-width="{THIN + (THICK - THIN) * abs(edge.weight) / (largest[edge.matrix] or 1.0):.1f}" '
        f'd="{_curve(place[edge.start], place[edge.end])}"/>'
        for edge in graph.edges
    ]
    dots = [
        f'<circle class="dot" cx="{x:.0f}" cy="{y:.1f}" r="{DOT}"><title>{escape(node.address)}</title></circle>'
        for node, (x, y) in place.items()
    ]
    heads = [_heading(at, layer, site, WIDE / len(steps)) for at, (layer, site) in enumerate(steps)]
    return (
        f'<svg role="img" width="{WIDE}" height="{TOP + HIGH}" viewBox="0 0 {WIDE} {TOP + HIGH}">'
        f"{''.join([*heads, *grey, *lines, *dots])}</svg>"
    )


def _places(column: Mapping[Hashable, int], order: Mapping[Node, float], step: float) -> dict[Node, Place]:
    """Every column evenly over the height."""
    stacks: dict[int, list[Node]] = {}
    for node in sorted(order, key=lambda node: order[node]):
        stacks.setdefault(column[node], []).append(node)
    return {
        node: ((at + 0.5) * step, TOP + HIGH * (rank + 0.5) / len(stack))
        for at, stack in stacks.items()
        for rank, node in enumerate(stack)
    }


def _curve(start: Place, end: Place) -> str:
    (x, y), (to, down) = start, end
    middle = (x + to) / 2
    return f"M{x:.0f},{y:.1f} C{middle:.0f},{y:.1f} {middle:.0f},{down:.1f} {to:.0f},{down:.1f}"


def _heading(at: int, layer: int, site: str, step: float) -> str:
    x = (at + 0.5) * step
    return "".join(
        f'<text class="head" x="{x:.0f}" y="{y}" text-anchor="middle">{words}</text>'
        for words, y in ((NAMES[site], 16), (f"layer {layer}", 31))
    )
