"""Matches as what their page shows: a table of verdicts, and of each concept the evidence. Nothing here is HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cutaway.concepts import NO_CONTROL, NO_DECISION
from cutaway.concepts.match import Judged, Share
from cutaway.concepts.match.judge import GONE, NEEDED
from cutaway.concepts.match.match import Match
from cutaway.concepts.match.search import CARRIES, SPARED
from cutaway.concepts.verdict import NO_ROLE, NO_TASK, VERDICTS, Matched, Matches
from cutaway.study.page.scale import Scale, figure, heat, percent, probability
from cutaway.study.page.words import printable, visible

Row = dict[str, Any]
OPEN = 6  # concepts up to which all evidence lies open; of more, that of those that were found
MOST_PARTS = 8  # of a set that are named before the rest is counted
MOST_NAMED = 3  # the same, in the table
BINS = 25  # of a null distribution, over AUROCs from 0 to 1
UNIT = Scale(0.0, 1.0)
MEANS = {
    "present": "a set of parts is needed, sparing and minimal, and moves the answer",
    "topic only": "it can be read; whether anything is decided by it is not shown",
    "absent": "it would have shown, or would have been read",
    "not testable": "these inputs cannot tell",
}
LACKS = {NO_CONTROL: "controls", NO_DECISION: "decisions", NO_TASK: "other tasks", NO_ROLE: "crossed pairs"}
SHARES = ("need", "random", "enough", "gone")  # of the table
SCORES = (  # of a set: the name, what is counted, its field, and the share that it takes
    ("need", "decisions that flip with the partners' values", "need", NEEDED),
    ("random", "that flip with random sets of as many parts", "random", None),
    ("placebo", "that flip with another such prompt's values", "placebo", None),
    ("deleted", "decisions that lose the target without it", "gone", GONE),
    ("returned", "that are then answered like the partner", "returned", None),
    ("enough", "partners that flip with the prompts' values", "enough", None),
    ("placebo", "that flip with another partner's values", "placebo_enough", None),
    ("moved", "partners that come nearer than so", "moved", None),
)
ROLES = {"cue": "pairs in which only the cue differs", "answer": "pairs in which only the answer differs"}


def shown(matches: Matches) -> Row:
    """Everything that `match.html` needs."""
    return {
        "title": f"{matches.network}: which concepts it has",
        "network": printable(matches.network),
        "counts": [
            {"verdict": verdict, "css": css(verdict), "count": matches.counts.get(verdict, 0), "means": MEANS[verdict]}
            for verdict in VERDICTS
        ],
        "error_rate": matches.error_rate,
        "seed": matches.seed,
        "ticks": [{"x": UNIT.at(at), "text": f"{at:g}"} for at in (0.0, 0.5, 1.0)],
        "chance": UNIT.at(0.5),
        "rows": [_line(number, one) for number, one in enumerate(matches)],
        "concepts": [_concept(number, one, len(matches) <= OPEN) for number, one in enumerate(matches)],
        "data": {},
    }


def css(verdict: str) -> str:
    """The class of a verdict."""
    return verdict.replace(" ", "-")


def hundredths(number: float | None) -> str:
    """A difference of two AUROCs, which are not known better."""
    return "–" if number is None else f"{number:+.2f}".replace("-", "−")


def _line(number: int, one: Matched) -> Row:
    """One line of the table of verdicts; figures also as numbers, for sorting."""
    named = None if one.match is None else one.match.named
    read = None if one.read is None else one.read["READ"]
    shares = [None if named is None else getattr(named, share).value for share in SHARES]
    lost = None if named is None or named.spare is None else named.spare[0].value
    figures = [
        (read, hundredths(read)),
        (one.q_read, probability(one.q_read)),
        *((share, percent(share)) for share in shares),
        (lost, percent(lost, 1)),
        (one.q, probability(one.q)),
    ]
    return {
        "id": f"concept-{number}",
        "name": one.concept,
        "verdict": one.verdict,
        "css": css(one.verdict),
        "lacks": ", ".join(LACKS[cap] for cap in one.caps),
        "figures": [(_number(value), text) for value, text in figures],
        "named": "" if named is None else listed(named.parts, MOST_NAMED),
        "searched": one.searched,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _concept(number: int, one: Matched, few: bool) -> Row:
    return {
        "open": few or one.verdict in ("present", "topic only"),
        "id": f"concept-{number}",
        "name": one.concept,
        "definition": one.definition,
        "verdict": one.verdict,
        "css": css(one.verdict),
        "words": one.words,
        "why": one.why,
        "seen": list(one.seen),
        "searched": one.searched,
        "read": None if one.read is None else _read(one.read, one),
        "match": None if one.match is None else _match(one.match, one.q),
        "examples": _examples(one.examples.rows()),
    }


def _read(read: Mapping[str, Any], one: Matched) -> Row:
    """READ: its AUROCs by contrast, each above the search's null under permuted labels."""
    lowest = read["AUROC"]
    return {
        "read": hundredths(read["READ"]),
        "lowest": figure(lowest),
        "lowest_x": UNIT.at(lowest),
        "twin": figure(read["twin"]),
        "words": figure(read["TF-IDF"]),
        "p": probability(read["p"]),
        "q": probability(read["q"]),
        "random": probability(read["p random"]),
        "by": f"{read['candidate']}, at {read['site']}",
        "searched": read["searched"],
        "where": read["where"],
        "contrasts": [
            {
                "name": row["contrast"],
                "differs": row["differs in"] or "rows of the concept in which it does not hold",
                "rows": f"{row['positives']} against {row['others']}",
                "figures": [figure(row[name]) for name in ("AUROC", "twin", "TF-IDF")],
                "ours": UNIT.at(row["AUROC"]),
                "twin": None if row["twin"] is None else UNIT.at(row["twin"]),
                "words": UNIT.at(row["TF-IDF"]),
                "null": _histogram(one.nulls[row["contrast"]]),
                "above": sum(each >= lowest - 1e-12 for each in one.nulls[row["contrast"]]),
                "permutations": len(one.nulls[row["contrast"]]),
            }
            for row in one.contrasts
        ],
    }


def _histogram(numbers: Sequence[float]) -> list[Row]:
    """Bars in percent of the width, their height in percent of the highest."""
    counts = [0] * BINS
    for number in numbers:
        counts[min(BINS - 1, int(number * BINS))] += 1
    wide = UNIT.at(1 / BINS) - UNIT.at(0.0)
    return [
        {"x": UNIT.at(place / BINS), "wide": round(0.9 * wide, 2), "high": round(100 * count / max(counts))}
        for place, count in enumerate(counts)
        if count
    ]


def _match(found: Match, q: float | None) -> Row:
    """The causal match: how often it shows, the set that has the name, and those that were refused it."""
    return {
        "verdict": found.verdict,
        "why": found.why,
        "shown": str(found.shown) if found.shown.n else None,
        "understood": str(found.understood) if found.understood.n else None,
        "searched": found.searched,
        "classes": " and ".join(found.classes),
        "named": None if found.named is None else {**_judged(found.named), "q": probability(q)},
        "refused": [_judged(one) for one in found.refused],
    }


def _judged(one: Judged) -> Row:
    """A set of parts with its scores, each beside the bar that it must clear."""
    scores = [score(name, what, getattr(one, field), bar, True) for name, what, field, bar in SCORES]
    scores += [score(role, ROLES[role], share, CARRIES, False) for role, share in one.roles.items()]
    if one.spare is not None:
        lost, task = one.spare
        scores.append(score("spare", f"answers of the worst other task, {task}, that change", lost, SPARED, False))
    return {
        "parts": list(one.parts[:MOST_PARTS]),
        "more": max(0, len(one.parts) - MOST_PARTS),
        "count": len(one.parts),
        "label": listed(one.parts, MOST_NAMED),
        "scores": scores,
        "p": probability(one.p),
        "refused": list(one.refused),
    }


def score(name: str, what: str, share: Share, bar: float | None = None, above: bool = True) -> Row:
    """A share as a bar with its interval; `bar` is what it must reach (`above`), or stay below."""
    if math.isnan(share.value):  # nothing was asked
        none = {"value": "none", "interval": "", "x": None, "zero": UNIT.zero, "ends": None, "bar": None}
        return {"name": name, "what": what, **none, "asked": "", "cleared": None}
    known = math.isfinite(share.low)
    cleared = (
        None if bar is None else (share.value >= bar if above else share.value < bar or share.value == bar == SPARED)
    )
    return {
        "name": name,
        "what": what,
        "value": percent(share.value, 0 if share.n else 1),
        "interval": f"[{percent(share.low)}, {percent(share.high)}] of {share.n}" if known else "",
        "x": UNIT.at(share.value),
        "zero": UNIT.zero,
        "ends": [UNIT.at(share.low), UNIT.at(share.high)] if known else None,
        "bar": None if bar is None else UNIT.at(bar),
        "asked": ""
        if bar is None
        else f"{'from' if above else 'at most' if bar == SPARED else 'below'} {percent(bar)}",
        "cleared": cleared,
    }


def listed(parts: Sequence[str], most: int) -> str:
    """The addresses of the first `most` parts, and how many more there are."""
    rest = f" and {len(parts) - most} more" if len(parts) > most else ""
    return ", ".join(parts[:most]) + rest


def _examples(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Texts with heat on their tokens: in the colour of *for* they read as the concept, of *against* as its absence."""
    largest = max((abs(strength) for row in rows for strength in row["strengths"]), default=0.0)
    return [
        {
            "set": row["set"],
            "place": row["place"],
            "score": figure(row["score"], True),
            "left_out": row["left_out"],
            "tokens": [
                # The page's colours are of effects, where what speaks for the answer is negative.
                {"text": visible(token), "heat": heat(-strength, largest), "strength": figure(strength, True)}
                for token, strength in zip(row["tokens"], row["strengths"])
            ],
        }
        for row in rows
    ]
