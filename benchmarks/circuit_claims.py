"""Do claims hold on prompts that the trace never saw? On compiled networks, and on real decisions of the code model.

Compiled: the trace gets a third of the decisions drawn, `verify` another third as drawn, and the last third in one other
wording (circuit_batches.py); claims whose edges are swapped for others, and the claim of sufficiency without any one of its
edges, must fail. Code model: quotes, brackets and copied names of the standard library, each with a matched prompt that has
the other answer; half are traced, half verified.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import torch

from benchmarks.circuit_batches import ROWS, Pair, fresh, rephrased
from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import asked, each_kept, source
from benchmarks.kept import Kept
from cutaway import Decision, open, trace
from cutaway.decisions.claims import Claim, claims_of, verify
from cutaway.decisions.graph.graph import graph
from cutaway.network import Network
from cutaway.organisms.code_questions import Question, questions
from cutaway.organisms.compiled import PROGRAMS, compile
from cutaway.organisms.compiled.program import Program
from cutaway.organisms.opening import open_compiled

DEPENDS = (*JUDGED, "decisions/claims.py", "circuit_batches.py", "circuit_claims.py")
MINUTES = 8.0
SEEDS = (8901, 8902, 8903, 8904)
LONGEST, PAIRS = 32, 48
LESS = 20  # edges of a claim that are left out in turn, at most: a real circuit has hundreds


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network or kind of decision, each kept as it is done; nothing is repeated."""
    for name, one, items in (
        ("compiled", compiled, [(program, seed) for seed in SEEDS for program in PROGRAMS]),
        ("code", on_code, [("quote",), ("bracket",), ("copied argument",)]),
    ):
        each_kept(kept, name, one, items)


def compiled(program: str, seed: int) -> dict[str, Any]:
    """The claims of one organism, right ones and wrong ones: on fresh decisions, and on fresh ones in one other wording."""
    organism, written = compile(program, seed), source(program, seed)
    every = fresh(written, 3 * ROWS, seed)
    traced, *others = (every[i * len(every) // 3 : (i + 1) * len(every) // 3] for i in range(3))
    net = open_compiled(organism)
    found = claims_of(trace(net, _of(written, traced), edges=True, nulls=0, neurons=0))
    after = _of(written, others[0])
    edges = sorted(graph(net, after.pose(net).batch).numbers)
    template = rephrased(written, others[1], 1, seed)[0]
    return {
        "program": program,
        "seed": seed,
        "decisions": [len(traced), len(others[0]), len(template)],
        **_judged(net, found, after, edges),
        "inside, template": list(verify(net, found, _of(written, template))["inside"]),
    }


def _of(written: Program, pairs: Sequence[Pair]) -> Decision:
    return asked(pairs, [written.solve(row) for row, _ in pairs], [written.solve(other) for _, other in pairs])


def on_code(kind: str) -> dict[str, Any]:
    """A real decision of the code model: what the circuit says, and its claims on the other half of the prompts."""
    net = open("organism:code")
    pairs = list(_pairs(net, kind))
    pairs = pairs[:: max(1, len(pairs) // PAIRS)][:PAIRS]
    if len(pairs) < 16:
        return {
            "kind": kind,
            "prompts": [len(pairs), 0],
            "verdict": "too few prompts that the network gets right both ways",
        }
    before, after = (_decision(pairs[start::2]) for start in (0, 1))
    found = trace(net, before, edges=True, nulls=0, neurons=0)
    assert found.circuit is not None
    edges = sorted(graph(net, after.pose(net).batch).numbers)
    circuit = found.circuit
    return {
        "kind": kind,
        "prompts": [len(pairs) - len(pairs) // 2, len(pairs) // 2],
        "verdict": circuit.verdict,
        "edges": len(circuit.edges),
        "used": sum(row["state"] == "used" for row in circuit.edges),
        "strongest": [f"{row['from']} → {row['to']} ({row['through']})" for row in circuit.edges][:5],
        "checks": [str(check) for check in circuit.checks],
        "power": circuit.power.rows(),
        "missing": circuit.missing,
        **_judged(net, claims_of(found), after, edges),
    }


def _judged(net: Network, found: Sequence[Claim], after: Decision, edges: Sequence[str]) -> dict[str, Any]:
    table, drawn = verify(net, found, after), Random(0)
    permuted = [
        replace(claim, names=tuple(drawn.sample(edges, len(claim.names))))
        for claim in found
        if claim.intervention == "cut"
    ]
    less = [
        replace(claim, names=tuple(name for name in claim.names if name != one))
        for claim in found
        if claim.intervention == "cut all but"
        for one in drawn.sample(claim.names, min(LESS, len(claim.names)))
    ]
    return {
        "inside": list(table["inside"]),
        "holds": list(table["holds"]),
        "half-widths": [(c.high - c.low) / 2 / abs(c.mean) for c in found if c.bound == "beyond" and c.mean],
        "permuted fail": [not held for held in verify(net, permuted, after)["holds"]] if permuted else [],
        "less one fail": [not held for held in verify(net, less, after)["holds"]] if less else [],
    }


def _decision(pairs: Sequence[tuple[str, str, str, str]]) -> Decision:
    prompts, others, answers, insteads = (list(column) for column in zip(*pairs))
    return Decision(prompts, answer=answers, instead=insteads, counterfactual=others)


def _pairs(net: Network, kind: str) -> Iterator[tuple[str, str, str, str]]:
    """Prompt, matched prompt of as many tokens, answer, its answer: those that the network decides rightly both ways."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    texts = [path.read_text("utf-8", errors="replace") for path in sorted(folder.glob("*.py"))[:80]]
    for question in questions(texts, 400):
        for other, instead in _matched(question) if question.kind == kind else ():
            try:
                asked = Decision(
                    [question.prompt, other], answer=[question.answer, instead], instead=[instead, question.answer]
                )
                posed = asked.pose(net)
            except ValueError:
                continue
            whole = posed.batch.real is None or bool(posed.batch.real.all())
            if whole and (posed.batch.positions or 0) <= LONGEST:
                values = posed.metric(net(posed.batch), torch.arange(2))
                if bool((values > 0.5).all()):
                    yield question.prompt, other, question.answer, instead
                    break


def _matched(question: Question) -> Iterator[tuple[str, str]]:
    """The prompt with what decides it exchanged, and the right answer then."""
    if question.kind == "quote":
        instead = question.others[0]
        yield question.prompt.replace(question.answer, instead), instead
    elif question.kind == "bracket":
        opened = {")": "(", "]": "[", "}": "{"}
        at = question.prompt.rfind(opened[question.answer])
        for instead in question.others:
            if instead in opened and at >= 0:
                yield question.prompt[:at] + opened[instead] + question.prompt[at + 1 :], instead
    else:  # self.NAME = NAME: the last mention before the answer says which one
        before, said, after = question.prompt.rpartition(question.answer.strip())
        for instead in question.others if said else ():
            yield f"{before}{instead.strip()}{after}", instead
