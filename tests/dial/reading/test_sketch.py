"""A sketch of a circuit: every node and weight once, inside its frame, weights from left to right."""

from xml.etree import ElementTree

from tests.dial.reading.circuits import circuit, planted

from cutaway.dial.reading.sketch import sketch


def test_every_node_and_weight_is_drawn_once_and_inside() -> None:
    each = circuit("different-kinds")
    svg = ElementTree.fromstring(sketch(each, planted("different-kinds").network))
    dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in svg.iter("circle")]
    lines = [path for path in svg.iter("path") if "edge" in path.get("class", "")]
    assert (len(lines), len(set(dots))) == each.size
    assert all(0 <= x <= float(svg.get("width", "")) and 0 <= y <= float(svg.get("height", "")) for x, y in dots)
    assert {node.text for node in svg.iter("title")} == {
        address for address, kept in zip(each.nodes.addresses, each.kept.tolist()) if kept
    }


def test_a_weight_runs_from_left_to_right_and_has_the_colour_of_its_sign() -> None:
    each, network = circuit("negated"), planted("negated").network
    svg = ElementTree.fromstring(sketch(each, network))
    lines = [path for path in svg.iter("path") if "edge" in path.get("class", "")]
    for path in lines:
        first, *_, last = path.get("d", "").removeprefix("M").replace("C", "").split(" ")
        assert float(first.split(",")[0]) < float(last.split(",")[0])
    below = sum(
        int((dict(network.named_parameters())[f"{name}.weight"][there] < 0).sum()) for name, there in each.edges.items()
    )
    assert sum("against" in path.get("class", "") for path in lines) == below > 0
