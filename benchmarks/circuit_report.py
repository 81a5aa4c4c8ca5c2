"""The lines and the section on circuits in docs/results.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from statistics import mean, median
from typing import Any

from benchmarks import circuit_adversary, circuit_decoys, circuit_stability_report
from benchmarks.circuit_judged import MOVED, silent_miss, within_budget
from benchmarks.figures import Bar, Measured, Result, averaged, clustered, exact, share, spread

Networks = list[dict[str, Any]]
Figure = Callable[[Result], Measured]
Line = tuple[str, Bar, str, Figure]
VARIANTS = "redundant, backup and cancelling variants"


def lines() -> Iterator[Line]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    percent, times = "{:.1%}", "{:.2f}×"
    ranked = "circuits: edge AUROC of three points on the path of the inputs (5 forward and 3 backward passes), compiled programs"
    yield f"{ranked}: mean", Bar(0.998, True, "{:.4f}"), "circuits", auroc(averaged)
    yield "… worst", Bar(0.98, True, "{:.4f}"), "circuits", auroc(worst)
    for kind, bar in (("plain", 0.95), ("noisy", 0.8)):
        what = f"exactly the true edges named, and declared explained: {kind} programs"
        yield what, Bar(bar, True, percent), "circuits", hits(kind, lambda n: n["exact"] and n["explained"])
        budget = "… within 10 forward passes and 40 + 3 · (true edges) single-edge runs"
        yield budget, Bar(1.0, True, percent), "circuits", hits(kind, within_budget)
    yield "… networks trained by interchange", Bar(0.8, True, percent), "circuit_interchange", interchanged
    none = Bar(0.0, False, percent)
    yield "silent misses (explained, a true edge missing): plain and noisy", none, "circuits", hits(None, silent_miss)
    yield f"… {VARIANTS}", none, "circuit_groups", hits("counterfactual", silent_miss)
    for values in ("mean", "zero", "resample"):
        yield f"… {values} in their place", none, "circuit_groups", hits(values, silent_miss)
    for values in ("counterfactual", "resample", "mean", "zero"):
        said = f"redundant, backup or cancelling group named, under {values}"
        yield said, Bar(1.0, True, percent), "circuit_groups", hits(values, lambda n: n["group named"])
        yield "… and its kind told", Bar(1.0, True, percent), "circuit_groups", hits(values, lambda n: n["kind right"])
    yield from circuit_decoys.lines()
    yield from circuit_stability_report.lines()
    claimed = "claims of compiled programs on fresh decisions"
    inside = f"{claimed}: inside their 95 % interval (93 to 97 %)"
    yield inside, Bar(0.93, True, percent), "circuit_claims", told("inside")
    yield (
        "… in a wording that the trace never saw",
        Bar(0.93, True, percent),
        "circuit_claims",
        told("inside, template"),
    )
    yield "… half-width over the effect, median", Bar(0.2, False, "{:.4f}"), "circuit_claims", half_width
    yield "… claims of permuted edges that fail", Bar(0.95, True, percent), "circuit_claims", told("permuted fail")
    yield "… sufficiency without any one edge fails", Bar(1.0, True, percent), "circuit_claims", told("less one fail")
    exactly = "edges cut, against a computation that shares no code, float64: largest relative difference"
    yield exactly, Bar(1e-6, False, "{:.1e}"), "circuit_exact", difference
    edges = "shares of all 32,491 edges, GPT-2-small shape, 4 × 16, against a forward"
    yield f"{edges}: K = 1", Bar(6.0, False), "circuit_cost", against("K = 1", "forward")
    yield "… K = 5", Bar(18.0, False), "circuit_cost", against("K = 5", "forward")
    for strata in ("K = 1", "K = 5"):
        what = f"… peak memory above the network, {strata}, against forward + backward"
        yield what, Bar(2.0, False), "circuit_cost", peak(strata)
    large = "networks of 2,000 edges and more"
    yield f"single-edge runs for each named edge, {large}", Bar(3.0, False, times), "circuit_growth", runs(slice(0, 1))
    yield "… with the joint cuts of the search", Bar(3.0, False, times), "circuit_growth", runs(slice(0, 2))


def networks(result: Result, setting: str | None) -> Networks:
    """The networks of one setting, or of all."""
    settings = result["settings"].values() if setting is None else [result["settings"][setting]]
    found = [network for one in settings for network in one["facts"]["networks"]]
    if not found:
        raise ValueError("nothing measured")
    return found


def hits(setting: str | None, of: Callable[[dict[str, Any]], bool]) -> Figure:
    """The share of networks of which something holds."""

    def figure(result: Result) -> Measured:
        found = networks(result, setting)
        return share(sum(map(of, found)), len(found))

    return figure


def interchanged(result: Result) -> Measured:
    """The same of networks trained by interchange that passed their own check."""
    here = networks(result, "interchange")
    judged = [n for n in here if "refused" not in n]
    hits = sum(n["exact"] and n["explained"] for n in judged)
    return share(hits, len(judged), f"networks ({len(here) - len(judged)} of {len(here)} refused by their own check)")


def auroc(summary: Callable[[list[float]], Measured]) -> Figure:
    """Over the plain networks."""
    return lambda result: summary([n["AUROC"] for n in networks(result, "plain")])


def worst(values: list[float]) -> Measured:
    """The smallest over networks."""
    return exact(min(values), f"{len(values)} networks")


def against(above: str, below: str) -> Figure:
    """Seconds over seconds, round by round."""

    def figure(result: Result) -> Measured:
        seconds = result["settings"]["4x16"]["seconds"]
        return spread([a / b for a, b in zip(seconds[above], seconds[below])])

    return figure


def told(what: str) -> Figure:
    """The share of claims, over all compiled networks."""

    def figure(result: Result) -> Measured:
        found = [n[what] for n in networks(result, "compiled")]
        return clustered(found, "claims")

    return figure


def half_width(result: Result) -> Measured:
    """The median over claims."""
    found = [one for n in networks(result, "compiled") for one in n["half-widths"]]
    return exact(median(found), f"{len(found)} claims")


def difference(result: Result) -> Measured:
    """The worst over networks, single edges and random sets."""
    here = networks(result, "exact")
    edges = sum(n["edges"] for n in here)
    worst = max(n[what] for n in here for what in ("every edge", "random sets"))
    return exact(worst, f"{edges} edges and 64 sets each of {len(here)} networks")


def peak(strata: str) -> Figure:
    """The peak over that of a forward and backward pass."""

    def figure(result: Result) -> Measured:
        bytes_ = result["settings"]["memory"]["facts"]
        return exact(bytes_[f"bytes, {strata}"] / bytes_["bytes, forward + backward"], "counted")

    return figure


def runs(kinds: slice) -> Figure:
    """Runs over named edges, in the large networks only."""

    def figure(result: Result) -> Measured:
        large = [n for n in networks(result, "growth") if n["edges"] >= 2000 and n["named"]]
        return spread([sum(n["runs"][kinds]) / n["named"] for n in large], "network")

    return figure


def section(results: dict[str, Result]) -> list[str]:
    """Network by network what went wrong, and the rows that have no bar."""
    told = [
        ("circuits", population),
        ("circuit_groups", population),
        ("circuit_decoys", circuit_decoys.section),
        ("circuit_adversary", circuit_adversary.section),
        ("circuit_interchange", interchange),
        ("circuit_stability", circuit_stability_report.section),
        ("circuit_growth", growth),
        ("circuit_claims", claims),
    ]
    found = [line for name, tell in told if name in results for line in tell(results[name])]
    return ["## Circuits of compiled programs", "", *found] if found else []


def claims(result: Result) -> Iterator[str]:
    """The code model's own decisions."""
    here = result["settings"].get("code", {}).get("facts", {}).get("networks")
    if not here:
        return
    yield from ("**the code model's decisions** (half of the prompts traced, the other half verified)", "")
    for n in here:
        if "power" not in n:
            yield f"- {n['kind']}: {n['prompts'][0]} prompts; {n['verdict']}"
            continue
        passed = ", ".join(f"{row['passed']} of {row['tried']} {row['wrong set']}" for row in n["power"])
        yield f"- {n['kind']}: {n['prompts'][0]} prompts, {n['edges']} edges named, {n['used']} used; {n['verdict']}"
        yield f"  - strongest: {', '.join(n['strongest'])}"
        yield from (f"  - {check}" for check in n["checks"])
        yield f"  - wrong sets that pass: {passed}; shares miss the total by {n['missing']:.0%}"
        held, inside, of = sum(n["holds"]), sum(n["inside"]), len(n["holds"])
        yield f"  - on {n['prompts'][1]} fresh prompts {held} of {of} claims hold, {inside} inside their interval"
    yield ""


def population(result: Result) -> Iterator[str]:
    """Populations of organisms."""
    for name, setting in result["settings"].items():
        here = setting["facts"].get("networks", [])
        if not here:
            continue
        yield from (
            f"**{name}**: {len(here)} networks, seeds {min(n['seed'] for n in here)} to {max(n['seed'] for n in here)}",
            "",
        )
        for kind in dict.fromkeys(n["kind"] for n in here):
            yield f"- {kind}: {counts([n for n in here if n['kind'] == kind])}"
        yield from (f"- {n['kind']} {n['program']} / {n['seed']}: {mistakes(n)}" for n in here if mistakes(n))
        yield ""


def interchange(result: Result) -> Iterator[str]:
    """Networks trained by interchange: their own check, what is named, and what other training leaks."""
    for setting, what in (
        ("interchange", "interchange on parts and single edges"),
        ("trained by parts", "interchange on parts only"),
        ("trained by task", "the task alone"),
    ):
        here = result["settings"].get(setting, {}).get("facts", {}).get("networks", [])
        if not here:
            continue
        refused = [n for n in here if n.get("refused")]
        least = min(n["accuracy"]["all other edges"] for n in here)
        checked = f"{len(refused)} refused by their own check"
        yield f"- {what}: {len(here)} networks, {checked}; right with all other edges exchanged: {least:.1%} at least"
        for n in here:
            if "exact" in n and (not n["exact"] or not n["explained"] or n["silent miss"]):
                told = "; ".join(f"{name}: {', '.join(n[name])}" for name in ("missing", "extra") if n[name])
                yield f"  - {n['program']} / {n['norm']} / {n['seed']}: {n['verdict']}; {told or 'exact'}"
    yield ""


def counts(here: Networks) -> str:
    """`48 networks; explained 48; …`."""
    parts = [f"{len(here)} networks", f"explained {sum(n['explained'] for n in here)}"]
    if "exact" in here[0]:
        named, extra = sum(n["named"] for n in here), sum(len(n["extra"]) for n in here)
        idle = sum(len(n["extra, at an idle part"]) for n in here)
        parts += [f"exact {sum(n['exact'] for n in here)}", f"edges named {named}, of these {extra} not true alone"]
        parts += [f"{idle} at an inert, decoy or noise part"]
    if "group named" in here[0]:
        parts += [
            f"group named {sum(n['group named'] for n in here)}",
            f"its kind right {sum(n['kind right'] for n in here)}",
        ]
    single = [n["runs"][0] for n in here]
    parts += [f"single-edge runs {min(single)} to {max(single)}"]
    return "; ".join(parts)


def mistakes(n: dict[str, Any]) -> str:
    """What is wrong with one network; nothing if nothing is."""
    found = [] if n["explained"] else [n["verdict"]]
    found += [f"{what}: {', '.join(n[what])}" for what in ("missing", "extra") if n.get(what)]
    if n["explained"] and n["other halves"] > MOVED:
        found.append(f"explained, but a random half of what is not named moves the decision by {n['other halves']:.0%}")
    if n.get("group named") is False:
        found.append(f"{n['known group'][0]} group of {' and '.join(n['known group'][1:])} not named")
    return "; ".join(found)


def listed(parts: Iterable[str]) -> str:
    """Names, or "none"."""
    return ", ".join(parts) or "none"


def growth(result: Result) -> Iterator[str]:
    """Larger networks around the same program; controls."""
    settings = result["settings"]
    if here := settings.get("growth", {}).get("facts", {}).get("networks"):
        yield from ("**growing networks**", "")
        yield "| program | layers | edges | named | single-edge runs | runs for each named | joint runs | said |"
        yield "|---|---:|---:|---:|---:|---:|---:|---|"
        for n in sorted(here, key=lambda n: (n["program"], n["edges"])):
            each = f"{n['runs'][0] / n['named']:.1f}" if n["named"] else ""
            cells = [n["program"], n["layers"], n["edges"], n["named"], n["runs"][0], each, n["runs"][1], n["verdict"]]
            yield "| " + " | ".join(map(str, cells)) + " |"
        yield ""
    if here := settings.get("deep", {}).get("facts", {}).get("networks"):
        yield from (f"**random weights in {here[0]['layers']} layers**", "")
        for n in here:
            each = f"{n['runs'][0] / n['named']:.2f} and {sum(n['runs']) / n['named']:.2f}" if n["named"] else "no"
            yield f"- {n['edges']} edges, {n['named']} named; {each} runs for each (single; with joint); {n['verdict']}"
        yield ""
    if here := settings.get("controls", {}).get("facts", {}).get("networks"):
        yield from ("**networks without a circuit**", "")
        for name in dict.fromkeys(n["name"] for n in here):
            mine = [n for n in here if n["name"] == name]
            nothing = sum(n["verdict"] == "nothing to explain" for n in mine)
            part = mean(n["named"] / n["edges"] for n in mine)
            yield (
                f"- {name}: {len(mine)} networks; explained {sum(n['explained'] for n in mine)}, nothing to explain {nothing}; "
                f"on average {part:.0%} of the edges named"
            )
        yield ""
