"""The baseline of given values: numbers or tensors by address."""

from __future__ import annotations

import pytest
import torch

import cutaway as cw
from cutaway.submodels import constant


def test_a_given_zero_does_what_the_zero_baseline_does() -> None:
    net = cw.open("organism:quote")
    decision = cw.Decision([list(row) for row in net.reference[:4]], answer=1, instead=2)
    part = "z.0[head=1]"
    zero = cw.without(net, decision, part, baseline="zero", tokens=0)
    given = cw.without(net, decision, part, baseline=constant({"z.0": 0.0}), tokens=0)
    assert given.effect == zero.effect
    assert given.baseline == "value"


def test_a_given_tensor_is_what_the_part_takes() -> None:
    net = cw.open("organism:quote")
    batch = net.batch([list(row) for row in net.reference[:2]])
    other = net.read([list(net.reference[5])], "mlp_out.0")["mlp_out.0"]
    found = cw.without(
        net, cw.Decision(batch, answer=1, instead=2), "mlp_out.0", baseline=constant({"mlp_out.0": other}), tokens=0
    )
    from cutaway.network import Edit, LogitDifference, Put, Site

    by_hand = net.run(batch, [Edit(Site.parse("mlp_out.0"), Put(other))]).output
    metric = LogitDifference(torch.tensor([1, 1]), torch.tensor([2, 2]))
    assert found.after.mean == pytest.approx(float(metric(by_hand, torch.arange(2)).mean()), abs=1e-5)


def test_a_part_without_a_given_value_is_refused() -> None:
    net = cw.open("organism:quote")
    decision = cw.Decision([list(net.reference[0])], answer=1, instead=2)
    with pytest.raises(ValueError, match=r"holds no value for z\.0; it was given mlp_out\.0"):
        cw.without(net, decision, "z.0[head=1]", baseline=constant({"mlp_out.0": 1.0}), tokens=0)
