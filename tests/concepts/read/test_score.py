"""READ tells a network that carries a concept from one that does not, and never more than topic from absent."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from tests.concepts.read.world import SITE, agreement, network

from cutaway.concepts import Concept, library
from cutaway.concepts.read import Read, Reads, question, read, read_all, reader
from cutaway.concepts.read.auroc import auroc
from cutaway.network import Network, wrap
from cutaway.runs import Table

NAMES = (
    "power.desire-for-acquiring-power",
    "emotion.anger",
    "grammar.passive_1",
    "control.made_up_facts",
    "truth.cities",
)


@cache
def known(seed: int = 8000) -> Read:
    return read(network(seed=seed), agreement(), sites=[SITE], seed=seed)


@cache
def encoder(seed: int) -> Network:
    """A small BERT with random weights and a vocabulary of the concepts' training words."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    texts = [text for name in NAMES for text in library()[name].texts("train")]
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    trainer = tokenizers.trainers.WordLevelTrainer(special_tokens=["[PAD]", "[UNK]"], show_progress=False)
    words.train_from_iterator(texts, trainer)
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
    )
    return wrap(transformers.BertModel(config).eval(), words)


@cache
def untrained(seed: int = 8001) -> Reads:
    return read_all(encoder(seed), [library()[name] for name in NAMES], seed=seed)


def test_a_network_that_carries_the_concept_is_read_above_twin_and_words() -> None:
    found = known()
    assert found.verdict == "topic only" and found.read > 0.3 and found.p <= 0.05
    assert found.lowest > 0.9 and found.words < 0.7
    assert [row["contrast"] for row in found.contrasts] == ["negatives", "denied"]
    assert found.read == pytest.approx(found.lowest - max(found.words, found.twin or 0, 0.5))


def test_a_network_that_does_not_is_absent_and_says_what_it_could_have_seen() -> None:
    found = read(network(knows=False), agreement(), sites=[SITE])
    assert found.verdict == "absent" and abs(found.read) < 0.2
    assert 0 < found.smallest < 0.5
    for said in ("absent", f"READ from {found.smallest:.2f} on", "directions at", "best of 6 candidates"):
        assert said in str(found)


def test_an_untrained_encoder_reads_high_and_is_absent_all_the_same() -> None:
    found = untrained()
    power = {row["contrast"]: row["AUROC"] for row in found["power.desire-for-acquiring-power"].contrasts}
    assert power["negatives"] > 0.8
    assert all(one.verdict == "absent" and one.read < 0.15 for one in found)


def test_what_nobody_can_know_is_absent() -> None:
    assert untrained()["control.made_up_facts"].verdict == "absent"
    alone = read(encoder(8002), library()["control.made_up_facts"], seed=8002)
    assert alone.verdict == "absent"


def test_the_word_present_is_never_said() -> None:
    assert {one.verdict for one in untrained()} | {known().verdict} <= {"topic only", "absent"}
    assert "present" not in str(known()) + str(untrained())


def test_swapping_labels_turns_the_area_into_one_less_it(tmp_path: Path) -> None:
    net, found = network(), known()
    concepts = [agreement(controls=False), agreement(swapped=True)]
    areas = []
    for one in concepts:
        asked = question(one)
        readings = reader(net, tmp_path, [SITE]).readings(asked.passages)
        test = asked.by_split["test"]
        labels = asked.sets[test][:, None] == 0
        scores = found.candidate.score(readings.at(readings.sites[0]))[test][:, None]
        areas.append(float(auroc(scores, labels, ~labels)))
    assert areas[0] > 0.9 and areas[0] == pytest.approx(1 - areas[1])


def test_reading_twice_with_one_seed_gives_the_same_table(tmp_path: Path) -> None:
    concepts = [agreement(), replace(agreement(seed=1), name="own.other")]
    first, second = (read_all(network(), concepts, sites=[SITE], keep=tmp_path / name, seed=3) for name in "ab")
    assert first.table() == second.table() and [one.nulls for one in first] == [one.nulls for one in second]
    other = read_all(network(), concepts, sites=[SITE], seed=4)
    assert [one.nulls for one in first] != [one.nulls for one in other]


def test_a_second_call_reads_nothing_and_says_the_same(tmp_path: Path) -> None:
    net = network()
    first = read(net, agreement(), sites=[SITE], keep=tmp_path)
    count = net.module.forwards
    second = read(net, agreement(), sites=[SITE], keep=tmp_path)
    assert net.module.forwards == count and second.row() == first.row()


def test_several_concepts_carry_q_values_and_one_does_not() -> None:
    concepts = [agreement(), replace(agreement(seed=1), name="own.other")]
    found = read_all(network(), concepts, sites=[SITE])
    assert all(one.q is not None and one.q >= one.p for one in found) and known().q is None
    assert all(one.verdict == ("topic only" if (one.q or 0) <= 0.05 else "absent") for one in found)
    assert found["own.other"].concept == "own.other"
    with pytest.raises(KeyError, match=r"own\.agreement"):
        found["own.unknown"]


def test_what_caps_the_concept_stands_on_the_result() -> None:
    found = read(network(), agreement(controls=False), sites=[SITE])
    assert "no control given" in found.cap and found.cap in str(found) and found.row()["cap"] == found.cap


def test_labels_at_random_are_absent() -> None:
    drawn = torch.Generator().manual_seed(8003)
    rows = [
        {"text": row["text"], "label": int(torch.rand((), generator=drawn) < 0.5)} for row in agreement(seed=2).rows
    ]
    found = read(network(), Concept("own.noise", "nothing", "topic", Table.of(rows)), sites=[SITE])
    assert found.verdict == "absent" and found.p_labels > 0.05


def test_one_neuron_can_be_read_alone() -> None:
    found = read(network(), agreement(), sites=["path.told:out[channel=0]"])
    assert found.searched == 6 and found.lowest > 0.9 and found.candidate.vector.shape == (1,)


def test_every_null_outcome_is_kept_by_contrast() -> None:
    nulls = known().nulls
    assert {name: len(drawn) for name, drawn in nulls.items()} == {"negatives": 20, "denied": 20}
    assert max(nulls["negatives"]) < known().lowest


def test_what_cannot_give_a_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 19"):
        read(network(), agreement(), permutations=5)
    with pytest.raises(ValueError, match="two concepts called"):
        read_all(network(), [agreement(), agreement()])
    with pytest.raises(ValueError, match="no concept"):
        read_all(network(), [])
    with pytest.raises(ValueError, match="twins"):
        read(network(), agreement(), twins=-1)
