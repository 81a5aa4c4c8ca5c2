"""A trained network as a folder: shape, weights, tokenizer, some windows of its corpus, and the record of its training.

It is a run folder like any other, whole or absent, and `cutaway.open` opens it. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxtyping import Int
from safetensors import SafetensorError
from torch import Tensor

from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.ledger import Cost, Entry, append, entries_of
from cutaway.runs import LEDGER, Run, RunError, Table, new_run, open_run
from cutaway.training.tokenizer import read_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FORMAT = "cutaway.SparseTransformer"
KIND = "network"
LAST = 50
"""Steps at the end of a run whose mean loss is told."""


@dataclass(frozen=True)
class Origin:
    """A network that was there before a run, and what it and all that it came from took: in none of the run's own figures.

    `name` of its folder and the `hash` of its weights; `held_out` its loss; `teaching`: operations of its forward passes as a
    teacher in this run, which are not in the run's own either, while their seconds are.
    """

    name: str
    hash: str
    held_out: float
    tokens: int
    executed: int
    useful: int
    cpu_seconds: float
    teaching: int = 0

    def __str__(self) -> str:
        took = f"{self.tokens / 1e6:.3g}M tokens, {self.executed / 1e9:.3g} GFLOP and {self.cpu_seconds:.3g} s CPU"
        passes = f", and {self.teaching / 1e9:.3g} GFLOP to teach" if self.teaching else ""
        return f"{self.name} (loss {self.held_out:.3f}), which took {took}{passes}: not counted in this run"


@dataclass(frozen=True)
class Record:
    """What a network's training was, in JSON values.

    `corpus` and the hash of its held-out tokens; `pressures` as they print; `recipe` by field; the cross-entropy of each step
    in nats per token, and `held_out` that of the held-out tokens in the end; `live`: for each kind of parameter how many are
    not 0, counted, and of how many; `report`: what each pressure says it reached; `executed` and `useful` operations
    (`cutaway.dial.operations`); processor seconds over all resumed parts. `start` is the network it began from, `teacher`
    the one it was distilled from, with what those took.
    """

    corpus: str
    corpus_hash: str
    pressures: tuple[str, ...]
    recipe: dict[str, Any]
    seed: int
    tokens: int
    losses: tuple[float, ...]
    held_out: float
    live: dict[str, dict[str, int]]
    executed: int
    useful: int
    cpu_seconds: float
    report: dict[str, Any] = field(default_factory=dict)
    start: Origin | None = None
    teacher: Origin | None = None

    @property
    def alive(self) -> tuple[int, int]:
        """How many parameters are not 0, and of how many; the table of bigrams, which stays dense, is left out."""
        kinds = [counts for kind, counts in self.live.items() if kind != "bigram"]
        return sum(counts["live"] for counts in kinds), sum(counts["of"] for counts in kinds)

    def __str__(self) -> str:
        last = self.losses[-LAST:]
        kinds = Table.of({"parameters": kind, **counts} for kind, counts in self.live.items())
        alive, of = self.alive
        sparse = self.report.get("sparse layers", ())
        return "\n".join(
            [
                f"trained on {self.corpus}: {len(self.losses)} steps, {self.tokens / 1e6:.3g}M tokens, seed {self.seed}",
                f"under {' and '.join(self.pressures) or 'no pressure'}",
                f"loss {self.held_out:.3f} nats/token on held-out tokens ({sum(last) / len(last):.3f} in the last "
                f"{len(last)} steps)",
                f"{alive} of {of} parameters are not 0, bigrams left out",
                f"{self.executed / 1e9:.3g} GFLOP with dense kernels, {self.useful / 1e9:.3g} with weights that are not 0, "
                f"{self.cpu_seconds:.3g} s CPU{f', {len(sparse)} layers sparse' if sparse else ''}",
                *(f"began from {origin}" for origin in (self.start,) if origin),
                *(f"distilled from {origin}" for origin in (self.teacher,) if origin),
                str(kinds),
            ]
        )


@dataclass(frozen=True, eq=False)
class Stored:
    """A network in evaluation mode, its tokenizer, its record, and windows of the held-out part of its corpus."""

    network: SparseTransformer
    tokenizer: Tokenizer
    record: Record
    windows: Int[Tensor, "window position"]


def save(
    stored: Stored,
    folder: Path | str,
    overwrite: bool = False,
    arguments: Mapping[str, Any] | None = None,
    costs: Sequence[Cost] = (),
) -> Path:
    """Writes `config.json` (the shape), `model.safetensors`, `tokenizer.json`, `windows.safetensors` and `record.json`.

    `arguments` are kept in `run.json`, `costs` in `ledger.jsonl`. Raises RunError if something is there already, which
    `overwrite` replaces if it is a run.
    """
    path, record = Path(folder), stored.record
    with new_run(path, KIND, seed=record.seed, arguments=arguments, overwrite=overwrite) as run:
        run.write_json("config", {"format": FORMAT, **asdict(stored.network.shape)})
        run.save_tensors(stored.network.state_dict(), "model")
        run.save_tensors({"windows": stored.windows}, "windows")
        run.write_json("record", asdict(record))
        stored.tokenizer.save(str(run.path / "tokenizer.json"))
        versions = run.info["versions"]
        entries = [
            one for cost in costs for one in entries_of(cost, seed=record.seed, versions=versions, purpose="train")
        ]
        counted = any(entry.resource == "flops" for entry in entries)
        append(run.path / LEDGER, *entries, *([] if counted else operations(record, versions)))
    return path


def operations(record: Record, versions: dict[str, str] | None = None) -> list[Entry]:
    """Operations, tokens and backward passes of training, derived from sizes and steps: of all resumed parts, of what it began
    from none."""
    note = "" if record.start is None and record.teacher is None else "without the networks it came from"
    quantities = [
        ("flops", "FLOP", record.executed),
        ("useful_flops", "FLOP", record.useful),
        ("tokens", "tokens", record.tokens),
        ("backwards", "backwards", len(record.losses)),
    ]
    return [
        Entry(
            "training",
            "compute",
            quantity,
            unit,
            "derived",
            resource,
            purpose="train",
            note=note,
            seed=record.seed,
            versions=versions or {},
        )
        for resource, unit, quantity in quantities
    ]


def load(folder: Path | str) -> Stored:
    """What `save` wrote, as float32 in evaluation mode.

    Raises RunError for a folder that is not whole or holds something else, ValueError for weights that do not fit the shape.
    """
    run = open_run(folder)
    if run.kind != KIND:
        raise RunError(
            f"{run.path}: is a run of kind {run.kind!r}; expected a network, as cutaway dial train --out saves it"
        )
    config = run.read_json("config")
    if config.pop("format", None) != FORMAT:
        raise RunError(f"{run.path}/config.json is not of format {FORMAT}; open that folder with cutaway.open")
    network = network_of(run, config)
    tokenizer = read_tokenizer((run.path / "tokenizer.json").read_text(encoding="utf-8"))
    return Stored(network.eval(), tokenizer, record_of(run), run.load_tensors("windows")["windows"])


def is_network(folder: Path | str) -> bool:
    """Whether `save` wrote this folder, by its configuration."""
    config = Path(folder) / "config.json"
    if not config.is_file():
        return False
    try:
        found = json.loads(config.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


def network_of(run: Run, config: dict[str, Any]) -> SparseTransformer:
    """The network of a run folder; ValueError where its files do not fit each other."""
    known = {one.name for one in fields(SparseShape)}
    if unknown := sorted(config.keys() - known):
        raise ValueError(f"{run.path}/config.json has {', '.join(unknown)}; expected only {', '.join(sorted(known))}")
    if missing := sorted({"vocab", "context", "width"} - config.keys()):
        raise ValueError(f"{run.path}/config.json lacks {', '.join(missing)}; it is damaged, or not of this version")
    network = SparseTransformer(SparseShape(**config))
    try:
        network.load_state_dict(run.load_tensors("model"))
    except (RuntimeError, SafetensorError) as damage:
        raise ValueError(f"{run.path}/model.safetensors is damaged or not of this shape: {damage}") from damage
    return network


def record_of(run: Run) -> Record:
    """The record of a run folder."""
    values: dict[str, Any] = run.read_json("record")
    pressures, losses = tuple(values.pop("pressures")), tuple(values.pop("losses"))
    start, teacher = (
        origin and Origin(**origin) for origin in (values.pop(role, None) for role in ("start", "teacher"))
    )
    return Record(pressures=pressures, losses=losses, start=start, teacher=teacher, **values)
