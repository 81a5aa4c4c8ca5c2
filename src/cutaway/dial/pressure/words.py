"""Pressures in words, as a command line or a table has them: `topk=1/16`, `regrowth=1/64:every=20`, `l1=0.01+locality=1e-4`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from cutaway.dial.pressure.activations import ActivationTopK
from cutaway.dial.pressure.attention import AttentionTopK
from cutaway.dial.pressure.locality import Locality
from cutaway.dial.pressure.pressure import Pressure
from cutaway.dial.pressure.proximal import Proximal
from cutaway.dial.pressure.regrowth import Regrowth
from cutaway.dial.pressure.topk import TopK
from cutaway.dial.transformer import SparseShape

DENSE = "dense"
"""The word for no pressure."""

KINDS: Mapping[str, tuple[Callable[..., Pressure], str]] = {
    "topk": (TopK, "share"),
    "regrowth": (Regrowth, "share"),
    "l1": (Proximal, "penalty"),
    "locality": (Locality, "weight"),
    "activations": (ActivationTopK, "keep"),
    "attention": (AttentionTopK, "attend"),
}
"""Each word, its pressure, and what its number is; the last two numbers belong to the network's shape."""

SHAPED = ("keep", "attend")


@dataclass(frozen=True)
class Pressing:
    """Pressures, and what they ask of the network's shape."""

    pressures: tuple[Pressure, ...] = ()
    shape: tuple[tuple[str, float], ...] = ()

    def shaped(self, shape: SparseShape) -> SparseShape:
        """The shape of a network under these pressures."""
        changes: dict[str, Any] = dict(self.shape)
        return replace(shape, **changes)


def pressing(words: Sequence[str] | str, seed: int = 0, start: str = "random") -> Pressing:
    """What these words ask for, joined by `+` or one after another; `dense` asks for nothing.

    `seed` is of what a pressure draws, as where a support begins; `start` is where it does so unless it is said. Raises
    ValueError for a word, a setting or a number that there is not.

    >>> pressing("regrowth=1/16:every=20").pressures[0].share
    0.0625
    """
    pieces = [piece for word in ([words] if isinstance(words, str) else words) for piece in word.split("+")]
    unless = {"seed": seed, "start": start}
    each = [_one(piece.strip(), unless) for piece in pieces if piece.strip() not in ("", DENSE)]
    return Pressing(
        tuple(found for one in each for found in one.pressures), tuple(change for one in each for change in one.shape)
    )


def _one(word: str, unless: Mapping[str, Any]) -> Pressing:
    """One pressure: its word, its number, its settings; `unless` are those that it has otherwise, if it has such."""
    name, _, rest = word.partition("=")
    number, *settings = rest.split(":")
    if name not in KINDS:
        near = get_close_matches(name, KINDS, n=2, cutoff=0.4) or sorted(KINDS)
        raise ValueError(f"there is no pressure {name!r} (in {word!r}); did you mean {' or '.join(near)}?")
    if not number:
        raise ValueError(f"the pressure {word!r} has no number; expected one after =, as in {name}=1/16")
    kind, field = KINDS[name]
    pairs = [_setting(kind, word, setting) for setting in settings]
    given = dict(pairs)
    if len(given) < len(pairs) or field in given:
        raise ValueError(
            f"the pressure {word!r} has a setting twice; expected each once, {field} before the first colon"
        )
    given = {name: value for name, value in unless.items() if name in _fields(kind)} | given
    value = _number(word, number)
    if field in SHAPED:
        if field == "attend" and value != int(value):
            raise ValueError(
                f"the pressure {word!r} has the number {number}; expected how many tokens, as in attention=4"
            )
        return Pressing((kind(**given),), ((field, int(value) if field == "attend" else value),))
    return Pressing((kind(**{field: value}, **given),))


def _setting(kind: Callable[..., Pressure], word: str, setting: str) -> tuple[str, Any]:
    """A setting `name=value` of a pressure, which has to have a field of this name."""
    name, _, value = setting.partition("=")
    known = _fields(kind)
    if name not in known or not value:
        expected = ", ".join(f"{one}=…" for one in known)
        raise ValueError(f"the pressure {word!r} has the setting {setting!r}; expected {expected or 'none'}")
    known_type = type(known[name])
    if known_type is str:
        return name, value
    found = _number(word, value)
    if known_type is int and found != int(found):
        raise ValueError(f"the pressure {word!r} has {setting!r}; expected a whole number")
    return name, int(found) if known_type is int else found


def _fields(kind: Callable[..., Pressure]) -> dict[str, Any]:
    """The fields that a word can set, with their defaults: numbers and names."""
    allowed = (int, float, str, type(None))
    return {
        one.name: one.default
        for one in fields(kind)  # ty: ignore[invalid-argument-type]
        if isinstance(one.default, allowed) and not isinstance(one.default, bool)
    }


def _number(word: str, text: str) -> float:
    """`1/16`, `0.0625` or `1e-3` as a number."""
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"the pressure {word!r} has {text!r}; expected a number such as 1/16 or 0.01") from None
