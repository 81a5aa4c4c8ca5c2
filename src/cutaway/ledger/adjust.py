"""What moves an estimate of what understanding costs against training, each a function whose input is shown.

The list of the author of the 50,000× (see `reference.py`): researchers also work on training, the implementation was
not optimised, hyperparameters were searched, data was collected; and a discovery can serve many networks.
"""

from __future__ import annotations

from cutaway.ledger.estimate import Estimate
from cutaway.ledger.figure import Figure, least


def researcher_time(estimate: Estimate, time: Figure, price: Figure | None = None) -> Estimate:
    """People who built the network, as part of what training cost. `time` at `price`, or money.

    It is the largest of all where training is cheap: one person-week turns 50,000× into 515×.

    >>> week = Figure(1, "person-week", "assumed", "building", 2.0)
    >>> print(researcher_time(imagenet(), week, Figure(250_000, "USD/person-year", "declared", "salary")).ratio)
    515× (assumed: price of understanding, building)
    """
    return estimate.adjusted("researcher time", time, training=estimate.training + (time * price if price else time))


def researcher_time_at_most(estimate: Estimate, factor: Figure, time: Figure | None = None) -> Estimate:
    """Researcher time as at most so many times the other costs: "at most 2×".

    That holds only where compute costs as much as people; it is a cap that is chosen, not found. With `time` (money) the
    cap applies to it; without, all of the cap is taken.
    """
    _pure(factor, "researcher_time_at_most")
    capped = estimate.training * factor
    training = capped if time is None else least(estimate.training + time, capped)
    return estimate.adjusted("researcher time, at most", factor, training=training)


def unoptimised(estimate: Estimate, factor: Figure) -> Estimate:
    """Training as it costs in an implementation that nobody optimised, as understanding's is not."""
    return estimate.adjusted(
        "unoptimised implementation", factor, training=estimate.training * _pure(factor, "unoptimised")
    )


def hyperparameter_search(estimate: Estimate, search: Figure) -> Estimate:
    """All trainings, not the last alone. `search`: the sum of all training phases, failed ones included, as `spent(ledger,
    "flops", "train")` measures it; or a declared factor.

    Raises ValueError for a sum that is less than the one training.
    """
    if not search.unit:
        factor = _pure(search, "hyperparameter_search")
        return estimate.adjusted("hyperparameter search", search, training=estimate.training * factor)
    everything = search.to(estimate.training.unit)
    if everything.value < estimate.training.value:
        raise ValueError(
            f"given {search} for all trainings; expected at least the one that was kept, {estimate.training}: try the sum"
        )
    return estimate.adjusted("hyperparameter search", search, training=everything)


def data_collection(estimate: Estimate, cost: Figure) -> Estimate:
    """What the data of training cost: a sum that is added, or a declared factor."""
    training = estimate.training + cost if cost.unit else estimate.training * _pure(cost, "data_collection")
    return estimate.adjusted("data collection", cost, training=training)


def amortised(estimate: Estimate, models: Figure, apply: Figure | None = None) -> Estimate:
    """A discovery shared by many networks, plus what it costs to apply it to one of them.

    `models` is a number of networks; `apply` is in the unit of the estimate. Raises ValueError for less than one network.
    """
    if models.unit not in ("", "models") or models.value < 1:
        raise ValueError(f"given {models} to share a discovery; expected 1 or more, without a unit or in 'models'")
    share = estimate.understanding / (models / Figure(1, models.unit))
    return estimate.adjusted("amortised over models", models, understanding=share + apply if apply else share)


def _pure(factor: Figure, name: str) -> Figure:
    if factor.unit or factor.value < 1:
        raise ValueError(f"{name} was given {factor}; expected a factor of 1 or more without a unit")
    return factor
