"""What a study of growth found, as tables and fits: medians over seeds, every candidate fit, controls beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median
from typing import TYPE_CHECKING, Any

from cutaway.runs import Table
from cutaway.study.growth.growth import Grown, lines
from cutaway.study.growth.setting import Setting

if TYPE_CHECKING:
    from cutaway.ledger.scaling import Fit

A_SECOND = 2e10
"""Operations a second that one core of a laptop does on networks this small: for budgets alone."""


def fitted(grown: Grown) -> tuple[Fit, ...]:
    """What it took to explain every share of decisions, on every size and as a multiple of training; corrected together."""
    from cutaway.study.cost.scaling import NetworkCost
    from cutaway.study.cost.scaling import fitted as fits_of

    costs = {
        f"understanding {share:.0%}": [NetworkCost(**row) for row in lines(grown, share)]
        for share in grown.setting.shares
    }
    return fits_of(costs) if costs[next(iter(costs))] else ()


def sizes(grown: Grown) -> Table:
    """A row a size: medians over its networks."""
    return Table.of(_size(grown, rows) for rows in grouped(grown.networks))


def grouped(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows of each size, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["size"], []).append(row)
    return list(found.values())


def _size(grown: Grown, rows: list[dict[str, Any]]) -> dict[str, Any]:
    training = median(row["training_flops"] for row in rows)
    found = {
        "size": rows[0]["size"],
        "parameters": rows[0]["parameters"],
        "n": len(rows),
        "loss": median(row["loss"] for row in rows),
        "GFLOP trained": training / 1e9,
    }
    for at, share in enumerate(grown.setting.shares):
        found[f"{share:.0%} GFLOP"], found[f"{share:.0%} ratio"] = _until(rows, at, training)
    beside = [row["controls"] for row in rows if row["controls"]]
    return found | {
        "parts": median([row["size_of_sets"] for row in rows if row["size_of_sets"] is not None] or [0]),
        "nothing": f"{median(row['nothing'] for row in rows):.0%}",
        "random": f"{median([one['random'] for one in beside] or [0]):.1%}",
        "others": f"{median([one['shuffled'] for one in beside] or [0]):.1%}",
    }


def _until(rows: list[dict[str, Any]], at: int, training: float) -> tuple[str | None, str | None]:
    """The median cost of a share, `>` where it is a bound, and as a multiple of training."""
    known = sorted((row["until"][at] for row in rows if row["curve"]), key=lambda one: one[0])
    if not known:
        return None, None
    flops, _ = known[len(known) // 2]
    bound = ">" if sum(not reached for _, reached in known) * 2 >= len(known) else ""
    return f"{bound}{flops / 1e9:.3g}", f"{bound}{flops / training:.2g}"


def applied(grown: Grown) -> Table:
    """A row a size: what the sets of one network are worth in the next."""
    return Table.of(_carried(grown, rows) for rows in grouped(row for row in grown.applied if "held" in row))


def _carried(grown: Grown, rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = {"size": rows[0]["size"], "n": len(rows)}
    found |= {"hold at once": f"{median(row['held'] for row in rows):.0%}"}
    found |= {"matched at random": f"{median(row['held_random'] for row in rows):.0%}"}
    found |= {f"apply ÷ discover {grown.setting.shares[0]:.0%}": f"{median(_at_once(row) for row in rows):.2f}"}
    for at, share in enumerate(grown.setting.shares):
        for name in ("warm", "chance"):
            costs = begun_over(rows, at, name)
            found[f"{name} ÷ cold, {share:.0%}"] = f"{median(costs):.2f} (n = {len(costs)})" if costs else None
    return found


def begun_over(rows: Iterable[dict[str, Any]], at: int, name: str) -> list[float]:
    """Operations until a share is explained by a search that begins from carried sets ("warm": with those of matching; "chance":
    at random places, which takes no match), over one that begins from nothing; of the pairs in which both got there."""
    return [
        (row[name][at][0] + (row["matching"] if name == "warm" else 0)) / row["cold"][at][0]
        for row in rows
        if row[name][at][1] and row["cold"][at][1]
    ]


def _at_once(row: dict[str, Any]) -> float:
    """Operations to match and check, over those until the first share is discovered there: more than the sets that hold at once."""
    return (row["matching"] + row["checking"]) / row["cold"][0][0]


def tuning(grown: Grown) -> Table:
    """A row a size: what was chosen, and what choosing took beside one training and one search."""
    trained = {row["size"] for row in grown.networks}
    return Table.of(_tuning(grown, row) for row in grown.tuning if row["size"] in trained)


def _tuning(grown: Grown, row: dict[str, Any]) -> dict[str, Any]:
    own = [each for each in grown.networks if each["size"] == row["size"]]
    training = median(each["training_flops"] for each in own)
    searched = [sum(each["phases"].values()) for each in own]
    return {
        "size": row["size"],
        "rate": row["rate"],
        "penalty": row["penalty"],
        "tuning ÷ training": row["training_flops"] / training,
        "tuning ÷ search": row["search_flops"] / max(1, median(searched)),
    }


def budget(setting: Setting) -> str:
    """What a study will take, about."""
    flops = 0.0
    for size in setting.sizes:
        tokens = setting.tokens_per_parameter * setting.parameters(size)["parameters"]
        trainings = len(setting.seeds) + len(setting.rates) * setting.trial
        flops += 6 * setting.parameters(size)["parameters"] * tokens * trainings
    networks = len(setting.sizes) * len(setting.seeds)
    return (
        f"{networks} networks of {len(setting.sizes)} sizes: about {flops:.1g} operations of training and as many of understanding "
        f"at most, {2 * flops / A_SECOND / 3600:.1f} CPU-hours on a laptop's core"
    )


def printed(grown: Grown) -> str:
    """Everything, to read."""
    return "\n\n".join(_printed(grown))


def _told(fits: Iterable[Fit]) -> Iterator[str]:
    """A line a fit; those that could not be made for one reason share a line."""
    unmade: dict[str, list[str]] = {}
    for one in fits:
        if one.power is not None:
            yield str(one)
        else:
            unmade.setdefault(f"{one.verdict}: {one.why}", []).append(one.name)
    yield from (f"{', '.join(names)}: {why}" for why, names in unmade.items())


def _printed(grown: Grown) -> Iterator[str]:
    search = grown.setting.search
    yield (
        f"what it took until a share of {search.decisions} random decisions was explained: by at most {search.most:.0%} of heads "
        f"and neurons, to {search.kl:g} nats of KL; medians over seeds, > where half were not explained so far\n"
        "ratio: of it to training; parts: in the middle set; nothing: decisions that need none; random: random sets that hold; "
        "others: other decisions' answers that the same search explains"
    )
    yield str(sizes(grown))
    if grown.diverged:
        yield f"left out, as their training diverged: {', '.join(grown.diverged)}"
    yield "every fit that was looked at, corrected for how many there are\n" + "\n".join(_told(fitted(grown)))
    if any("held" in row for row in grown.applied):
        yield f"the sets of one network in the next of its size\n{applied(grown)}"
    yield f"what was tuned, and what that took\n{tuning(grown)}"
