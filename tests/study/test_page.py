"""One file that shows a trace, whatever its text holds; without a network, and without a script if need be."""

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from tests.study.browser import dom, screenshot
from tests.study.made import ATTACK, attack, node, pixels, quote, rerun, small

import cutaway as cw
from cutaway.runs import Table
from cutaway.study import picture

LOADED = {"src", "srcset", "data", "poster", "action", "formaction", "background"}


class Seen(HTMLParser):
    """What an HTML parser makes of a page: elements with their attributes, and the text outside style and script."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside += [tag] if tag in ("style", "script") else []

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def made(value, tmp_path: Path) -> str:
    return cw.page(value, tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_page_of_the_code_model_is_small(tmp_path: Path):
    assert len(made(quote(), tmp_path).encode()) <= 300_000


@pytest.mark.parametrize("value", [quote, attack, rerun, pixels], ids=lambda value: value.__name__)
def test_the_page_loads_nothing(value, tmp_path: Path):
    html = made(value(), tmp_path)
    seen = Seen(html)
    assert not [(tag, a) for tag, a in seen.elements if LOADED & a.keys()]
    links = [a["href"] for _, a in seen.elements if "href" in a]
    assert links and all(link.startswith(("#", "data:,")) for link in links)
    assert not re.search(r"https?://|@import|url\(", html)


def test_only_the_scripts_of_the_package_may_run(tmp_path: Path):
    seen = Seen(made(attack(), tmp_path))
    scripts = [a.get("type", "code") for tag, a in seen.elements if tag == "script"]
    assert scripts == ["application/json", "code"]
    policy = next(a["content"] for tag, a in seen.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert not [a for _, a in seen.elements if any(name.startswith("on") for name in a)]


def test_a_prompt_that_looks_like_html_is_shown_as_text(tmp_path: Path):
    html = made(attack(), tmp_path)
    assert "<script>alert" not in html
    assert ATTACK in Seen(html).text


HOSTILE = '"><img src=x onerror=alert(1)></script><!--'


def test_names_tokens_and_notes_cannot_break_out(tmp_path: Path):
    trace = small(
        node(f"z.0[{HOSTILE}]", -2.0, token=HOSTILE, labels=[HOSTILE]),
        network=HOSTILE,
        notes=(HOSTILE,),
        baseline=HOSTILE,
        tokens=(HOSTILE, " =", "1"),
        answers=(HOSTILE,),
        insteads=(HOSTILE,),
        decision=cw.Decision(HOSTILE, answer=HOSTILE, instead=HOSTILE, counterfactual=HOSTILE),
    )
    seen = Seen(made(trace, tmp_path))
    assert "img" not in {tag for tag, _ in seen.elements}
    assert seen.text.count(HOSTILE) >= 6
    assert [tag for tag, _ in seen.elements].count("script") == 2


def test_the_data_in_the_page_is_json_that_holds_the_strengths(tmp_path: Path):
    html = made(small(node("</script><b>", -2.0)), tmp_path)
    text = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert text and json.loads(text[1]) == {"strengths": {"</script><b>": [0.0, -3.0, 0.25]}}


def test_without_a_script_the_tables_and_charts_are_there(tmp_path: Path):
    seen = Seen(made(quote(), tmp_path))
    for row in quote().nodes:
        assert row["part"] in seen.text and row["state"] in seen.text
    assert [tag for tag, _ in seen.elements].count("svg") >= len(quote().nodes) + len(quote().steps)
    for word in ("Step by step", "block 3", "Tokens across", "first order", "Checks", "not shown"):
        assert word in seen.text


def test_the_page_says_the_decision_and_its_figures(tmp_path: Path):
    text = Seen(made(small(), tmp_path)).text
    assert "Which token next: 1 rather than 2 ?" in text
    for said in (
        "+3.00",
        "−3.00",
        "[−6.50, −5.50]",
        "8 donors",
        "0.0600",
        "−25%",
        "80%",
        "random 10%",
        "a note & more",
    ):
        assert said in text, said
    assert "2 of 3 parts were used , 1 undecided" in text


def test_the_page_says_how_to_rerun_without_the_strongest_part(tmp_path: Path):
    text = Seen(made(small(), tmp_path)).text
    assert "cw.without(net, decision, ['z.0[head=1]'])" in text
    assert 'cutaway without NETWORK "x = 1" "z.0[head=1]" --answer 1 --instead 2' in text


def test_edges_are_shown_only_where_there_are_any(tmp_path: Path):
    assert 'id="edges"' not in made(small(), tmp_path)
    edges = Table.of([{"from": "z.0[head=1]", "to": "mlp_out.0", "through": "mlp", "knockout": -0.5}])
    html = made(small(edges=edges), tmp_path)
    assert 'id="edges"' in html and "knockout" in html and "−0.500" in html


def test_every_part_of_the_effects_table_can_be_linked_to(tmp_path: Path):
    seen = Seen(made(quote(), tmp_path))
    targets = {a["id"] for _, a in seen.elements if "id" in a}
    links = {a["href"][1:] for tag, a in seen.elements if tag == "a"}
    assert links and links <= targets


def test_neurons_stand_beneath_the_part_they_are_within(tmp_path: Path):
    inner = node("mlp_act.0[neuron=7]", -0.7, within="mlp_out.0", kind="neuron")
    trace = small(inner, node("z.0[head=1]", -2.0), node("mlp_out.0", 1.0, kind="mlp"))
    rows = re.findall(r'<tr id="part-([^"]+)"', made(trace, tmp_path))
    assert rows == ["z.0[head=1]", "mlp_out.0", "mlp_act.0[neuron=7]"]


def test_a_network_without_tokens_or_steps_has_a_page_that_says_so(tmp_path: Path):
    html = made(pixels(), tmp_path)
    assert "There are no steps" in html and 'id="tokens"' not in html
    assert "a tensor of 2 × 1 × 8 × 8" in html and "Which class" in html and "path.0:out" in html


def test_several_prompts_show_the_first_and_say_so(tmp_path: Path):
    trace = small(decision=cw.Decision(["x = 1", "longer x = 1"], answer="1", instead="2"), tokens=("", " =", " 1"))
    seen = Seen(made(trace, tmp_path))
    assert "The first of 2 prompts" in seen.text
    assert [a["data-at"] for _, a in seen.elements if "data-at" in a] == ["1", "2"]


def test_figures_that_are_unknown_or_not_finite_do_not_break_the_page(tmp_path: Path):
    odd = node("z.0[head=1]", float("nan"), direct=None, low=None, high=None, share=None, p=None, q=None)
    unknown = node("z.0[head=2]", float("inf"), exact=None, low=None, high=None)
    text = Seen(made(small(odd, unknown, checks=(), completeness=None, total=small().metric), tmp_path)).text
    assert "nan" not in text.lower() and "no interval" in text


def test_a_decision_by_a_function_is_named(tmp_path: Path):
    def margin(output):
        return output

    trace = small(decision=cw.Decision(torch.zeros(1, 2), metric=margin), answers=(), insteads=(), tokens=())
    assert "margin gives" in made(trace, tmp_path)


def test_the_page_of_a_rerun_shows_before_and_after(tmp_path: Path):
    seen = Seen(made(rerun(), tmp_path))
    assert "How it goes on" in seen.text and "Receipts" in seen.text
    for part in rerun().without.parts:
        assert part in seen.text
    bars = [a for tag, a in seen.elements if tag == "rect"]
    assert len(bars) == 2 * len(rerun().probabilities)


def test_the_same_trace_gives_the_same_page(tmp_path: Path):
    assert made(quote(), tmp_path) == made(quote(), tmp_path)


def test_a_page_replaces_an_older_one_and_leaves_nothing_beside_it(tmp_path: Path):
    made(small(), tmp_path)
    assert "tiny" in made(small(), tmp_path / "deep" / "er")
    assert "other" in made(small(network="other"), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["page.html"]


def test_what_has_no_page_is_refused(tmp_path: Path):
    with pytest.raises(Exception, match=r"Trace|Rerun"):
        cw.page(Table({"a": [1]}), tmp_path / "page.html")
    with pytest.raises(IsADirectoryError, match=r"page\.html"):
        cw.page(small(), tmp_path)


def test_the_picture_is_one_svg_with_the_steps_and_the_strongest_parts(tmp_path: Path):
    svg = picture(replace(quote(), network=HOSTILE), tmp_path / "trace.svg", most=3).read_text()
    seen = Seen(svg)
    assert svg.startswith("<svg") and "img" not in {tag for tag, _ in seen.elements}
    assert {"block 0", "block 3"} <= {word.strip() for word in seen.words}
    bars = [a for tag, a in seen.elements if tag == "line" and a["class"].startswith("barline")]
    assert len(bars) == 3
    assert not re.search(r"<script|href|url\(", svg)


# In a browser ---------------------------------------------------------------------------------------------------------


def test_in_a_browser_the_text_of_a_hostile_prompt_stays_text(tmp_path: Path):
    made(attack(), tmp_path)
    html, console = dom(tmp_path / "page.html")
    assert not console
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html and "<script>alert" not in html
    assert all(row["part"] in html for row in attack().nodes)
    assert 'class="number sortable"' in html  # our own script ran: its hash is the one that the policy names


def test_an_injected_script_would_be_seen_and_is_stopped(tmp_path: Path):
    page = tmp_path / "page.html"
    html = made(attack(), tmp_path).replace("<footer>", "<script>document.title = 'ran'</script><footer>")
    page.write_text(html, encoding="utf-8")
    after, console = dom(page)
    assert "<title>ran" not in after
    assert any("Content Security Policy" in line or "violates" in line for line in console)


def colours(rows: list[bytes], depth: int = 3) -> Counter:
    return Counter(row[x : x + depth] for row in rows[::3] for x in range(0, len(row), 3 * depth))


def test_the_screenshot_shows_charts_in_two_colours_light_and_dark(tmp_path: Path):
    made(quote(), tmp_path)
    light = colours(screenshot(tmp_path / "page.html", tmp_path / "light.png", width=1100, height=700))
    dark = screenshot(
        tmp_path / "page.html", tmp_path / "dark.png", "--blink-settings=preferredColorScheme=0", width=1100, height=700
    )
    assert len(light) > 40
    assert light.most_common(1)[0][0] == bytes.fromhex("fffef9")
    assert light[bytes.fromhex("1f6fb2")] > 20 and light[bytes.fromhex("c25a00")] > 20
    assert colours(dark).most_common(1)[0][0] == bytes.fromhex("16171a")


def after(page: Path, script: str) -> str:
    """The document after a reader did something; the policy, which would stop this script too, is taken off."""
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    page.write_text(html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    seen, console = dom(page)
    assert not console
    return seen


def test_choosing_a_part_shows_it_on_the_tokens(tmp_path: Path):
    made(small(), tmp_path)
    html = after(tmp_path / "page.html", "document.querySelector('tr button').click()")
    assert 'class="token f7" data-at="1"' in html and 'class="token a1" data-at="2"' in html
    assert "z.0[head=1]: strongest on “·=” (position 1), −3.00 by first order." in html


def test_the_table_sorts_by_a_column_and_filters_by_words(tmp_path: Path):
    made(small(), tmp_path)
    do = """
        const table = document.getElementById("table"), filter = document.getElementById("filter");
        table.tHead.rows[0].cells[2].click();
        table.tHead.rows[0].cells[2].click();
        filter.value = "used z.0"; filter.dispatchEvent(new Event("input"));
    """
    html = after(tmp_path / "page.html", do)
    rows = re.findall(r'<tr id="part-([^"]+)"[^>]*?( hidden="")?>', html)
    assert rows == [("mlp_out.0", ' hidden=""'), ("z.0[head=0]", ' hidden=""'), ("z.0[head=1]", "")]
    assert 'aria-sort="descending"' in html and "1 of 3" in html


def test_the_next_steps_open_the_network_where_it_was_opened_from(tmp_path: Path):
    text = Seen(made(small(settings={"source": "my nets/one"}), tmp_path)).text
    assert "net = cw.open('my nets/one')" in text
    assert 'cutaway without "my nets/one" "x = 1"' in text
    unknown = Seen(made(small(), tmp_path)).text
    assert "net = cw.open(…) # tiny" in unknown and "cutaway without NETWORK" in unknown


def test_a_trace_keeps_where_its_network_was_opened_from():
    net = cw.open(torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 3)))
    asked = cw.Decision(torch.ones(1, 4), answer=0, instead=1)
    assert "source" not in cw.trace(net, asked).settings
    object.__setattr__(net, "source", Path("nets/one"))
    assert cw.trace(net, asked).settings["source"] == "nets/one"


def test_a_check_is_shown_with_its_rank_among_random_sets(tmp_path: Path):
    check = replace(small().checks[0], p=1 / 21, controls=20)
    assert "random 10%, p = 0.048" in Seen(made(small(checks=(check,)), tmp_path)).text
    assert "p = 0.048" not in Seen(made(small(), tmp_path)).text
