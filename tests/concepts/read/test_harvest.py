"""What is read of a passage is the mean over its own tokens, read once, and never that of another network."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from tests.concepts.read.world import SITE, network, text
from torch import nn

from cutaway.concepts.read import harvest
from cutaway.concepts.read.harvest import pooled, reader, stream
from cutaway.concepts.read.question import Passage
from cutaway.concepts.read.tokens import tokens_of
from cutaway.ledger import meter
from cutaway.network import Network, wrap
from cutaway.training.tokenizer import train_tokenizer
from cutaway.training.transformer import Shape, Transformer

TEXTS = [Passage(text(a, b, negated=a % 3 == 0)) for a in range(6) for b in range(5)]
OWN = Shape(vocab=300, context=40, width=16, layers=2, heads=2, d_head=8, hidden=24)


def own_network(seed: int = 0) -> Network:
    """A small decoder with a byte-pair tokenizer."""
    return wrap(Transformer(OWN, seed).eval(), train_tokenizer(["one text", "another text"], vocab=258))


def forwards(net: Network) -> int:
    return net.module.forwards  # type: ignore[return-value]


def test_texts_of_different_lengths_read_as_each_does_alone(tmp_path: Path) -> None:
    net = own_network()
    passages = [Passage("a"), Passage("rather longer"), Passage("much longer than that one")]
    together = reader(net, tmp_path / "together", atoms=("heads", "neurons")).readings(passages)
    for index, passage in enumerate(passages):
        ids = torch.tensor([net.feed.rows([passage.text])[0][0]])  # type: ignore[union-attr]
        for site in together.sites:
            plain = net.read(ids, site)[str(site)][0].mean(0)
            assert torch.allclose(together.at(site)[index], plain, atol=1e-5), site


def test_padding_never_enters_a_mean_be_it_nan() -> None:
    x = torch.tensor([[[torch.nan], [2.0], [4.0]], [[1.0], [2.0], [6.0]]])
    counted = torch.tensor([[False, True, True], [True, True, True]])
    assert pooled(x, counted).tolist() == [[3.0], [3.0]]


def test_the_default_sites_are_the_residual_stream(tmp_path: Path) -> None:
    net = own_network()
    assert [str(site) for site in stream(net)] == ["embed", "resid_post.0", "resid_post.1"]
    heads = reader(net, tmp_path, atoms=("heads",))
    assert [str(site) for site in heads.sites[3:]] == ["z.0", "z.1"]
    assert heads.readings([Passage("a text")]).at(heads.sites[3]).shape == (1, 2, 8)


def test_spans_count_and_nothing_else_does(tmp_path: Path) -> None:
    net = own_network()
    passage = Passage("one text, another", ((4, 8),))
    (tokens,) = tokens_of(net, [passage])
    said = "".join(net.feed.show(tokens.ids[place]) for place in tokens.places)  # type: ignore[union-attr]
    assert said.strip() == "text"
    found = reader(net, tmp_path).readings([passage, Passage(passage.text)])
    site = found.sites[0]
    whole = net.read(torch.tensor([tokens.ids]), site)[str(site)][0]
    assert torch.allclose(found.at(site)[0], whole[list(tokens.places)].mean(0), atol=1e-6)
    assert torch.allclose(found.at(site)[1], whole.mean(0), atol=1e-6)


def test_spans_are_found_by_decoding_where_a_tokenizer_tells_nothing() -> None:
    (tokens,) = tokens_of(network(), [Passage("left3 and right4 end", ((10, 16),))])
    assert tokens.places == (2,)


def test_a_span_that_cannot_be_placed_is_refused() -> None:
    net = network()
    net.feed.tokenizer.decode = lambda ids: "?"  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="fast tokenizer"):
        tokens_of(net, [Passage("left3 and right4 end", ((10, 16),))])


def test_the_last_token_can_be_read_instead(tmp_path: Path) -> None:
    net = own_network()
    passages = [Passage("a"), Passage("rather longer")]
    found = reader(net, tmp_path, pool="last").readings(passages)
    for index, passage in enumerate(passages):
        ids = torch.tensor([net.feed.rows([passage.text])[0][0]])  # type: ignore[union-attr]
        plain = net.read(ids, found.sites[-1])[str(found.sites[-1])][0, -1]
        assert torch.allclose(found.at(found.sites[-1])[index], plain, atol=1e-5)


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    net = network()
    first = reader(net, tmp_path, [SITE]).readings(TEXTS)
    before = forwards(net)
    with meter("again") as again:
        second = reader(net, tmp_path, [SITE]).readings([TEXTS[4], TEXTS[2], TEXTS[4]])
    assert forwards(net) == before and again.cost.forwards == 0
    assert torch.equal(second.at(second.sites[0]), first.at(first.sites[0])[[4, 2, 4]])


def test_a_text_that_two_groups_share_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "POSITIONS", {"cpu": 1})
    net = network()
    reader(net, tmp_path, [SITE]).fill([TEXTS[:6], TEXTS[3:9]])
    assert forwards(net) == 9


def test_a_changed_weight_is_not_served_from_the_cache(tmp_path: Path) -> None:
    net, site = network(), [SITE]
    old = reader(net, tmp_path, site).readings(TEXTS)
    module = copy.deepcopy(net.module)
    with torch.no_grad():
        module.told.weight[0, 0] += 1e-3
    other = wrap(module, net.feed)
    new = reader(other, tmp_path, site).readings(TEXTS)
    assert not torch.equal(new.at(new.sites[0]), old.at(old.sites[0]))
    assert torch.equal(old.at(old.sites[0]), reader(net, tmp_path, site).readings(TEXTS).at(old.sites[0]))


def test_another_pooling_or_site_is_read_anew(tmp_path: Path) -> None:
    net = network()
    reader(net, tmp_path, [SITE]).readings(TEXTS)
    count = forwards(net)
    reader(net, tmp_path, [SITE], pool="last").readings(TEXTS)
    reader(net, tmp_path, ["path.table:out"]).readings(TEXTS)
    assert forwards(net) == 3 * count


def test_a_killed_harvest_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "SHARD", 4)
    net = network()
    whole = reader(net, tmp_path / "whole", [SITE]).readings(TEXTS)
    needed = forwards(net)
    module, told = net.module, []

    def dies(*_: object) -> None:
        told.append(1)
        if len(told) == 3:
            raise KeyboardInterrupt

    hook = module.told.register_forward_hook(dies)
    with pytest.raises(KeyboardInterrupt):
        reader(net, tmp_path / "cut", [SITE]).readings(TEXTS)
    hook.remove()
    begun = forwards(net)
    again = reader(net, tmp_path / "cut", [SITE]).readings(TEXTS)
    assert forwards(net) - begun == needed - 2
    assert torch.equal(again.at(again.sites[0]), whole.at(whole.sites[0]))
    names = [sorted(path.name for path in (tmp_path / place).rglob("*.*")) for place in ("whole", "cut")]
    assert names[0] == names[1]


def test_a_broken_shard_is_noted_and_read_again(tmp_path: Path) -> None:
    net = network()
    whole = reader(net, tmp_path, [SITE]).readings(TEXTS)
    values = whole.at(whole.sites[0])
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    notes: list[str] = []

    class Noting:
        def start(self, total: int, what: str) -> None: ...
        def advance(self, n: int) -> None: ...
        def note(self, text: str) -> None:
            notes.append(text)

        def finish(self) -> None: ...

    again = reader(net, tmp_path, [SITE], progress=Noting()).readings(TEXTS)
    assert torch.equal(again.at(again.sites[0]), values) and "read again" in notes[0]


def test_the_progress_counts_every_passage_that_is_read(tmp_path: Path) -> None:
    seen: list[int] = []

    class Counting:
        def start(self, total: int, what: str) -> None:
            seen.append(-total)

        def advance(self, n: int) -> None:
            seen.append(n)

        def note(self, text: str) -> None: ...
        def finish(self) -> None:
            seen.append(0)

    reader(network(), tmp_path, [SITE]).readings(TEXTS, Counting())
    assert seen[0] == -30 and sum(seen[1:]) == 30 and seen[-1] == 0


def test_a_network_without_text_and_wrong_words_are_refused(tmp_path: Path) -> None:
    plain = wrap(nn.Sequential(nn.Linear(3, 3)), reference=torch.zeros(2, 3))
    with pytest.raises(TypeError, match="tokenizer"):
        reader(plain, tmp_path, ["path.0:out"]).readings(TEXTS)
    with pytest.raises(ValueError, match="mean, last"):
        reader(network(), tmp_path, [SITE], pool="first")
    with pytest.raises(ValueError, match="heads or neurons"):
        reader(network(), tmp_path, [SITE], atoms=("experts",))
