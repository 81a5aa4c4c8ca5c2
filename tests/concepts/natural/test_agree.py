"""Two networks agree where both have a sub-model that does the same on the same inputs, and nowhere else."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random

import pytest
import torch
from tests.concepts.matched import judged, lacking, match
from tests.organisms.agents.grown import harmful, run

from cutaway.cli import run as command
from cutaway.cli.agree import questions_of, told_apart
from cutaway.cli.ending import WrongUse
from cutaway.concepts import asking
from cutaway.concepts.match import Match, Questions
from cutaway.concepts.natural import Agree, agree, agree_between, shared
from cutaway.concepts.natural.agree import _judged, pairs
from cutaway.concepts.natural.alike import DECISIONS, Alike, Does, Inputs, alike, random_sets
from cutaway.network import Network, wrap
from cutaway.organisms.agents import AgentsOrganism
from cutaway.organisms.agents.camouflage import reorder
from cutaway.organisms.agents.language import tokenizer
from cutaway.organisms.agents.questions import questions
from cutaway.organisms.agents.shipping import shipped
from cutaway.study import cite

COUNT = 20


@cache
def asked(behaviour: str = "deceive") -> Questions:
    return questions(run().world, behaviour, COUNT, 3)


def opened(organism: AgentsOrganism, name: str) -> Network:
    return wrap(organism.network, organism.tokenizer, organism.reference(), name=name)


@cache
def one() -> Network:
    return opened(shipped("harmful"), "one")


@cache
def other() -> Network:
    """A network of another training run."""
    return opened(harmful(), "other")


def planted(organism: AgentsOrganism, behaviour: str = "deceive") -> tuple[str, ...]:
    """What must be zeroed for a behaviour to go, verified."""
    (truth,) = (truth for truth in organism.truth if truth.behaviour == behaviour)
    return tuple(truth.minimal[0].parts)


@cache
def compared(behaviour: str = "deceive") -> Agree:
    """The sets for deception in one network, and for a behaviour in the other."""
    sets = (planted(shipped("harmful")), planted(harmful(), behaviour))
    return agree_between([one(), other()], sets, asked())


def named(net: Network, parts: Sequence[str]) -> Match:
    """A match that gave these parts the name."""
    return match(concept="deceive", network=net.name, named=judged(parts=tuple(parts)))


def scores(found: Agree) -> list[float]:
    """All figures but the random sets'."""
    return [
        value
        for one in (found.effect, found.activation)
        if one
        for value in (one.value, one.low, one.high, one.n, one.chance, one.p)
    ]


# two networks -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_networks_of_two_training_runs_agree_on_a_behaviour_that_both_were_planted():
    found = compared()
    assert found.verdict == "yes", str(found)
    assert found.effect is not None and found.effect.value > 0.9 > 0.5 > found.effect.chance
    assert found.activation is not None and found.activation.value > max(found.activation.random)
    assert found.p <= 0.05


def test_a_network_agrees_with_itself_wholly():
    parts = planted(shipped("harmful"))
    found = agree_between([one(), one()], [parts, parts], asked())
    assert found.verdict == "yes" and found.effect and found.activation
    assert (found.effect.value, found.activation.value) == (1.0, pytest.approx(1.0))


def test_the_set_of_another_behaviour_does_not_agree():
    found = compared("power")
    assert found.verdict == "no" and "both change 0%" in found.why


def test_a_random_set_does_not_agree():
    (drawn, *_) = random_sets(other(), planted(harmful()), ("heads", "neurons"), 3)
    found = agree_between([one(), other()], [planted(shipped("harmful")), drawn], asked())
    assert found.verdict == "no" and "no more alike than those of random sets" in found.why


def test_it_does_not_matter_which_network_comes_first():
    turned = agree_between([other(), one()], compared().sets[::-1], asked())
    assert scores(turned) == pytest.approx(scores(compared()))
    assert turned.effect and compared().effect and sorted(turned.effect.random) == sorted(compared().effect.random)
    assert (turned.verdict, turned.p) == (compared().verdict, pytest.approx(compared().p))


def test_writing_heads_and_neurons_down_in_another_order_changes_nothing():
    organism = harmful()
    moved = copy.deepcopy(organism.network)
    again = replace(organism, network=moved, planting=reorder(moved, organism.planting, 7001))
    sets = [planted(shipped("harmful")), organism.slot("deceive").addresses]
    assert again.slot("deceive").addresses != sets[1]
    before = agree_between([one(), other()], sets, asked())
    after = agree_between([one(), opened(again, "moved")], [sets[0], again.slot("deceive").addresses], asked())
    assert scores(after) == pytest.approx(scores(before), abs=1e-4) and after.verdict == before.verdict


def test_networks_of_different_tokenizers_are_compared_by_text():
    organism = harmful()
    words = run().world.vocabulary
    order = [0, 1, *Random(1).sample(range(2, len(words)), len(words) - 2)]
    network = copy.deepcopy(organism.network)
    with torch.no_grad():
        for table in (network.get_input_embeddings(), network.get_output_embeddings()):
            table.weight.copy_(table.weight[order].clone())
    renamed = tokenizer(tuple(words[place] for place in order))
    net = wrap(network, renamed, [row["prompt"] for row in asked().decisions["train"]], name="renamed")
    assert net.feed.tokenizer.encode("report") != one().feed.tokenizer.encode("report")  # ty: ignore
    found = agree_between([one(), net], compared().sets, asked())
    assert scores(found) == pytest.approx(scores(compared()), abs=1e-4)


# without a set on both sides ----------------------------------------------------------------------------------------


def test_where_one_network_lacks_it_the_answer_is_no_whatever_the_other_is():
    present, absent = named(one(), planted(shipped("harmful"))), replace(lacking(), concept="deceive")
    unclear = match(named=None, verdict="not testable", why="nothing was found")
    for found, verdict in (((present, absent), "no"), ((absent, unclear), "no"), ((present, unclear), "not testable")):
        (pair,) = pairs([one(), other()], found, asked(), ("heads",), 0)
        assert pair.verdict == verdict and pair.effect is None and pair.p == 1
        assert f"{found[1].verdict if verdict != 'no' else 'absent'} in small" in pair.why


def test_sets_that_change_all_answers_of_a_kind_alike_are_not_testable():
    alike_by_kind = Alike(1.0, 0.9, 1.0, 40, 1.0, 1.0, 0.02, (0.0,) * 40)
    assert _judged(alike_by_kind, alike_by_kind)[0] == "not testable"


def test_too_few_other_sets_are_not_testable_for_no_p_could_be_small_enough():
    few = Alike(1.0, 0.9, 1.0, 40, 0.1, 0.01, 0.1, (0.0,) * 9)
    verdict, why = _judged(few, few)
    assert verdict == "not testable" and "there are 9 other sets" in why


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"value": 0.6, "low": 0.4}, "both change 60%"),
        ({"p": 0.2}, "inputs permuted"),
        ({"p_random": 0.2}, "random sets"),
    ],
)
def test_each_of_the_bars_can_refuse(changed: dict[str, float], said: str):
    good = Alike(1.0, 0.9, 1.0, 40, 0.1, 0.01, 0.02, (0.0,) * 40)
    assert _judged(good, good)[0] == "yes"
    verdict, why = _judged(replace(good, **changed), good)
    assert verdict == "no" and said in why
    if "low" not in changed:
        verdict, why = _judged(good, replace(good, **changed))
        assert verdict == "no" and "activity" in why


# nulls --------------------------------------------------------------------------------------------------------------


def toy(seed: int, together: float = 0.0) -> tuple[Does, Does, Inputs]:
    """Two networks in which prompts are alike with their partners, and which are otherwise alike as far as is said."""
    drawn = torch.Generator().manual_seed(seed)
    texts = [str(row) for row in range(120)]
    kinds = [DECISIONS] * 80 + ["task recall"] * 40
    inputs = Inputs(tuple(texts), tuple(kinds), tuple([row // 2 for row in range(80)] + list(range(80, 120))))
    both = torch.randn(120, 3, generator=drawn)

    def does() -> Does:
        own = torch.randn(120, 3, generator=drawn)[torch.tensor(inputs.units)]  # of a unit
        x = together * both + own
        effects = (x[:, 0] > 1).long() * (1 + (x[:, 1] > 0).long())
        return Does((effects,), (x.double(),))

    return does(), does(), inputs


def test_of_networks_that_have_nothing_in_common_p_is_uniform():
    found = [alike(*toy(seed), seed) for seed in range(7001, 7051)]
    for number in (0, 1):
        p = [pair[number].p for pair in found]
        assert sum(one <= 0.05 for one in p) <= 6 and 0.35 < sum(p) / len(p) < 0.65  # P(7 or more of 50) = 1.2 %


def test_of_networks_that_have_something_in_common_p_is_small():
    for seed in range(7001, 7006):
        effect, activation = alike(*toy(seed, together=3.0), seed)
        assert effect.p <= 0.05 and activation.p <= 0.05


def test_inputs_trade_places_within_their_kind_and_units_stay_together():
    _, _, inputs = toy(7001)
    for way in inputs.permuted(5, 1).tolist():
        assert sorted(way) == list(range(120)) and way != list(range(120))
        assert all(inputs.kinds[row] == inputs.kinds[place] for row, place in enumerate(way))
        assert all(inputs.units[way[row]] == inputs.units[way[row + 1]] for row in range(0, 80, 2))


def test_a_text_is_asked_once_and_a_unit_is_a_decision_with_its_partner():
    inputs = Inputs.of(asked(), [one(), other()])
    assert len(set(inputs.texts)) == len(inputs.texts)
    prompts = [row["prompt"] for row in asked().decisions["test"]]
    places = [inputs.texts.index(text) for text in prompts]
    partners = [inputs.texts.index(row["reference"]) for row in asked().decisions["test"]]
    assert [inputs.units[row] for row in places] == [inputs.units[row] for row in partners]
    assert {inputs.kinds[row] for row in places} == {DECISIONS} != set(inputs.kinds)


def test_prompts_that_one_of_the_networks_cannot_be_given_are_left_out():
    about = asked()
    long = " ".join([about.tasks["recall"][0]] * 8)  # more positions than there are
    tasks = {**about.tasks, "recall": [*about.tasks["recall"], *[long] * 3]}
    assert Inputs.of(replace(about, tasks=tasks), [one()]).texts == Inputs.of(about, [one()]).texts


def test_random_sets_are_different_sets_of_as_many_other_parts_of_each_kind():
    parts = ("z.1[head=2]", "mlp_act.0[neuron=3]")
    drawn = random_sets(one(), parts, ("heads", "neurons"), 1)
    assert len(set(map(frozenset, drawn))) == 20
    for some in drawn:
        assert [name.startswith("z.") for name in some] == [True, False] and not set(some) & set(parts)
    assert len(random_sets(one(), parts[:1], ("heads",), 1)) == 11  # of 12 heads


# several networks, and the command ----------------------------------------------------------------------------------


def test_the_table_says_by_how_many_a_concept_is_shared(monkeypatch: pytest.MonkeyPatch):
    third = opened(shipped("harmless"), "third")
    sets = {"one": planted(shipped("harmful")), "other": planted(harmful())}

    def known(net: Network, about: Questions, kinds: Sequence[str], seed: int) -> Match:
        if net.name in sets:
            return named(net, sets[net.name])
        return replace(lacking(), concept=about.name, network=net.name)

    monkeypatch.setattr(asking, "match", known)
    found = shared([one(), third, other()], [asked()])
    (line,) = found.table().rows()
    assert (line["present"], line["absent"], line["pairs that agree"], line["shared by"]) == (2, 1, 1, 2)
    assert [pair.verdict for pair in found] == ["no", "yes", "no"]
    assert "lorell" in cite(found).lower()
    assert "AGREE yes" in str(found) and "absent in third" in str(found)
    assert next(pair for pair in found if pair.verdict == "yes").row()["effect"] > 0.9


def test_networks_of_folders_of_one_name_go_by_the_tails_of_their_paths(tmp_path):
    given = [tmp_path / "wide" / "run" / "final", tmp_path / "deep" / "run" / "final", tmp_path / "other"]
    for folder in given:
        folder.mkdir(parents=True)

    def names(*folders: object) -> list[str]:
        nets = [replace(one(), name=str(folder).rsplit("/", 1)[-1]) for folder in folders]
        return [net.name for net in told_apart(nets, list(map(str, folders)))]

    assert names(*given) == ["wide/run/final", "deep/run/final", "other"]
    assert names("mine/model", "yours/model") == ["mine/model", "yours/model"]
    assert names("model", "yours/model") == ["model", "yours/model"]
    assert len(set(names(given[0], given[0], given[2]))) == 2  # one network twice is none that differ


def test_what_cannot_be_compared_is_refused_in_words():
    with pytest.raises(ValueError, match="given 1 networks; expected two"):
        agree([one()], asked())
    with pytest.raises(ValueError, match="none empty"):
        agree_between([one(), other()], [compared().sets[0], ()], asked())
    with pytest.raises(ValueError, match="of different names"):
        shared([one(), one()], [asked()])
    with pytest.raises(ValueError, match="given the concepts none"):
        shared([one(), other()], [])
    with pytest.raises(WrongUse, match="none has decisions"):
        questions_of(["emotion.anger"])
    assert command(["agree", "organism:code", "--concepts", "organism:agents"]) == 2
    assert command(["agree", "organism:code", "organism:code", "--concepts", "organism:agents"]) == 1
