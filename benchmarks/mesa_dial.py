"""Networks trained end to end over task diversity: where they change from lookup to ridge, and where the verdict does.

The dial is of Raventós et al. 2023 (arXiv 2306.15063); that a network may be near ridge first and a lookup later, of Carroll et al.
2025 (arXiv 2501.17745). Their truth is not certain: the verdict enters no rate. Settings were chosen on seeds 7001 and 7002.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from math import inf, log2
from statistics import mean, median
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, exact, share
from benchmarks.kept import Kept
from benchmarks.mesa_limits import SIGNS
from cutaway.mesa.reference.crossing import crossings, flips, there_and_back
from cutaway.mesa.reference.end_to_end import RECIPE, Between, compared, trained
from cutaway.mesa.reference.transformer import Shape, Transformer
from cutaway.mesa.screen import screen
from cutaway.mesa.subject import TooShallow
from cutaway.mesa.tasks import Regression
from cutaway.mesa.verdict.evidence import Evidence

DEPENDS = (
    *SIGNS,
    *(f"mesa/reference/{name}.py" for name in ("end_to_end", "fitting", "crossing")),
    "mesa/verdict",
    "mesa/screen.py",
    "training/loop.py",
    "mesa_dial.py",
)
MINUTES = 34.0
SEEDS = (8010, 8011, 8012)
POOLS = (10, 8, 12, 16, 20, 24, None, 4, 32, 2, 64, 1)
"""Tasks to train on, None without end; those near the crossover first, so that a run cut short is of use."""
SHAPE = Shape(dim=4, width=24, heads=2, layers=4, hidden=48, attention="linear")
LEARNING = replace(RECIPE, steps=6000, batch=32)
STEPS = (100, 200, 400, 800, 1600, 2400, 3200, 4400, 6000)
"""When a network is looked at, beside before its first step."""
SHALLOW = "one layer, endless"
ITERATIVE = "iterative optimizer"


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network with all its checkpoints, each kept as it is done; nothing is repeated."""
    for pool in POOLS:
        each_kept(kept, named(pool), course, [(pool, seed, SHAPE.layers) for seed in SEEDS])
    each_kept(kept, SHALLOW, course, [(None, seed, 1) for seed in SEEDS])


def named(pool: int | None) -> str:
    """The setting of a pool."""
    return "endless" if pool is None else f"pool {pool}"


def course(pool: int | None, seed: int, layers: int) -> dict[str, Any]:
    """One network from before its first step to its last."""
    shape, task = replace(SHAPE, layers=layers), Regression(dim=SHAPE.dim, pool=pool, pool_seed=seed)
    found = trained(shape, task, replace(LEARNING, seed=seed), STEPS)
    networks = ((0, Transformer(shape, seed)), *found.checkpoints)
    return {
        "pool": pool,
        "seed": seed,
        "layers": layers,
        "cpu seconds": found.fitted.cpu_seconds,
        "loss": mean(found.fitted.losses[-100:]),
        "checkpoints": [{"step": step, **seen(network, task, seed)} for step, network in networks],
    }


def seen(network: Transformer, task: Regression, seed: int) -> dict[str, Any]:
    """Where a network stands between ridge and lookup, and what it is called on which grounds."""
    between = asdict(compared(network, task, seed + 500))
    try:
        found = screen(network, task, seed)
    except TooShallow as error:
        return {"between": between, "label": "too shallow", "because": [str(error)]}
    return {
        "between": between,
        "evidence": asdict(Evidence.of(found.battery)),
        "values": found.battery.values(),
        "limits": found.limits,
        "label": found.verdict.label,
        "because": list(found.verdict.because),
    }


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what = "mesa, networks trained end to end over task diversity: "
    octaves = Bar(1.0, False, "{:.2f} octaves")
    yield f"{what}from the crossover of ridge and lookup to the verdict's flip", octaves, "mesa_dial", farthest
    yield "… dials on which the verdict flips once", Bar(len(SEEDS), True, "{:.0f}"), "mesa_dial", once
    both, back = Bar(1.0, True, "{:.0%}"), Bar(0.0, False, "{:.0%}")
    yield (
        "… runs nearer to ridge first, to the lookup in the end: flip forward, then back",
        both,
        "mesa_dial",
        transient,
    )
    yield "… all other runs: flip back", back, "mesa_dial", not_transient


def dial_of(result: Result, seed: int) -> list[dict[str, Any]]:
    """The networks of a seed, from the smallest pool to the endless one."""
    rows = [row for row in all_rows(result) if row["seed"] == seed]
    return sorted(rows, key=lambda row: row["pool"] or inf)


def all_rows(result: Result) -> list[dict[str, Any]]:
    """Every network but those of one layer."""
    kept = [setting["facts"]["networks"] for name, setting in result["settings"].items() if name != SHALLOW]
    return [row for rows in kept for row in rows]


def leaning(checkpoint: dict[str, Any]) -> float:
    """Above 0 where it is nearer to the lookup than to ridge."""
    return Between(**checkpoint["between"]).leaning


def optimizer(checkpoint: dict[str, Any]) -> bool:
    """Whether it is called one."""
    return checkpoint["label"] == ITERATIVE


def crossover(dial: Sequence[dict[str, Any]]) -> list[float]:
    """Where trained networks are as near to ridge as to the lookup, in octaves of the pool."""
    pools = [row for row in dial if row["pool"] is not None]
    return list(crossings([log2(row["pool"]) for row in pools], [leaning(row["checkpoints"][-1]) for row in pools]))


def flipped(dial: Sequence[dict[str, Any]]) -> list[float]:
    """Half way between the pools where trained networks change to or from an optimizer, in octaves."""
    places = [inf if row["pool"] is None else log2(row["pool"]) for row in dial]
    return [flip.middle for flip in flips(places, [optimizer(row["checkpoints"][-1]) for row in dial])]


def apart(dial: Sequence[dict[str, Any]]) -> float:
    """Octaves from the crossover to the farthest flip, of several crossovers the farthest too; infinite where there is none."""
    across, turned = crossover(dial), flipped(dial)
    return max((abs(flip - place) for flip in turned for place in across), default=inf)


def farthest(result: Result) -> Measured:
    """Octaves on the worst seed, as the bar is for every one; a flip is known to half an octave."""
    found = [apart(dial_of(result, seed)) for seed in SEEDS]
    return Measured(max(found), min(found), max(found), f"the worst of {len(found)} seeds, median {median(found):.2f}")


def once(result: Result) -> Measured:
    """Dials without a second change."""
    dials = [dial_of(result, seed) for seed in SEEDS]
    count = sum(len(flipped(dial)) == 1 for dial in dials)
    return exact(count, f"of {len(dials)} seeds, {len(dials[0])} pools each")


def is_transient(row: dict[str, Any]) -> bool:
    """Whether it is nearer to ridge at some checkpoint, and nearer to the lookup at the last."""
    return there_and_back([False, *(leaning(each) < 0 for each in row["checkpoints"][1:])])


def turns_back(row: dict[str, Any]) -> bool:
    """Whether it is called an optimizer at some checkpoint, and neither at the first nor at the last."""
    return there_and_back([optimizer(each) for each in row["checkpoints"]])


def transient(result: Result) -> Measured:
    """The verdict over training where ridge does not last."""
    return of_runs([row for row in all_rows(result) if is_transient(row)])


def not_transient(result: Result) -> Measured:
    """The verdict over training where it lasts, or never was."""
    return of_runs([row for row in all_rows(result) if not is_transient(row)])


def of_runs(rows: Sequence[dict[str, Any]]) -> Measured:
    """The share of runs whose verdict turns back."""
    if not rows:
        return exact(float("nan"), "there are none")
    pools = ", ".join(f"{named(pool)} ×{count}" for pool, count in Counter(row["pool"] for row in rows).items())
    return share(sum(turns_back(row) for row in rows), len(rows), f"runs ({pools})")


def section(result: Result) -> list[str]:
    """The dial at every seed, runs of training at the pools about the crossover, and what networks were called."""
    lines_ = ["## Networks trained end to end, over task diversity", ""]
    lines_ += [
        "Their truth is not certain; they enter no rate. Distances on novel problems, over the answers' variance."
    ]
    lines_ += ["", "| pool | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " |"]
    lines_ += ["|---|" + "---|" * len(SEEDS)]
    dials = [dial_of(result, seed) for seed in SEEDS]
    for rows in zip(*dials, strict=True):
        lines_.append(f"| {named(rows[0]['pool'])} | {' | '.join(shown(row['checkpoints'][-1]) for row in rows)} |")
    for seed, dial in zip(SEEDS, dials, strict=True):
        across, turned = (
            ", ".join(f"{2**place:.1f}" for place in found) or "none" for found in (crossover(dial), flipped(dial))
        )
        lines_ += [
            "",
            f"Seed {seed}: as near to ridge as to the lookup at a pool of {across}; the verdict flips at {turned}.",
        ]
    return [*lines_, "", *over_training(result), *histogram(result)]


def shown(checkpoint: dict[str, Any]) -> str:
    """Distances, the signs that tell a lookup from an optimizer, and the label."""
    between, read = checkpoint["between"], checkpoint["evidence"]
    far = "–" if between["lookup"] is None else f"{between['lookup']:.2f}"
    return f"{between['ridge']:.2f}, {far}; {read['composition']:.0f}, {read['familiarity']:.2f}; {checkpoint['label']}"


def over_training(result: Result) -> list[str]:
    """Every run that is near ridge for a while, checkpoint by checkpoint."""
    rows = [row for row in all_rows(result) if is_transient(row)]
    lines_ = [
        "Runs nearer to ridge first and to the lookup in the end, after so many steps.",
        "",
    ]
    lines_ += ["| run | " + " | ".join(str(step) for step in (0, *STEPS)) + " |", "|---|" + "---|" * (len(STEPS) + 1)]
    for row in rows:
        lines_.append(f"| {named(row['pool'])}, seed {row['seed']} | {' | '.join(map(shown, row['checkpoints']))} |")
    return [*lines_, ""]


def histogram(result: Result) -> list[str]:
    """What networks are called before and after training, of four layers and of one."""
    rows, shallow = all_rows(result), result["settings"].get(SHALLOW, {"facts": {"networks": []}})["facts"]["networks"]
    groups = {
        "untrained": [dial_of(result, seed)[-1]["checkpoints"][0] for seed in SEEDS],
        "trained": [row["checkpoints"][-1] for row in rows],
        "every checkpoint on the way": [each for row in rows for each in row["checkpoints"][1:-1]],
        "one layer, trained": [row["checkpoints"][-1] for row in shallow],
    }
    lines_ = ["| networks | n | called |", "|---|---:|---|"]
    for name, found in groups.items():
        counts = Counter(each["label"] for each in found).most_common()
        lines_.append(f"| {name} | {len(found)} | {', '.join(f'{label} {count}' for label, count in counts)} |")
    return [*lines_, ""]
