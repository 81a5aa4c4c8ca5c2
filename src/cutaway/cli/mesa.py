"""`mesa zoo`, `screen`, `report` and `budget` as commands: networks that run an optimizer inside, and the signs of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.ending import WrongUse
from cutaway.cli.options import Options, on_one_thread, on_the_processor, opened
from cutaway.cli.verbs import Flag
from cutaway.runs.progress import terminal
from cutaway.runs.table import Table
from cutaway.runs.text import write_text

if TYPE_CHECKING:
    from cutaway.mesa.screen import Screened
    from cutaway.mesa.zoo import Recipe
    from cutaway.network import Network

ABOUT = """Is there an optimizer inside? Draws networks that certainly run one and look-alikes that do not, reads every telltale
sign of one, and says how many steps of an optimizer fit in a depth."""

mesa = App(name="mesa", help=ABOUT, help_format="plaintext", version_flags=[])


def zoo(
    *,
    region: Literal["thresholds", "blind"] = "thresholds",
    optimizers: int = 13,
    controls: int = 24,
    to: Path | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Draws networks of known truth: recipes, from --seed, each built in milliseconds when it is screened.

    Parameters
    ----------
    region
        The sizes to draw from: those that limits were chosen on, or others.
    optimizers
        Networks that certainly run an optimizer; families take turns.
    controls
        Look-alikes that certainly do not; families take turns.
    to
        Write the recipes to this file, one JSON line each, for mesa screen FILE.
    """
    from cutaway.mesa import zoo as drawn

    for option, value in (("--optimizers", optimizers), ("--controls", controls)):
        if value < 0:
            raise WrongUse(f"{option} was given {value}; expected 0 or more")
    if not optimizers + controls:
        raise WrongUse("no network was asked for; expected --optimizers or --controls above 0")
    draw = {"thresholds": drawn.thresholds, "blind": drawn.blind}[region]
    recipes = draw(options.seed, optimizers, controls)
    also = {}
    if to is not None:
        if to.exists():
            raise WrongUse(f"{to} is there already; expected a new file: choose another name, or remove it first")
        to.write_text(drawn.to_lines(recipes), encoding="utf-8")
        also = {"recipes": to}
    table = Table.of(
        {
            "place": place,
            "family": recipe.family,
            "truth": recipe.truth,
            "task": type(recipe.task).__name__,
            "dim": recipe.task.dim,
            "points": recipe.task.points,
            "layers": recipe.depth,
        }
        for place, recipe in enumerate(recipes)
    )
    return Answer(table, str(table), also)


def kinds(
    *,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Lists every kind of network that can be screened by name, with what it certainly is."""
    from cutaway.mesa.kinds import kinds as listed

    found = listed()
    return Answer(found, str(found))


def screen(
    network: Annotated[
        str,
        Parameter(
            help="A kind or family of the zoo (mesa kinds), such as 'gradient descent'; or a file of mesa zoo --to."
        ),
    ],
    /,
    *,
    place: int | None = None,
    dim: int | None = None,
    points: int | None = None,
    layers: int | None = None,
    page: Path | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Reads every sign of a network on novel problems, and says what they add up to.

    Parameters
    ----------
    place
        Which network of a file; default: 0.
    dim
        Coordinates of a point, where a kind is named; default: 4.
    points
        Labelled points of a problem, where a kind is named; default: 12.
    layers
        Layers of the network, where a kind is named; default: 6.
    page
        Also draw the signs by layer, beside an optimizer and a look-alike, as one self-contained HTML page.
    """
    on_the_processor(options, "networks of the zoo")
    from cutaway.mesa.screen import screen as screened

    recipe = _recipe(network, place, {"dim": dim, "points": points, "layers": layers}, options.seed)
    found = screened(recipe.build(), recipe.task, options.seed)
    also: dict[str, object] = {} if recipe.truth == "uncertain" else {"truth": recipe.truth}
    also["goal slot"] = _slot(found)
    whole = {**found.record(), **also, "seed": options.seed, "recipe": json.loads(recipe.to_json())}
    if page is not None:
        also["page"] = _drawn(found, recipe, page, options.seed)
    return Answer(whole, str(found), also, save=partial(_kept, found, whole, options.seed))


def report(
    network: Annotated[str, Parameter(help="A folder, a hub id or an organism: a language model with a tokenizer.")],
    /,
    *,
    shots: int = 16,
    tasks: int = 64,
    arbitrary: Annotated[bool, Flag] = False,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """What a language model learns from demonstrations with labels that mean nothing: in how many layers, and signs of how.

    Each number stands beside those of the same network with random weights, of labels dealt anew, and of its first block alone.

    Parameters
    ----------
    shots
        Demonstrations of a task.
    tasks
        Tasks of each kind; each has new labels and a new split.
    arbitrary
        Draw tokens at random instead of English words: for a network whose tokenizer cuts words up.
    """
    on_one_thread()
    from cutaway.mesa.language import Instructions, Lexicon, Plan, Sorting, few_shot_report
    from cutaway.network import TextFeed

    net = opened(network, options.device)
    if not isinstance(net.feed, TextFeed):
        raise WrongUse(f"{network} has no tokenizer; expected a language model that reads text")
    for option, value in (("--shots", shots), ("--tasks", tasks)):
        if value < 2:
            raise WrongUse(f"{option} was given {value}; expected 2 or more")
    try:
        lexicon = Lexicon.arbitrary(_vocabulary(net), options.seed) if arbitrary else Lexicon.of(net.feed.tokenizer)
    except ValueError as error:
        raise WrongUse(f"{str(error).replace('Lexicon.arbitrary', '--arbitrary')}") from None
    plan, few = Plan(tasks=tasks), Sorting(lexicon, shots)
    found = few_shot_report(net, few, Instructions(lexicon), plan, options.seed, terminal())
    return Answer(found.rows(), str(found))


def budget(
    *,
    layers: int = 96,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """How many steps of which optimizer reach 10 %, 1 % and 0.01 % of the first error: what fits into a network's layers.

    Parameters
    ----------
    layers
        The network's layers, one step each: how much of each table fits into them.
    """
    on_one_thread()
    from cutaway.mesa import budget as steps

    if layers < 1:
        raise WrongUse(f"--layers was given {layers}; expected 1 or more: try --layers 96")
    seeds = tuple(range(options.seed, options.seed + 3))
    tables = [steps.conditioning(seeds=seeds), steps.breeding(seeds=seeds)]
    rows = Table.of(
        {"problem": row.problem, "algorithm": row.algorithm, "share": row.share, "steps": list(row.steps)}
        for each in tables
        for row in each.rows
    )
    said = (f"{steps.text(each)}\n{each.within(layers):.0%} of these fit into {layers} layers." for each in tables)
    return Answer(rows, "\n\n".join(said))


def _slot(found: Screened) -> str:
    """Where the objective can be rewritten last, and how far the answer then follows."""
    from cutaway.mesa.goal import latest

    read = found.battery.readings["late objective"]
    layer = latest(read)
    if layer is None:
        return "none: no rewritten objective is followed"
    moved = read.course[layer - 1]
    return f"after layer {layer} of {len(read.course) + 1}, the answer goes {moved:.2f} of the way to another objective"


def _recipe(network: str, place: int | None, sizes: dict[str, int | None], seed: int) -> Recipe:
    """What is to be built. Raises `WrongUse` for what is neither a name nor a file, and for options that do not go with it."""
    from cutaway.mesa.kinds import named
    from cutaway.mesa.zoo import from_lines

    given = {name: value for name, value in sizes.items() if value is not None}
    path = Path(network)
    if path.is_file():
        if given:
            raise WrongUse(
                f"{', '.join(f'--{name}' for name in given)} were given for a file, whose networks have their own; leave them out"
            )
        recipes = _lines(path, from_lines)
        if not 0 <= (place or 0) < len(recipes):
            held = f"{len(recipes)} networks, 0 to {len(recipes) - 1}" if recipes else "no networks"
            raise WrongUse(f"--place was given {place or 0}; {network} holds {held}")
        return recipes[place or 0]
    if place is not None:
        raise WrongUse(f"--place was given for {network!r}, which is no file; expected a file that mesa zoo --to wrote")
    if path.suffix or path.is_dir() or "/" in network or ":" in network:
        there = "is no file of recipes" if path.exists() or ":" in network else "is not there"
        raise WrongUse(
            f"{network} {there}; expected a name of mesa kinds or a file that mesa zoo --to wrote; for a language model: "
            "cutaway mesa report"
        )
    for name, value in given.items():
        if value < 1:
            raise WrongUse(f"--{name} was given {value}; expected 1 or more")
    return named(network, seed, **given)


def _lines(path: Path, from_lines: Callable[[str], list[Recipe]]) -> list[Recipe]:
    """The recipes of a file. Raises `WrongUse` with the first line that is none."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found += from_lines(line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WrongUse(
                f"{path}, line {number} is no recipe ({type(error).__name__}: {error}); expected a file that mesa zoo --to wrote"
            ) from None
    return found


def _kept(
    found: Screened, whole: dict[str, Any], seed: int, out: Path, arguments: dict[str, Any], costs: Any = ()
) -> None:
    """Saves what was screened as a run: the verdict, and the signs as a table."""
    from cutaway.runs import new_run

    with new_run(out, "screened", seed=seed, arguments=arguments) as run:
        run.write_json("screened", whole)
        run.save_table(found.table(), "signs")


def _vocabulary(net: Network) -> int:
    """How many tokens a network knows. Raises `WrongUse` for one without a table of them."""
    from torch import nn

    table = next((part for part in net.module.modules() if isinstance(part, nn.Embedding)), None)
    if table is None:
        raise WrongUse(f"{net.name} has no embedding of tokens; expected a language model")
    return table.num_embeddings


def _drawn(found: Screened, recipe: Recipe, path: Path, seed: int) -> Path:
    """The page of a screened network, beside gradient descent and a one-shot solver on the same problems."""
    from dataclasses import replace

    from cutaway.mesa.page.screened import page_of
    from cutaway.mesa.signs.battery import battery

    beside = {
        name: battery(replace(recipe, kind=name, arguments={}, sham={}).build(), recipe.task, seed)
        for name in ("gradient descent", "ridge at once")
    }
    return write_text(path, page_of(found, recipe.family, beside))


for verb, takes in ((zoo, ""), (kinds, ""), (screen, "NETWORK "), (report, "NETWORK "), (budget, "")):
    mesa.command(verb, usage=f"Usage: cutaway mesa {verb.__name__} {takes}[OPTIONS]")
