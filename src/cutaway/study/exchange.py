"""Circuits in the files of other tools: circuit-tracer's and Neuronpedia's graph JSON (out), MIB's circuit JSON (in and out).

MIB (Mueller et al. 2025, arXiv 2504.13151) names nodes as EAP-IG does (`input`, `a3.h1`, `m3`, `logits`) and edges
`a0.h1->a3.h1<k>`, one for every query head; a link into keys or values that several heads share stands for all of them.
The graph JSON is that of attribution graphs (Ameisen et al. 2025): nodes at token positions, weighted links.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cutaway.decisions import DecisionError, Trace
from cutaway.decisions.circuit.circuit import edge_name
from cutaway.network import Site

NAMES = {"embed": "input", "output": "logits"}
_MIB = re.compile(r"^(?P<source>input|m\d+|a\d+\.h\d+)->(?P<target>logits|m\d+|a\d+\.h\d+)(?:<(?P<way>[qkv])>)?$")


def to_mib(trace: Trace) -> dict[str, Any]:
    """A traced circuit as MIB's JSON document: the named edges, scored by their exact knock-out. Raises DecisionError."""
    edges: dict[str, dict[str, Any]] = {}
    for row in _rows(trace):
        for target in _mib_names(row["to"]):
            way = f"<{row['through']}>" if row["through"] in ("q", "k", "v") else ""
            for source in _mib_names(row["from"]):
                edges[f"{source}->{target}{way}"] = {"score": row["knockout"], "in_graph": True}
    nodes = {end for name in edges for end in re.sub(r"<.>$", "", name).split("->")}
    blocks = [int(found[1]) for node in nodes if (found := re.match(r"[am](\d+)", node))]
    heads = [int(found[1]) for node in nodes if (found := re.search(r"\.h(\d+)", node))]
    return {
        "cfg": {"n_layers": max(blocks, default=-1) + 1, "n_heads": max(heads, default=-1) + 1},
        "nodes": dict.fromkeys(sorted(nodes), True),
        "edges": edges,
    }


def from_mib(document: Mapping[str, Any]) -> dict[str, float]:
    """The edges in the circuit of a MIB document by our names, with their scores. Raises ValueError for other documents."""
    if not isinstance(document.get("edges"), Mapping):
        raise ValueError(
            f"this document has {', '.join(map(repr, document)) or 'nothing'}; expected MIB's keys cfg, nodes, edges"
        )
    found: dict[str, float] = {}
    for name, told in document["edges"].items():
        match = _MIB.match(name)
        if match is None:
            raise ValueError(
                f"{name!r} is no edge of MIB; expected such as 'a0.h1->a3.h1<k>', 'input->m0' or 'm3->logits'"
            )
        if told.get("in_graph", True):
            source, target, way = _ours(match["source"]), _ours(match["target"]), match["way"]
            row = {"from": source, "to": target, "through": way or ("out" if target == "output" else "mlp")}
            found[edge_name(row)] = float(told.get("score") or 0.0)
    return found


def to_graph_json(trace: Trace, slug: str = "cutaway") -> dict[str, Any]:
    """A traced circuit as the graph JSON that circuit-tracer's page and Neuronpedia read. Raises DecisionError.

    Parts stand at the token where they are strongest; a link's weight is its exact knock-out, negated: positive weights
    speak for the answer, as there.
    """
    at = {row["part"]: row["at"] for row in trace.nodes if row["at"] is not None}
    last = max(0, len(trace.tokens) - 1)
    parts = list(dict.fromkeys(part for row in _rows(trace) for part in (row["from"], row["to"])))
    nodes = [_node(part, at.get(part, last), trace) for part in parts]
    links = [
        {"source": _id(row["from"], at, last), "target": _id(row["to"], at, last), "weight": -row["knockout"]}
        for row in _rows(trace)
    ]
    prompt = trace.decision.inputs if isinstance(trace.decision.inputs, str) else "".join(trace.tokens)
    metadata = {"slug": slug, "scan": trace.network, "prompt": prompt, "prompt_tokens": list(trace.tokens)}
    return {"metadata": metadata, "qParams": {}, "nodes": nodes, "links": links}


def _rows(trace: Trace) -> list[dict[str, Any]]:
    if trace.circuit is None:
        raise DecisionError("this trace has no edges; trace it with edges=True")
    return trace.edges.rows()


def _mib_names(part: str) -> list[str]:
    """The MIB names of a part: one, or one for each head of a group."""
    if part in NAMES:
        return [NAMES[part]]
    site = Site.maybe(part)
    if site is None:
        raise DecisionError(f"{part} is a piece of a part, so MIB has no name for it; trace without refine")
    if site.point == "mlp_out" and not site.select:
        return [f"m{site.layer}"]
    if site.point != "z":
        raise DecisionError(f"{part} is neither a head nor an MLP, so MIB has no name for it")
    head = dict(site.select)["head"]
    heads = [head] if isinstance(head, int) else range(head[0] or 0, head[1] or 0)
    return [f"a{site.layer}.h{one}" for one in heads]


def _ours(name: str) -> str:
    for ours, theirs in NAMES.items():
        if name == theirs:
            return ours
    if name.startswith("m"):
        return f"mlp_out.{name[1:]}"
    layer, _, head = name[1:].partition(".h")
    return f"z.{layer}[head={head}]"


def _node(part: str, at: int, trace: Trace) -> dict[str, Any]:
    answer = trace.answers[0] if trace.answers else ""
    kinds = {"embed": ("E", "embedding", trace.tokens[at] if trace.tokens else ""), "output": ("L", "logit", answer)}
    layer, kind, said = kinds.get(part, ("", "", part))
    if not kind:
        site = Site.maybe(part)
        layer = "" if site is None else str(site.layer)
        kind = "attention head" if site is not None and site.point == "z" else "mlp" if site is not None else "feature"
    return {
        "node_id": f"{part}_{at}",
        "jsNodeId": f"{part}_{at}",
        "feature": None,
        "layer": layer,
        "ctx_idx": at,
        "feature_type": kind,
        "is_target_logit": part == "output",
        "token_prob": 0.0,
        "clerp": said,
    }


def _id(part: str, at: Mapping[str, int], last: int) -> str:
    return f"{part}_{at.get(part, last)}"
