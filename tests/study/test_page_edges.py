"""The section of the page that shows edges: a drawing whose lines are the edges, three numbers each, what holds of them."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from tests.study.browser import dom, screenshot
from tests.study.made import EDGES, circuit, edge, linked, small
from tests.study.test_page import HOSTILE, Seen, colours, made

from cutaway.decisions.circuit.circuit import COLUMNS
from cutaway.runs import Table
from cutaway.study.page.layered import Link, layered


def paths(html: str) -> list[dict[str, str]]:
    return [a for tag, a in Seen(html).elements if tag == "path"]


def test_every_edge_is_a_line_as_wide_as_its_effect_in_the_colour_of_its_sign(tmp_path: Path):
    lines = {a["class"]: float(a["stroke-width"]) for a in paths(made(linked(), tmp_path))}
    assert list(sorted(lines, key=lines.__getitem__, reverse=True)) == [
        "edge for used",
        "edge for used-together",
        "edge against undecided",
    ]
    assert len(paths(made(linked(), tmp_path))) == len(EDGES)


def test_the_drawing_names_parts_blocks_and_the_ways_in(tmp_path: Path):
    html = made(linked(), tmp_path)
    drawn = [re.sub("<.*?>", "", found) for found in re.findall(r"<text.*?</text>", html[html.index('id="edges"') :])]
    assert {"embed", "head 3", "mlp", "head 1", "output", "block 0", "block 2", "(block 1)"} <= set(drawn)
    assert drawn.count("k") == 1 and drawn.count("v") == 1  # two edges end in the keys of one head: said once
    text = Seen(html).text
    assert "z.0[head=3] → z.2[head=1]/k: −4.00 [−4.25, −3.75], used together" in text
    assert "Dashed: used together" in text and "Pale: undecided" in text


def test_heads_that_share_keys_are_one_node(tmp_path: Path):
    html = made(linked(edge("embed", "z.1[head=4:8]", "k", -1.0), edge("embed", "attn_out.2", "attn", 2.0)), tmp_path)
    assert ">heads 4–7</text>" in html and ">attention</text>" in html


def test_no_more_than_forty_edges_are_drawn_and_the_page_says_so(tmp_path: Path):
    many = [edge("embed", f"z.0[head={i}]", "v", 1.0 + i) for i in range(60)]
    html = made(linked(*many), tmp_path)
    assert len(paths(html)) == 40
    text = Seen(html).text
    assert "The strongest 40 of 60 edges are drawn." in text and "20 weaker edges" in text
    assert ">head 59</text>" in html and ">head 19</text>" not in html
    assert text.count("z.0[head=0]") > 0  # still in the table


def test_the_numbers_stand_with_their_units(tmp_path: Path):
    text = Seen(made(linked(), tmp_path)).text
    for said in (
        "−6.00 [−6.25, −5.75] 8 10.0% 50.0% used",
        "shares miss the total by 17%",
        "10 forward and 8 backward passes",
        "33 single and 22 joint cuts",
        "100%",
        "104.3% unexplained −4.3% , 1 edge",
        "before the output",
        "Group 0 is redundant: cut one by one they change little, cut together they move it by 75.3% of the total",
        "(−4.50 [−5.00, −4.00] on the other half)",
    ):
        assert said in text, said


def test_the_verdict_is_a_sentence_with_what_speaks_against_it(tmp_path: Path):
    text = Seen(made(linked(), tmp_path)).text
    assert "Explained : these 4 edges are enough; with everything else cut at once the decision moves by 2.1%" in text
    assert "But this check fails: minimal: the weakest edge or group cut." in text
    assert "3 of 20 sets with one edge less pass as well" in text
    assert "moves 2.1% [1.1%, 3.1%] at most 5.0% holds" in text and "moves 0.4% at least 1.0% fails" in text
    assert "3 of 20 with one edge less" in text


def test_what_is_not_explained_says_by_how_much(tmp_path: Path):
    why = "not explained: sufficient: everything else cut still moves the decision by 31.0% of the total"
    text = Seen(made(linked(verdict=why), tmp_path)).text
    assert "Not explained : sufficient: everything else cut still moves the decision by 31.0% of the total." in text
    assert "are enough" not in text and "pass as well" not in text


@pytest.mark.parametrize("layers", [Table({}), circuit().layers])
def test_a_circuit_without_edges_says_so_and_draws_nothing(layers: Table, tmp_path: Path):
    none = Table({name: [] for name in COLUMNS})
    fields = {"groups": Table({}), "power": Table({}), "checks": (), "group_effects": (), "layers": layers}
    html = made(small(edges=none, circuit=circuit(edges=none, verdict="nothing to explain", **fields)), tmp_path)
    assert not paths(html)
    text = Seen(html).text
    assert "Nothing to explain : cutting every edge changes nothing." in text and "No edge is named" in text


def test_edges_without_a_circuit_are_drawn_without_a_verdict(tmp_path: Path):
    rows = [{"from": "embed", "to": "mlp_out.0", "through": "mlp", "knockout": -0.5}]
    html = made(small(edges=Table.of(rows)), tmp_path)
    assert len(paths(html)) == 1 and 'class="sentence verdict"' not in html


def test_effects_that_are_unknown_or_zero_do_not_break_the_drawing(tmp_path: Path):
    rows = (edge("embed", "mlp_out.0", "mlp", float("nan")), edge("mlp_out.0", "output", "out", 0.0, low=None))
    html = made(linked(*rows), tmp_path)
    assert "nan" not in "".join(a["d"] + a["stroke-width"] for a in paths(html))
    assert {a["class"] for a in paths(html)} == {"edge none used"}


def test_names_of_edges_groups_and_checks_cannot_break_out(tmp_path: Path):
    rows = (edge(f"z.0[{HOSTILE}]", HOSTILE, HOSTILE, -1.0, state=HOSTILE), edge(HOSTILE, "output", "out", 1.0))
    group = {"group": 0, "kind": HOSTILE, "parts": [HOSTILE], "edges": [HOSTILE], "together": 0.5}
    power = Table.of([{"wrong set": HOSTILE, "tried": 2, "passed": 1}])
    trace = linked(*rows, groups=Table.of([group]), power=power, verdict=f"not explained: {HOSTILE}")
    seen = Seen(made(trace, tmp_path))
    assert "img" not in {tag for tag, _ in seen.elements}
    assert not [a for _, a in seen.elements if "onerror" in a]
    assert seen.text.count(HOSTILE) >= 6
    assert [tag for tag, _ in seen.elements].count("script") == 2


def test_the_order_of_the_edges_does_not_change_who_stands_above_whom():
    rows = {"a": 0, "b": 1, "c": 2}
    links = [Link("a", "b"), Link("b", "c"), Link("a", "c")]
    for some in (links, links[::-1]):
        assert [row for _, row in layered(rows, some).ways[some.index(Link("a", "c"))]] == [0, 1, 2]


def test_no_two_places_of_a_row_overlap_and_lines_pass_beside_nodes():
    rows = {"in": 0, **{f"n{i}": 1 for i in range(5)}, **{f"m{i}": 2 for i in range(5)}, "out": 3}
    links = [Link("in", f"m{i}") for i in range(5)] + [Link(f"n{i}", "out") for i in range(5)] + [Link("in", "out")]
    found = layered(rows, links)
    for row, name in ((1, "n"), (2, "m")):
        nodes = sorted(found.x[f"{name}{i}"] for i in range(5))
        assert all(b - a >= 66 - 1e-6 for a, b in pairwise(nodes))
        passing = [x for way in found.ways for x, at in way[1:-1] if at == row]
        assert passing and all(abs(x - node) >= 39 - 1e-6 for x in passing for node in nodes)
    assert all(0 <= x <= found.width for way in found.ways for x, _ in way)


# In a browser ---------------------------------------------------------------------------------------------------------


def test_in_a_browser_the_drawing_has_lines_in_both_colours(tmp_path: Path):
    page = tmp_path / "page.html"
    html = made(linked(), tmp_path)
    head, rest = html.split("<main>")
    only = rest[rest.index('<section id="edges">') : rest.index("</section>", rest.index('<section id="edges">'))]
    page.write_text(f"{head}<main>{only}</section></main></body></html>", encoding="utf-8")
    bare = tmp_path / "bare.html"
    bare.write_text(re.sub("<path.*?</path>", "", page.read_text("utf-8")), encoding="utf-8")
    for width in (1200, 420):
        seen, without = (
            colours(screenshot(one, tmp_path / "page.png", width=width, height=800)) for one in (page, bare)
        )
        assert seen.most_common(1)[0][0] == bytes.fromhex("fffef9") and len(seen) > 40
        assert tinted(seen, 2, 0) > tinted(without, 2, 0) + 40  # blue
        assert tinted(seen, 0, 2) > tinted(without, 0, 2)  # orange


def tinted(seen: Counter, more: int, less: int) -> int:
    """How many pixels have clearly more of one channel than of another."""
    return sum(count for colour, count in seen.items() if colour[more] > colour[less] + 60)


def test_in_a_browser_the_page_with_edges_runs_without_a_complaint(tmp_path: Path):
    made(linked(), tmp_path)
    html, console = dom(tmp_path / "page.html")
    assert not console and "<path" in html
