"""The section of the page that shows edges: a drawing whose lines are the edges, three numbers each, what holds of them."""

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.study.browser import dom, screenshot
from tests.study.made import EDGES, circuit, edge, linked, small
from tests.study.stepped import CARRIED, OTHERS, STABILITY, STEPS, WORDS, reading, step, stepped
from tests.study.test_page import HOSTILE, Seen, colours, made

import cutaway as cw
from cutaway.cli import run
from cutaway.decisions.circuit.circuit import COLUMNS
from cutaway.decisions.show import markdown
from cutaway.runs import Table
from cutaway.study import from_mib
from cutaway.study.page.drawing import drawing
from cutaway.study.page.layered import Link, layered
from cutaway.study.page.picture_of_circuit import picture_of_circuit


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


# steps, names, other stand-ins ----------------------------------------------------------------------------------------


def test_a_step_says_what_it_read_from_where_through_which_way_and_who_reads_it(tmp_path: Path):
    text = Seen(made(stepped(), tmp_path)).text
    assert "block 0 −1 ·= 25% z.0[head=3] looks back embed at 2…4, −1, elsewhere through q and v output −4.00" in text
    assert "input 1 ·= embed z.0[head=3] through q and v −9.00" in text
    assert "output −1 ·= output z.0[head=3] –" in text


def test_steps_without_positions_have_no_column_for_them(tmp_path: Path):
    rows = [{**row, "at": None, "token": None, "read at": [[None] for _ in row["reads"]]} for row in STEPS]
    seen = Seen(made(stepped(rows), tmp_path))
    assert "part read wrote to" in seen.text and "position part" not in seen.text
    assert "Positions count" not in seen.text and "elsewhere" not in seen.text


def test_concepts_have_no_column_before_there_are_any(tmp_path: Path):
    assert "concept" not in made(stepped(), tmp_path).partition('<section id="edges">')[2].lower()


def test_many_steps_show_the_strongest_in_order_and_fold_the_others(tmp_path: Path):
    many = [step(f"z.0[head={i}]", 1, effect=-float(i)) for i in range(260)]
    html = made(stepped(many), tmp_path)
    text = Seen(html).text
    assert "176 weaker steps" in text and "60 more steps are in the circuit" in text
    heads = [int(head) for head in re.findall(r"z\.0\[head=(\d+)\]", html[html.index('class="effects steps"') :])]
    assert heads[:24] == list(range(236, 260)) and 59 not in heads
    assert len(html.encode()) < 400_000


def test_the_shares_of_names_are_one_bar_with_the_candidates_for_a_name(tmp_path: Path):
    seen = Seen(made(stepped(), tmp_path))
    bars = {
        a["class"]: a
        for tag, a in seen.elements
        if tag == "rect" and a.get("class") in ("named", "unnamed", "unexplained")
    }
    wide = {name: float(a["width"].rstrip("%")) for name, a in bars.items()}
    assert wide["named"] == pytest.approx(1.25 * wide["unnamed"], abs=0.1)
    assert wide["unnamed"] == pytest.approx(4 * wide["unexplained"], abs=0.1)
    assert float(bars["unexplained"]["height"]) < float(bars["named"]["height"])  # it takes back what was too much
    assert "named 62.5% [50.0%, 75.0%] 2 edges unnamed 50.0% 3 edges unexplained −12.5%" in seen.text
    assert "Used without a name, strongest first: mlp_out.0 , z.2[head=1]" in seen.text


def test_other_stand_ins_are_told_where_they_differ_and_counted_where_not(tmp_path: Path):
    text = Seen(made(stepped(), tmp_path)).text
    assert "every edge −6.00 −5.00 −30.0" in text
    assert f"mlp_out.0 → z.2[head=1]/k 0 +0.0100 −7.50 {WORDS}" in text
    assert "embed → output" not in text and "1 other no difference" in text
    assert "resampled n = 8 0.930 19 in 20 above 0.850" in text and "rephrased n = 4 0.500" in text


def test_of_many_edges_that_fare_the_same_way_the_strongest_are_told_and_the_rest_counted(tmp_path: Path):
    rows = [{**OTHERS[1], "from": f"z.0[head={i}]", "zero": float(i)} for i in range(12)]
    trace = stepped(others=rows)
    text = Seen(made(trace, tmp_path)).text
    assert text.count(WORDS) == 1 and "z.0[head=11] → z.2[head=1]/k" in text and "8 more" in text
    strongest = "z.0[head=11] → z.2[head=1]/k, z.0[head=10] → z.2[head=1]/k"
    assert f"12 links {WORDS}; strongest {strongest}" in str(trace).splitlines()


def test_a_circuit_from_before_there_were_steps_shows_none(tmp_path: Path):
    text = Seen(made(linked(), tmp_path)).text
    assert "Step by step along" not in text and "has a name" not in text and "other stand-ins" not in text


def test_names_tokens_and_words_in_steps_cannot_break_out(tmp_path: Path):
    rows = [
        step(
            HOSTILE,
            1,
            token=HOSTILE,
            labels=[HOSTILE],
            **reading((HOSTILE, HOSTILE, [2])),
            writes=[HOSTILE],
            into=["k"],
        )
    ]
    tables = {
        "carried": [{**row, "parts": [HOSTILE]} for row in CARRIED],
        "others": [{**row, "from": HOSTILE, "words": HOSTILE} for row in OTHERS],
        "stability": [{**row, "examples": HOSTILE} for row in STABILITY],
    }
    seen = Seen(made(stepped(rows, **tables), tmp_path))
    assert "img" not in {tag for tag, _ in seen.elements}
    assert [tag for tag, _ in seen.elements].count("script") == 2 and seen.text.count(HOSTILE) >= 7


def test_long_names_keep_their_place_in_the_drawing():
    names = ("embed", "mlp_act.0[neuron=128:256]", "an.unusually.long.path.mlp_out.0[feature=12345]", "z.0[head=1]")
    rows = [edge("embed", name, "v", -1.0) for name in names[1:]]
    drawn = drawing(rows, set())
    assert drawn is not None
    labels = {node["part"]: node["label"] for node in drawn["nodes"]}
    assert labels["mlp_act.0[neuron=128:256]"] == "neurons 128–255" and labels[names[2]] == "feature 12345"
    for y in {node["y"] for node in drawn["nodes"]}:
        row = sorted((node["x"], node["wide"]) for node in drawn["nodes"] if node["y"] == y)
        assert all(b - a >= (wide + wider) / 2 for (a, wide), (b, wider) in pairwise(row))
    assert max(node["x"] + node["wide"] / 2 for node in drawn["nodes"]) <= drawn["width"]


# text, Markdown, picture, saved ---------------------------------------------------------------------------------------


def test_the_text_has_the_steps_the_names_and_the_other_stand_ins():
    lines = str(stepped()).splitlines()
    (line,) = [line for line in lines if "looks back" in line]
    assert " ".join(line.split()) == "-1 ' =' 25% z.0[head=3], “looks back” -4 embed@2…4,-1,elsewhere (q v) output"
    assert "named: 62% [50%, 75%]" in lines and "used without a name: mlp_out.0, z.2[head=1]" in lines
    assert any(WORDS in line for line in lines) and "1 link alike under all of them" in lines
    assert any(line.split() == ["resampled", "8", "0.93", "0.85", "60"] for line in lines)


def test_only_the_strongest_steps_are_printed_in_the_order_of_the_network():
    many = [step(f"z.0[head={i}]", 1, effect=-float(i)) for i in range(50)]
    text = str(stepped([*many, STEPS[-1]]))
    shown = [int(head) for head in re.findall(r"z\.0\[head=(\d+)\] +-", text)]
    assert shown == list(range(37, 50)) and "… 37 weaker steps in .circuit.steps" in text


def test_markdown_has_the_same_pieces_as_headings_lists_and_tables():
    text = markdown(stepped())
    assert text.startswith("# Tiny: 'x = 1' → '1' rather than '2'\n")
    assert "\n## The steps in order" in text and "\n| at | token | part | effect | read | wrote to |\n" in text
    assert "\n- used without a name: mlp\\_out.0, z.2\\[head=1\\]" in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.count("|") >= 4


def test_nothing_in_a_trace_becomes_markup_in_markdown():
    hostile = "<img src=x onerror=alert(1)> [a](javascript:b) `c`\n# d | e"
    text = markdown(replace(stepped([step(hostile, 1, labels=[hostile])]), network=hostile, notes=(hostile,)))
    assert "<img" not in text.replace("\\<img", "") and not re.search(r"^# d", text, re.M)
    assert "[a](" not in text.replace("\\[a\\](", "")


def test_the_picture_of_a_circuit_is_one_image_of_its_strongest_edges(tmp_path: Path):
    many = [edge("embed", f"z.0[head={i}]", "v", 1.0 + i) for i in range(30)]
    made_of = replace(linked(*many), network=HOSTILE)
    svg = picture_of_circuit(made_of, tmp_path / "c.svg", most=10).read_text("utf-8")
    assert svg.count("<path") == 10 and "the strongest 10 of 30 edges" in svg
    assert "<script" not in svg and "onerror" not in re.sub(r"&lt;.*?&gt;", "", svg)
    ElementTree.fromstring(svg)  # well-formed
    with pytest.raises(ValueError, match="edges=True"):
        picture_of_circuit(small(), tmp_path / "none.svg")


def test_the_command_line_prints_markdown_and_draws_the_circuit(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    svg = tmp_path / "c.svg"
    asked = ["organism:quote", "ant cat ' ant bee", "--answer", " '", "--instead", ' "', "--nulls", "0", "--draws", "4"]
    graph, mib = tmp_path / "links.json", tmp_path / "mib.json"
    more = ["--rephrased", "cat ant ' bee cat", "--format", "md", "--picture", str(svg)]
    more += ["--graph", str(graph), "--mib", str(mib)]
    assert not run(["trace", *asked, "--edges", *more])
    out = capsys.readouterr().out
    assert (
        out.startswith("# ")
        and "\n## The steps in order" in out
        and f"picture: {svg}" in out
        and "| rephrased |" in out
    )
    assert "<path" in svg.read_text("utf-8")
    assert json.loads(graph.read_text("utf-8"))["links"] and from_mib(json.loads(mib.read_text("utf-8")))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rephrased", "cat ant ' bee ant"], "expected --edges with them"),
        (["--mib", "links.json"], "expected --edges with them"),
        (["--adversary", "80"], "expected --edges with them"),
        (["--edges", "--counterfactual", 'ant cat " ant bee', "--rephrased", "cat"], "a prompt and its counterfactual"),
    ],
)
def test_what_is_asked_of_links_amiss_is_said_before_anything_runs(options, said, capsys: pytest.CaptureFixture[str]):
    assert run(["trace", "organism:quote", "ant cat ' ant bee", "--answer", " '", "--instead", ' "', *options])
    assert said in capsys.readouterr().err


def test_a_saved_circuit_comes_back_with_its_steps(tmp_path: Path):
    trace = stepped()
    cw.save(trace, tmp_path / "run")
    assert cw.load(tmp_path / "run") == trace


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
    made(stepped(), tmp_path)
    html, console = dom(tmp_path / "page.html")
    assert not console and "<path" in html
