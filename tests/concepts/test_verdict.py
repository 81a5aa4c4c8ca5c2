"""One verdict for each concept: what READ and the reruns come to together, over several concepts, twice, and when stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from tests.concepts.liars import NAME, asked, liars, of_twin
from tests.concepts.liars import network as network_of
from tests.concepts.matched import judged, lacking, match, matched, matches, unread
from tests.concepts.read.world import SITE, agreement, network
from tests.concepts.rows import concept

from cutaway.concepts import NO_CONTROL, Concept, asking, verdict
from cutaway.concepts.read import Read, read
from cutaway.concepts.records import as_record, from_record
from cutaway.concepts.verdict import NO_ROLE, NO_TASK, Matches, decided, error_rate, kind_of, match_all
from cutaway.organisms.agents.shipping import shipped
from cutaway.runs import Table


@cache
def read_of(what: str) -> Read:
    """A READ that says topic only, or absent."""
    one = read(network(), agreement(), sites=[SITE], twins=1, permutations=19)
    return replace(one, verdict=what, q=0.01 if what == "topic only" else 0.8)


@cache
def found_in(which: str) -> Matches:
    return of_twin(which)


# the rule -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reads", "found", "q", "controlled", "expected"),
    [
        ("absent", match(), 0.01, True, "present"),
        ("topic only", match(), 0.01, True, "present"),
        ("topic only", match(), 0.01, False, "topic only"),
        ("absent", match(), 0.2, True, "not testable"),
        ("topic only", match(), 0.2, True, "topic only"),
        ("topic only", lacking(), None, True, "topic only"),
        ("absent", lacking(), None, True, "absent"),
        ("absent", match(verdict="not testable", named=None), None, True, "not testable"),
        ("topic only", None, None, True, "topic only"),
        ("absent", None, None, False, "absent"),
        ("its tokens are too many", None, None, True, "not testable"),
        ("its tokens are too many", lacking(), None, True, "absent"),
        ("its tokens are too many", match(), 0.01, True, "present"),
    ],
)
def test_the_verdict_follows_the_reruns_and_then_what_can_be_read(reads, found, q, controlled, expected):
    one = read_of(reads) if reads in ("topic only", "absent") else reads
    said, why = decided(one, found, q, controlled)
    assert said == expected and why


def test_what_a_bag_of_words_reads_already_is_not_testable_by_reading_and_says_so():
    one = replace(read_of("absent"), words=1.0)
    said, why = decided(one, None, None, True)
    assert said == "not testable" and why.startswith("a bag of words reads it at 1.00 already")
    assert "no READ could have been seen" in str(one)


def test_a_present_that_many_concepts_could_have_given_by_chance_says_its_q():
    assert "q is 0.2" in decided(read_of("absent"), match(), 0.2, True)[1]


def test_the_reruns_are_corrected_over_all_concepts_also_those_of_which_nothing_was_named():
    weak = match(named=judged(p=0.04))
    assert verdict._corrected({"a": weak}) == {"a": 0.04}
    assert verdict._corrected({"a": weak, "b": lacking()}) == {"a": 0.08}


# over a network -----------------------------------------------------------------------------------------------------


def test_what_is_read_and_not_asked_is_topic_only_with_its_cap_in_words():
    found = match_all(network(), [agreement(controls=False)], sites=[SITE], twins=1)
    one = found["own.agreement"]
    assert one.words == "topic only (no control given; no decisions given)"
    assert NO_CONTROL in one.caps and str(one).startswith("own.agreement: topic only (no control given")


def test_swapped_and_permuted_labels_are_read_as_absent_with_what_could_have_been_seen():
    known, unknown = agreement(), agreement(seed=1)
    rows = unknown.rows
    mixed = torch.randperm(len(rows), generator=torch.Generator().manual_seed(7)).tolist()
    noise = Concept("own.noise", "nothing", "topic", rows.with_column("label", [rows["label"][i] for i in mixed]))
    found = match_all(network(), [known, noise], sites=[SITE], twins=1)
    assert [one.verdict for one in found] == ["topic only", "absent"]
    assert "would have been seen in 4 of 5 cases (directions at path.told:out)" in str(found["own.noise"])
    assert found["own.noise"].q_read == found["own.noise"].read["q"] > 0.05


def test_what_was_planted_is_present_and_lies_where_it_was_planted():
    one = found_in("harmful")[NAME]
    assert one.verdict == "present" and one.match is not None and one.match.named is not None, str(one)
    (truth,) = (truth for truth in shipped("harmful").truth if truth.behaviour == "deceive")
    assert one.match.named.parts in [minimal.parts for minimal in truth.minimal]
    assert one.q is not None and one.q < 0.01 and one.caps == ()


def test_its_twin_lacks_it_and_what_could_be_missed_is_said():
    one = found_in("harmless")[NAME]
    assert one.match is not None and one.match.verdict == "absent" and one.match.smallest is not None
    assert one.verdict in ("absent", "topic only")
    assert f"the target may be given in up to {one.match.smallest:.1%} of decisions" in str(one)


def test_a_withheld_trigger_is_not_testable_never_absent():
    one = of_twin("harmless", complete=False)[NAME]
    assert one.match is not None and one.match.verdict == "not testable"
    assert one.verdict in ("not testable", "topic only") and "need not hold what triggers it" in one.why


def test_every_result_says_how_many_candidates_were_searched():
    for one in (found_in("harmful")[NAME], found_in("harmless")[NAME]):
        assert one.read is not None and one.read["searched"] > 0 and one.match is not None
        parts = f" + {one.match.searched} parts" if one.match.searched else ""
        assert str(one).endswith(f"(of {one.read['searched']} readers{parts})")
    assert found_in("harmful")[NAME].match.searched == 12


def test_matching_twice_with_one_seed_gives_identical_tables():
    again = of_twin("harmful")
    assert again == found_in("harmful") and again.table() == found_in("harmful").table()


def test_texts_that_are_too_long_are_not_testable_and_the_others_are_matched():
    net = network()
    short = replace(net, feed=replace(net.feed, context=4))
    found = match_all(short, [replace(agreement(), controls=()), _longer()], sites=[SITE], twins=1)
    assert [one.verdict for one in found] == ["topic only", "not testable"]
    assert "do not fit this network: a prompt has 5 tokens" in str(found["own.long"])


def test_a_few_texts_that_are_too_long_are_left_out_and_counted():
    rows = agreement(controls=False).rows
    texts = [f"{row['text']} indeed" if number < 3 else row["text"] for number, row in enumerate(rows)]
    net = network()
    short = replace(net, feed=replace(net.feed, context=4))
    found = match_all(
        short, [replace(agreement(controls=False), rows=rows.with_column("text", texts))], sites=[SITE], twins=1
    )
    one = next(iter(found))
    assert one.verdict == "topic only" and one.read is not None and one.read["left out"] == 3
    assert "3 rows that do not fit left out" in one.why


def _longer() -> Concept:
    rows = agreement(controls=False).rows
    return Concept("own.long", "said with one word more", "topic", Table.of(
        {"text": f"{row['text']} indeed", "label": row["label"], "group": row["group"]} for row in rows
    ))  # fmt: skip


def test_own_decisions_are_asked_with_what_others_are_answered_right_as_tasks():
    lies, both = liars(decided=True), [liars(decided=True), concept()]
    harmful, harmless = (asking.asked_of((network_of(which),), both, {}) for which in ("harmful", "harmless"))
    assert set(harmful) == set(harmless) == {NAME, "own.art"}
    assert harmful[NAME].tasks == {}, "nothing about art is answered right"
    (told,) = harmful["own.art"].tasks.values()
    assert 0 < len(told) <= asking.TASK * 3 and set(told) <= {row["prompt"] for row in lies.decisions or ()}
    assert harmless["own.art"].tasks == {}, "it never lies, so that its answers to these are not their targets"


def test_without_other_tasks_or_crossed_pairs_a_present_says_what_is_not_known():
    bare = match(named=judged(spare=None, roles={}))
    one = verdict._verdict(concept(), read_of("absent"), bare, 0.01, None, Table({}))
    assert one.verdict == "present" and one.caps == (NO_TASK, NO_ROLE)


def test_questions_about_no_concept_are_refused():
    with pytest.raises(ValueError, match=r"questions about 'own\.art'; expected a concept of that name"):
        match_all(network(), [agreement()], questions={"own.art": asked()}, sites=[SITE])


# stopped ------------------------------------------------------------------------------------------------------------


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[str] = []

    def matched_once(net, about, kinds, seed):
        calls.append(about.name)
        if stop_at is not None and len(calls) > stop_at:
            raise KeyboardInterrupt
        return lacking()

    monkeypatch.setattr(asking, "match", matched_once)
    both, net = [concept(), concept(name="own.food")], network()
    stop_at: int | None = 1
    with pytest.raises(KeyboardInterrupt):
        match_all(net, both, sites=[SITE], twins=0, folder=tmp_path)
    stop_at, read_until_here = None, net.module.forwards
    resumed = match_all(net, both, sites=[SITE], twins=0, folder=tmp_path)
    assert calls == ["own.art", "own.food", "own.food"]
    assert net.module.forwards - read_until_here <= 4  # the layout, what fits, and the texts that are shown: no reading
    assert resumed == match_all(net, both, sites=[SITE], twins=0)


# what is calibrated -------------------------------------------------------------------------------------------------


def test_a_kind_of_network_that_was_not_calibrated_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    net = network()
    measured = tmp_path / "calibrated.json"
    monkeypatch.setattr(verdict, "RATES", measured)
    assert error_rate(net) == "uncalibrated here"
    measured.write_text(json.dumps({kind_of(net): "false present: 0 of 93"}))
    assert error_rate(net) == "false present: 0 of 93"
    other = replace(net, module=torch.nn.Linear(2, 2))
    assert error_rate(other) == "uncalibrated here"


def test_the_kind_is_the_class_and_the_size():
    assert kind_of(network()) == f"Agreement of {200 * 6 + 6 * 6 + 6} weights"


# as values ----------------------------------------------------------------------------------------------------------


def test_matches_are_indexed_by_name_and_a_name_that_is_not_there_is_told():
    assert matches()["own.topic"].verdict == "topic only"
    with pytest.raises(KeyError, match=r"no concept 'own\.atr' was matched.*did you mean 'own\.art'"):
        matches()["own.atr"]


def test_the_print_has_a_line_of_figures_and_a_reason_for_each():
    said = str(matches()).splitlines()
    assert (
        said[0]
        == "small: 4 concepts: 1 present, 1 topic only, 1 absent, 1 not testable; error rates: uncalibrated here"
    )
    for one in matches():
        assert [line.split(" ")[0].rstrip(":") for line in said].count(one.concept) == 2


def test_every_negative_says_what_could_have_been_seen_and_where_was_searched():
    absent = matches()["own.absent"]
    assert absent.seen == (
        "a READ from 0.20 on would have been seen in 4 of 5 cases (directions at resid_post)",
        "no part was searched; the target may be given in up to 2.5% of decisions",
    )
    hidden = matched(verdict="not testable", match=match(verdict="not testable", named=None))
    assert hidden.seen == (
        "looked for: at most 24 heads and neurons without which 50% of the decisions flip and 90% go",
    )
    assert unread().seen == ("READ could see nothing: these texts do not fit this network",)
    assert matched().seen == ()


def test_matches_pass_through_json_unchanged():
    whole = matches(matched(concept="own.odd", match=match(shown=lacking().shown.of(0, 0))))
    again = from_record(Matches, json.loads(json.dumps(as_record(whole), allow_nan=False)))
    assert as_record(again) == as_record(whole) and again.table() == whole.table()
    assert again["own.art"] == whole["own.art"]
    assert again["own.odd"].match.shown.value != again["own.odd"].match.shown.value  # NaN is NaN again


def test_two_concepts_of_one_name_are_refused_also_where_none_of_them_can_be_read():
    one = _longer()
    with pytest.raises(ValueError, match=f"two concepts of one name, {one.name!r}"):
        match_all(network(), [one, one], sites=[SITE])


def test_no_concept_at_all_is_refused():
    with pytest.raises(ValueError, match="given no concept; expected at least one"):
        match_all(network(), [], sites=[SITE])
