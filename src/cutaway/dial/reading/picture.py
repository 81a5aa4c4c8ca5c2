"""A circuit as a wiring picture: a page of HTML with one SVG drawing in it and nothing from elsewhere.

Nodes stand in columns in the order of computation, tokens on the left, the answer on the right. A weight is a line, blue where
it is positive and orange and dashed where it is negative, the wider the larger it is beside those of its matrix. Thin grey lines
have no weight of the circuit: they join what writes to a channel with what reads it, and a head's queries and keys with its values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.reading.columns import apart, columns
from cutaway.dial.reading.graph import WRITES, Edge, Graph, Node, graph_of
from cutaway.dial.reading.table import Named, NodeRow, Table
from cutaway.dial.transformer import SparseTransformer

WIDE = 1160
"""Pixels that a drawing takes: what fits a window of 1,200."""
NARROWEST, HIGH, GAP, TOP = 105, 58, 20, 46
"""Pixels from one column to the next at least; of a node; between two nodes; of the heading."""
INNER = 0.7
"""The part of a column that a node takes."""
THIN, THICK = 1.4, 6.5
LETTER = 6.7
"""Pixels of a letter of a label."""
LINE = 12.0
"""Pixels from one label to the next below."""
BENT = 0.25
"""The part of its rise at which a line has its label."""
PLACED = 0.5
"""The share of a node's variance from which on it says where a token stands rather than which one."""
OUTPUT = "output"
NAMES = {
    "attn_in": "attention reads",
    "q": "queries, keys",
    "k": "queries, keys",
    "v": "values",
    "attn_out": "attention writes",
}
NAMES |= {"mlp_in": "MLP reads", "mlp_act": "neurons", "mlp_out": "MLP writes"}
SHORT = {
    "attn_in": "reads",
    "mlp_in": "reads",
    "attn_out": "writes",
    "mlp_out": "writes",
    "mlp_act": "neuron",
    "v": "value",
}
SHORT |= {"q": "query", "k": "key"}
COLOURS = (
    "Blue: a positive weight; orange, dashed: a negative one; the wider the larger beside the others of its matrix. Grey: no "
    "weight of the circuit."
)
WORDS = "▲ tokens at which a node is highest, ▼ lowest; of a key, where it is attended to more, less. ␣ is a space, ␣4 are four."
STYLE = """
:root{--paper:#fffef9;--ink:#1d1d1b;--soft:#6b6a64;--rule:#cfcbbd;--panel:#f6f4ec;--for:#1f6fb2;--against:#c25a00}
@media (prefers-color-scheme:dark){:root{--paper:#16171a;--ink:#e9e7e0;--soft:#9d9b93;--rule:#4a4b52;--panel:#1f2025;
--for:#62b0ee;--against:#f0964a}}
body{margin:0;padding:18px 20px;background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,"Segoe UI",sans-serif}
h1{font-size:20px;font-weight:600;margin:0 0 2px}p{margin:0 0 12px;color:var(--soft);max-width:110ch}
.wiring{overflow-x:auto}svg{display:block}text{font-size:12px;fill:var(--ink)}.head{fill:var(--soft)}.word{font-size:11px;fill:var(--soft)}
.word,.in{font-family:ui-monospace,"DejaVu Sans Mono",monospace}.in{font-size:11px}
.box{fill:var(--panel);stroke:var(--rule)}.joined{stroke:var(--rule);stroke-width:1.2;fill:none}
.edge{fill:none;stroke-opacity:.8}.for{stroke:var(--for)}.against{stroke:var(--against);stroke-dasharray:7 4}
.weight{font-size:11px;paint-order:stroke;stroke:var(--paper);stroke-width:6px;stroke-linejoin:round}
.up{fill:var(--for)}.down{fill:var(--against)}
"""

Place = tuple[float, float]
Key = Node | str


@dataclass(frozen=True)
class Box:
    """A node as drawn: its column, its title and lines of words with their classes."""

    column: int
    title: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]
    about: str


def picture(circuit: TaskCircuit, network: SparseTransformer, table: Table) -> str:
    """The page of a circuit and its table, as text."""
    edges, nodes = circuit.size
    about = f"{edges} edges between {nodes} nodes; loss {table.loss:.3f} nats alone. {COLOURS} {WORDS}"
    title = escape(table.task)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f'<h1>{title}</h1><p>{escape(about)}</p><div class="wiring">{drawing(circuit, network, table)}</div></html>\n'
    )


def drawing(circuit: TaskCircuit, network: SparseTransformer, table: Table) -> str:
    """The picture alone, as SVG that a page with STYLE may hold."""
    return _drawing(graph_of(circuit, network), {row.address: row for row in table.nodes}, _answer(table))


def _drawing(graph: Graph, rows: Mapping[str, NodeRow], answer: Box) -> str:
    steps = steps_of(graph)
    boxes: dict[Key, Box] = {node: _box(steps, node, rows[node.address]) for node in graph.nodes}
    boxes[OUTPUT] = replace(answer, column=len(steps))
    joins = [*graph.joined, *((node, OUTPUT) for node in graph.nodes if node.site in WRITES and _ends(graph, node))]
    pairs = [*((edge.start, edge.end) for edge in graph.edges), *joins]
    layout = columns({key: box.column for key, box in boxes.items()}, pairs, float(HIGH + GAP))
    step = max(NARROWEST, WIDE / (len(steps) + 1))
    width, height, half = step * (len(steps) + 1), TOP + layout.height, INNER * step / 2
    places = {key: ((box.column + 0.5) * step, TOP + layout.y[key]) for key, box in boxes.items()}
    points = [_points(places[start], places[end], way, step, half) for (start, end), way in zip(pairs, layout.ways)]
    heads = [
        f'<text class="head" x="{(at + 0.5) * step:.0f}" y="16" text-anchor="middle">{NAMES[site]}'
        f'</text><text class="head" x="{(at + 0.5) * step:.0f}" y="31" text-anchor="middle">layer {layer}</text>'
        for at, (layer, site) in enumerate(steps)
    ]
    grey = [f'<path class="joined" d="{_curve(way)}"/>' for way in points[len(graph.edges) :]]
    lines = [_line(edge, graph, way) for edge, way in zip(graph.edges, points)]
    labels = [_weight(edge, spot) for edge, spot in zip(graph.edges, _spots(points[: len(graph.edges)]))]
    nodes = [_node(box, places[key], half) for key, box in boxes.items()]
    return (
        f'<svg role="img" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
        f"{''.join([*heads, *grey, *lines, *nodes, *labels])}</svg>"
    )


def steps_of(graph: Graph) -> list[tuple[int, str]]:
    """The layers and sites that have nodes; queries and keys share a column, before the values."""
    return sorted({step_of(node) for node in graph.nodes}, key=lambda each: (each[0], list(NAMES).index(each[1])))


def step_of(node: Node) -> tuple[int, str]:
    """The layer and the site in whose column a node stands."""
    return node.layer, "q" if node.site == "k" else node.site


def _ends(graph: Graph, node: Node) -> bool:
    """Whether nothing in the circuit reads what a node writes: it is for the answer."""
    return all(start != node for start, _ in graph.joined)


def _box(steps: Sequence[tuple[int, str]], node: Node, row: NodeRow) -> Box:
    lines = (
        (("word in", ("by", "place")),)
        if row.by_place > PLACED and row.by_place > row.by_token
        else _driven(row.high, row.low)
    )
    return Box(steps.index(step_of(node)), f"{SHORT[node.site]} {node.index}", lines, str(row))


def _driven(high: Named, low: Named) -> tuple[tuple[str, tuple[str, ...]], ...]:
    lines = (("up in", "▲", high), ("down in", "▼", low))
    return tuple((side, (mark, *(_shown(text) for text, _ in named))) for side, mark, named in lines if named)


def _answer(table: Table) -> Box:
    """The answer, with the tokens that the writer raises and lowers which pushes most."""
    writers = [row for row in table.nodes if row.address.startswith(WRITES) and row.raises]
    last = max(writers, key=lambda row: abs(row.pushes), default=None)
    return Box(0, OUTPUT, _driven(last.raises, last.lowers), str(last)) if last else Box(0, OUTPUT, (), "")


def _shown(text: str) -> str:
    """A token with its spaces, which a page would drop: ␣, or ␣4 for four."""
    return re.sub(" +", lambda spaces: f"␣{len(spaces[0])}" if len(spaces[0]) > 1 else "␣", repr(text)[1:-1])


def _points(start: Place, end: Place, way: Sequence[float], step: float, half: float) -> list[Place]:
    """From the right side of one box to the left side of another, straight past the columns between."""
    (x, y), (to, down) = start, end
    passed = [(x + at * step + side, TOP + high) for at, high in enumerate(way, 1) for side in (-half, half)]
    return [(x + half, y), *passed, (to - half, down)]


def _curve(points: Sequence[Place]) -> str:
    """Through the points, level at each."""
    (x, y), *rest = points
    said, before = f"M{x:.0f},{y:.0f}", x
    for to, down in rest:
        middle = (before + to) / 2
        said += f" C{middle:.0f},{y:.0f} {middle:.0f},{down:.0f} {to:.0f},{down:.0f}"
        before, y = to, down
    return said


def _line(edge: Edge, graph: Graph, points: Sequence[Place]) -> str:
    largest = max(abs(other.weight) for other in graph.edges if other.matrix == edge.matrix)
    wide = THIN + (THICK - THIN) * (abs(edge.weight) / largest if largest else 0.0)
    side = "for" if edge.weight > 0 else "against"
    said = f"<title>{escape(_said(edge))}</title>"
    return f'<path class="edge {side}" stroke-width="{wide:.1f}" d="{_curve(points)}">{said}</path>'


def _spots(ways: Sequence[Sequence[Place]]) -> list[Place]:
    """For each line where its label goes: where it has left its box and lines that cross it are apart, and no other label is."""
    heights = [y + BENT * (down - y) - 4 for (_, y), (_, down), *_ in ways]
    for x in {way[0][0] for way in ways}:
        here = [at for at, way in enumerate(ways) if way[0][0] == x]
        for at, y in zip(here, apart([heights[at] for at in here], LINE)):
            heights[at] = y
    return [(way[0][0] + 4, y) for way, y in zip(ways, heights)]


def _weight(edge: Edge, spot: Place) -> str:
    side = "up" if edge.weight > 0 else "down"
    said = _signed(edge.weight).replace("0.", ".", 1)
    return f'<text class="weight {side}" x="{spot[0]:.0f}" y="{spot[1]:.0f}">{said}</text>'


def _node(box: Box, place: Place, half: float) -> str:
    (x, y), most = place, int((2 * half - 8) / LETTER)
    lines = "".join(
        f'<text class="{side}" x="{x - half + 6:.0f}" y="{y + 4 + 15 * at:.0f}">{escape(_clipped(words, most))}</text>'
        for at, (side, words) in enumerate(box.lines)
    )
    return (
        f'<g><title>{escape(box.about)}</title><rect class="box" x="{x - half:.0f}" y="{y - HIGH / 2:.0f}" '
        f'width="{2 * half:.0f}" height="{HIGH}" rx="5"/><text x="{x - half + 6:.0f}" y="{y - 12:.0f}">{escape(box.title)}</text>'
        f"{lines}</g>"
    )


def _said(edge: Edge) -> str:
    return f"{edge.start} → {edge.end}: {_signed(edge.weight)}"


def _signed(weight: float) -> str:
    return f"{weight:+.2g}".replace("-", "−")


def _clipped(words: Sequence[str], most: int) -> str:
    """The words that fit, as a word that is cut may be taken for another; the first token is cut where nothing else helps."""
    whole = " ".join(words)
    if len(whole) <= most:
        return whole
    few = (" ".join([*words[:count], "…"]) for count in range(len(words) - 1, 1, -1))
    return next((said for said in few if len(said) <= most), f"{whole[: most - 1]}…")
