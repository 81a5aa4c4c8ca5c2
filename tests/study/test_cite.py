"""The sources of exactly the methods that were used."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.concepts.matched import matches, unread
from tests.study.made import node, pixels, quote, rerun, small

import cutaway as cw
from cutaway.network import Site
from cutaway.study.cite import sources
from cutaway.submodels import Curve, difference_of_means


def keys(text: str) -> list[str]:
    return re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE)


def test_a_trace_cites_what_it_did_and_nothing_else():
    assert keys(cw.cite(quote())) == [
        "syed2024attribution",
        "kramar2024atp",
        "chan2022causal",
        "wang2023interpretability",
        "elhage2021mathematical",
        "mcgrath2023hydra",
        "nostalgebraist2020logit",
    ]


def test_a_network_without_a_stream_cites_no_direct_effects_and_no_steps():
    assert not {"elhage2021mathematical", "nostalgebraist2020logit"} & set(keys(cw.cite(pixels())))


def test_tests_against_chance_cite_their_statistics():
    assert {"phipson2010permutation", "benjamini1995controlling"} <= set(keys(cw.cite(small())))
    untested = small(node("z.0[head=0]", -1.0, p=None, q=None))
    assert not {"phipson2010permutation", "benjamini1995controlling"} & set(keys(cw.cite(untested)))


@pytest.mark.parametrize(
    ("baseline", "cited"),
    [
        ("values on the counterfactual", {"vig2020investigating", "zhang2024towards"}),
        ("mean over other inputs", {"wang2023interpretability"}),
        ("values of 8 other inputs (resample)", {"chan2022causal"}),
        ("zero", set()),
    ],
)
def test_what_stands_in_is_cited_by_what_it_is(baseline: str, cited: set[str]):
    stand_ins = {"vig2020investigating", "zhang2024towards", "wang2023interpretability", "chan2022causal"}
    assert set(keys(cw.cite(small(baseline=baseline, checks=())))) & stand_ins == cited


def test_a_rerun_cites_its_stand_ins():
    assert keys(cw.cite(rerun())) == ["chan2022causal", "wang2023interpretability"]


def test_an_adversary_and_a_difference_of_means_cite_theirs():
    assert keys(cw.cite(Curve((0,), (0.0,), (0.0,), 1, 0))) == ["madry2018towards"]
    direction = difference_of_means(Site.parse("resid_post.0"), torch.ones(2, 3), torch.zeros(2, 3))
    assert keys(cw.cite(cw.SubModel("d", tuple(direction.parts), (direction,)))) == ["arditi2024refusal"]


def test_a_match_cites_its_controls_and_reruns_only_where_some_were_made():
    assert {"heap2025sparse", "huang2024ravel", "benjamini1995controlling", "vig2020investigating"} <= set(
        keys(cw.cite(matches()))
    )
    assert "vig2020investigating" not in keys(cw.cite(replace(matches(), matched=(unread(),))))


def test_a_saved_run_cites_what_its_value_cites(tmp_path: Path):
    assert cw.cite(cw.save(small(), tmp_path / "run")) == cw.cite(small())


def test_several_values_cite_each_source_once():
    assert cw.cite(small(), small(), "madry2018towards").count("syed2024attribution") == 1


def test_without_a_value_every_source_is_given():
    assert keys(cw.cite()) == list(sources())


def test_every_entry_is_whole_bibtex():
    for key, entry in sources().items():
        assert {"title", "author", "year", "type", "for"} <= entry.keys(), key
        assert all(text.count("{") == text.count("}") for text in entry.values() if isinstance(text, str)), key
    assert cw.cite().count("{") == cw.cite().count("}")


def test_an_unknown_source_is_an_error_that_lists_them():
    with pytest.raises(KeyError, match="the sources are syed2024attribution"):
        cw.cite("nobody2020nothing")
