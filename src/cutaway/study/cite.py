"""The sources of the methods that a value was made with, as BibTeX: exactly those, no more.

The entries are in `sources.json`. After equinox's `citation()`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cutaway.concepts.diff import Differences
from cutaway.concepts.natural import Agree, Agreements, Natural
from cutaway.concepts.verdict import Matches
from cutaway.decisions import Rerun, Trace
from cutaway.runs import open_run
from cutaway.submodels import Curve, SubModel


def cite(*what: Any) -> str:
    """BibTeX of the methods behind these values: traces, reruns, matches, differences, curves, sub-models, saved runs, keys.

    Without arguments: every source. Entries come once, in the order of `sources.json`. Zeroing parts and plain
    probabilities cite nothing. Raises KeyError for a key that is not there, RunError for a folder that is no run.

    >>> print(cite(trace))
    @inproceedings{syed2024attribution, ...
    """
    wanted = {key for one in what for key in methods_of(one)} if what else set(sources())
    return "\n\n".join(_bibtex(key, entry) for key, entry in sources().items() if key in wanted)


def methods_of(value: Any) -> list[str]:
    """The keys of the sources behind a value, in the order of `sources.json`; none for a plain table."""
    found = set(_keys(value))
    return [key for key in sources() if key in found]


@cache
def sources() -> dict[str, dict[str, Any]]:
    """Every source by its key: the BibTeX fields, `type`, and `for`: the methods that it is cited for."""
    return json.loads(Path(__file__).with_name("sources.json").read_text(encoding="utf-8"))


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Trace):
        yield from _of_trace(value)
    elif isinstance(value, Rerun):
        yield from (*_stand_in(value.baseline), *_keys(value.without))
        if any(value.continuations) and value.baseline != "zero":
            yield from _cited_for("mean")  # a continuation has the mean over other inputs in the part's place
    elif isinstance(value, Matches):
        for method in ("match", "p-value", "q-value"):
            yield from _cited_for(method)
        if any(one.match is not None and one.match.searched for one in value):
            yield from _cited_for("counterfactual")
    elif isinstance(value, Differences):
        for method in ("diff", "q-value"):
            yield from _cited_for(method)
        if any(one.in_a is not None for one in value):
            yield from _cited_for("match")
    elif isinstance(value, Natural):
        for method in ("natural", "p-value"):
            yield from _cited_for(method)
    elif isinstance(value, Agree | Agreements):
        for method in ("natural", "match", "p-value", "counterfactual"):
            yield from _cited_for(method)
    elif isinstance(value, SubModel):
        for kind in value.decompositions:
            yield from _cited_for(str(kind.describe().get("label")))
    elif isinstance(value, Curve):
        yield from _cited_for("adversary")
    elif isinstance(value, str) and value in sources():
        yield value
    elif isinstance(value, str | os.PathLike):
        yield from _of_folder(value)


def _of_trace(trace: Trace) -> Iterator[str]:
    yield from _cited_for("first order")
    yield from _stand_in(trace.baseline)
    columns = {"direct": "direct effect", "p": "p-value", "q": "q-value"}
    for column, method in columns.items():
        if any(cell is not None for cell in trace.nodes.columns.get(column, [])):
            yield from _cited_for(method)
    if any(state == "inert" for state in trace.nodes.columns.get("state", [])):
        yield from _cited_for("inert")
    if len(trace.steps):
        yield from _cited_for("steps")
    if trace.checks:
        yield from _cited_for("checks")
    if trace.circuit is not None:
        yield from _cited_for("edges")
        if trace.circuit.false_discoveries is not None:
            yield from _cited_for("decoys")


def _of_folder(folder: str | os.PathLike[str]) -> Iterator[str]:
    if isinstance(folder, str) and not Path(folder).exists():
        raise KeyError(f"no source {folder!r} and no such run folder; the sources are {', '.join(sources())}")
    yield from open_run(folder).info.get("sources", [])


def _stand_in(baseline: str) -> Iterator[str]:
    """What took a part's place, by how traces and reruns name it; zero cites nothing."""
    if "counterfactual" in baseline:
        yield from _cited_for("counterfactual")
    elif baseline.startswith("mean"):
        yield from _cited_for("mean")
    elif "other inputs" in baseline:
        yield from _cited_for("resample")


def _cited_for(method: str) -> Iterator[str]:
    yield from (key for key, entry in sources().items() if method in entry["for"])


def _bibtex(key: str, entry: Mapping[str, Any]) -> str:
    fields = {name: text for name, text in entry.items() if name not in ("type", "for")}
    lines = [f"  {name} = {{{text}}}" for name, text in fields.items()]
    return f"@{entry['type']}{{{key},\n" + ",\n".join(lines) + "\n}"
