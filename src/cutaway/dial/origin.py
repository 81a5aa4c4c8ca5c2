"""Networks that a run begins from or learns from: opened, held against the run, and told with what they took."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from cutaway.dial.corpora import Corpus
from cutaway.dial.store import Origin, Stored, is_network, load
from cutaway.dial.transformer import SparseShape
from cutaway.training.checkpoint import fingerprint


def opened(folder: str, role: str, corpus: Corpus) -> Stored:
    """The network in a folder; ValueError where there is none, or one of another corpus. `role` is what it is given as."""
    if not is_network(folder):
        raise ValueError(
            f"{folder} given as {role} is no network of the dial; expected a folder that cutaway dial train --out wrote; "
            f"train one first, without pressure"
        )
    stored = load(folder)
    known, vocab = stored.record, stored.network.shape.vocab
    if known.corpus_hash != corpus.hash or vocab != corpus.vocab:
        raise ValueError(
            f"the {role} {folder} was trained on {known.corpus} ({vocab} tokens, data {known.corpus_hash[:8]}); expected "
            f"{corpus.name} ({corpus.vocab} tokens, data {corpus.hash[:8]}); try --corpus {known.corpus}, or another {role}"
        )
    return stored


def check_start(folder: str, shape: SparseShape, corpus: Corpus) -> SparseShape:
    """`shape`, where the network in a folder has it but for how much of it is active; else ValueError."""
    found = opened(folder, "start", corpus).network.shape
    given, expected = asdict(found), asdict(replace(shape, keep=found.keep, attend=found.attend))
    if other := [name for name in given if given[name] != expected[name]]:
        raise ValueError(
            f"the start {folder} has {said(given, other)}; this run has {said(expected, other)}; a network keeps its sizes; "
            f"try those of the start"
        )
    return shape


def check_teacher(folder: str, context: int, corpus: Corpus) -> None:
    """ValueError where the network in a folder cannot read the windows of a run."""
    if (found := opened(folder, "teacher", corpus).network.shape.context) < context:
        raise ValueError(
            f"the teacher {folder} takes {found} positions; expected at least the {context} of this run's windows; try "
            f"--context {found}"
        )


def said(sizes: dict[str, float], names: list[str]) -> str:
    """`width 16 and context 64`."""
    return " and ".join(f"{name} {sizes[name]}" for name in names)


def weights_hash(stored: Stored) -> str:
    """The sha256 of its weights."""
    return fingerprint({"weights": stored.network.state_dict()})["weights"]


def origin_of(stored: Stored, folder: str, teaching: int = 0) -> Origin:
    """What there is to say of a network that a run came from, with what that one came from itself."""
    record = stored.record
    before = [origin for origin in (record.start, record.teacher) if origin is not None]
    return Origin(
        name=Path(folder).name,
        hash=weights_hash(stored),
        held_out=record.held_out,
        tokens=record.tokens + sum(origin.tokens for origin in before),
        executed=record.executed + sum(origin.executed + origin.teaching for origin in before),
        useful=record.useful + sum(origin.useful + origin.teaching for origin in before),
        cpu_seconds=record.cpu_seconds + sum(origin.cpu_seconds for origin in before),
        teaching=teaching,
    )
