"""The lines and the section on stability in docs/results.md: ours, and public EAP-IG on the same networks and batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import mean, median
from typing import Any

from benchmarks.figures import Bar, Measured, Result, averaged, share

Networks = list[dict[str, Any]]
PEER = "EAP-IG"
KINDS = {"resampled": "fresh batches", "rephrased": "the same decisions in other words"}
CUTS = {"top n": "its top n, n the number of true edges", "threshold": "a share of its largest score"}


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    name = "circuit_stability"
    yield "parts named for decisions of one class: router, exact", Bar(0.99, True, "{:.1%}"), name, routed
    for kind, bar in (("resampled", 0.95), ("rephrased", 0.9)):
        what = f"Jaccard of named edges over {KINDS[kind]}"
        yield what, Bar(bar, True, "{:.3f}"), name, lambda result, kind=kind: jaccard(result, kind)


def networks(result: Result, setting: str) -> Networks:
    """The networks of one setting; none if it was not measured."""
    return result["settings"].get(setting, {}).get("facts", {}).get("networks", [])


def routed(result: Result) -> Measured:
    """The share of classes of the router's decisions of which exactly the used parts are named."""
    classes = [c for n in networks(result, "classes") if n["program"] == "router" for c in n["classes"]]
    if not classes:
        raise ValueError("nothing measured")
    return share(sum(c["exact"] for c in classes), len(classes), "classes")


def jaccard(result: Result, kind: str) -> Measured:
    """Over networks; beside it the range of the peer's methods and cuts."""
    here = networks(result, "batches")
    if not here:
        raise ValueError("nothing measured")
    found, theirs = [n[kind]["jaccard"] for n in here], networks(result, PEER)
    beside = ""
    if theirs:
        one = [mean(n[kind][method][cut]["jaccard"] for n in theirs) for method in theirs[0][kind] for cut in CUTS]
        beside = f"; public EAP-IG {min(one):.3f} to {max(one):.3f}"
    return averaged(found, beside=beside)


def section(result: Result) -> Iterator[str]:
    """What is not the same in every batch, both methods side by side, and decisions by class."""
    if here := networks(result, "batches"):
        yield from ours(here)
        yield from side_by_side(here, networks(result, PEER))
    if here := networks(result, "classes"):
        yield from (f"**decisions by class**: {len(here)} networks", "")
        for n in here:
            wrong = [c for c in n["classes"] if not c["exact"]]
            if wrong:
                said = "; ".join(f"missing {listed(c['missing'])}, extra {listed(c['extra'])}" for c in wrong)
                yield f"- {n['program']} / {n['seed']}: {said}"
        yield ""


def ours(here: Networks) -> Iterator[str]:
    """Network by network what is not named every time."""
    for kind, what in KINDS.items():
        said = [said for n in here for said in n[kind]["explained"]]
        words = mean(share for n in here for share in n[kind]["other words"])
        yield (
            f"**{what}**: {len(here)} networks, three batches each, {words:.0%} of the words others than in the first; "
            f"{sum(said)} of {len(said)} batches explained"
        )
        yield ""
        for n in here:
            if n[kind]["jaccard"] < 1:
                seen = ", ".join(f"{edge} ({count} of 3)" for edge, count in n[kind]["not in every batch"].items())
                yield f"- {n['program']} / {n['seed']}: {n[kind]['jaccard']:.2f}; {seen}"
        yield ""


def side_by_side(here: Networks, theirs: Networks) -> Iterator[str]:
    """A row for us, and two for each method of the peer."""
    yield "**beside public EAP-IG**: means over networks, with intervals over networks; F1 against the true edges"
    yield from ("", f"| | passes | edge AUROC, mean / worst | {' | '.join(KINDS.values())} |", "|---|---|---|---|---|")
    passes = [n["quick passes"] for n in here]
    cells = [told([n[kind]["jaccard"] for n in here], [n[kind]["F1"] for n in here]) for kind in KINDS]
    yield row("cutaway: the quick shares, and the edges named", passes, [n["AUROC"] for n in here], cells)
    for method in theirs[0]["methods"] if theirs else ():
        found = [n["methods"][method] for n in theirs]
        ranked = [n["passes"] for n in found], [n["AUROC"] for n in found]
        if method not in theirs[0]["resampled"]:
            yield row(method, *ranked, ["", ""])
            continue
        for cut, what in CUTS.items():
            sets = [[n[kind][method][cut] for n in theirs] for kind in KINDS]
            cells = [told([n["jaccard"] for n in some], [n["F1"] for n in some]) for some in sets]
            yield row(f"{method}; {what}", *ranked, cells)
    single, joint = (median(one[i] for n in here for kind in KINDS for one in n[kind]["runs"]) for i in (0, 1))
    yield from (
        "",
        "The passes of the quick shares rank edges; to name them took "
        f"{single:.0f} runs with one edge cut and {joint:.0f} with several (medians). EAP-IG ends with the scores.",
        "",
    )


def row(what: str, passes: list[list[int]], auroc: list[float], cells: list[str]) -> str:
    """One line of the table; passes forward and backward, in the median network."""
    forward, backward = (median(one[i] for one in passes) for i in (0, 1))
    ranked = f"{interval(auroc, '.4f')} / {min(auroc):.4f}"
    return f"| {what} | {forward:.0f} + {backward:.0f} | {ranked} | {' | '.join(cells)} |"


def told(alike: list[float], right: list[float]) -> str:
    """`0.981 [0.950, 1.000], F1 0.93`."""
    return f"{interval(alike, '.3f')}, F1 {mean(right):.2f}"


def interval(values: list[float], show: str) -> str:
    """`0.981 [0.950, 1.000]`: the mean over networks, with its interval."""
    found = averaged(values)
    return f"{found.value:{show}} [{found.low:{show}}, {found.high:{show}}]"


def listed(parts: Iterable[str]) -> str:
    """Names, or "none"."""
    return ", ".join(parts) or "none"
