"""A rerun as what its page shows."""

from __future__ import annotations

from typing import Any

from cutaway.decisions import Rerun
from cutaway.study.page.of_trace import interval
from cutaway.study.page.scale import Scale, figure, percent, side
from cutaway.study.page.words import clipped, inputs_in_words, prompts, question, visible


def shown(rerun: Rerun) -> dict[str, Any]:
    """Everything that `rerun.html` needs."""
    texts = prompts(rerun.decision)
    answers, insteads = _names(rerun.decision.answer), _names(rerun.decision.instead)
    scale = Scale.over([rerun.before.mean, rerun.after.mean, rerun.after.low, rerun.after.high])
    return {
        "title": f"{rerun.network} without {rerun.without.name}",
        "network": rerun.network,
        "without": rerun.without.name,
        "parts": list(rerun.without.parts),
        "labels": list(rerun.without.labels),
        "question": question(rerun.decision, answers, insteads),
        "prompt": clipped(texts[0]) if texts else None,
        "others": len(texts) - 1 if texts else 0,
        "inputs": None if texts else inputs_in_words(rerun.decision.inputs),
        "stand_in": rerun.baseline,
        "before": figure(rerun.before.mean, True),
        "after": figure(rerun.after.mean, True),
        "after_interval": interval(rerun.after),
        "effect": figure(rerun.effect.mean, True),
        "effect_interval": interval(rerun.effect),
        "n": f"{rerun.effect.n} {rerun.effect.over}" if rerun.effect.known else "one rerun, no interval",
        "answer": [visible(one) for one in rerun.answer],
        "changed": rerun.changed,
        "line": {
            "zero": scale.zero,
            "before": scale.at(rerun.before.mean),
            "after": scale.at(rerun.after.mean),
            "ends": [scale.at(rerun.after.low), scale.at(rerun.after.high)] if rerun.after.known else None,
            "side": side(rerun.effect.mean),
        },
        "probabilities": [_probability(row) for row in rerun.probabilities],
        "continuations": rerun.continuations if any(rerun.continuations) else None,
        "receipts": [
            {
                "site": str(receipt.site),
                "fired": receipt.fired,
                "moved": figure(receipt.moved),
                "relative": percent(receipt.relative),
            }
            for receipt in rerun.receipts
        ],
        "data": {},
    }


def _names(what: Any) -> tuple[str, ...]:
    if what is None:
        return ()
    values = what.tolist() if hasattr(what, "tolist") else what
    return tuple(map(str, values)) if isinstance(values, list | tuple) else (str(values),)


def _probability(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "output": visible(row["output"]),
        "before": figure(row["before"]),
        "after": figure(row["after"]),
        "change": figure(row["after"] - row["before"], True),
        "wide_before": round(100 * row["before"], 2),
        "wide_after": round(100 * row["after"], 2),
    }
