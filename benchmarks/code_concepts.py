"""Code concepts on the shipped code model: what it reads of Python's grammar beyond random twins and beyond the token itself.

Searched three times, each time in other rows of the standard library, in the model and in four random twins. *Token only* is
what the marked token tells by itself: how often it had the structure in training rows. A concept is beyond a baseline if the
lowest AUROC over its contrasts is higher by 1.96 errors (a bootstrap over files) in every draw of rows; of twins the best counts.
The control is the fourth twin in the model's place. There is one code model: another may read otherwise, and reading is not using.
"""

from __future__ import annotations

from collections import Counter
from tempfile import TemporaryDirectory
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

import cutaway as cw
from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.code import code_concepts, standard_library_sources
from cutaway.concepts.read import Outcome, Question, fitting, question, random_twin, reader, search
from cutaway.concepts.read.error import standard_error
from cutaway.concepts.read.search import by_contrast
from cutaway.network import Network

DEPENDS = (
    "network",
    "concepts/concept.py",
    "concepts/rules.py",
    "concepts/splitting.py",
    "concepts/code",
    "concepts/read",
    "code_concepts.py",
)
MINUTES = 11.0
SEEDS = (8001, 8002, 8003)
TWINS = 3  # and one more in the model's place
BEYOND = 1.96  # errors


def measure(kept: Kept, repetitions: int) -> None:
    """One row a draw of rows, each kept as it is done; nothing is repeated."""
    each_kept(kept, "read", read, [(seed,) for seed in SEEDS])


def read(seed: int) -> dict[str, Any]:
    """Every concept: its lowest AUROC, that of twins and of the token, and whether the network is beyond both."""
    net = cw.open("organism:code")
    concepts = code_concepts(standard_library_sources(), seed=seed)
    asked = [fitting(net, question(one)) for one in concepts.values()]
    twins = [random_twin(net, seed + n) for n in range(TWINS + 1)]
    with TemporaryDirectory() as folder:
        trained, untrained, *others = (outcomes(one, asked, folder) for one in (net, *twins))
    return {
        "seed": seed,
        **{
            name: {about.name: beside(about, *some, seed=seed) for about, *some in zip(asked, ours, *others)}
            for name, ours in (("trained", trained), ("untrained", untrained))
        },
    }


def outcomes(net: Network, asked: list[Question], folder: str) -> list[Outcome]:
    """The best reader of each concept in the network's residual stream."""
    one = reader(net, folder)
    keys = one.fill([about.passages for about in asked])
    return [search(one.kept(some), about, about.sets[None]) for about, some in zip(asked, keys)]


def beside(about: Question, *outcomes: Outcome, seed: int) -> dict[str, Any]:
    """The network's reader (the first) beside the best of the twins' and the token's, each with the error of the difference."""
    ours, *twins = (one.scores for one in outcomes)
    found: dict[str, Any] = {"AUROC": lowest(ours, about), "site": outcomes[0].best.site}
    for name, other in {"twin": max(twins, key=lambda one: lowest(one, about)), "token": token_only(about)}.items():
        error = standard_error(ours, other, about, seed)
        beyond = lowest(ours, about) - lowest(other, about) > BEYOND * error
        found[name] = {"AUROC": lowest(other, about), "error": error, "beyond": beyond}
    return found


def token_only(asked: Question) -> Float[Tensor, "rows"]:
    """For every row, how often its marked token had the structure in training rows (one positive and one other are added)."""
    tokens = [" ".join(passage.text[a:b] for a, b in passage.spans) for passage in asked.passages]
    train, positive = asked.by_split["train"].tolist(), (asked.sets == 0).tolist()
    had = Counter(one for one, is_train, yes in zip(tokens, train, positive) if is_train and yes)
    there = Counter(one for one, is_train in zip(tokens, train) if is_train)
    return torch.tensor([(had[one] + 1) / (there[one] + 2) for one in tokens], dtype=torch.double)


def lowest(scores: Float[Tensor, "rows"], asked: Question) -> float:
    """The lowest AUROC over the contrasts, on test."""
    return min(by_contrast(scores, asked).values())
