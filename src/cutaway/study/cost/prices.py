"""What is declared beside the ledgers: prices, people's time, what training cost elsewhere; each with its default and source."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cutaway.ledger.figure import Figure

CORE_HOUR = Figure(0.05, "USD/h", "assumed", "price of a core-hour", 3.0)
DEVICE_HOUR = Figure(2.0, "USD/h", "assumed", "price of a GPU-hour", 3.0)
OPERATION = Figure(5e-18, "USD/FLOP", "assumed", "price of an operation", 10.0)
SALARY = Figure(250_000, "USD/person-year", "assumed", "price of a person-year", 1.5)
KWH = Figure(0.2, "USD/kWh", "assumed", "price of a kWh", 2.0)


@dataclass(frozen=True)
class Prices:
    """In one currency. The defaults are assumptions: a rented core, a rented GPU at 10¹⁴ operations a second, the salary that
    the estimate behind 50,000× takes."""

    core_hour: Figure = CORE_HOUR
    device_hour: Figure = DEVICE_HOUR
    operation: Figure = OPERATION
    salary: Figure = SALARY
    kwh: Figure = KWH
    currency: str = "USD"

    @staticmethod
    def declared(currency: str = "USD", **given: float | None) -> Prices:
        """The prices that are given, as declared ones; the others as assumed. In another currency all must be given.

        Raises ValueError for a price that is missing in another currency, UnitError for one that is not known.
        """
        prices = Prices(currency=currency)
        missing = [name for name, value in given.items() if value is None]
        if currency != "USD" and missing:
            raise ValueError(
                f"given the currency {currency}, in which no price is assumed; expected all of them, also "
                f"the {', the '.join(getattr(prices, name).name for name in missing)}; or leave the currency out for USD"
            )
        for name, value in given.items():
            if value is not None:
                one: Figure = getattr(prices, name)
                if not 0 < value < math.inf:
                    raise ValueError(f"the {one.name} was given as {value:g}; expected a number above 0")
                unit = one.unit.replace("USD", currency)
                prices = replace(prices, **{name: Figure(value, unit, "declared", one.name)})
        return prices


@dataclass(frozen=True)
class Declared:
    """What no ledger here tells. training_flops, training_cost: of a network that was trained elsewhere. hours of people, to
    understand and to build it; data_cost of training; trainings: all trainings, failed ones and those of a search for
    hyperparameters included, over the one that is booked; unoptimised: how many times as much training would have cost in an
    implementation that nobody optimised; models: networks that share the discovery."""

    training_flops: float | None = None
    training_cost: float | None = None
    person_hours: float | None = None
    training_hours: float | None = None
    data_cost: float | None = None
    trainings: float | None = None
    unoptimised: float | None = None
    models: float | None = None

    def __post_init__(self) -> None:
        least = {"training_flops": 0, "training_cost": 0, "person_hours": 0, "training_hours": 0, "data_cost": 0}
        for name, low in {**least, "trainings": 1, "unoptimised": 1, "models": 1}.items():
            value = getattr(self, name)
            given = name.startswith("training_") and name != "training_hours"
            if value is not None and not (low <= value < math.inf and (value or not given)):
                expected = "a number above 0" if given else f"{low} or more"
                raise ValueError(f"--{name.replace('_', '-')} was given {value:g}; expected {expected}")
