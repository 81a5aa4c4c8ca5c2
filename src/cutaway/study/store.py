"""Save and load: a trace, a rerun, matches, differences, a catalogue or sub-models as a run folder, and back as an equal value.

Tables are parquet (`nodes.parquet`, …) so that DuckDB reads across runs, the rest is `value.json`, tensors are
safetensors. Functions are not stored; a decision with one says so when it is posed again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cutaway.concepts.diff import Differences
from cutaway.concepts.records import as_record, from_record
from cutaway.concepts.verdict import Matches
from cutaway.decisions import Decision, Rerun, Trace
from cutaway.decisions.claims import CLAIMS, claims_of
from cutaway.decisions.show import heading
from cutaway.ledger import Cost, Purpose, append, entries_of
from cutaway.runs import LEDGER, Run, RunError, Table, new_run, open_run
from cutaway.study.cite import methods_of
from cutaway.study.plain import Reader, Writer
from cutaway.submodels import Curve, SubModel, load_submodels, save_submodels

VALUE, VERDICTS = "value", "verdicts"
RECORDS = {one.__name__.lower(): one for one in (Matches, Differences)}  # kept as one JSON, and their lines as a table
SINGLE = (Trace, Rerun, Matches, Differences, Table, SubModel, Decision, Curve)
EXPECTED = "a Trace, Rerun, Matches, Differences, Table, Decision, SubModel or a list of SubModels"


def save(
    value: Any,
    folder: str | os.PathLike[str],
    overwrite: bool = False,
    arguments: Mapping[str, Any] | None = None,
    costs: Sequence[Cost] | None = None,
) -> Path:
    """Writes `value` (one of `SINGLE`, or a list of SubModels) as a run folder; gives its path.

    A function in it (a decision's metric) is not stored: `run.json` names it under `unstored`. `overwrite` replaces an
    earlier run, never another folder. `arguments` are kept in `run.json`, `costs` (default: a trace's own) in `ledger.jsonl`.
    Raises RunError if something is there, TypeError for what cannot be stored.

    >>> save(trace, "study/quote")
    PosixPath('study/quote')
    """
    path = Path(folder)
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, SubModel) for one in value):
        save_submodels(list(value), path, overwrite)
        return path
    if not isinstance(value, SINGLE):
        raise TypeError(f"given a {type(value).__name__} to save; expected {EXPECTED}")
    kind, seed = type(value).__name__.lower(), getattr(value, "seed", None)
    with new_run(
        path,
        kind,
        seed=seed,
        arguments={**_about(value), **(arguments or {})},
        sources=methods_of(value),
        overwrite=overwrite,
    ) as run:
        if isinstance(value, Matches | Differences):
            run.save_table(value.table(), VERDICTS)
            run.write_json(VALUE, as_record(value))
        else:
            _write(run, value, kind)
        if isinstance(value, Trace):
            (run.path / CLAIMS).write_text("".join(f"{claim.line()}\n" for claim in claims_of(value)), "utf-8")
        own = [value.cost] if isinstance(value, Trace) else []
        _book(own if costs is None else costs, seed, run, "apply" if isinstance(value, Rerun) else "discover")
    return path


def load(folder: str | os.PathLike[str]) -> Any:
    """What `save` wrote there, as an equal value. Raises RunError for a folder that is no whole run, or of another kind."""
    run = open_run(folder)
    if run.kind == "submodels":
        return load_submodels(folder)
    if not (run.path / f"{VALUE}.json").is_file():
        raise RunError(f"{run.path}: is a run of kind {run.kind!r}, which holds no value; expected {EXPECTED}")
    plain = run.read_json(VALUE)
    return from_record(RECORDS[run.kind], plain) if run.kind in RECORDS else Reader(run).value(plain)


def _write(run: Run, value: Any, kind: str) -> None:
    """The value, with its tables and tensors in files of their own."""
    writer = Writer(run)
    run.write_json(VALUE, writer.plain(value, kind if isinstance(value, Table | SubModel) else ""))
    writer.finish()
    if writer.unstored:
        run.info["unstored"] = [f"{name}: a function, not stored" for name in writer.unstored]


def _about(value: Any) -> dict[str, Any]:
    """What `run.json` says of the value, for whoever reads it without loading."""
    if isinstance(value, Trace):
        return {"network": value.network, "decision": heading(value)}
    if isinstance(value, Rerun):
        return {"network": value.network, "without": list(value.without.parts)}
    if isinstance(value, Matches):
        return {"network": value.network, "concepts": [one.concept for one in value], "verdicts": value.counts}
    if isinstance(value, Differences):
        concepts, named = ([one.concept for one in some] for some in (value, value.named))
        return {"networks": [value.a, value.b], "concepts": concepts, "named": named}
    return {}


def _book(costs: Sequence[Cost], seed: int | None, run: Run, purpose: Purpose) -> None:
    """Costs as lines of the ledger."""
    versions = run.info["versions"]
    entries = [entry for cost in costs for entry in entries_of(cost, seed=seed, versions=versions, purpose=purpose)]
    append(run.path / LEDGER, *entries)
