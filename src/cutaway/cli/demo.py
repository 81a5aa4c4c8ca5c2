"""The demo: a decision of the shipped code model, taken apart and rerun without its strongest sub-models; and a task's circuits
in two small networks of equal loss, one of few weights, beside each other.
"""

from __future__ import annotations

import os
import shlex
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.options import Common, opened
from cutaway.runs.progress import terminal

if TYPE_CHECKING:
    from cutaway.decisions import Rerun, Trace
    from cutaway.network import Network

NETWORK = "organism:code"
MOST = 4  # sub-models taken away before the demo gives up on changing the answer
NEXT = ("value = len(items", ")", "]")  # the decision that is suggested next


def demo(
    *,
    out: Path = Path("cutaway-demo"),
    open_page: Annotated[bool, Parameter(name="--open", negative="--no-open", show_default=False)] = True,
    options: Common = Common(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Takes a decision of the shipped code model apart, reruns it without its strongest sub-models, shows two circuits; two pages.

    Parameters
    ----------
    out
        Folder for the pages (quote.html, circuits.html) and the run (trace); an earlier demo there is replaced.
    open_page
        Open the pages in a browser, where there is a terminal and a display.
    """
    import cutaway
    from cutaway.dial.shipping import beside
    from cutaway.dial.shipping.page import write
    from cutaway.organisms.code_model import decisions

    net = opened(NETWORK, options.device)
    best = decisions()[0]
    asked = cutaway.Decision(best["prompt"], answer=best["answer"], instead=best["instead"])
    found = cutaway.trace(net, asked, seed=options.seed, progress=terminal())
    reruns = until_changed(net, found, options.seed)
    circuits = beside(seed=options.seed)
    pages = out / "quote.html", out / "circuits.html"
    out.mkdir(parents=True, exist_ok=True)
    cutaway.save(found, out / "trace", overwrite=True)
    cutaway.page(found, pages[0])
    write(circuits, pages[1])
    if open_page and not options.as_json and someone_watches():
        for page in pages:
            webbrowser.open(page.resolve().as_uri())
    also = {"page": pages[0], "circuits": pages[1], "saved": out / "trace"}
    if options.as_json:
        value = {"trace": found, "reruns": reruns, "circuits": circuits.numbers}
        return Answer(value, "", {**also, "next": commands()})
    first, second = commands()
    text = "\n\n".join([str(found), *map(str, reruns), told(reruns), str(circuits)])
    return Answer(found, text, {**also, "try next": first, "or, your own network for organism:code": second})


def until_changed(net: Network, found: Trace, seed: int) -> list[Rerun]:
    """Reruns without the strongest used part; then without the two strongest, and so on, until the answer changes."""
    import cutaway

    reruns: list[Rerun] = []
    for count in range(1, min(MOST, len(found.used)) + 1):
        reruns.append(cutaway.without(net, found.decision, found.used[:count], seed=seed))
        if reruns[-1].changed:
            break
    return reruns


def told(reruns: Sequence[Rerun]) -> str:
    """What the reruns came to, in a sentence."""
    if not reruns:
        return "no part was used, so there is nothing to rerun without"
    last = reruns[-1]
    count = f"the {len(reruns)} strongest sub-models" if len(reruns) > 1 else "the strongest sub-model"
    before, after = last.answer
    return f"without {count} the answer {'changes' if last.changed else 'stays'}: {before!r} → {after!r}"


def commands() -> tuple[str, str]:
    """Two commands to try next, ready for a shell."""
    prompt, answer, instead = NEXT
    rest = ["--answer", answer, "--instead", instead]
    return (
        shlex.join(["cutaway", "without", NETWORK, prompt, "mlp_out.0", *rest]),
        shlex.join(["cutaway", "trace", NETWORK, prompt, *rest, "--page", "yours.html"]),
    )


def someone_watches() -> bool:
    """Whether there is a terminal, and a display to open a page on."""
    display = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return sys.stdout.isatty() and display
