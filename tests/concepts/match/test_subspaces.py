"""Subspaces that are fitted to a network written by hand, where it is known what reads the cue and what writes the answer.

Its one head brings cue and side to the last position; its MLP says whether they agree, along a direction of its own. So
between attention and MLP the cue is in use; after the MLP it can be read as well as before, and nothing reads it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from itertools import permutations, product

import pytest
import torch

from cutaway.concepts.match import Trials
from cutaway.concepts.match.subspaces import KINDS, Kind, subspaces
from cutaway.concepts.match.trials import said, values_on
from cutaway.network import Network, Site, wrap
from cutaway.submodels import Directions, SubModel, take_away
from cutaway.submodels.midstream import Midstream
from cutaway.submodels.submodel import sites_of
from cutaway.training.transformer import Shape, Transformer

CUE, SIDE, AGREE, ASKS = range(4)  # what the first channels of the stream hold; the others tell the fillers apart
FILLERS = ("oak", "elm", "ash", "fir")
SEARCH = import_module("cutaway.concepts.match.subspaces")
MID, POST = "resid_mid.0[pos=-1]", "resid_post.0[pos=-1]"


class Words:
    """A word is a token."""

    vocabulary = ("yes", "no", "left", "right", *FILLERS, "?", "!", "same", "other", "seen", "unseen")

    def encode(self, text: str) -> list[int]:
        return [self.vocabulary.index(word) for word in text.split()]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(self.vocabulary[i] for i in ids)


@cache
def written(used: bool = True) -> Network:
    """Prompts that end with "?" ask whether cue and side agree; if not `used` all are answered "same". "!" asks for the cue."""
    words = Words.vocabulary
    shape = Shape(len(words), 8, 12, 1, 1, 2, 4, norm="none", positions="none", act="relu")
    module = Transformer(shape).eval()
    channel = dict(zip(FILLERS, range(4, 8)))
    with torch.no_grad():
        for weights in module.parameters():
            weights.zero_()
        for word, at, value in (("yes", CUE, 4), ("no", CUE, -4), ("left", SIDE, 4), ("right", SIDE, -4),
                                ("?", ASKS, 1), ("!", ASKS, -1), *((word, at, 1) for word, at in channel.items())):  # fmt: skip
            module.embed.weight[words.index(word), at] = value
        block = module.blocks[0]
        for number, at in enumerate((CUE, SIDE)):  # the mean over four positions: 1 or -1
            block.attn.value.weight[number, at] = block.attn.out.weight[at, number] = 1
        for neuron, (cue, side) in enumerate(product((1, -1), repeat=2)):
            block.mlp.up.weight[neuron, [CUE, SIDE]] = torch.tensor([float(cue), float(side)])
            block.mlp.down.weight[AGREE, neuron] = cue * side / 2
        for word, at, value in (("same", AGREE, 1), ("other", AGREE, -1), ("seen", CUE, 1), ("unseen", CUE, -1)):
            module.unembed.weight[words.index(word), at] = value if used or at == CUE else 0
            module.unembed.weight[words.index(word), ASKS] = 9 if at == AGREE else -9
    return wrap(module, Words(), name="written")


def rows(
    mine: Sequence[str], theirs: Sequence[str], mark: str, said: Sequence[str], share: int
) -> list[dict[str, str]]:
    """Decisions in which the words `mine` are exchanged for `theirs`, in half of all orders with all fillers."""
    found = []
    for (number, order), filler in product(enumerate(permutations(range(3))), FILLERS):
        if number % 2 == share:
            prompt, partner = (" ".join([[*some, filler][i] for i in order] + [mark]) for some in (mine, theirs))
            found.append({"prompt": prompt, "reference": partner, "target": f" {said[0]}", "foil": f" {said[1]}"})
    return found


def trials(net: Network, share: int = 0) -> Trials:
    """Do cue and side agree? The partner has the other cue."""
    agree = rows(("yes", "left"), ("no", "left"), "?", ("same", "other"), share)
    return Trials.of(net, agree + rows(("yes", "right"), ("no", "right"), "?", ("other", "same"), share))


def flips(model: SubModel) -> dict[str, float]:
    """Shares of decisions that were not fitted to, of their partners, and of pairs that cross the cue or the answer."""
    net = written()
    asked = {
        "need": trials(net, 1),
        "enough": trials(net, 1).turned,
        "cue": Trials.of(net, rows(("yes", "left"), ("no", "left"), "!", ("seen", "unseen"), 1)),
        "answer": Trials.of(net, rows(("no", "left"), ("no", "right"), "?", ("other", "same"), 1)),
    }
    return {what: float(some.flips([model]).float().mean()) for what, some in asked.items()}


def channel_of(model: SubModel) -> int:
    """The channel that a direction mostly writes to."""
    (kind,) = model.decompositions
    rows = kind.rows if isinstance(kind, Midstream) else kind
    assert isinstance(rows, Directions)
    return int(rows.out[0].abs().argmax())


@cache
def fitted(kind: Kind, site: str) -> SubModel:
    (found,) = subspaces(trials(written()), [kind], [site])
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_cue_is_in_use_every_kind_finds_it_and_it_reads_the_cue(kind: Kind):
    assert channel_of(fitted(kind, MID)) == CUE
    assert flips(fitted(kind, MID)) == {"need": 1, "enough": 1, "cue": 1, "answer": 0}


@pytest.mark.parametrize("kind", ["dom", "logistic", "leace"])
def test_where_the_cue_can_be_read_and_is_not_in_use_linear_readers_find_it_all_the_same(kind: Kind):
    assert channel_of(fitted(kind, POST)) == CUE
    assert flips(fitted(kind, POST)) == {"need": 0, "enough": 0, "cue": 1, "answer": 0}


def test_the_search_finds_what_the_answer_is_read_off_and_it_writes_the_answer():
    assert channel_of(fitted("das", POST)) == AGREE
    assert flips(fitted("das", POST)) == {"need": 1, "enough": 1, "cue": 0, "answer": 1}


def test_in_a_network_that_does_not_decide_by_it_no_kind_changes_an_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(SEARCH, "STEPS", 20)
    net = written(used=False)
    asked = trials(net, 1)
    found = subspaces(trials(net), sites=[MID, POST])
    assert len(found) == 2 * len(KINDS)
    assert bool((asked.flips(found) == (said(net, asked.prompts.batch) == asked.foils)).all())


def test_where_prompts_and_partners_read_the_same_there_is_nothing_to_find():
    assert subspaces(trials(written()), sites=["resid_pre.0[pos=-1]"]) == []


def test_where_only_the_means_are_the_same_there_is_none_for_a_linear_reader():
    flipped = rows(("yes", "right"), ("no", "right"), "?", ("other", "same"), 0)
    turned = [{**row, "prompt": row["reference"], "reference": row["prompt"],
               "target": row["foil"], "foil": row["target"]} for row in flipped]  # fmt: skip
    both = Trials.of(written(), flipped + turned)
    assert subspaces(both, ["dom", "logistic", "leace"], [MID, POST]) == []


def test_every_place_of_the_stream_is_looked_at_unless_some_are_given():
    found = subspaces(trials(written()), ["dom"])
    assert [one.parts[0] for one in found] == [f"dom@{at}" for at in (MID, "resid_mid.0", POST, "resid_post.0")]


def test_a_search_of_two_dimensions_has_two_and_one_seed_gives_one_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(SEARCH, "STEPS", 5)
    first, again = (subspaces(trials(written()), ["das"], [POST], rank=2, seed=5)[0] for _ in range(2))
    kept, same = first.decompositions[0].tensors()["read"], again.decompositions[0].tensors()["read"]
    assert kept.shape == (2, 12) and torch.equal(kept, same)
    assert first.provenance == {"kind": "das", "rank": 2, "rows": 24, "seed": 5}


# the stream between attention and MLP -------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["resid_mid.0", MID])
def test_all_directions_between_attention_and_mlp_give_the_partner_s_stream_there(site: str):
    net = written()
    row = {"prompt": "yes left oak ?", "reference": "no left oak !", "target": " same", "foil": " unseen"}
    some = Trials.of(net, [row])  # what attention adds differs, and what was there before
    kind = Midstream(Directions(Site.parse(site), torch.eye(12)))
    model = SubModel(kind.name, (kind.name,), (kind,))
    edits = take_away(net, model, values_on(net, some.partners.batch, sites_of(net, model)))
    moved = net.run(some.prompts.batch, edits, [site]).read[site]
    theirs, own = (net.read(posed.batch, site)[site] for posed in (some.partners, some.prompts))
    assert not torch.allclose(own, theirs, atol=0.1)
    assert torch.allclose(moved, theirs, atol=1e-5)


@pytest.mark.parametrize("site", ["resid_post.0", "resid_mid.0[pos=2:]"])
def test_directions_elsewhere_are_not_between_attention_and_mlp(site: str):
    with pytest.raises(ValueError, match=r"expected resid_mid\.L or resid_mid\.L\[pos=-1\]"):
        Midstream(Directions(Site.parse(site), torch.eye(12)[:1]))


# bad input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [0, 12])
def test_nothing_and_the_whole_stream_are_no_subspace(rank: int):
    with pytest.raises(ValueError, match=f"given rank {rank}; expected 1 to 11"):
        subspaces(trials(written()), ["das"], [MID], rank)


def test_without_decisions_there_is_nothing_to_fit_to():
    with pytest.raises(ValueError, match="given no decisions"):
        subspaces(trials(written()).take(torch.arange(0)))


def test_a_kind_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="given the kind 'pca'; expected some of dom, logistic, leace, das"):
        subspaces(trials(written()), ["pca"])  # ty: ignore[invalid-argument-type]


def test_without_its_package_leace_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "concept_erasure", None)
    with pytest.raises(ImportError, match=r'pip install "cutaway\[concepts\]"'):
        subspaces(trials(written()), ["leace"], [MID])
