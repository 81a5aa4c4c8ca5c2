"""Matches made by hand, with everything that a page or a folder must hold: no network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cutaway.concepts import NO_CONTROL, NO_DECISION
from cutaway.concepts.examples import COLUMNS
from cutaway.concepts.match import Judged, Match, Share
from cutaway.concepts.verdict import Matched, Matches
from cutaway.runs import Table

LINE = {
    "concept": "own.art", "verdict": "topic only", "READ": 0.3, "AUROC": 0.9, "twin": 0.6, "TF-IDF": 0.55, "p": 0.01,
    "q": 0.02, "p random": 0.05, "site": "resid_post.1", "candidate": "difference of means", "searched": 18,
    "seen from": 0.2, "cap": "", "error": 0.05, "where": "directions at resid_post",
    "blind": "",
}  # fmt: skip


def judged(**changed: Any) -> Judged:
    """A set that may have the name, but for what is changed."""
    whole: dict[str, Any] = {
        "parts": ("z.1[head=0]", "mlp_act.1[neuron=3]"),
        "need": Share.of(47, 48),
        "enough": Share.of(40, 48),
        "gone": Share.of(48, 48),
        "returned": Share.of(45, 48),
        "placebo": Share.of(5, 48),
        "placebo_enough": Share.of(0, 48),
        "moved": Share.of(46, 48),
        "random": Share.of(1, 48),
        "p": 1e-9,
        "spare": (Share.of(1, 100), "recall"),
        "roles": {"cue": Share.of(1, 48), "answer": Share.of(0, 48)},
    }
    return Judged(**{**whole, **changed})


def match(**changed: Any) -> Match:
    """A causal match that named a set and refused another, but for what is changed."""
    whole: dict[str, Any] = {
        "concept": "own.art",
        "network": "small",
        "verdict": "present",
        "why": "needed, enough, sparing and minimal",
        "shown": Share.of(48, 48),
        "understood": Share.of(48, 48),
        "named": judged(),
        "refused": (judged(parts=("embed",), roles={"cue": Share.of(48, 48)}),),
        "searched": 200,
        "classes": ("heads", "neurons"),
        "smallest": None,
        "seed": 3,
    }
    return Match(**{**whole, **changed})


def lacking() -> Match:
    """A causal match of a network that does not show the behaviour."""
    why = "the target is given in 0% of 144 decisions that would trigger it"
    none = {"named": None, "refused": (), "searched": 0, "classes": (), "shown": Share.of(0, 48)}
    return match(verdict="absent", why=why, smallest=0.025, **none)


def matched(**changed: Any) -> Matched:
    """A concept that is present, but for what is changed."""
    contrast = {"contrast": "negatives", "positives": 24, "others": 24, "AUROC": 0.9, "twin": 0.6, "TF-IDF": 0.55}
    text = {"score": 1.5, "tokens": ["I", " like", " art"], "strengths": [0.0, 1.0, 3.5], "left_out": 2}
    whole: dict[str, Any] = {
        "concept": "own.art",
        "definition": "the speaker likes art",
        "verdict": "present",
        "why": "needed, enough, sparing and minimal",
        "caps": (),
        "read": LINE,
        "contrasts": Table.of([{**contrast, "differs in": ""}]),
        "nulls": {"negatives": (0.5, 0.55, 0.6, 0.92)},
        "match": match(),
        "q": 1e-8,
        "examples": Table.of([{"set": "positives", "place": "highest", **text}], columns=COLUMNS),
    }
    return Matched(**{**whole, **changed})


def unread() -> Matched:
    """A concept whose texts do not fit and that has no decisions."""
    nothing = {"read": None, "contrasts": Table({}), "nulls": {}, "match": None, "q": None, "examples": Table({})}
    why = "its texts do not fit this network: a prompt has 139 tokens"
    return matched(concept="own.long", verdict="not testable", why=why, caps=(NO_CONTROL, NO_DECISION), **nothing)


def matches(*others: Matched) -> Matches:
    """A concept of each verdict."""
    absent_line = {**LINE, "READ": -0.02, "verdict": "absent", "q": 0.7}
    found = (
        matched(),
        matched(concept="own.topic", verdict="topic only", caps=(NO_DECISION,), match=None, q=None),
        matched(concept="own.absent", verdict="absent", why=lacking().why, read=absent_line, match=lacking(), q=None),
        unread(),
        *others,
    )
    return Matches("small", found, "uncalibrated here", 3)


def hostile(text: str) -> Matches:
    """The same with a text in the place of every name, word and token."""
    one = matched(
        concept=text,
        definition=text,
        why=text,
        read={**LINE, "candidate": text, "site": text, "where": text},
        match=match(why=text, named=judged(parts=(text,), spare=(Share.of(1, 100), text)), classes=(text,)),
        contrasts=matched().contrasts.with_column("differs in", [text]),
        examples=matched().examples.with_column("tokens", [[text, text, text]]),
    )
    return replace(matches(), network=text, matched=(one,), error_rate=text)
