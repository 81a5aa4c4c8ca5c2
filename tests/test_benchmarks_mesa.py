"""Figures of mesa from results whose answer is known."""

from typing import Any

import pytest
from benchmarks.mesa_report import LAST, lacking, limited
from benchmarks.mesa_zoo import ITERATIVE, SEEDS, apart, bound, called, named, sign

from cutaway.mesa.verdict.rates import Rate


def row(family: str, label: str, truth: str = "one-shot solver", read: float = 0.0, **more: Any) -> dict[str, Any]:
    evidence = {"alike": more.pop("alike", [])}
    about = {"family": family, "truth": truth, "label": label, "seed": SEEDS[0], "evidence": evidence}
    return {**about, "values": {"composition": read}, **more}


def result(rows: list[dict[str, Any]]) -> Any:
    every = [{**each, "seed": seed} for seed in SEEDS for each in rows]
    return {"benchmark": "mesa_zoo", "settings": {"zoo": {"facts": {"networks": every}}}}


OPTIMIZERS = [
    row("momentum", ITERATIVE, ITERATIVE, 2.0, alike=["momentum", "nesterov"]),
    row("ista", "undetermined", ITERATIVE, 1.0),
]
CONTROLS = (
    [row("ridge", "one-shot solver")] * 30
    + [row("bagged", ITERATIVE, read=1.0)]
    + [row("bagged", "one-shot solver")] * 3
)


def test_rates_count_what_is_called_an_optimizer_on_each_side() -> None:
    found = result([*OPTIMIZERS, *CONTROLS])
    assert called(True)(found).value == 0.5
    assert called(False)(found).value == pytest.approx(1 / 34)
    assert bound(found).value == Rate(3, 102).upper


def test_a_family_that_is_called_an_optimizer_once_in_ten_is_left_out_and_named() -> None:
    found = limited(result([*OPTIMIZERS, *CONTROLS]))
    assert found.value == Rate(0, 90).upper and found.of.endswith("left out: bagged")


def test_a_sign_that_ties_once_loses_half_of_that_pair() -> None:
    found = apart(sign("composition"))(result([*OPTIMIZERS, *CONTROLS]))
    assert found.value == pytest.approx(1 - 0.5 / (2 * 34)) and found.low == found.high == pytest.approx(found.value)


def test_a_class_holds_the_true_family_or_does_not_and_its_size_is_told() -> None:
    found = named(result([*OPTIMIZERS, row("kernel", ITERATIVE, ITERATIVE, alike=["ista"])]))
    assert found.value == 0.5 and "classes of 1.5" in found.of


def test_a_section_waits_for_what_is_measured_last() -> None:
    for name, last in LAST.items():
        assert lacking(name, {"settings": {}}) and not lacking(name, {"settings": {last: {}}})
    assert not lacking("mesa_zoo", {"settings": {}})
