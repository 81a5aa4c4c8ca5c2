"""What understanding a network has cost against training it: two ratios, where they come from, and what is not in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cutaway.ledger import Ledger, Purpose
from cutaway.ledger.adjust import amortised, data_collection, hyperparameter_search, researcher_time, unoptimised
from cutaway.ledger.estimate import Estimate
from cutaway.ledger.figure import Figure
from cutaway.ledger.reference import LINES
from cutaway.ledger.uncertainty import Interval, dominant, interval
from cutaway.ledger.uncertainty import table as sensitivity
from cutaway.runs import Table
from cutaway.study.cost.books import Book, CostError, Study
from cutaway.study.cost.money import CORE_TIME, people, priced_by, spent, total, unpriced
from cutaway.study.cost.prices import Declared, Prices
from cutaway.study.cost.tables import by, by_run

UNDERSTANDING: tuple[Purpose, ...] = ("discover", "apply")
PARTS = ("discovering", "applying")


ASSUMED, NOTHING = Prices(), Declared()


@dataclass(frozen=True)
class Costs:
    """The costs of a study. Each ratio is None where one of its sides is not known; `missing` says why.

    flops and core_time are of machines only; money is with people, and `spread` where it lies if its inputs are as well
    known as they say. caveats: what keeps figures from being exact, as lower bounds; unread: what could not be read.
    """

    understanding: Figure | None
    training: Figure | None
    flops: Estimate | None
    core_time: Estimate | None
    money: Estimate | None
    spread: Interval | None
    dominant: Figure | None
    named: int
    phases: Table
    modules: Table
    runs: Table
    missing: tuple[str, ...]
    caveats: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def ratios(self) -> dict[str, Estimate]:
        """Those that are known."""
        found = {"FLOPs": self.flops, "core time": self.core_time, "money": self.money}
        return {name: one for name, one in found.items() if one is not None}

    @property
    def lines(self) -> Table:
        """The reference lines, and what of each the ratios are."""
        return Table.of(
            {
                "line": f"{line.ratio:,}×",
                **{f"{name}, of it": str(one.ratio / float(line.ratio)) for name, one in self.ratios.items()},
                "how": line.how,
                "source": line.source,
            }
            for line in LINES
        )

    @property
    def sensitivity(self) -> Table:
        """How far each input moves the ratio in money."""
        return Table({}) if self.money is None else sensitivity(self.money.ratio)

    @property
    def per_named(self) -> dict[str, Figure]:
        """What was spent for each sub-model that is named, also where nothing was."""
        sides = {name: one.understanding for name, one in self.ratios.items()}
        if self.understanding is not None:
            sides.setdefault("FLOPs", self.understanding)
        return {name: one / Figure(self.named, "submodels") for name, one in sides.items()} if self.named else {}


def costs(study: Study, prices: Prices = ASSUMED, declared: Declared = NOTHING, seed: int = 0) -> Costs:
    """The costs of a study at these prices, with what is declared beside its ledgers.

    Raises CostError where training is booked and declared as well.
    """
    books, ledger = study.books, study.ledger
    found = ledger.where(lambda head: head.purpose in UNDERSTANDING)
    trained = ledger.where(purpose="train")
    understanding = total(found, ("flops",), "FLOP", "FLOPs of understanding")
    training = _training_flops(trained, declared)
    seconds = [total(one, CORE_TIME, "s", name) for one, name in ((found, "understanding"), (trained, "training"))]
    parts = [ledger.where(purpose=purpose) for purpose in UNDERSTANDING]
    flops = [total(one, ("flops",), "FLOP", f"FLOPs of {name}") for one, name in zip(parts, PARTS)]
    times = [total(one, CORE_TIME, "s", f"core time of {name}") for one, name in zip(parts, PARTS)]
    money = _money(books, prices, declared)
    return Costs(
        understanding=understanding,
        training=training,
        flops=_shared(_estimate(understanding, training, declared), *flops, declared),
        core_time=_shared(_estimate(*seconds, declared), *times, declared),
        money=money,
        spread=None if money is None else interval(money.ratio, seed),
        dominant=None if money is None else dominant(money.ratio),
        named=sum(book.named or 0 for book in books),
        phases=by(ledger, "phase", "purpose", "state"),
        modules=by(ledger.where(lambda head: bool(head.module)), "module", "purpose"),
        runs=by_run(books),
        missing=(*_unread(study), *_missing(found, trained, understanding, training, declared)),
        caveats=tuple(_caveats(books, ledger, prices)),
        unread=study.said,
    )


def _training_flops(trained: Ledger, declared: Declared) -> Figure | None:
    booked = total(trained, ("flops",), "FLOP", "FLOPs of training")
    if declared.training_flops is None:
        return booked
    if booked is not None:
        raise CostError(f"training is booked there ({booked}), and declared as well; expected one: leave it undeclared")
    return Figure(declared.training_flops, "FLOP", "declared", "FLOPs of training")


def _estimate(understanding: Figure | None, training: Figure | None, declared: Declared) -> Estimate | None:
    """None where one side is not known."""
    if understanding is None or training is None or training.value <= 0:
        return None
    return _scaled(Estimate(understanding, training), declared)


def _shared(
    found: Estimate | None, discovering: Figure | None, applying: Figure | None, declared: Declared
) -> Estimate | None:
    """A discovery that serves many networks is divided among them; what applying it took is not."""
    if found is None or declared.models is None or discovering is None:
        return found
    return amortised(replace(found, understanding=discovering), _models(declared.models), applying)


def _scaled(found: Estimate, declared: Declared) -> Estimate:
    """Training with what is declared of it as a factor."""
    if declared.trainings is not None:
        found = hyperparameter_search(found, Figure(declared.trainings, "", "declared", "all trainings over the one"))
    if declared.unoptimised is not None:
        found = unoptimised(found, Figure(declared.unoptimised, "", "declared", "training that nobody optimised"))
    return found


def _money(books: Sequence[Book], prices: Prices, declared: Declared) -> Estimate | None:
    understanding = spent(books, UNDERSTANDING, prices, "understanding")
    time = None
    if declared.person_hours:
        hours = Figure(declared.person_hours, "person-hour", "declared", "people's time of understanding, declared")
        time = (hours * prices.salary).to(prices.currency)
        understanding = time if understanding is None else understanding + time
    found = _estimate(understanding, _training_money(books, prices, declared), NOTHING)
    if found is None:
        return None
    found = _scaled(found, declared)
    if declared.training_hours is not None:
        hours = Figure(declared.training_hours, "person-hour", "declared", "people's time of training")
        found = researcher_time(found, hours, prices.salary)
    if declared.data_cost is not None:
        found = data_collection(found, Figure(declared.data_cost, prices.currency, "declared", "data of training"))
    discovering, applying = (spent(books, (purpose,), prices, words) for purpose, words in zip(UNDERSTANDING, PARTS))
    if time is not None:
        discovering = time if discovering is None else discovering + time
    return _shared(found, discovering, applying, declared)


def _training_money(books: Sequence[Book], prices: Prices, declared: Declared) -> Figure | None:
    booked = spent(books, ("train",), prices, "training")
    if declared.training_cost is not None:
        if booked is not None:
            raise CostError(f"training is booked there ({booked}), and its cost declared as well; expected one of them")
        return Figure(declared.training_cost, prices.currency, "declared", "cost of training")
    if booked is None and declared.training_flops is not None:
        flops = Figure(declared.training_flops, "FLOP", "declared", "FLOPs of training")
        return (flops * prices.operation).to(prices.currency)
    return booked


def _models(count: float) -> Figure:
    return Figure(count, "models", "declared", "networks that share the discovery")


def _unread(study: Study) -> list[str]:
    count = len(study.said)
    return (
        [f"the sums are lower bounds: {count} of the ledgers there could not be read whole (see the end)"]
        if count
        else []
    )


def _missing(
    found: Ledger, trained: Ledger, understanding: Figure | None, training: Figure | None, declared: Declared
) -> list[str]:
    said = []
    if not len(trained):
        elsewhere = (
            "try --training-flops or --training-cost, or the folder of the network as dial train --out writes it"
        )
        known = declared.training_flops or declared.training_cost
        how = "as it is declared" if known else f"not known; {elsewhere}"
        said.append(f"no training is booked there: what it cost is {how}")
    elif training is None:
        said.append("the operations of training were not counted")
    if not len(found):
        said.append("no understanding is booked there; give the folders of traces, matches and circuits as well")
    elif understanding is None:
        said.append("the operations of understanding were not counted; run the commands with --flops")
    if people(found, "people") is None and declared.person_hours is None:
        said.append("nobody's time is booked; try cutaway cost clock start reading, or --person-hours")
    return said


def _caveats(books: Sequence[Book], ledger: Ledger, prices: Prices) -> list[str]:
    said = []
    for words, purposes in (("understanding", UNDERSTANDING), ("training", ("train",))):
        spending = [book.of(*purposes) for book in books]
        spending = [one for one in spending if len(one.where(kind="compute"))]
        counted = [one for one in spending if len(one.where(resource="flops"))]
        if counted and len(counted) < len(spending):
            said.append(
                f"the FLOPs of {words} are a lower bound: counted in {len(counted)} of {len(spending)} runs (--flops)"
            )
    notes = dict.fromkeys(f"{head.phase}: {head.note}" for head in ledger.heads if head.note and head.kind == "compute")
    for words, purposes in (("understanding", UNDERSTANDING), ("training", ("train",))):
        by = priced_by(books, purposes)
        if by["operations"]:
            rest = len(by["core time"]) + len(by["GPU time"])
            others = f", {rest} by their time" if rest else ""
            said.append(
                f"in money {words} is priced by operations in {len(by['operations'])} runs without seconds{others}: the two prices "
                "need not agree"
            )
    failed = ledger.where(lambda head: head.state != "done")
    ended = sorted({f"{head.phase} ({head.state})" for head in failed.heads})
    said += [f"in the sums: {', '.join(ended)}"] if ended else []
    other = ledger.where(lambda head: head.purpose is None)
    phases = sorted({head.phase for head in other.heads})
    said += [f"neither training nor understanding, so in no ratio: {', '.join(phases)}"] if phases else []
    return [*said, *notes, *unpriced(books, prices.currency)]


def record(found: Costs) -> dict[str, Any]:
    """The costs as JSON values."""
    ratios = {
        name: {
            "ratio": one.ratio.record(),
            "understanding": one.understanding.record(),
            "training": one.training.record(),
            "adjustments": one.table().rows(),
        }
        for name, one in found.ratios.items()
    }
    spread = found.spread
    return {
        "ratios": ratios,
        "spread of money": None
        if spread is None
        else {
            "low": spread.low,
            "median": spread.median,
            "high": spread.high,
            "mark": found.ratios["money"].ratio.mark.strip(" ()"),
        },
        "dominant": None if found.dominant is None else {"input": found.dominant.name, **found.dominant.record()},
        "named sub-models": found.named,
        "per named sub-model": {name: one.record() for name, one in found.per_named.items()},
        "understanding FLOPs": None if found.understanding is None else found.understanding.record(),
        "training FLOPs": None if found.training is None else found.training.record(),
        **{name: getattr(found, name).rows() for name in ("phases", "modules", "runs", "lines", "sensitivity")},
        **{name: list(getattr(found, name)) for name in ("missing", "caveats", "unread")},
    }
