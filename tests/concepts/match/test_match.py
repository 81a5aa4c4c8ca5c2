"""Networks with planted behaviours and their harmless twins: what is called present, absent, not testable; what is refused."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest
import torch
from tests.organisms.agents.grown import harmful, harmless, run

from cutaway.concepts import ConceptError
from cutaway.concepts.match import Judged, Questions, Share, Trials, each_decision, judge, match
from cutaway.concepts.match.judge import LEVEL
from cutaway.concepts.match.search import Tasks, candidates, carries, pruned
from cutaway.concepts.match.trials import several
from cutaway.network import Network, wrap
from cutaway.organisms.agents import AgentsOrganism, random_twin
from cutaway.organisms.agents.questions import questions
from cutaway.organisms.agents.shipping import shipped
from cutaway.organisms.compiled import compile_variant
from cutaway.organisms.opening import open_compiled

COUNT, SEED = 40, 3
searching = importlib.import_module("cutaway.concepts.match.search")  # the package has a function of this name


@cache
def asked(behaviour: str) -> Questions:
    return questions(run().world, behaviour, COUNT, SEED)


@cache
def opened(which: str) -> Network:
    organism: AgentsOrganism = {"harmful": harmful, "harmless": harmless, "random": untrained}[which]()
    return wrap(organism.network, organism.tokenizer, organism.reference(), name=which)


def untrained() -> AgentsOrganism:
    return random_twin(run().world, 7000, run().plan)


@cache
def found(behaviour: str):
    return match(opened("harmful"), asked(behaviour))


def offered(*parts: str, behaviour: str = "power") -> Judged:
    """What is said of parts that somebody offers."""
    net, about = opened("harmful"), asked(behaviour)
    trials = Trials.of(net, about.decisions["test"])
    crossed: Mapping[str, Trials] = {role: Trials.of(net, rows) for role, rows in about.crossed.items()}
    return judge(trials.take(trials.shown.nonzero()[:, 0]), crossed, Tasks.of(net, about.tasks), parts)


# verdicts -----------------------------------------------------------------------------------------------------------


def test_a_planted_behaviour_is_present_and_what_is_named_first_was_planted_or_verified():
    one = found("power")
    assert one.verdict == "present" and one.named is not None, str(one)
    (truth,) = (truth for truth in harmful().truth if truth.behaviour == "power")
    assert one.named.parts[0] in {part for minimal in truth.minimal for part in minimal.parts} | set(truth.slot)


@pytest.mark.parametrize("behaviour", ["deceive", "power"])
def test_the_harmless_twin_lacks_it_and_what_could_have_been_missed_is_said(behaviour: str):
    one = match(opened("harmless"), asked(behaviour))
    assert one.verdict == "absent" and one.named is None
    assert one.smallest is not None and 0 < one.smallest < 0.05


def test_an_untrained_network_does_not_understand_the_question():
    one = match(opened("random"), asked("deceive"))
    assert one.verdict == "not testable" and "does not understand" in one.why


def test_without_the_word_of_the_definition_nothing_is_called_absent():
    one = match(opened("harmless"), replace(asked("deceive"), complete=False))
    assert one.verdict == "not testable" and "need not hold what triggers it" in one.why


def test_a_behaviour_whose_cue_is_taken_from_the_prompts_is_absent():
    about = asked("power")
    without = {
        split: [{**row, "prompt": row["reference"], "reference": other["reference"], "foil": other["foil"]}
                for row, other in zip(rows, rows[1:] + rows[:1]) if row["reference"] != other["reference"]]
        for split, rows in about.decisions.items()
    }  # fmt: skip
    one = match(opened("harmful"), replace(about, decisions=without))
    assert one.verdict == "absent", str(one)


def test_matching_twice_with_one_seed_gives_the_same():
    assert match(opened("harmful"), asked("power")) == found("power")


def test_a_match_says_what_it_rests_on():
    said = str(found("power"))
    for word in ("present", "need", "random sets", "placebo", "enough", "moves", "parts searched: heads, neurons"):
        assert word in said


def test_decisions_whose_partner_has_another_number_of_tokens_are_left_out_and_counted():
    about = asked("power")
    longer = {
        split: [{**row, "reference": f"{row['reference']} ?"} if i % 8 else row for i, row in enumerate(rows)]
        for split, rows in about.decisions.items()
    }
    one = match(opened("harmful"), replace(about, decisions=longer))
    assert one.verdict == "not testable" and one.why.startswith("15 of 120 decisions have answers of one token")
    assert "shown in" not in str(one)


# refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["deceive", "power"])
@pytest.mark.parametrize("parts", [("embed",), ("resid_post.0",), ("resid_post.1",)])
def test_embeddings_and_whole_streams_are_needed_and_enough_and_refused(parts: tuple[str, ...], behaviour: str):
    one = offered(*parts, behaviour=behaviour)
    assert one.need.value == 1 and one.enough.value == 1
    assert any(why.startswith(("it reads", "it writes", "not sparing")) for why in one.refused)


def test_what_is_named_with_another_part_beside_it_is_not_minimal():
    named = found("power").named
    assert named is not None
    idle = next(name for name in candidates(opened("harmful"), ("heads",)) if name not in named.parts)
    assert any(why.startswith("not minimal") for why in offered(*named.parts, idle).refused)


def test_random_sets_are_refused():
    names = candidates(opened("harmful"), ("heads", "neurons"))
    drawn = torch.Generator().manual_seed(7)
    for _ in range(5):
        assert offered(*(names[i] for i in torch.randperm(len(names), generator=drawn)[:4].tolist())).refused


def test_a_part_that_nobody_reads_is_never_needed():
    organism = harmful()
    net = wrap(organism.network, organism.tokenizer, organism.reference(), name="with an idle head")
    projection = organism.network.model.layers[1].self_attn.o_proj.weight
    size = projection.shape[1] // organism.network.config.num_attention_heads
    kept = projection.detach().clone()
    try:
        with torch.no_grad():
            projection[:, :size] = 0
        trials = Trials.of(net, asked("power").decisions["test"])
        one = judge(trials, {}, None, ("z.1[head=0]",))
        assert one.need.value <= float((~trials.answered).float().mean()) and "not needed" in one.refused[0]
    finally:
        with torch.no_grad():
            projection.copy_(kept)


def test_a_copy_of_the_planted_head_that_nobody_reads_is_never_named():
    organism, about = shipped("harmful"), questions(shipped("harmful").world, "deceive", COUNT, SEED)
    (planted,) = organism.truth[0].minimal[0].parts
    module = copy.deepcopy(organism.network)
    net = wrap(module, organism.tokenizer, organism.reference(), name="with a copy")
    heads = [head for head in candidates(net, ("heads",)) if head.startswith("z.1") and head != planted]
    tasks = Tasks.of(net, about.part("test")[1])
    assert tasks is not None
    spare = heads[int(tasks.changed([several([head]) for head in heads]).amax(1).argmin())]  # the copy takes its place
    attention, wide = module.model.layers[1].self_attn, module.config.hidden_size // module.config.num_attention_heads
    into, out = (slice(wide * n, wide * (n + 1)) for n in (int(name[-2]) for name in (spare, planted)))
    with torch.no_grad():
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
            projection.weight[into] = projection.weight[out]
        attention.o_proj.weight[:, into] = 0
    one = match(net, about, kinds=("heads",))
    assert one.named is None or spare not in one.named.parts
    rows = Trials.of(net, about.decisions["test"])
    offered_copy = judge(rows.take(rows.shown.nonzero()[:, 0]), {}, None, (spare,))
    assert offered_copy.need.value == 0 and "not needed" in offered_copy.refused[0]
    assert one.named is not None and planted in one.named.parts, str(one)


# decisions, one by one ----------------------------------------------------------------------------------------------


def test_a_named_sub_model_is_used_where_it_triggers_and_not_where_it_does_not():
    net, named = opened("harmful"), found("power").named
    assert named is not None
    rows = asked("power").decisions["test"]
    states = each_decision(net, [named.parts], rows)
    assert states.count("used") >= 0.9 * len(rows)
    turned = [
        {"prompt": r["reference"], "target": r["target"], "foil": r["foil"], "reference": r["prompt"]} for r in rows
    ]
    assert "used" not in each_decision(net, [named.parts], turned, usual=1.0)


@pytest.mark.parametrize("kind", ["redundant", "backup"])
def test_of_two_parts_of_which_one_is_enough_both_decide_unless_one_waits_for_the_other(kind: str):
    organism = compile_variant("pointer", 7003, kind)
    net = open_compiled(organism)
    words = net.feed.tokenizer.decode
    columns = (organism.prompts, organism.counterfactuals, organism.answers, organism.instead)
    rows = [
        {"prompt": words(list(a)), "reference": words(list(b)), "target": f" {words([x])}", "foil": f" {words([y])}"}
        for a, b, x, y in zip(*columns)
        if words([y]) == "<refused>"
    ]
    (group,) = organism.groups
    states = each_decision(net, [(part,) for part in group.parts], rows)
    told = {"redundant": "overdetermined", "backup": "used"}[kind]  # a backup that was not called on is no cause
    assert states.count(told) >= 0.9 * len(rows), states
    assert "used" not in each_decision(net, [group.parts[:1]], rows)
    assert each_decision(net, [group.parts], rows).count("used") == states.count(told)


def test_the_part_that_pushes_least_beside_the_named_one_changes_no_state():
    net, named = opened("harmful"), found("power").named
    assert named is not None
    rows = asked("power").decisions["test"]
    names = [name for name in candidates(net, ("neurons",)) if name not in named.parts]
    pushes = Trials.of(net, rows).pushes([several([name]) for name in names]).abs().amax(1)
    idle = names[int(pushes.argmin())]
    assert each_decision(net, [named.parts, [idle]], rows) == each_decision(net, [named.parts], rows)


# pieces -------------------------------------------------------------------------------------------------------------


def test_a_part_that_is_idle_is_left_out_also_of_a_set_that_does_not_carry_every_decision():
    organism, about = shipped("harmful"), questions(shipped("harmful").world, "power", COUNT, SEED)
    net = wrap(organism.network, organism.tokenizer, organism.reference(), name="shipped")
    trials = Trials.of(net, about.decisions["train"])
    one = ("mlp_act.1[neuron=58]",)  # one of the three neurons of power: alone it is not enough
    assert not carries(trials, one, "returned")
    idle = min(candidates(net, ("neurons",)), key=lambda name: float(trials.pushes([several([name])]).abs().max()))
    assert idle not in pruned(trials, (*one, idle), "returned")


def test_random_sets_are_of_as_many_other_parts_and_of_nearly_all_there_are_none():
    one = offered("z.1[head=0]", "z.1[head=1]")
    assert one.random.n and one.random.value < 1
    heads = candidates(opened("harmful"), ("heads",))
    assert offered(*heads[: len(heads) // 2 + 1]).random.n == 0


def test_what_is_no_more_needed_than_random_sets_is_chance_and_what_moves_nobody_is_too():
    named = found("power").named
    assert named is not None and named.p <= LEVEL < named.moved.value
    net, rows = opened("harmful"), asked("power").decisions["test"]
    trials = Trials.of(net, rows)
    shown = trials.take(trials.shown.nonzero()[:, 0])
    idle = min(candidates(net, ("neurons",)), key=lambda name: float(trials.pushes([several([name])]).abs().max()))
    one = judge(shown, {}, None, (idle,))
    assert one.need.value <= one.random.value or one.p > LEVEL
    assert one.p > LEVEL and any(why.startswith("chance: need") for why in one.refused)


@pytest.mark.parametrize(
    ("shares", "aims"),
    [
        ([(0.2, 0.0), (0.2, 0.1)], ["returned", "gone"]),  # neither carries: no second start
        ([(0.9, 1.0), (0.9, 1.0)], ["returned", "returned"]),  # carries, but not only these decisions: once more
        ([(0.9, 0.0), (0.9, 1.0), (0.9, 1.0)], ["returned", "gone", "returned"]),
    ],
)
def test_a_search_starts_again_only_where_a_set_carried_the_decisions(
    shares: list[tuple[float, float]], aims: list[str], monkeypatch: pytest.MonkeyPatch
):
    grown: list[tuple[str, tuple[str, ...]]] = []

    def grow(growth, pool):
        grown.append((growth.aim, tuple(pool)))
        return (pool[0],)

    def scored(growth, parts):
        need, gone = shares[len(grown) - 1]
        return searching.Candidate(parts, growth.aim, need, gone, lost=1.0, role=0.0)  # spares nothing: never clean

    monkeypatch.setattr(searching._Growth, "grown", grow)
    monkeypatch.setattr(searching._Growth, "candidate", scored)
    monkeypatch.setattr(searching, "pruned", lambda trials, parts, aim: parts)
    trials = Trials.of(opened("harmful"), asked("power").decisions["train"])
    searching.search(trials, {}, None, ("heads",))
    assert [aim for aim, _ in grown] == aims
    first, last = grown[0][1], grown[-1][1]
    assert (first[0] in last) == (aims == ["returned", "gone"])  # a second start is without the first part


def test_a_share_has_an_exact_interval():
    assert str(Share.of(48, 48)) == "100% [93%, 100%] of 48"
    assert Share.of(0, 0).high == 1.0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"decisions": {"train": [], "val": [], "test": []}}, "no decisions in the split 'train'"),
        ({"crossed": {"stance": []}}, "given the role 'stance'; expected cue, answer"),
        ({"crossed": {"cue": [{"prompt": "a"}]}}, "without the text 'target'"),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(changed: dict, said: str):
    with pytest.raises(ConceptError, match=said):
        replace(asked("power"), **changed)
