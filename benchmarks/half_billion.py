"""`match` from cold on a half-billion-parameter causal language model (Qwen2's shape, bfloat16, random weights): 20 concepts of
the library, of 200 to 240 rows each, on one thread. What counts is the most memory beside the network's own, and the plan's
estimate of it. Weights are random, so verdicts say nothing; every word and sign is a token.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

import cutaway as cw
from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from benchmarks.networks import qwen2_half_billion
from cutaway.concepts import Concept, library
from cutaway.concepts.read import fitting, planned, question
from cutaway.network import Network, wrap
from cutaway.runs.progress import terminal

DEPENDS = ("network", "concepts/match", "concepts/read", "concepts/verdict.py", "concepts/asking.py", "half_billion.py")
MINUTES = 25.0
TWINS = 2
CHOSEN, ROWS = ("grammar.", "truth.", "entity."), range(200, 241)
UNKNOWN = "[?]"


def measure(kept: Kept, repetitions: int) -> None:
    """One call; nothing is repeated."""
    each_kept(kept, "20 concepts", row, [("bfloat16",)])


def concepts() -> list[Concept]:
    """Twenty with rows enough, and short texts."""
    return [one for name, one in library().items() if name.startswith(CHOSEN) and len(one.rows) in ROWS]


def network(dtype: str, chosen: list[Concept]) -> Network:
    """494M weights, with a tokenizer that knows every word of these concepts."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    texts = [passage.text for one in chosen for passage in question(one).passages]
    texts += [row[what] for one in chosen for row in one.decisions or () for what in ("prompt", "target", "foil")]
    words = pre_tokenizers.Whitespace()
    known = dict.fromkeys(word for text in texts for word, _ in words.pre_tokenize_str(text))
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate([UNKNOWN, *known])}, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = words
    return wrap(qwen2_half_billion().to(getattr(torch, dtype)), tokenizer, texts[:1], name="0.5B")


def row(dtype: str) -> dict[str, Any]:
    """What was planned, and what it took."""
    chosen = concepts()
    net = network(dtype, chosen)
    plan = planned(net, [fitting(net, question(one)) for one in chosen], TWINS)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak is counted from here on (Linux)
    before, begun = _kilobytes("VmRSS"), time.process_time()
    found = cw.match(net, chosen, twins=TWINS, progress=terminal())
    return {
        "dtype": dtype,
        "concepts": len(chosen),
        "rows": sum(len(one.rows) for one in chosen),
        "passages": plan.passages,
        "tokens": plan.tokens,
        "operations": plan.operations,
        "planned bytes": plan.memory,
        "peak bytes": 1024 * (_kilobytes("VmHWM") - before),
        "cpu seconds": time.process_time() - begun,
        "verdicts": found.counts,
    }


def _kilobytes(what: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))
