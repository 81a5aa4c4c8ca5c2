"""`dial train`, `sweep`, `prune` and `frontier` as commands: networks pressed to be readable, their circuits, what it costs."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Group, Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.ending import Stopped, WrongUse
from cutaway.cli.options import Options, check_device, kept, on_one_thread, on_the_processor
from cutaway.cli.verbs import Flag, Several, listed
from cutaway.runs.progress import terminal

if TYPE_CHECKING:
    from cutaway.dial.store import Stored
    from cutaway.dial.tasks import Task
    from cutaway.ledger import Entry
    from cutaway.runs import Table

ABOUT = """Trains networks that are pressed to be readable, compares what that costs, and finds the small circuits in them.

A pressure is topk=SHARE, regrowth=SHARE, l1=PENALTY, activations=SHARE, attention=TOKENS or locality=WEIGHT, with settings
after colons (regrowth=1/16:every=20); "dense" is none."""

Corpus = Literal["tiny", "library"]
Trained = Annotated[
    str, Parameter(help="A folder that dial train or dial sweep wrote; or shipped:sparse, shipped:dense.")
]

STEPS = (0, 20, 80, 320)
WHAT = "sweeps, searches and circuits"

TRAINING = Group("Training", sort_key=1)


@Parameter(name="*", group=TRAINING)
@dataclass(frozen=True)
class Training:
    """What every network that one command trains has in common."""

    corpus: Corpus = "tiny"
    "tiny: tiny Python, endless small programs; library: the standard library's code."
    layers: int = 2
    "Blocks of attention and MLP."
    batch: int = 32
    "Windows in a step."
    context: int = 0
    "Tokens of a window; by default (0) 64 of tiny, 128 of library."
    kernels: Literal["fastest", "dense"] = "fastest"
    "fastest: layers under regrowth compute their live weights only where that is faster; dense: never."


dial = App(name="dial", help=ABOUT, help_format="plaintext", version_flags=[])


def train(
    *,
    width: int = 128,
    tokens: int = 1_000_000,
    pressure: Several = (),
    lr: float | None = None,
    start: Annotated[str | None, Parameter(name="--from")] = None,
    distil: str | None = None,
    distil_weight: float = 1.0,
    training: Training = Training(),
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Trains a network under pressures, and says its loss on held-out text, what lives, and what it took.

    Parameters
    ----------
    width
        Channels of the residual stream.
    tokens
        Tokens predicted in training.
    pressure
        With spaces or commas between them: topk=1/16, regrowth=1/16, l1=0.01, activations=1/4, attention=4, locality=1e-4.
    lr
        The learning rate; default: one for the pressure.
    start
        The folder of a network of the same sizes to begin from: a dense one is annealed; regrowth begins at its largest weights.
    distil
        The folder of a network to distil from, on each batch.
    distil_weight
        The weight of its part of the loss, beside 1 for the next token.
    """
    on_one_thread()
    from cutaway.dial.corpora import corpus_named
    from cutaway.dial.plan import Plan, carried_out
    from cutaway.dial.store import save

    words = "+".join(listed(pressure)) or "dense"
    plan = partial(Plan, width=width, pressure=words, tokens=tokens, seed=options.seed, lr=lr, **asdict(training))(
        start=start, teacher=distil, distil=distil_weight
    )
    device = check_device(options.device)
    plan.check(corpus_named(plan.corpus))
    with kept(options.out) as keep:
        stored = carried_out(plan, keep, terminal(), device)
    return Answer(stored.record, str(stored.record), save=partial(save, stored))


def sweep(
    *,
    width: Several = ("64", "128"),
    tokens: Several = ("1000000",),
    pressure: Several = ("dense", "regrowth=1/16"),
    seeds: int = 1,
    lr: Several = (),
    target: float = 0.15,
    examples: int = 128,
    engine: str = "local",
    folder: Path | None = None,
    training: Training = Training(),
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Trains a network for every combination of width, pressure, tokens and seed, and puts what each reached and took in a table.

    Parameters
    ----------
    width
        Widths, with commas or spaces between them; default: 64,128.
    tokens
        Numbers of tokens predicted in training, with commas or spaces between them; default: 1000000.
    pressure
        Pressures, one run each; + between those that act together: dense, topk=1/16, regrowth=1/16+activations=1/4;
        default: dense regrowth=1/16.
    seeds
        Runs of each combination, from --seed on.
    lr
        Learning rates, with commas or spaces between them; default: one for the pressure.
    target
        A task is solved at this loss, in nats.
    examples
        Examples on which each task is asked.
    engine
        "local", processes:N for N processes on this machine, or ray (a cluster).
    folder
        Keep every network and row here: the same command goes on, and a larger grid takes what is there. Default: beside --out.
    """
    on_the_processor(options, WHAT)
    from cutaway.dial.sweep import Grid
    from cutaway.dial.sweep import sweep as swept
    from cutaway.runs import engine_of

    grid = Grid(
        widths=tuple(whole("--width", word) for word in listed(width)),
        pressures=tuple(listed(pressure)),
        tokens=tuple(whole("--tokens", word) for word in listed(tokens)),
        seeds=tuple(range(options.seed, options.seed + seeds)),
        lrs=tuple(number("--lr", word) for word in listed(lr)) or (None,),
        target=target,
        examples=examples,
        **asdict(training),
    )
    if folder is None:
        print("networks are not kept without --folder FOLDER", file=sys.stderr)
    with kept(options.out) as beside:
        found = swept(grid, folder or beside, engine_of(engine), terminal())
    if folder is not None:  # every network has its own ledger there
        return Answer(found.table, str(found), {"networks": folder}, booked=True)
    return Answer(found.table, str(found), entries=trained(found.table, options.seed))


def prune(
    network: Trained,
    /,
    *,
    task: str,
    target: float = 0.15,
    searches: int = 2,
    adversary: int = 80,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Finds the smallest circuit that does a task by itself, and with the rest of the network masked at random.

    Parameters
    ----------
    task
        One of the corpus's tasks, such as quote_kind, bracket_depth, for_while; a wrong name is told the nearest.
    target
        The loss that the circuit has to reach, in nats; chance is .693.
    searches
        Searches from seeds that follow --seed; all are listed, and the smallest circuit is given.
    adversary
        Steps to find the masks of everything else that the circuit bears worst: 0, 20, 80 (default) or 320.
    """
    on_the_processor(options, WHAT)
    steps = tuple(step for step in STEPS if step <= adversary)
    if adversary not in STEPS:
        raise WrongUse(f"--adversary was given {adversary}; expected one of {', '.join(map(str, STEPS))}")
    from cutaway.dial.prune.findings import findings
    from cutaway.dial.prune.prune import Settings
    from cutaway.dial.prune.prune import prune as pruned
    from cutaway.dial.prune.saved import saved_of

    stored, asked = network_and_task(network, task)
    settings = Settings(target=target, searches=searches, seed=options.seed)
    with kept(options.out):
        found = pruned(stored.network, asked, stored.windows, settings)
        told = findings(found, stored.network, asked, settings, str(network), steps=steps)
    saved = saved_of(found, stored.network, settings)
    return Answer(told, str(told), save=lambda out, **about: told.save(out, saved, about["arguments"]))


def verify_circuit(folder: Path, network: str | None, options: Options) -> Answer:
    """`verify` for a circuit: its claims, run again on fresh examples of its task."""
    on_the_processor(options, WHAT)
    from cutaway.decisions.claims import read_claims
    from cutaway.dial.prune.claims import verify
    from cutaway.dial.prune.saved import read

    task = read(folder).circuit.task
    name = network or read_claims(folder)[0].source
    if name is None:
        raise WrongUse("no NETWORK was given and these claims do not say where theirs is; expected it after CLAIMS")
    stored, asked = network_and_task(name, task)
    found = verify(folder, stored.network, asked, options.seed)
    return Answer(found.claims, str(found), {"held": found.held, "changed": found.changed})


def network_and_task(folder: str, task: str) -> tuple[Stored, Task]:
    """A network that `dial` trained or that is shipped, and a task of its corpus."""
    from cutaway.dial.shipping import PREFIX, network_named
    from cutaway.dial.store import is_network
    from cutaway.dial.tasks import task_named

    if not (folder.startswith(PREFIX) or is_network(folder)):
        raise WrongUse(f"{folder} is no network of the dial; expected a folder that cutaway dial train --out wrote")
    stored = network_named(folder)
    return stored, task_named(task, None if stored.record.corpus == "tiny" else stored.tokenizer)


def frontier(
    folder: Annotated[Path, Parameter(help="The folder of a sweep: dial sweep --folder.")],
    /,
    *,
    tasks: Several = (),
    target: float = 0.15,
    searches: int = 2,
    extrapolate: Annotated[bool, Flag] = False,
    engine: str = "local",
    page: Path | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Sets validation loss against the size of circuits at each compute budget of a sweep, and says what a pressure costs.

    Circuits are kept in the sweep's folder: the same command goes on, and more tasks take what is there.

    Parameters
    ----------
    tasks
        Tasks to find the circuits of, with commas or spaces between them; default: those that every network solves.
    target
        The loss that a circuit has to reach, in nats; chance is .693.
    searches
        Searches for each circuit, from seeds that follow --seed.
    extrapolate
        Also give multipliers beyond the losses that dense networks were measured at; they are marked.
    engine
        "local", processes:N for N processes on this machine, or ray (a cluster).
    page
        Also draw it as one self-contained HTML page.
    """
    on_the_processor(options, WHAT)
    from cutaway.dial.frontier.frontier import frontier as drawn
    from cutaway.dial.frontier.picture import write
    from cutaway.dial.frontier.show import printed, save, tables
    from cutaway.dial.prune.prune import Settings
    from cutaway.runs import engine_of

    settings = Settings(target=target, searches=searches, seed=options.seed)
    try:
        found = drawn(folder, listed(tasks), settings, extrapolate, engine_of(engine), terminal())
    except KeyboardInterrupt:
        raise Stopped(f"stopped; circuits that were found are kept in {folder}, the same command goes on") from None
    also = {} if page is None else {"page": write(found, page)}
    return Answer(tables(found), printed(found), also, lambda out, **about: save(found, out, about["arguments"]))


def trained(rows: Table, seed: int) -> list[Entry]:
    """The operations of all runs of a sweep whose networks are not kept, derived from their sizes and steps."""
    from cutaway.ledger import Entry

    total = 1e9 * sum(row["executed_gflop"] or 0 for row in rows)
    return [Entry("training", "compute", total, "FLOP", "derived", "flops", purpose="train", seed=seed)]


def whole(option: str, word: str) -> int:
    """A word as a whole number above 0."""
    value = number(option, word)
    if value % 1 or value < 1:  # also what is infinite or no number
        raise WrongUse(f"{option} was given {word}; expected whole numbers above 0")
    return int(value)


def number(option: str, word: str) -> float:
    """A word as a number."""
    try:
        return float(word)
    except ValueError:
        raise WrongUse(f"{option} was given {word!r}; expected numbers with commas or spaces between them") from None


for verb, takes in ((train, ""), (sweep, ""), (prune, "NETWORK --task NAME "), (frontier, "FOLDER ")):
    dial.command(verb, usage=f"Usage: cutaway dial {verb.__name__} {takes}[OPTIONS]")
