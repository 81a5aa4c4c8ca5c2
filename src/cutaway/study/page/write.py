"""`page`: the HTML file. The templates, the style and the script are beside this file; everything from data is escaped."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cutaway.concepts.diff import Differences
from cutaway.concepts.verdict import Matches
from cutaway.decisions import Rerun, Trace
from cutaway.runs import write_text
from cutaway.study.page import of_diff, of_match, of_plants, of_rerun, of_trace
from cutaway.study.plants import Sensitivity

HERE = Path(__file__).parent
SHEETS_OF = {"diff.html": ("match.css",)}  # those of another page that a page uses too


def page(value: Trace | Rerun | Matches | Differences | Sensitivity, file: str | os.PathLike[str]) -> Path:
    """Writes one self-contained HTML page of a trace, a rerun, matches, differences or plants, in the place of a file there.

    Gives its path. It opens from disk without a network or a server, and reads without JavaScript: the script only sorts,
    filters and shows single parts on the tokens. Raises TypeError for other values.

    >>> page(trace, "quote.html")
    PosixPath('quote.html')
    """
    if isinstance(value, Trace):
        shown, template = of_trace.shown(value), "trace.html"
    elif isinstance(value, Rerun):
        shown, template = of_rerun.shown(value), "rerun.html"
    elif isinstance(value, Matches):
        shown, template = of_match.shown(value), "match.html"
    elif isinstance(value, Differences):
        shown, template = of_diff.shown(value), "diff.html"
    elif isinstance(value, Sensitivity):
        shown, template = of_plants.shown(value), "plants.html"
    else:
        raise TypeError(
            f"given a {type(value).__name__}; expected a Trace, a Rerun, Matches, Differences or plants (calibrate_on) "
            "to make a page of; try cw.save"
        )
    return write_text(file, render(template, shown))


def render(template: str, shown: dict[str, Any]) -> str:
    """A template filled in. The only script that may run is ours, by its hash, whatever else gets onto the page."""
    script = (HERE / "script.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = [*SHEETS_OF.get(template, ()), f"{Path(template).stem}.css"]  # the last where a page has its own
    sheets = [HERE / "style.css", *(HERE / name for name in own)]
    style = "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets if sheet.is_file())
    return (
        templates().get_template(template).render(shown, style=Markup(style), script=Markup(script), script_hash=digest)
    )


@cache
def templates() -> Environment:
    """The templates, with escaping on for every value."""
    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["embedded"] = embedded
    return made


def embedded(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))
