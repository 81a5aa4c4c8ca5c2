"""A concept is called natural where every part tells it and nothing goes past it, by the weights; and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from tests.concepts.read.world import Given, asked_of

from cutaway.concepts import Concept
from cutaway.concepts.natural import Code, Natural, mediates, natural, natural_all, natural_between, parted
from cutaway.concepts.natural.across import found, shuffles
from cutaway.concepts.natural.planted import KINDS, SITE, WIDTH, planted
from cutaway.concepts.read import random_twin, reader
from cutaway.network import Network, Site

SEED = 7001


@cache
def world(kind: str) -> tuple[Network, Concept]:
    return planted(kind, SEED)


@cache
def known(kind: str) -> Natural:
    net, concept = world(kind)
    return natural(net, concept, len(KINDS[kind].tells), sites=[SITE], seed=SEED)


def direction(net: Network, *latents: int) -> Code:
    """The written directions of these latents."""
    return Code(Site.parse(SITE), net.module.told.weight.detach().T[list(latents)])  # ty: ignore


@pytest.mark.parametrize("kind", KINDS)
def test_both_scores_are_what_was_planted(kind: str) -> None:
    plant, one = KINDS[kind], known(kind)
    assert (one.redundant.verdict == "redundant") == plant.redundant
    assert (one.mediates.verdict in ("mediates", "in part")) == plant.mediates
    assert one.natural == (plant.redundant and plant.mediates)
    counted = [p <= 0.05 for p in one.redundant.parts["p"]]
    assert counted == [tells and sum(plant.tells) > 1 for tells in plant.tells]


def test_a_share_near_one_passes_where_nothing_else_is_shared_and_little_where_much_is() -> None:
    assert known("natural").mediates.value == pytest.approx(1.0, abs=0.2)
    assert known("natural").mediates.by_label == pytest.approx(1.0, abs=0.2)
    assert known("redundant only").mediates.value == pytest.approx(0.15, abs=0.1)


def test_a_part_that_tells_it_by_a_code_of_its_own_only_does_not_count() -> None:
    one = known("neither")
    assert one.redundant.parts["by its own code"][0] > 0.85 and one.redundant.parts["AUROC"][0] < 0.7
    assert one.redundant.value == 0


def test_where_parts_share_nothing_mediation_is_not_testable_and_says_so() -> None:
    one = known("nothing")
    assert one.mediates.verdict == "not testable" and one.mediates.value is None and one.p == 1
    assert "do not depend on each other beyond chance" in str(one)
    assert one.row()["MEDIATES"] is None


def test_a_random_twin_of_a_network_that_has_it_has_it_not() -> None:
    net, concept = world("natural")
    one = natural(random_twin(net, SEED), concept, sites=[SITE], seed=SEED + 1)
    assert one.redundant.verdict == "not redundant" and not one.natural


def test_a_subspace_that_holds_all_that_is_shared_carries_all_of_it() -> None:
    net, concept = world("redundant only")
    shares = [
        natural(net, concept, code=direction(net, *latents), twins=0).mediates.value or 0.0
        for latents in ((0,), (0, 1), (0, 1, 2, 3))
    ]
    assert shares == sorted(shares) and shares[0] < 0.3 and shares[-1] > 0.9


def test_a_given_code_is_what_redundant_is_about_too() -> None:
    net, concept = world("natural")
    right, wrong = (natural(net, concept, code=direction(net, latent), sites=[SITE]) for latent in (0, 5))
    assert right.natural and right.mediates.p_labels is None and right.mediates.rows == 120
    assert wrong.redundant.verdict == "not redundant" and wrong.mediates.verdict == "no more than chance"


def test_another_concepts_code_is_tried_on_the_parts() -> None:
    net, concept = world("redundant only")
    drawn = planted("redundant only", SEED, shuffled=True)[1]
    true, noise = natural_all(net, [concept, replace(drawn, name="own.noise")], sites=[SITE], twins=0)
    assert set(true.mediates.others) == {"own.noise"} and set(noise.mediates.others) == {"own.latent"}
    assert true.q is not None and true.q >= true.p and known("natural").q is None
    assert "of 1 other concepts' codes carry as much" in str(true)
    assert noise.redundant.verdict == "not redundant"


def test_shuffled_labels_give_uniform_p_values() -> None:
    labels, of_code = [], []
    for seed in range(7100, 7124):
        net, concept = planted("redundant only", seed, rows=40, shuffled=True)
        one = natural(net, replace(concept, controls=()), sites=[SITE], twins=0, seed=seed)
        best = max(one.redundant.parts["AUROC"])
        labels.append((1 + sum(drawn >= best for drawn in one.redundant.null[0])) / 21)
        of_code.append(one.mediates.p_labels or 0.0)
    for p in (labels, of_code):
        assert sum(one <= 0.05 for one in p) <= 4 and 0.35 < sum(p) / len(p) < 0.7  # P(5 or more of 24) = 0.6 %


def test_no_row_is_scored_by_a_code_that_was_fitted_to_it() -> None:
    asked = asked_of((60, 60))
    rows, drawn = len(asked.sets), torch.Generator().manual_seed(7003)
    given = [Given({Site.parse(SITE): torch.randn(rows, 200, generator=drawn)}) for _ in range(2)]
    positive = asked.sets == 0
    apart = [
        abs(float(one[:, positive].mean() - one[:, ~positive].mean()))
        for one in (
            found(given, asked, asked.sets[None], range(2), crossed).scores[..., 0] for crossed in (False, True)
        )
    ]
    assert apart[0] > 0.5 and apart[1] < 0.3


def test_shuffled_sets_are_the_same_sets_in_every_split() -> None:
    asked = asked_of((60, 60))
    drawn = shuffles(asked, 5, 1)
    assert (drawn[0] == asked.sets).all() and not any((one == asked.sets).all() for one in drawn[1:])
    for split in asked.by_split.values():
        assert all(sorted(one[split].tolist()) == sorted(asked.sets[split].tolist()) for one in drawn)


def test_readings_are_kept_and_a_second_call_says_the_same(tmp_path: Path) -> None:
    net, concept = planted("natural", SEED, rows=40)
    first = natural(net, concept, sites=[SITE], keep=tmp_path, twins=1)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    second = natural(net, concept, sites=[SITE], keep=tmp_path, twins=1)
    assert second.row() == first.row() and str(second) == str(first)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} != {}


def test_readings_that_are_there_give_what_the_network_gives(tmp_path: Path) -> None:
    net, concept = planted("natural", SEED, rows=40)
    cut, read = parted(concept), reader(net, tmp_path, [SITE])
    given = natural_between([read.readings(one) for one in cut.passages], cut.asked)
    assert given.row() == {**natural(net, concept, sites=[SITE], twins=0).row(), "parts": "2 parts"}


def test_of_very_many_rows_some_units_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    net, concept = world("natural")
    monkeypatch.setattr(mediates, "ROWS", 150)
    one = natural(net, concept, sites=[SITE], twins=0)
    assert 120 < one.mediates.rows < 180 and one.rows == 300 and one.mediates.verdict in ("mediates", "in part")


def test_the_null_of_every_contrast_is_kept() -> None:
    null = known("natural").redundant.null
    assert [len(row) for row in null] == [20, 20] and max(map(max, null)) < min(
        known("natural").redundant.parts["AUROC"]
    )


def test_the_sentence_holds_both_scores_with_their_nulls() -> None:
    said = str(known("natural"))
    for part in (
        "shown to be natural",
        "REDUNDANT redundant: 2 of 2 parts",
        "MEDIATES mediates: ",
        "random directions",
        SITE,
    ):
        assert part in said
    assert "would have counted" in str(known("neither")) and "not shown" in str(known("neither"))


def test_what_cannot_be_asked_is_refused() -> None:
    net, concept = world("natural")
    with pytest.raises(ValueError, match="at least 19"):
        natural(net, concept, permutations=5)
    with pytest.raises(ValueError, match="each of its own name"):
        natural_all(net, [concept, concept])
    with pytest.raises(ValueError, match="expected two or more"):
        natural_between([], asked_of((60, 60)))
    with pytest.raises(ValueError, match=f"width 3 at .*; expected {WIDTH}"):
        natural(net, concept, code=Code(Site.parse(SITE), torch.eye(3)))
