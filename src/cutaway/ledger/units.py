"""The units that a ledger knows, their arithmetic, and currencies (ISO 4217): what cannot be added is refused.

Working time: a person-year is 52 person-weeks of 40 person-hours. Bytes, seconds and joules are SI.
"""

from __future__ import annotations

from difflib import get_close_matches

_CODES = """
    AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JOD JPY KES KRW KWD KZT LKR
    MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UYU VND ZAR
"""
CURRENCIES = frozenset(_CODES.split())
PERSON = {"person-hour": 1.0, "person-day": 8.0, "person-week": 40.0, "person-year": 2080.0}
TIME = {"s": 1.0, "min": 60.0, "h": 3600.0}
ENERGY = {"J": 1.0, "Wh": 3600.0, "kWh": 3.6e6}
BYTES = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
SCALES = (PERSON, TIME, ENERGY, BYTES)
"""Units that convert into one another, each with its size in the first of them."""

COUNTED = ("FLOP", "forwards", "backwards", "steps", "examples", "tokens", "labels", "calls", "parameters", "neurons")
NAMED = ("models", "submodels", "explanations", "bits", "decisions")
KINDS: dict[str, tuple[str, ...]] = {
    "compute": ("FLOP", "s", "B", "forwards", "backwards", "steps", "examples", "tokens"),
    "person": tuple(PERSON),
    "data": ("examples", "tokens", "labels", "B"),
    "api": ("calls", "tokens"),
    "energy": tuple(ENERGY),
}
"""What an entry of each kind is counted in; a currency goes with every kind."""

_SYMBOLS = frozenset([*COUNTED, *NAMED, *(unit for scale in SCALES for unit in scale)])


class UnitError(ValueError):
    """A unit is not known, or two quantities of different units were added."""


def check_entry_unit(kind: str, unit: str) -> None:
    """Raises UnitError for a unit in which this kind is not counted."""
    if unit in CURRENCIES or unit in KINDS[kind]:
        return
    if _looks_like_currency(unit):
        raise _unknown_currency(unit)
    expected = (*KINDS[kind], "a currency such as USD")
    raise UnitError(
        f"{kind} was given the unit {unit!r}; expected one of {', '.join(expected)}{_try(unit, KINDS[kind])}"
    )


def powers(unit: str) -> dict[str, int]:
    """`USD/person-year` as {"USD": 1, "person-year": -1}; the empty text is a pure number. Raises UnitError."""
    found: dict[str, int] = {}
    above, *below = unit.split("/")
    for text, sign in ((above, 1), *((part, -1) for part in below)):
        for symbol in filter(None, text.split("·")):
            if symbol == "1":
                continue
            name, _, power = symbol.partition("^")
            _check(name)
            if not (power or "1").lstrip("-").isdecimal():
                raise UnitError(f"given the unit {unit!r}; expected a whole number after ^, such as USD^2")
            found[name] = found.get(name, 0) + sign * int(power or 1)
    return found


def written(found: dict[str, int]) -> str:
    """The unit of these powers, as text: what `powers` reads."""
    above = [_power(name, power) for name, power in found.items() if power > 0]
    below = [_power(name, -power) for name, power in found.items() if power < 0]
    return "/".join(["·".join(above) or ("1" if below else ""), *below])


def product(left: str, right: str, sign: int = 1) -> tuple[str, float]:
    """The unit of left times right (over right if `sign` is -1), and the factor where units of one scale met.

    >>> product("person-week", "USD/person-year")
    ('USD', 0.019230769230769232)
    """
    found, factor = powers(left), 1.0
    for name, power in powers(right).items():
        mate = next((known for known in found if known != name and _scale(known) and _scale(known) is _scale(name)), "")
        if mate:
            sizes = (_size(name), _size(mate)) if sign * power > 0 else (_size(mate), _size(name))
            factor *= (sizes[0] / sizes[1]) ** abs(power)
        found[mate or name] = found.get(mate or name, 0) + sign * power
    return written({name: power for name, power in found.items() if power}), factor


def conversion(given: str, wanted: str) -> float:
    """What a quantity in `given` is multiplied by to be in `wanted`. Raises UnitError if it cannot be."""
    rest, factor = product(given, wanted, -1)
    if rest:
        money = {*powers(given), *powers(wanted)} & CURRENCIES
        hint = f"; try a declared rate, a figure in '{wanted}/{given}'" if len(money) > 1 else ""
        raise UnitError(
            f"given a quantity in {given or 'no unit'!r}; expected one in {wanted or 'no unit'!r}, or that converts{hint}"
        )
    return factor


def _scale(name: str) -> dict[str, float] | None:
    return next((scale for scale in SCALES if name in scale), None)


def _size(name: str) -> float:
    scale = _scale(name)
    return scale[name] if scale else 1.0


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _check(name: str) -> None:
    if name in _SYMBOLS or name in CURRENCIES:
        return
    if _looks_like_currency(name):
        raise _unknown_currency(name)
    raise UnitError(
        f"given the unit {name!r}; expected a currency or one of {', '.join(sorted(_SYMBOLS))}{_try(name, _SYMBOLS)}"
    )


def _looks_like_currency(name: str) -> bool:
    return (len(name) == 3 and name.isalpha() and name.isupper()) or name in ("$", "€", "£", "¥")


def _unknown_currency(name: str) -> UnitError:
    return UnitError(
        f"given the currency {name!r}; expected a code of ISO 4217: {', '.join(sorted(CURRENCIES))}"
        f"{_try({'$': 'USD', '€': 'EUR', '£': 'GBP', '¥': 'JPY'}.get(name, name), CURRENCIES)}"
    )


def _try(name: str, known: frozenset[str] | tuple[str, ...]) -> str:
    lowered = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), lowered, 1, 0.5)
    return f"; try {lowered[near[0]]!r}" if near else ""
