"""`picture_of_circuit`: the strongest edges of a trace as one standalone SVG, for a README or a slide."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cutaway.decisions import Trace
from cutaway.runs import write_text
from cutaway.study.page.drawing import drawing
from cutaway.study.page.of_circuit import verdict
from cutaway.study.page.words import prompts, question, visible

LEAST, TOP, FOOT, SIDE = 680, 72, 46, 20  # pixels: the width, and what stands around the drawing
LETTER = 8.6  # pixels of a letter of the prompt


def picture_of_circuit(trace: Trace, file: str | os.PathLike[str], most: int = 24) -> Path:
    """Writes the `most` strongest edges of a trace as one SVG; gives its path. No script, light and dark.

    Raises ValueError for a trace without edges.

    >>> picture_of_circuit(trace, "quote.svg")
    PosixPath('quote.svg')
    """
    from cutaway.study.page.write import templates

    drawn = drawing(trace.edges.rows(), set(), most)
    if drawn is None:
        raise ValueError(
            f"the trace of {trace.network} has no edge to draw; trace with edges=True, or draw its steps: cw.picture"
        )
    return write_text(file, templates().get_template("picture_of_circuit.html").render(_shown(trace, drawn)))


def _shown(trace: Trace, drawn: dict[str, Any]) -> dict[str, Any]:
    texts = prompts(trace.decision)
    width = max(LEAST, drawn["width"] + 2 * SIDE)
    said = None if trace.circuit is None else verdict(trace.circuit)
    return {
        "d": drawn,
        "width": width,
        "height": TOP + drawn["height"] + FOOT,
        "top": TOP,
        "side": SIDE,
        "network": trace.network,
        "asked": question(trace.decision, trace.answers, trace.insteads),
        "prompt": _end(visible(texts[0]), int((width - 2 * SIDE) / LETTER)) if texts else "",
        "others": max(0, len(texts) - 1),
        "verdict": None if said is None else said["word"],
        "several": said is not None and said["also"] is not None,
        "good": said is None or said["good"],
        "edges": len(trace.edges),
    }


def _end(prompt: str, longest: int) -> str:
    return prompt if len(prompt) <= longest else "…" + prompt[1 - longest :]
