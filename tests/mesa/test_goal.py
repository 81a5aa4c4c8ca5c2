"""Where the objective can be rewritten: late in gradient descent, nowhere in what had finished before."""

from dataclasses import replace

import torch
from tests.mesa.test_opened import InContext, opened

from cutaway.mesa.controls import RidgeAtOnce
from cutaway.mesa.goal import goal_slot
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.reference import Stack
from cutaway.mesa.subject import states
from cutaway.mesa.tasks import Regression
from cutaway.mesa.watched import Watched
from cutaway.network import Site
from cutaway.submodels.baseline import baseline
from cutaway.submodels.submodel import take_away

TASK = Regression(4, 12)


def watched(network: Stack) -> Watched:
    return Watched.of(network.rotated(7001, 24), TASK, 7001)


def test_the_slot_of_gradient_descent_lies_along_its_labels():
    network = GradientDescent(0.4).compiled(4, 6)
    found = goal_slot(watched(network))
    assert found is not None and found.layer >= 4
    turned = network.rotated(7001, 24)
    assert turned.basis is not None
    label = turned.basis[turned.space.at("y")][0]
    assert float(torch.cosine_similarity(found.direction, label, 0)) > 0.999
    assert found.moved > 0.3 > 3 * found.null


def test_more_is_moved_the_earlier_it_is_written():
    found = goal_slot(watched(GradientDescent(0.4).compiled(4, 6)))
    assert found is not None and list(found.course) == sorted(found.course, reverse=True)


def test_a_network_that_had_finished_has_no_slot():
    assert goal_slot(watched(RidgeAtOnce(layer=1).compiled(4, 6))) is None


def test_an_opened_network_reruns_without_its_slot():
    subject, some = opened(InContext()), goal_slot(watched(GradientDescent(0.4).compiled(4, 6)))
    assert some is not None
    prompts = Regression(3, 5, queries=4).draw(6, 7001)
    batch = states(subject, prompts)[0].inputs.batch
    submodel = replace(some, layer=1, direction=torch.arange(12.0)).submodel(subject.network)
    assert submodel.parts == ("goal@resid_pre.1",) and submodel.evidence["moved"] == some.moved
    edits = take_away(subject.network, submodel, baseline(subject.network, batch, [Site.parse("resid_pre.1")], "zero"))
    after = subject.network.run(batch, edits, ["resid_pre.1"]).read["resid_pre.1"]
    assert float((after @ torch.arange(12.0)).abs().max()) < 1e-3
