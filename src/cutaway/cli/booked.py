"""Every command writes what it cost into the ledger of the run that it made; what a stopped or failed one cost stays in.

The one place where a command is metered. Until there is a run, the ledger is in FOLDER.partial, beside `--out`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutaway.cli.answer import Answer
from cutaway.cli.ending import Stopped, WrongUse
from cutaway.cli.options import Options, forget_partial, partial_of
from cutaway.ledger.meter import Meter, meter
from cutaway.runs.folder import LEDGER, RunError

if TYPE_CHECKING:
    from cutaway.ledger import Cost, Entry, Purpose

PURPOSES: dict[str, Purpose] = {
    "dial train": "train",
    "dial sweep": "train",
    "demo": "discover",
    "trace": "discover",
    "submodels": "discover",
    "match": "discover",
    "agree": "discover",
    "diff": "discover",
    "calibrate": "discover",
    "dial prune": "discover",
    "dial frontier": "discover",
    "mesa screen": "discover",
    "mesa report": "discover",
    "without": "apply",
    "verify": "apply",
}
"""What each command is for; the others list, print and count, and understand nothing."""
VERSIONED = ("cutaway", "torch", "transformers", "numpy")


def metered(verb: str, options: Options | None, answered: Callable[[], Answer]) -> tuple[Answer, Cost]:
    """The answer of a command, and what it cost; what it cost until it failed or was stopped is booked beside `--out`."""
    running: Meter | None = None
    try:
        with meter(f"cutaway {verb}", flops=options is not None and options.flops) as running:
            answer = answered()
    except BaseException as error:
        if running is not None and options is not None and options.out is not None:
            state = "aborted" if isinstance(error, Stopped | KeyboardInterrupt) else "failed"
            _book_unfinished(verb, options.out, replace(running.cost, state=state), options.seed, error)
        raise
    return answer, running.cost


def save(verb: str, answer: Answer, options: Options, cost: Cost, tokens: Sequence[str]) -> None:
    """Saves the answer as a run with its ledger: what this command cost, and what those cost that were stopped before."""
    if options.out is None:
        return
    import cutaway

    run = answer.save or partial(cutaway.save, answer.value)
    run(options.out, arguments={"command": ["cutaway", *tokens]}, costs=())
    if not answer.booked:
        _book(verb, options.out, cost, options.seed, answer)
    _take_over(partial_of(options.out) / LEDGER, options.out / LEDGER)
    forget_partial(options.out)


def _book(verb: str, folder: Path, cost: Cost, seed: int, answer: Answer | None = None) -> None:
    from cutaway.ledger import append, entries_of

    module, submodel, more = ("", "", ()) if answer is None else (answer.module, answer.submodel, answer.entries)
    entries = entries_of(
        cost, seed=seed, versions=versions(), purpose=PURPOSES.get(verb), module=module, submodel=submodel
    )
    append(folder / LEDGER, *more, *_once(entries, [*more, *_booked(folder)]))


def _booked(folder: Path) -> Sequence[Entry]:
    from cutaway.ledger import read

    return read(folder / LEDGER).entries if (folder / LEDGER).is_file() else ()


def _once(entries: Sequence[Entry], known: Sequence[Entry]) -> list[Entry]:
    """Those that are not known yet: where the operations of training are derived from its sizes, of all its resumed parts,
    they are not booked again as they were measured."""
    derived = {entry.resource for entry in known if entry.provenance == "derived" and entry.purpose == "train"}
    return [entry for entry in entries if entry.purpose != "train" or entry.resource not in derived]


def _book_unfinished(verb: str, out: Path, cost: Cost, seed: int, error: BaseException) -> None:
    """Only work counts: a command that was refused before a network ran leaves nothing behind. Passes of a training are not
    counted: whatever but a refusal ended it, it had begun."""
    folder = partial_of(out)
    trained = PURPOSES.get(verb) == "train" and not isinstance(error, ValueError | OSError)
    if isinstance(error, WrongUse | RunError) or not (trained or folder.exists() or cost.forwards):
        return
    folder.mkdir(parents=True, exist_ok=True)
    _book(verb, folder, cost, seed)


def _take_over(before: Path, after: Path) -> None:
    """The entries of stopped commands, so that they stay in; those that a killed take-over had booked already are not again."""
    if before.is_file():
        from cutaway.ledger import append, read

        known = _booked(after.parent)
        append(after, *(entry for entry in _once(read(before).entries, known) if entry not in known))


def versions() -> dict[str, str]:
    """Of what a figure of cost depends on."""
    from importlib import metadata

    found: dict[str, Any] = {}
    for name in VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
