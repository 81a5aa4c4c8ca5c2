"""Tables and pictures of planted circuits: what nodes respond to, what edges carry, and that all of it is drawn."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from tests.dial.reading.circuits import TEXTS, circuit, planted

from cutaway.dial.planted import check
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.reading import Table, picture, table

SIDES = ("up in", "down in")


@pytest.fixture(scope="module")
def negated() -> Table:
    each = planted("negated")
    return table(circuit("negated"), each.network, each.windows(128, 1), each.task.examples(128, "test", 0), TEXTS)


def test_a_node_that_reads_responds_to_the_tokens_whose_embedding_says_so(negated: Table) -> None:
    embed, seen = planted("negated").network.embed.weight, 0
    for row in negated.nodes:
        if row.address.startswith("attn_in"):
            channel = int(row.address.partition("=")[2].rstrip("]"))
            said = {text for text, _ in (*row.high, *row.low)}
            assert said == {f"t{token}" for token in range(32) if embed[token, channel] != 0}
            seen += 1
    assert seen == 3


def test_only_the_answers_are_raised_and_lowered_and_by_what_leads_straight_there(negated: Table) -> None:
    answers = {f"t{token}" for token in planted("negated").task.examples(2, "test", 0).answer.tolist()}
    straight = [row for row in negated.nodes if row.raises]
    assert {row.address.partition(".")[0] for row in straight} == {"mlp_act", "mlp_out"}
    assert all({row.raises[0][0], row.lowers[0][0]} == answers for row in straight)
    assert all(row.pushes > 0 for row in negated.nodes)


def test_an_edge_carries_what_the_loss_is_without_it(negated: Table) -> None:
    proof = check(planted("negated"), 128, draws=0)
    # the proof takes its means over other windows
    cut = [loss[0] for loss in proof.cut.values()]
    assert sorted(row.without for row in negated.edges) == pytest.approx(sorted(cut), rel=0.2)
    assert len(negated.edges) == circuit("negated").size[0]
    assert all(row.share > 0.2 for row in negated.edges)


def test_an_edge_to_what_is_no_node_is_refused() -> None:
    whole, each = circuit("marked"), planted("marked")
    none = TaskCircuit(whole.task, whole.nodes, torch.zeros_like(whole.kept), whole.edges, False)
    with pytest.raises(ValueError, match="expected both ends of each edge"):
        table(none, each.network, each.windows(8, 1), each.task.examples(8, "test", 0), TEXTS)


def drawn(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(re.sub("^.*?(<svg.*</svg>).*$", r"\1", page, flags=re.DOTALL))


def test_every_node_and_edge_is_drawn_with_its_sign_and_nothing_comes_from_elsewhere(negated: Table) -> None:
    page = picture(circuit("negated"), planted("negated").network, negated)
    svg = drawn(page)
    titles = [title.text or "" for title in svg.iter("title")]
    for row in negated.nodes:
        assert sum(title.startswith(row.address + ":") for title in titles) >= 1
    lines = [path for path in svg.iter("path") if "edge" in path.get("class", "")]
    assert len(lines) == len(negated.edges)
    assert sum("against" in path.get("class", "") for path in lines) == sum(row.weight < 0 for row in negated.edges)
    assert "http" not in page and "<script" not in page and "url(" not in page


def test_no_two_boxes_overlap_and_all_are_inside(negated: Table) -> None:
    svg = drawn(picture(circuit("negated"), planted("negated").network, negated))
    boxes = [[float(box.get(side, "")) for side in ("x", "y", "width", "height")] for box in svg.iter("rect")]
    assert len(boxes) == len(negated.nodes) + 1
    for at, (x, y, wide, high) in enumerate(boxes):
        assert (
            x >= 0
            and y >= 0
            and x + wide <= float(svg.get("width", "")) <= 1200
            and y + high <= float(svg.get("height", ""))
        )
        assert all(
            x + wide <= left or left + more <= x or y + high <= top or top + tall <= y
            for left, top, more, tall in boxes[:at]
        )


def page(program: str, texts: Sequence[str] = TEXTS) -> ElementTree.Element:
    each = planted(program)
    rows = table(circuit(program), each.network, each.windows(64, 1), each.task.examples(16, "test", 0), texts)
    return drawn(picture(circuit(program), each.network, rows))


def test_a_picture_of_ten_columns_fits_a_window_and_no_two_weights_are_on_each_other() -> None:
    assert float(page("both-or-third").get("width", "")) <= 1160
    labels = [label for label in page("different-kinds").iter("text") if "weight" in label.get("class", "")]
    places = [(float(label.get("x", "")), float(label.get("y", ""))) for label in labels]
    assert len(places) == 12
    assert all(x != left or abs(y - top) >= 11 for at, (x, y) in enumerate(places) for left, top in places[:at])


def test_tokens_are_drawn_whole_and_with_their_spaces() -> None:
    texts = [" " * (token % 4) + "word" * (token % 3 + 1) for token in range(32)]
    shown = {("", "␣", "␣2", "␣3")[token % 4] + "word" * (token % 3 + 1) for token in range(32)}
    found = [label.text or "" for label in page("both-or-third", texts).iter("text") if label.get("class", "") in SIDES]
    words = {word for text in found for word in text.split(" ")[1:]}
    assert {word for word in words if word != "…" and not word.endswith("…")} <= shown
    assert all(len(text.split(" ")) == 2 for text in found if text.endswith("…") and not text.endswith(" …"))
    assert {"␣", "…"} <= set("".join(words))


def test_tokens_that_are_markup_are_written_as_text(negated: Table, tmp_path: Path) -> None:
    each = planted("marked")
    texts = ['<b>&"' + str(token) for token in range(32)]
    rows = table(circuit("marked"), each.network, each.windows(64, 1), each.task.examples(16, "test", 0), texts)
    assert "<b>" not in picture(circuit("marked"), each.network, rows)
