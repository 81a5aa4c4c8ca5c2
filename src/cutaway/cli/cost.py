"""`cost`, `cost scaling` and `cost clock` as commands: what understanding cost against training, how it grows, people's time."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.ending import Stopped, WrongUse
from cutaway.cli.options import Options
from cutaway.cli.verbs import listed
from cutaway.runs.progress import terminal
from cutaway.runs.table import Table

ABOUT = """Adds up what runs have cost: understanding against training, in operations (machines only) and in money (with people).

STUDY is a run folder, as --out writes it, or a folder of run folders."""

cost = App(name="cost", help=ABOUT, help_format="plaintext", version_flags=[])
PRICES = Group("Prices, of which the defaults are assumed", sort_key=1)
FIRST = 8001
"""The first seed of a study of growth; its settings were chosen on 7001 to 7003."""
DECLARED = Group("What no ledger tells, declared", sort_key=2)


@Parameter(name="*", group=PRICES)
@dataclass(frozen=True)
class Priced:
    """Prices in the currency."""

    core_hour: Annotated[float | None, Parameter(name="--price-core-hour")] = None
    "An hour of one core; assumed: 0.05 USD."
    device_hour: Annotated[float | None, Parameter(name="--price-gpu-hour")] = None
    "An hour of one GPU; assumed: 2 USD."
    operation: Annotated[float | None, Parameter(name="--price-flop")] = None
    "One operation of a training whose seconds are not known; assumed: 5e-18 USD, 2 USD an hour at 1e14 a second."
    salary: Annotated[float | None, Parameter(name="--price-person-year")] = None
    "A person-year of 2080 hours; assumed: 250000 USD, as in the estimate behind 50,000×."
    kwh: Annotated[float | None, Parameter(name="--price-kwh")] = None
    "A kWh, where energy is booked; assumed: 0.2 USD."


@Parameter(name="*", group=DECLARED)
@dataclass(frozen=True)
class Beside:
    """What is declared beside the ledgers."""

    training_flops: float | None = None
    "Operations of a training that is booked nowhere."
    training_cost: float | None = None
    "What that training cost, in the currency."
    person_hours: float | None = None
    "Hours that people spent to understand, on top of those that the clock booked."
    training_hours: float | None = None
    "Hours that people spent to build the network."
    data_cost: float | None = None
    "What the data of training cost, in the currency."
    trainings: float | None = None
    "All trainings over the one that is booked: those of a search for hyperparameters, and failed ones."
    unoptimised: float | None = None
    "How many times as much training would have cost in an implementation that nobody optimised."
    models: float | None = None
    "Networks that share what was found out."


@cost.default
def whole(
    *study: Annotated[Path, Parameter(help="A run folder, or a folder of run folders.")],
    page: Path | None = None,
    currency: str = "USD",
    priced: Priced = Priced(),
    beside: Beside = Beside(),
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Says what understanding cost against training: by phase, module and run, for each named sub-model, beside known estimates.

    Parameters
    ----------
    page
        Also draw it as one self-contained HTML page.
    currency
        Of all prices and sums; in another than USD all prices must be given.
    """
    check_given(study)
    from cutaway.study.cost import Declared, Prices, costs, printed, record
    from cutaway.study.cost import page as drawn
    from cutaway.study.cost import study as read

    prices = Prices.declared(currency, **asdict(priced))
    found = costs(read(study), prices, Declared(**asdict(beside)), options.seed)
    numbers = record(found)
    also = {} if page is None else {"page": drawn(found, page)}
    return Answer(numbers, printed(found), also, save=partial(kept, numbers, "cost", options.seed))


def check_given(study: tuple[Path, ...]) -> None:
    """Raises `WrongUse` where no folder is given."""
    if not study:
        raise WrongUse("no STUDY was given; expected a run folder, as --out writes it, or a folder of them")


def kept(numbers: dict[str, Any], kind: str, seed: int, out: Path, arguments: dict[str, Any], costs: Any = ()) -> None:
    """Saves the numbers of a report as a run."""
    from cutaway.runs import new_run

    with new_run(out, kind, seed=seed, arguments=arguments) as run:
        run.write_json(kind, numbers)


@cost.command
def scaling(
    *study: Annotated[Path, Parameter(help="Folders of networks with what was asked of them, or files of lines.")],
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Fits how the cost of understanding grows with training's, parameters and neurons: every candidate, and a verdict.

    A folder holds the training of one network and what understanding it cost, or has subfolders that do. A line of a file
    is {"network": …, "size": …, "training_flops": …, "understanding_flops": …, "reached": …} and, if known, "parameters",
    "non_embedding", "neurons".
    """
    check_given(study)
    from cutaway.ledger.scaling import table
    from cutaway.study.cost.scaling import growth

    for path in study:
        if not path.exists():
            raise WrongUse(f"{path}: no such folder or file; expected folders of networks, or a file of lines")
    found = growth(study)
    numbers = {"networks": found.table.rows(), "fits": table(found.fits).rows(), "left out": list(found.left_out)}
    return Answer(numbers, str(found), save=partial(kept, numbers, "scaling", options.seed))


@cost.command
def grow(
    folder: Path,
    /,
    *,
    sizes: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    seeds: int = 3,
    tokens_per_parameter: float = 20.0,
    decisions: int = 128,
    engine: str = "local",
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Trains small code networks of several sizes, explains random decisions of each, and fits how the cost of that grows.

    The same command goes on where it was stopped, and with more sizes or seeds takes what is there.

    Parameters
    ----------
    folder
        Where networks, their ledgers and results are kept.
    sizes
        WIDTHxLAYERS, with commas or spaces between them; default: eight, from 16x2 to 88x4.
    seeds
        Networks of each size, from seed 8001 on.
    tokens_per_parameter
        Tokens of training for each parameter.
    decisions
        Random decisions that are asked of each network.
    engine
        "local", processes:N for N processes on this machine, or ray (a cluster).
    """
    from cutaway.runs import engine_of
    from cutaway.study.growth import DEFAULT, Search, Setting, Size
    from cutaway.study.growth import grow as grown
    from cutaway.study.growth.show import budget, printed
    from cutaway.study.growth.show import sizes as tabled

    for option, value in (("--seeds", seeds), ("--decisions", decisions)):
        if value < 1:
            raise WrongUse(f"{option} was given {value}; expected 1 or more")
    if folder.is_file():
        raise WrongUse(f"{folder} is a file; expected a folder for the study")
    setting = Setting(
        sizes=tuple(map(Size.of, listed(sizes))) or DEFAULT,
        seeds=tuple(range(FIRST, FIRST + seeds)),
        tokens_per_parameter=tokens_per_parameter,
        search=Search(decisions=decisions),
    )
    print(budget(setting), file=sys.stderr)
    try:
        found = grown(setting, folder, engine_of(engine), terminal())
    except KeyboardInterrupt:
        raise Stopped(f"stopped; what is done is kept in {folder}, the same command goes on") from None
    return Answer(tabled(found), printed(found), {"networks": folder}, booked=True)


Home = Annotated[Path, Parameter(name="--in", help="The run folder, or folder of runs, whose time it is.")]

clock = App(name="clock", help="A stopwatch for people's time, booked in the ledger of a folder.", version_flags=[])


@clock.command
def start(
    activity: str,
    /,
    *,
    home: Home = Path(),
    purpose: Literal["train", "discover", "apply"] = "discover",
    submodel: str = "",
    module: str = "",
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Starts the clock: from now on you are reading, writing, labelling, …

    Parameters
    ----------
    activity
        What you do, in a word: reading.
    purpose
        What it is for: to train the network, to discover something about it, or to apply what was found before.
    submodel
        The sub-model that you are at.
    module
        The module of the network that it is in.
    """
    from cutaway.ledger import clock as stopwatch

    running = stopwatch.start(home, activity, purpose, submodel, module=module)
    return Answer(single(asdict(running)), f"{running.activity}: the clock of {home} runs since {running.started}")


@clock.command
def stop(
    activity: str = "",
    /,
    *,
    home: Home = Path(),
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Stops the clock and books the hours.

    Parameters
    ----------
    activity
        What you did; without it, whatever the clock runs for.
    """
    from cutaway.ledger import clock as stopwatch

    entry = stopwatch.stop(home, activity)
    forgotten = " (was it forgotten? the ledger keeps it)" if entry.quantity > stopwatch.LONG_H else ""
    text = f"{entry.phase}: {entry.quantity:.3g} person-hours are booked in {home}{forgotten}"
    return Answer(single({"activity": entry.phase, "person-hours": entry.quantity, "note": entry.note}), text)


def single(row: dict[str, Any]) -> Table:
    """A table of one row."""
    return Table.of([row])


cost.command(clock)
