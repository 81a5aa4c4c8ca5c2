"""Writes docs/results.md from the JSON in `results/`: nothing in that page is typed by hand."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import (
    agents_report,
    agree_report,
    circuit_report,
    code_pair_report,
    concept_decisions_report,
    concept_report,
    dial_report,
    diff_report,
    growth_report,
    ledger_meter,
    ledger_scaling,
    mesa_report,
    natural_report,
    plants,
    reader_report,
)
from benchmarks.details import able, sections
from benchmarks.figures import Bar, Measured, Result, exact, ratio, share, spread
from benchmarks.kept import RESULTS, read, stale
from benchmarks.run import FILES
from cutaway.concepts.verdict import RATES
from cutaway.study.calibrate import STRATA, Calibration, Line

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"
COMMAND = "python benchmarks/run.py {}"
PEERS = "python benchmarks/peers/sweep.py"
PAGES = (
    agents_report,
    concept_report,
    code_pair_report,
    natural_report,
    agree_report,
    concept_decisions_report,
    diff_report,
    reader_report,
    plants,
    dial_report,
    ledger_meter,
    ledger_scaling,
    growth_report,
    mesa_report,
)
"""Those that have lines of their own, in the order in which they stand in the table."""


@dataclass(frozen=True)
class Row:
    """A line of the table: what is measured, against which bar, and how the figure comes out of which result."""

    what: str
    bar: Bar
    result: str
    figure: Callable[[Result], Measured]
    beside: Callable[[Result], Measured] | None = None


TIMES, EQUAL = "{:.2f}×", Bar(1e-5, False, "{:.1e}")


def rows() -> Iterator[Row]:
    """Every line that the project has promised to show, in the order of the promise."""
    yield from sweep_rows()
    yield from peer_rows()
    heads = "0.5B Qwen2 shape, all 336 heads, 4 × 16"
    yield Row(
        f"{heads}, against the loop",
        Bar(2.8),
        "qwen",
        at("4x16", "loop", "sweep without trim"),
        one_logit("4x16", "sweep without trim"),
    )
    yield Row("… with the trim", Bar(3.3), "qwen", at("4x16", "loop", "sweep"), one_logit("4x16"))
    yield Row("… equal to the loop", EQUAL, "qwen", error("4x16"))
    for setting, bar in (("8x16", 12.0), ("2x64", 25.0)):
        what = f"all 144 heads at the last position only, {shown(setting)}, against the loop"
        yield Row(what, Bar(bar), "last_position", at(setting, "loop", "sweep"), one_logit(setting))
        yield Row("… equal to the loop", EQUAL, "last_position", error(setting))
    for name in ("encoder", "ResNet-18", "ResNet-50", "residual MLP", "shared block"):
        yield Row(f"no special support: {name}, against the loop", Bar(2.0), "generic", at(name, "loop", "sweep"))
        yield Row("… equal to the loop, relative", EQUAL, "generic", relative(name))
    small = "12 blocks of width 64: one ablation, against a bare forward"
    yield Row(small, Bar(1.25, False), "dispatch", at("1x8", "one ablation", "forward"))
    yield Row("… caching 36 tensors", Bar(1.5, False), "dispatch", at("1x8", "36 tensors", "forward"))
    scores = "attribution of all heads, MLPs and neurons, 8 × 16, against a forward"
    yield Row(scores, Bar(3.3, False), "attribution", at("8x16", "attribution", "forward"))
    yield Row("the demo on 2 cores, wall", Bar(20, False, "{:.1f} s"), "demo", runs("wall"))
    yield Row("… CPU seconds, whatever else the machine does", Bar(20, False, "{:.1f} s"), "demo", runs("cpu"))
    yield Row("… peak memory", Bar(1.5, False, "{:.2f} GB"), "demo", runs("memory", 1e-9))
    yield from truth_rows()
    yield from (Row(*line) for line in circuit_report.lines())
    for page in PAGES:
        yield from (Row(*line) for line in page.lines())


def sweep_rows() -> Iterator[Row]:
    """GPT-2-small's shape."""
    for setting, bar, trimmed in (("8x16", 3.0, 3.5), ("1x16", 5.0, 5.8)):
        name = f"all 144 heads, GPT-2-small shape, {shown(setting)}"
        without = at(setting, "loop", "sweep without trim")
        yield Row(f"{name}, against the loop", Bar(bar), "sweep", without, one_logit(setting, "sweep without trim"))
        yield Row("… with the trim", Bar(trimmed), "sweep", at(setting, "loop", "sweep"), one_logit(setting))
        yield Row("… equal to the loop", EQUAL, "sweep", error(setting))
        yield Row("… operations over the floor", Bar(1.15, False), "sweep", floor(setting))


def peer_rows() -> Iterator[Row]:
    """The same sweep by other libraries."""
    for setting, bar in (("8x16", 3.5), ("1x16", 5.8)):
        for peer in ("TransformerLens", "TransformerLens, from the block", "nnsight"):
            yield Row(f"the same against {peer}, {shown(setting)}", Bar(bar), "peers", at(setting, peer, "sweep"))


def truth_rows() -> Iterator[Row]:
    """Networks whose answer is known."""
    programs = Bar(1.0, True, "{:.3f}")
    yield Row("used parts of compiled programs: precision", programs, "organisms", pooled("found", "called used"))
    yield Row("… recall", programs, "organisms", pooled("found", "used"))
    rate = Bar(0.05, False, "{:.1%}")
    false = "random organisms: networks with any part falsely called used (decoys, noise)"
    yield Row(false, rate, "statistics", any_of("organisms", "false, faint"))
    for population, said in (("untrained", "as initialised"), ("scrambled", "an organism's spread of weights")):
        what = f"untrained networks ({said}): with any part selective at q ≤ 0.05"
        yield Row(what, rate, "statistics", any_of(population, "selective"))


def pooled(above: str, below: str) -> Callable[[Result], Measured]:
    """One count over another, each summed over the compiled programs."""

    def figure(result: Result) -> Measured:
        networks = result["settings"]["programs"]["facts"]["networks"]
        found, whole = (sum(n[what] for n in networks) for what in (above, below))
        return exact(found / whole, f"{found} of {whole} parts, {len(networks)} networks")

    return figure


def runs(what: str, scale: float = 1.0) -> Callable[[Result], Measured]:
    """What the demo's runs took: the median and its spread, in units of 1/`scale`."""
    return lambda result: spread([v * scale for v in result["settings"]["demo"]["seconds"][what]], "run")


def any_of(population: str, what: str) -> Callable[[Result], Measured]:
    """The share of a population's networks with at least one such part, and its interval."""

    def figure(result: Result) -> Measured:
        networks = result["settings"][population]["facts"]["networks"]
        found = share(sum(bool(n[what]) for n in networks), len(networks))
        if what != "selective":
            return found
        # A rate where hardly any discovery can be made must say so beside it.
        return replace(found, of=f"{found.of}; a lone discovery was possible in {able(networks)}")

    return figure


def at(setting: str, above: str, below: str) -> Callable[[Result], Measured]:
    """The ratio of two things timed in one setting."""
    return lambda result: ratio(result, setting, above, below)


def one_logit(setting: str, below: str = "sweep") -> Callable[[Result], Measured]:
    """Against a loop that computes the logits of the last position only."""
    return at(setting, "loop, one logit", below)


def error(setting: str) -> Callable[[Result], Measured]:
    """The largest difference between sweep and loop, of the metric or its change."""

    def figure(result: Result) -> Measured:
        facts = result["settings"][setting]["facts"]["sweep"]
        return exact(max(facts["error"], facts["error of effect"]), f"{facts['heads compared']} heads")

    return figure


def relative(setting: str) -> Callable[[Result], Measured]:
    """The largest difference between sweep and loop, as a share of what was measured."""

    def figure(result: Result) -> Measured:
        facts = result["settings"][setting]["facts"]
        return exact(facts["relative error"], f"{facts['reruns']} reruns")

    return figure


def floor(setting: str) -> Callable[[Result], Measured]:
    """The sweep's operations over those that no sweep can avoid."""

    def figure(result: Result) -> Measured:
        flops = result["settings"][setting]["facts"]["flops"]
        return exact(flops["sweep"] / flops["floor"], "counted")

    return figure


def shown(setting: str) -> str:
    """A setting as people write it: `8x16` is 8 × 16."""
    return setting.replace("x", " × ")


def write() -> Path:
    """The page, from whatever results there are."""
    results = {path.stem: found for path in sorted(RESULTS.glob("*.json")) if (found := read(path)) is not None}
    write_rates(results.get("concepts_match"))
    text = "\n".join([*head(results), *table(results), *details(results)]) + "\n"
    put(PAGE, text)
    return PAGE


def write_rates(result: Result | None) -> None:
    """The error rates of `match` in words, by kind of network: what the package prints beside a verdict."""
    if result is not None and "training runs" in result["settings"]:
        rows = tuple(result["settings"]["training runs"]["facts"]["networks"])
        words = Calibration(tuple(Line.of(one, rows) for one in STRATA), rows, rows[0]["seed"]).in_words
        put(RATES, json.dumps(words, indent=1, ensure_ascii=False) + "\n")


def put(path: Path, text: str) -> None:
    """Writes beside, then renames."""
    beside = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def head(results: dict[str, Result]) -> list[str]:
    """What the figures mean."""
    return [
        "# Results",
        "",
        "Made by `python benchmarks/report.py` from `benchmarks/results/*.json`; do not edit. `make bench` measures again,",
        "`python benchmarks/run.py statistics` the rows over many networks, `benchmarks/peers/sweep.py` the other libraries;",
        "`EAP_IG_PYTHON=…` (benchmarks/peers/requirements_eap_ig.txt) puts public EAP-IG beside `circuit_stability`.",
        "",
        "**How it is measured.** Process CPU seconds on one thread, float32, on shared machines: no second is compared with a",
        "second of another run. What is compared runs in one process, interleaved, round after round; a ratio is taken within",
        "a round; the figure is the median over rounds and the brackets hold the lowest and highest. The *loop* is plain torch:",
        "one hook and one forward pass for each rerun, sdpa, eval mode, `no_grad`, no cache, all logits. Operations are counted",
        "exactly (`cutaway.ledger.count_flops`). Shares of networks carry a 95 % Clopper–Pearson interval, means over networks",
        "and shares of claims one of a bootstrap over networks.",
        "",
        *(f"- {line}" for line in sorted({circumstance(result) for result in results.values()})),
        "",
    ]


def circumstance(result: Result) -> str:
    """What a result was measured with: packages, device, threads, dtype."""
    known = result["circumstances"]
    packages = ", ".join(
        f"{name} {known[name]}" for name in ("torch", "transformers", "transformer-lens", "nnsight") if name in known
    )
    threads = f"{known['threads']} thread{'s' if known['threads'] > 1 else ''} of {known['cores']} cores"
    return (
        f"{packages}, Python {known['python']}, {known['device']} ({known['capability']}), {threads}, {known['dtype']}"
    )


def table(results: dict[str, Result]) -> list[str]:
    """One line a figure."""
    lines = ["| figure | bar | measured | | one logit | command |", "|---|---|---|---|---|---|"]
    changed = {name for name, result in results.items() if name in FILES and stale(result, depends(name))}
    for row in rows():
        command = f"`{PEERS if row.result == 'peers' else COMMAND.format(row.result)}`{' ⁺' * (row.result in changed)}"
        found = of(row.figure, results.get(row.result))
        beside = of(row.beside, results.get(row.result))
        cells = [
            row.what,
            str(row.bar),
            row.bar.shown(found) if found else "not measured yet",
            row.bar.verdict(found) if found else "",
        ]
        lines.append("| " + " | ".join([*cells, TIMES.format(beside.value) if beside else "", command]) + " |")
    return [
        *lines,
        "",
        "⁺ code that the figure depends on was changed since it was measured.",
        "",
        "*one logit*: the same ratio against a loop that computes the logits of the last position only (`logits_to_keep=1`).",
        "",
    ]


def depends(name: str) -> tuple[str, ...]:
    """The code that a result depends on."""
    return import_module(f"benchmarks.{FILES[name]}").DEPENDS


def of(figure: Callable[[Result], Measured] | None, result: Result | None) -> Measured | None:
    """The figure, if it is measured and whole."""
    try:
        return None if figure is None or result is None else figure(result)
    except (KeyError, ValueError):  # a setting or its rounds are still missing
        return None


def details(results: dict[str, Result]) -> list[str]:
    """What stands behind the table."""
    return [*(line for section in sections(results) for line in section), *circuit_report.section(results)]


if __name__ == "__main__":
    print(f"written: {write()}")
