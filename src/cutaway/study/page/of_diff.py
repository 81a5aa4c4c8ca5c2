"""Differences as what their page shows: a line for each concept, and the proof of each difference. Nothing here is HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cutaway.concepts.diff import Carried, Difference, Differences
from cutaway.concepts.diff.behaviour import Behaviour
from cutaway.concepts.diff.search import CARRIED, SPARED
from cutaway.concepts.match.match import Match
from cutaway.concepts.match.share import Share
from cutaway.study.page.of_match import MOST_NAMED, css, listed, score
from cutaway.study.page.scale import Scale, bar, figure, percent, probability
from cutaway.study.page.words import printable

Row = dict[str, Any]
OPEN = 6  # concepts up to which all evidence lies open; of more, that of those that differ
MOST_ROWS = 12  # of the tables of weights and parts
SIGNED, UNIT = Scale(-1.0, 1.0), Scale(0.0, 1.0)
MEANS = {
    "located": "answered otherwise, and a set of parts carries it from one network to the other",
    "differs": "answered otherwise; no set of parts carries it, or none could be transplanted",
    "same": "not answered otherwise, beyond chance and by as much as counts",
    "not testable": "too few decisions can be asked of both",
}
ASKED = {"prompts": "prompts answered with the target", "partners": "partners answered with the foil"}


def shown(found: Differences) -> Row:
    """Everything that `diff.html` needs."""
    counts = {verdict: sum(one.verdict == verdict for one in found) for verdict in MEANS}
    return {
        "title": f"{found.a} and {found.b}: what differs",
        "a": printable(found.a),
        "b": printable(found.b),
        "answer": printable(", ".join([*(one.concept for one in found.named), *found.changed]) or "Nothing"),
        "said": printable(found.said),
        "compared": found.compared,
        "seed": found.seed,
        "counts": [{"verdict": one, "css": css(one), "count": counts[one], "means": MEANS[one]} for one in MEANS],
        "ticks": [{"x": SIGNED.at(at), "text": f"{at:+.0%}".replace("-", "−")} for at in (-1.0, 0.0, 1.0)],
        "zero": SIGNED.zero,
        "rows": [_line(number, one) for number, one in enumerate(found)],
        "concepts": [_concept(number, one, len(found) <= OPEN) for number, one in enumerate(found)],
        "tasks": [_task(row) for row in found.tasks],
        "matrices": [_matrix(row) for row in found.matrices.rows()[:MOST_ROWS]],
        "furthest": [_part(row) for row in _furthest(found)],
        "data": {},
    }


def _line(number: int, one: Difference) -> Row:
    """One line of the table; figures also as numbers, for sorting."""
    seen, carries = one.behaviour, one.carried if one.verdict == "located" else None
    rates = [None] * 3 if seen is None else [seen.a.value, seen.b.value, seen.difference]
    shares = [None] * 3 if carries is None else [carries.brought.value, carries.taken.value, carries.control.value]
    return {
        "id": f"concept-{number}",
        "name": one.concept,
        "verdict": one.verdict,
        "css": css(one.verdict),
        "figures": [
            *((rate, percent(rate)) for rate in rates[:2]),
            (rates[2], _points(rates[2])),
            (one.q, probability(one.q)),
            *((share, percent(share)) for share in shares),
        ],
        "named": "" if carries is None else listed(carries.parts, MOST_NAMED),
    }


def _behaviour(seen: Behaviour) -> Row:
    """A difference as a bar to either side of zero."""
    return {
        "asked": ASKED[seen.side],
        "a": str(seen.a),
        "b": str(seen.b),
        "difference": _points(seen.difference),
        "ends": f"[{_points(seen.low)}, {_points(seen.high)}]",
        "bar": bar(SIGNED, seen.difference, seen.low, seen.high),
        "p": probability(seen.p),
    }


def _points(number: float | None) -> str:
    """A difference of two shares, with its sign."""
    return "–" if number is None else percent(number) if number <= 0 else f"+{percent(number)}"


def _concept(number: int, one: Difference, few: bool) -> Row:
    seen = [_behaviour(side) for side in (one.prompts, one.partners) if side is not None]
    return {
        "open": few or one.named,
        "id": f"concept-{number}",
        "name": one.concept,
        "definition": one.definition,
        "verdict": one.verdict,
        "css": css(one.verdict),
        "why": one.why,
        "sides": seen,
        "q": probability(one.q),
        "carried": None if one.carried is None else _carried(one.carried),
        "alone": [_alone(name, match) for name, match in (("A", one.in_a), ("B", one.in_b)) if match is not None],
    }


def _carried(one: Carried) -> Row:
    """The set, with its scores beside the bars that they must clear."""
    scores = [
        score("brought", "decisions that the other network then answers so", one.brought, CARRIED),
        score("taken", "decisions that this network then answers like the other", one.taken, CARRIED),
        score("control", "decisions that random sets of as many parts bring, in the mean", one.control),
    ]
    if one.spare is not None:
        scores.append(
            score("spare", f"answers of the worst other task, {one.spare[1]}, that change", one.spare[0], SPARED, False)
        )
    moved = [there if there == here else f"{there} → {here}" for there, here in zip(one.parts, one.counterparts)]
    return {
        "parts": moved,
        "more": 0,
        "scores": scores,
        "p": probability(one.p),
        "refused": list(one.refused),
        "searched": one.searched,
        "ranks": list(_ranks(one)),
    }


def _ranks(one: Carried) -> Iterator[str]:
    """Where the first part stands among all, by what the weights and activations say."""
    for how, place in (("weights", one.weights), ("activations", one.activations)):
        if place is not None:
            yield f"by difference of {how} the first of them is number {place} of {one.searched}"


def _alone(name: str, found: Match) -> Row:
    parts = [] if found.named is None else list(found.named.parts)
    need: Share | None = None if found.named is None else found.named.need
    return {
        "name": name,
        "verdict": found.verdict,
        "css": css(found.verdict),
        "why": found.why,
        "parts": parts,
        "more": 0,
        "need": need and str(need),
    }


def _task(row: Row) -> Row:
    ends = f"[{percent(row['low'])}, {percent(row['high'])}]"
    return {"name": row["task"], "prompts": row["prompts"], "otherwise": percent(row["otherwise"], 1), "ends": ends}


def _matrix(row: Row) -> Row:
    rank = "" if row["rank"] is None else f"{row['rank']} of {row['full']}"
    return {"name": row["weight"], "relative": figure(row["relative"]), "rank": rank}


def _furthest(found: Differences) -> list[Row]:
    """The parts of which what they do is furthest apart."""
    return found.parts.sort("activations", descending=True).rows()[:MOST_ROWS] if len(found.parts) else []


def _part(row: Row) -> Row:
    name = row["part"] if row["part"] == row["there"] else f"{row['part']} → {row['there']}"
    return {"name": name, "weights": figure(row["weights"]), "activations": figure(row["activations"])}
