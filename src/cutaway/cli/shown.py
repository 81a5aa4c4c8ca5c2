"""How a trace is given: printed as text or Markdown, written as a page, drawn as a picture."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from cutaway.cli.answer import Answer

if TYPE_CHECKING:
    from cutaway.decisions import Trace

SHOWN = Group("How it is given", sort_key=2)


@Parameter(name="*", group=SHOWN)
@dataclass(frozen=True)
class Shown:
    """Forms that a trace is given in, beside what is saved."""

    style: Annotated[Literal["text", "md"], Parameter(name="--format")] = "text"
    "How it is printed: as text for a terminal, or as Markdown."
    page: Path | None = None
    "Also write the trace as one self-contained HTML page."
    picture: Path | None = None
    "Also draw it as one SVG: the links, if there are any, else the steps and the strongest parts."
    graph: Path | None = None
    "With --edges: also write the links as graph JSON, as circuit-tracer and Neuronpedia read it."
    mib: Path | None = None
    "With --edges: also write the links as a MIB circuit."

    def answer(self, found: Trace) -> Answer:
        """Writes what was asked for, and gives what is printed."""
        import cutaway
        from cutaway.decisions.show import markdown
        from cutaway.runs import write_text
        from cutaway.study import picture, to_graph_json, to_mib

        also: dict[str, Any] = {}
        if self.page is not None:
            also["page"] = cutaway.page(found, self.page)
        if self.picture is not None:
            also["picture"] = picture(found, self.picture)
        for name, form, file in (("graph", to_graph_json, self.graph), ("mib", to_mib, self.mib)):
            if file is not None:
                also[name] = write_text(file, json.dumps(form(found), ensure_ascii=False))
        return Answer(found, str(found) if self.style == "text" else markdown(found), also)
