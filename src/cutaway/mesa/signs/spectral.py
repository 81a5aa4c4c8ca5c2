"""Are the answers after every layer a polynomial of the data applied to the labels (Krylov form), the same in every context?

A one-shot solver has that form too, and a smoother in its own kernel: the sign is necessary, not sufficient.
"""

from __future__ import annotations

from cutaway.mesa.forms import form
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def spectral(watched: Watched) -> Reading:
    """The share of the readings' variance, beyond what the query alone explains, that has the form; mean over live layers.

    Null: answers to labels dealt anew, against the form of the labels as they were.
    """
    dealt = watched.dealt
    null = form(watched.form.kernel, watched.fitting, dealt.fit_readings, watched.prompts, dealt.readings)
    shares = _explained(watched.form.unexplained, watched.live)
    return Reading(_mean(shares), (_mean(_explained(null.unexplained, dealt.live)),), tuple(shares))


def _explained(unexplained, live: list[bool]) -> list[float]:
    return [float(1 - row.min()) for row, alive in zip(unexplained[1:], live[1:], strict=True) if alive]


def _mean(shares: list[float]) -> float:
    return sum(shares) / len(shares) if shares else 0.0


SPECTRAL = Sign(
    "spectral form", "is every reading a polynomial of the data applied to the labels?", frozenset({"lens"}), spectral
)
