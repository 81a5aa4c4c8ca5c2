"""The sections below the table of docs/results.md: seconds, operations, errors, and network by network what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks import dial_report, growth_report, mesa_report
from benchmarks.figures import Result, clopper_pearson

TITLES = {
    "sweep": "All heads, GPT-2-small shape",
    "peers": "Against other libraries",
    "qwen": "Half a billion parameters",
    "last_position": "Edits at the last position only",
    "generic": "Networks without special support",
    "dispatch": "Where calls are the cost",
    "attribution": "Attribution",
    "circuit_cost": "Shares of all edges",
    "demo": "The demo",
}


def sections(results: dict[str, Result]) -> Iterator[list[str]]:
    """One for each result there is."""
    for name, title in TITLES.items():
        if name in results:
            yield [f"## {title}", "", *timed(results[name])]
    if "organisms" in results:
        yield organisms(results["organisms"])
    if "statistics" in results:
        yield error_rates(results["statistics"])
    yield from dial_report.sections(results)
    if "ledger_growth" in results and growth_report.whole(results["ledger_growth"]):
        yield growth_report.section(results["ledger_growth"])
    yield from mesa_report.sections(results)


def timed(result: Result) -> list[str]:
    """For each setting the median seconds, and the facts."""
    lines: list[str] = []
    for name, setting in result["settings"].items():
        lines += [f"**{name}**", ""]
        if any(setting["seconds"].values()):
            lines += ["| | median | lowest | highest | rounds |", "|---|---:|---:|---:|---:|"]
            lines += [seconds(what, values) for what, values in setting["seconds"].items() if values]
            lines.append("")
        lines += [*(f"- {line}" for line in flat(setting["facts"])), ""]
    return lines


def seconds(what: str, values: list[float]) -> str:
    """The seconds of one setting as a table."""
    unit = 1e9 if what == "memory" else 1
    shown = " | ".join(f"{value / unit:.4g}" for value in (median(values), min(values), max(values)))
    return f"| {what} ({'GB' if what == 'memory' else 's'}) | {shown} | {len(values)} |"


def flat(facts: dict[str, Any], before: str = "") -> Iterator[str]:
    """`a: b: 3` for {a: {b: 3}}."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}: ")
        elif isinstance(value, list):
            yield f"{before}{name}: {'; '.join(map(str, value)) or 'none'}"
        elif isinstance(value, int) and abs(value) > 1e6:
            yield f"{before}{name}: {value / 1e9:.4g} · 10⁹"
        else:
            yield f"{before}{name}: {value:.3g}" if isinstance(value, float) else f"{before}{name}: {value}"


def organisms(result: Result) -> list[str]:
    """Program by program."""
    networks = result["settings"]["programs"]["facts"]["networks"]
    lines = [
        "## Used parts of compiled programs",
        "",
        "| program | seeds | used | found | falsely named | undecided |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for program in dict.fromkeys(n["name"] for n in networks):
        mine = [n for n in networks if n["name"] == program]
        false = sum(len(n["false, inert"]) + len(n["false, faint"]) for n in mine)
        seeds = ", ".join(str(n["seed"]) for n in mine)
        used, found, undecided = (
            sum(n[k] if isinstance(n[k], int) else len(n[k]) for n in mine) for k in ("used", "found", "undecided")
        )
        lines.append(f"| {program} | {seeds} | {used} | {found} | {false} | {undecided} |")
    return [*lines, "", *wrong(networks)]


def wrong(networks: list[dict[str, Any]]) -> list[str]:
    """Every network with a mistake, by name."""
    kinds = ("missed", "false, inert", "false, faint")
    lines = [
        f"- {n['name']} / {n['seed']}: " + "; ".join(f"{kind} {', '.join(n[kind])}" for kind in kinds if n[kind])
        for n in networks
        if any(n[kind] for kind in kinds)
    ]
    return [*lines, ""] if lines else ["No network with a mistake.", ""]


def error_rates(result: Result) -> list[str]:
    """Over many networks."""
    lines = ["## Error rates over many networks", ""]
    for name, setting in result["settings"].items():
        networks = setting["facts"]["networks"]
        seeds = [n["seed"] for n in networks]
        lines += [f"**{name}**: {len(networks)} networks, seeds {min(seeds)} to {max(seeds)}", ""]
        lines += [f"- {line}" for line in (true_rates(networks) if name == "organisms" else null_rates(networks))]
        lines += ["", *(wrong(networks) if name == "organisms" else [])]
    return lines


def true_rates(networks: list[dict[str, Any]]) -> Iterator[str]:
    """What is found, and what is claimed that is not so."""
    found, used, false = (total(networks, what) for what in ("found", "used", "false, faint"))
    yield f"used parts found: {found} of {used} ({found / used:.1%}); networks with one missed: {counted(networks, 'missed')}"
    yield f"decoys and noise called used: {false} of {total(networks, 'faint')} parts"
    yield f"networks with one of them: {counted(networks, 'false, faint')}"
    yield f"networks with an exactly inert part called used: {counted(networks, 'false, inert')}"
    yield f"parts left undecided: {total(networks, 'undecided')} of {total(networks, 'parts')}"
    yield f"networks with null draws enough to call a single part selective: {able(networks)} of {len(networks)}"
    yield f"parts called selective: {total(networks, 'selective')}; networks with one: {counted(networks, 'selective')}"


def null_rates(networks: list[dict[str, Any]]) -> Iterator[str]:
    """Every discovery is false here: the false discovery proportion of a network is 1 if it has any, else 0."""
    yield f"networks with any part called selective: {counted(networks, 'selective')}"
    yield f"networks with null draws enough to call a single part selective: {able(networks)} of {len(networks)}"
    yield "every discovery is false here, so that share is also the mean false discovery proportion"
    yield f"parts called selective: {total(networks, 'selective')} of {total(networks, 'tested for selectivity')} tested"
    yield f"parts called used (true of random networks too): {total(networks, 'called used')} of {total(networks, 'parts')}"


def able(networks: list[dict[str, Any]]) -> int:
    """In how many networks a lone discovery was possible at all: a rate of 0 where none can be made says nothing."""
    return sum(n["tested for selectivity"] > 0 and not any("too few" in note for note in n["notes"]) for n in networks)


def total(networks: list[dict[str, Any]], what: str) -> int:
    """The sum of a count, or of the lengths of lists, over networks."""
    return sum(n[what] if isinstance(n[what], int) else len(n[what]) for n in networks)


def counted(networks: list[dict[str, Any]], what: str) -> str:
    """The operations that were counted."""
    hits = sum(bool(n[what]) for n in networks)
    low, high = clopper_pearson(hits, len(networks))
    return f"{hits} of {len(networks)} ({hits / len(networks):.1%}, [{low:.1%}, {high:.1%}])"
