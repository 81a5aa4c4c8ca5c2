"""Does the rule text of a small circuit say what the network does, also where the network is wrong?

Networks of tiny Python at seeds that chose nothing. A circuit is searched that gives the *network's* answers, its rule text is
written by code and frozen, and only then prompts are drawn: 1,000 like those of training; prompts of nine shifts until the
network has erred on 100; edits of one token. Beside it the true program, an n-gram and a decision tree of no more bits, both
fitted to the network's answers, and a second tree that was also shown edited prompts. The control is the rule text of a random
connected set of as many nodes. Settings were chosen on seed 7001; that each answer has a threshold of its own, after the rule
text of for/while at seed 8001.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from hashlib import sha256
from random import Random
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks.circuit_judged import each_kept
from benchmarks.dial_planted import SEARCH, SEEDS
from benchmarks.figures import Bar, Measured, Result, averaged, share
from benchmarks.kept import RESULTS, Kept, code_of
from benchmarks.timing import seconds
from cutaway.dial.plan import Plan, carried_out
from cutaway.dial.prune.edges import between
from cutaway.dial.prune.null import connected, neighbours
from cutaway.dial.prune.prune import NotSolved, Pruned, Settings, TaskCircuit, prune
from cutaway.dial.reading import Fit, RuleText, ScoreCard, rule_text, words
from cutaway.dial.reading.asked import AsAnswered, surer
from cutaway.dial.reading.beside import distilled, of_rule_text
from cutaway.dial.reading.folding import folded
from cutaway.dial.reading.prompts import joined, replaced, unseen
from cutaway.dial.reading.score import answered, card, network_margins, scored, ways
from cutaway.dial.reading.shifts import erring
from cutaway.dial.store import Stored, is_network, load, save
from cutaway.dial.tasks import Examples, Task, task_named
from cutaway.dial.tiny_python import TinyPython

TRAINING = (
    *("dial/plan.py", "dial/train.py", "dial/transformer.py", "dial/corpora.py", "dial/pressure", "dial/tiny_python"),
    "training/loop.py",
)
"""What a trained network depends on."""
DEPENDS = (*TRAINING, *SEARCH, "dial/prune/null.py", "dial/reading", "dial/tasks", "dial_rules.py")
MINUTES = 13.0
PROMISED, MORE = ("for_while", "quote_kind", "bracket_kind"), ("with_as",)
"""The tasks of the promise, and one more that all such networks solve."""
PLAN = Plan(width=128, pressure="regrowth=1/64", tokens=1_000_000)
SURER = 4.0
"""Logits are so many times as large while a circuit is searched: it has to give the network's answers, not its confidence."""
SEARCHED = Settings(target=0.05)
FIT = Fit(levels=10, lost=5e-4)
SMALL = 12
"""Edges of a circuit that is small enough to be told."""
FRESH, KNOWN, ERRORS, MOST = 1000, 1024, 100, 5000
"""Prompts: like those of training; that others are fitted to; on which the network errs; of shifts, at most."""
CHANGED, EDITS = 100, 2000
"""Edits that change the network's answer; edits at most."""
EDITED = "distilled, edits known"


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network and task, each kept as it is done; nothing is repeated."""
    order = (*PROMISED[:2], *MORE, *PROMISED[2:])  # what takes longest comes last
    each_kept(kept, "rules", row, [(seed, task) for task in order for seed in SEEDS])


@cache
def network_of(seed: int) -> Stored:
    """The network of a seed; trained once, and kept beside the results, where git does not look."""
    plan, kept = replace(PLAN, seed=seed), RESULTS / f"dial_rules.tmp-{code_of(TRAINING)}"
    if not is_network(kept / plan.name):
        save(carried_out(plan, kept / f"{plan.name}-state"), kept / plan.name, overwrite=True)
    return load(kept / plan.name)


def row(seed: int, name: str) -> dict[str, Any]:
    """The circuit, its rule text and all scores, for one network and task."""
    stored, task, found = network_of(seed), task_named(name, TinyPython()), list[Pruned]()
    asked, sure = AsAnswered(task, stored.network), surer(stored.network, SURER)
    known = {"seed": seed, "task": name, "loss": stored.record.held_out, "searches": []}
    try:
        spent = seconds(lambda: found.append(prune(sure, asked, stored.windows, replace(SEARCHED, seed=seed))))
    except NotSolved as unsolved:  # the network is too unsure of its own answers
        return known | {"why": str(unsolved)}
    known["searches"] = [search.circuit and list(search.circuit.size) for search in found[0].searches]
    known["cpu seconds"] = spent
    circuit = found[0].circuit
    return known if circuit is None else known | told(stored, task, circuit, seed)


def told(stored: Stored, task: Task, circuit: TaskCircuit, seed: int) -> dict[str, Any]:
    """The frozen rule text of a circuit, and how far it tells what the network does."""
    rule = RuleText.parse(written(stored, task, circuit).json())
    network, known = stored.network, task.examples(KNOWN, "train", seed)
    asked = ways(rule, network, task, known, seed)
    more = joined([known, replaced(task, task.examples(KNOWN, "train", seed + 1), 2, seed)[1]], task.pad)
    tree = distilled(more, answered(network, more), rule.bits, seed)
    asked[EDITED] = tree.says, tree.bits
    fresh = task.examples(FRESH, "test", seed)
    own, shifted = network_margins(network, fresh), erring(network, task, ERRORS, MOST, seed=seed)
    edits, apart = edited(stored, task, seed)
    wrong = wrong_circuit(stored, circuit, seed)
    control = of_rule_text(written(stored, task, wrong))(fresh)
    return {
        "edges": circuit.size[0],
        "nodes": circuit.size[1],
        "edges told": sum(len(line.adds) for line in rule.lines if "_in." not in line.name and hasattr(line, "adds")),
        "bits": rule.bits,
        "hash": sha256(rule.json().encode()).hexdigest()[:16],
        "text": list(words(rule)),
        "rule": rule.json(),
        "fresh errors": int((own <= 0).sum()),
        "fresh": told_by(card(task, asked, fresh, own, seed, by_answer=True)),
        "by shift": {name: list(counts) for name, counts in shifted.by_shift.items()},
        "shifted": told_by(
            card(task, asked, shifted.examples, network_margins(network, shifted.examples), seed, by_answer=True)
        ),
        "edits": len(edits),
        "changed": int((apart <= 0).sum()),
        "edited": told_by(card(task, asked, edits, apart, seed, by_answer=True)),
        "control": {"edges": wrong.size[0], "agreement": scored("control", control, own).agreement.share},
    }


def written(stored: Stored, task: Task, circuit: TaskCircuit) -> RuleText:
    """The rule text of a circuit, without lines that always say the same."""
    return folded(rule_text(circuit, stored.network, task, TinyPython().vocabulary(), FIT))


def told_by(found: ScoreCard) -> dict[str, Any]:
    """For each way to tell: the share it agrees on, of errors foretold and of false alarms, and its bits."""
    return {
        each.name: {
            "agreement": each.agreement.share,
            "foretold": [each.foretold.hits, each.foretold.n],
            "alarms": each.alarms.share,
            "bits": each.bits,
        }
        for each in found.rows
    }


def edited(stored: Stored, task: Task, seed: int) -> tuple[Examples, np.ndarray]:
    """Prompts after one token was replaced, asked for the network's answer *before*, and by how much that is still its answer."""
    found, seen, changed, tried = list[Examples](), set[tuple[int, ...]](), 0, 0
    while changed < CHANGED and tried < EDITS:
        drawn = task.examples(200, "test", seed + 100 + tried)
        for decoys in (False, True):
            before, after = replaced(task, drawn, 1, seed + tried, decoys)
            answer = torch.tensor(answered(stored.network, before))
            found.append(unseen(replace(after, answer=answer, other=before.answer + before.other - answer), seen))
            changed += int((network_margins(stored.network, found[-1]) <= 0).sum())
            tried += len(found[-1])
    every = joined(found, task.pad)
    return every, network_margins(stored.network, every)


def wrong_circuit(stored: Stored, circuit: TaskCircuit, seed: int) -> TaskCircuit:
    """A random connected set of as many nodes, with all weights between them."""
    network, nodes = stored.network, circuit.nodes
    kept = connected(neighbours(network, nodes), circuit.size[1], Random(seed))
    return TaskCircuit(circuit.task, nodes, kept, between(network, nodes, kept), False)


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    said = "rule texts of quote, bracket kind, for/while"
    percent = "{:.1%}"
    yield f"{said}: circuits of at most {SMALL} edges", Bar(1.0, True, percent), "dial_rules", small
    yield "… agreement with the network on 1,000 fresh prompts", Bar(0.99, True, percent), "dial_rules", agreement
    yield (
        "… of circuits that small, one more task among them",
        Bar(0.99, True, percent),
        "dial_rules",
        agreement_of_small,
    )
    for way, about in (
        ("program", "the true program"),
        ("n-gram", "an n-gram"),
        ("distilled", "a tree of no more bits"),
        (EDITED, "such a tree that was shown edited prompts"),
    ):
        what = f"… share of the network's errors foretold at 5 % false alarms, less that of {about}"
        yield what, Bar(0.0, True, "{:+.1%}"), "dial_rules", above(way)
    what = "… changes of its answer by one token foretold, less that of the true program"
    yield what, Bar(0.0, True, "{:+.1%}"), "dial_rules", above("program", "edited")
    yield "… of random connected sets: agreement (guessing: 50 %)", Bar(0.6, False, percent), "dial_rules", control


def rows_of(result: Result, every: bool = False) -> list[dict[str, Any]]:
    """The rows of the promised tasks, or of every task."""
    found = result["settings"]["rules"]["facts"]["networks"]
    return [one for one in found if every or one["task"] in PROMISED]


def small(result: Result) -> Measured:
    """How many circuits are small enough, and how large all are."""
    rows = rows_of(result)
    sizes = sorted(one.get("edges", 0) for one in rows)
    return share(
        sum(0 < size <= SMALL for size in sizes), len(sizes), f"circuits, of {', '.join(map(str, sizes))} edges"
    )


def agreement(result: Result) -> Measured:
    """On fresh prompts, whatever the size of the circuit; 0 where no search found one."""
    shares = [one["fresh"]["rule text"]["agreement"] if "fresh" in one else 0.0 for one in rows_of(result)]
    return averaged(shares, f", larger circuits among them; {sum(each >= 0.99 for each in shares)} at 99 % or more")


def agreement_of_small(result: Result) -> Measured:
    """On fresh prompts, of circuits that meet the condition."""
    few = [one for one in rows_of(result, every=True) if 0 < one.get("edges", 0) <= SMALL]
    told = ", ".join(sorted({one["task"] for one in few}))
    return averaged([one["fresh"]["rule text"]["agreement"] for one in few] or [0.0], f": {told or 'there is none'}")


def above(way: str, where: str = "shifted") -> Callable[[Result], Measured]:
    """By how much more the rule text foretells than another way to tell, where there is anything to foretell."""

    def figure(result: Result) -> Measured:
        found = [one[where] for one in rows_of(result) if where in one and one[where]["program"]["foretold"][1]]
        both = [[foretold(one, each) for each in ("rule text", way)] for one in found]
        beside = f": {mean(one for one, _ in both):.1%} against {mean(other for _, other in both):.1%}"
        pairs = [one["program"]["foretold"][1] for one in found]
        return averaged([one - other for one, other in both], f"{beside}, {min(pairs)} to {max(pairs)} pairs each")

    return figure


def foretold(cards: dict[str, Any], way: str) -> float:
    """The share that a way to tell foretells."""
    hits, of = cards[way]["foretold"]
    return hits / of


def control(result: Result) -> Measured:
    """The agreement of the rule texts of wrong circuits."""
    return averaged([one["control"]["agreement"] for one in rows_of(result) if "control" in one])
