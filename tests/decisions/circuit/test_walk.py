"""Steps along a circuit: known programs step where they were written to, and the shares of names sum to a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.decisions.circuit.small import cutter, of_organism

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.placed import Placed
from cutaway.decisions.circuit.share import shares
from cutaway.decisions.circuit.walk import CARRIED, COLUMNS, carried, walk
from cutaway.decisions.graph.graph import START, Graph, Reader, Writer
from cutaway.network import Batch, Site
from cutaway.network.site import Port
from cutaway.organisms.compiled import Organism, compile, truth
from cutaway.runs import Table

SEED = 7003


def walked(given: Cutter, edges: list[int], labels=None) -> Table:
    alone = given.effects(given.cuts([[edge] for edge in edges])).mean(1).tolist()
    return walk(given, edges, shares(given, 8).score, alone, labels or {})


def true_edges(organism: Organism, given: Cutter) -> list[int]:
    return sorted(given.graph.numbers[name] for name in truth(organism).edges)


def steps_of(table: Table, part: str) -> set[int | None]:
    return {row["at"] for row in table if row["part"] == part}


def row_of(table: Table, part: str, at: int | None):
    (found,) = [row for row in table if row["part"] == part and row["at"] == at]
    return found


# steps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", range(6))
def test_induction_steps_where_it_was_written_to_whatever_the_prompt(prompt: int):
    organism = compile("induction", SEED)
    whole = of_organism(organism)
    given = whole.rows(torch.tensor([prompt]))
    edges = true_edges(organism, given)
    (before,) = {name.split(" ")[0] for name in truth(organism).edges if name.endswith("/k")}
    (after,) = {name.split(" ")[0] for name in truth(organism).edges if name.endswith("output")}
    pairs = zip(organism.prompts[prompt], organism.counterfactuals[prompt])
    differs = {at for at, (one, other) in enumerate(pairs) if one != other}
    last = len(organism.prompts[prompt]) - 1

    table = walked(given, edges)
    assert steps_of(table, "embed") == differs
    assert steps_of(table, before) == {at + 1 for at in differs}  # the words behind those that differ
    assert steps_of(table, after) == steps_of(table, "output") == {last}
    end = row_of(table, after, last)
    looked = dict(zip(zip(end["reads"], end["through"]), end["read at"]))
    assert set(looked[before, "k"]) == {at + 1 for at in differs}
    assert end["writes"] == ["output"] and end["into"] == ["out"]
    assert end["token"] == given.posed.batch.tokens[0][last] if given.posed.batch.tokens else end["token"] is None


def test_steps_come_in_the_order_of_the_network_and_every_edge_is_read_and_written():
    organism = compile("conditional", SEED)
    given = of_organism(organism)
    edges = true_edges(organism, given)
    table = walked(given, edges)
    layers = [row["layer"] for row in table if row["layer"] is not None]
    assert layers == sorted(layers)
    assert table["part"][0] == "embed" and table["part"][-1] == "output"
    read = {(part, row["part"], way) for row in table for part, way in zip(row["reads"], row["through"])}
    written = {(row["part"], part, way) for row in table for part, way in zip(row["writes"], row["into"])}
    ends = {
        (given.graph.writers[w].part, given.graph.readers[r].part, given.graph.readers[r].through)
        for w, r in (given.graph.edges[edge] for edge in edges)
    }
    assert read == written == ends


def test_no_step_of_a_network_that_looks_back_reads_what_comes_later():
    organism = compile("induction", SEED)
    given = of_organism(organism)
    for row in walked(given, true_edges(organism, given)):
        seen = [place for places in row["read at"] for place in places if place is not None]
        assert row["at"] is None or all(place <= row["at"] for place in seen)


def test_the_effect_of_a_step_is_exact_and_that_of_the_last_head_is_its_knockout():
    organism = compile("induction", SEED)
    given = of_organism(organism)
    edges = true_edges(organism, given)
    table = walked(given, edges)
    (last,) = [edge for edge in edges if given.graph.name(edge).endswith("output")]
    end = row_of(table, given.graph.name(last).split(" ")[0], given.posed.batch.positions - 1)
    knockout = float(given.effects(given.cuts([[last]])).mean())
    assert end["effect"] == pytest.approx(knockout, rel=1e-6)
    assert end["low"] <= end["effect"] <= end["high"]
    embed = [edge for edge in edges if given.graph.name(edge).startswith("embed")]
    for row in table:
        if row["part"] == "embed" and row["at"] is not None:
            here = (torch.arange(given.posed.batch.positions) == row["at"])[None]
            assert row["effect"] == pytest.approx(
                float(given.effects(given.cuts([embed]), 0, here).mean()), rel=1e-4, abs=1e-4
            )


def test_duplicating_the_batch_changes_no_step():
    given = cutter(rows=3).rows(torch.tensor([0, 1, 2]))
    edges = list(range(0, len(given.graph), 5))
    twice = given.rows(torch.tensor([0, 1, 2, 0, 1, 2]))
    score = shares(given, 2).score
    alone = given.effects(given.cuts([[edge] for edge in edges])).mean(1).tolist()
    one, two = walk(given, edges, score, alone, {}), walk(twice, edges, score.repeat(1, 2, 1), alone, {})
    assert [(row["part"], row["at"], row["reads"]) for row in one] == [
        (row["part"], row["at"], row["reads"]) for row in two
    ]
    assert two["effect"] == [None if effect is None else pytest.approx(effect, rel=1e-6) for effect in one["effect"]]


def test_a_step_carries_the_labels_of_its_part_and_no_concepts_yet():
    given = cutter(rows=2)
    edge = given.graph.numbers["z.0[head=1] → output"]
    table = walked(given, [edge], {"z.0[head=1]": ["copies"]})
    assert row_of(table, "z.0[head=1]", 5)["labels"] == ["copies"]
    assert "concepts" not in table


def test_a_circuit_without_edges_has_no_steps():
    given = cutter(rows=2)
    assert walk(given, [], shares(given, 1).score, [], {}) == Table.of([], columns=COLUMNS)


# positions ------------------------------------------------------------------------------------------------------------


def test_positions_count_from_where_they_lie_closer_together():
    given = cutter(rows=3)
    lengths = (3, 5, 6)
    real = torch.arange(6) >= 6 - torch.tensor(lengths)[:, None]
    batch = Batch(rows=3, real=real, kwargs={"input_ids": torch.ones(3, 6, dtype=torch.long)})
    first, last = given.graph.numbers["embed → z.0[head=0]/v"], given.graph.numbers["z.0[head=0] → output"]
    score = torch.zeros(len(given.graph), 3, 6)
    for row, length in enumerate(lengths):
        score[first, row, 6 - length + 1] = 1.0  # the second token of each prompt
        score[last, row, -1] = 1.0
    placed = Placed(given.graph, (first, last), score, batch)
    assert set(placed.at(0, "embed")) == {1}
    assert set(placed.at(1, "z.0[head=0]")) == set(placed.at(1, "output")) == {-1}


def test_prompts_of_different_lengths_have_the_exact_effect_of_the_same_word_in_each():
    plain = cutter(rows=4)
    pads = torch.tensor([0, 2, 0, 2])
    padded = replace(plain.posed.batch, real=torch.arange(6) >= pads[:, None])
    given = replace(plain, posed=replace(plain.posed, batch=padded))
    edge = given.graph.numbers["embed → z.1[head=0]/v"]
    score = torch.zeros(len(given.graph), 4, 6)
    for row, pad in enumerate(pads.tolist()):
        score[edge, row, pad + 1] = 1.0
    row = row_of(walk(given, [edge], score, [0.0], {}), "embed", 1)
    expected = [
        given.effects(given.cuts([[edge]]), 0, (torch.arange(6) == pad + 1)[None])[0, i]
        for i, pad in enumerate(pads.tolist())
    ]
    assert row["effect"] == pytest.approx(float(torch.stack(expected).mean()), rel=1e-6)


def test_what_is_spread_thin_stands_together_and_an_edge_without_a_share_is_not_lost():
    given = cutter(rows=2)
    spread, silent = (given.graph.numbers[f"embed → z.0[head={head}]/v"] for head in (0, 1))
    score = torch.zeros(len(given.graph), 2, 20)
    score[spread] = 0.05
    score[spread, :, 3] = 1.0
    batch = Batch(rows=2, kwargs={"input_ids": torch.ones(2, 20, dtype=torch.long)})
    placed = Placed(given.graph, (spread, silent), score, batch)
    assert set(placed.at(0, "embed")) == {3, None} and placed.at(1, "embed") == {None: 0.0}
    assert sum(placed.at(0, "embed").values()) == pytest.approx(1)


def test_the_effect_of_what_is_spread_thin_is_that_of_every_other_position():
    given = cutter(rows=2)
    edge = given.graph.numbers["embed → z.1[head=0]/v"]
    score = torch.zeros(len(given.graph), 2, 6)
    score[edge] = 0.05
    score[edge, :, 3] = 1.0
    row = row_of(walk(given, [edge], score, [0.0], {}), "embed", None)
    rest = (torch.arange(6) != 3)[None]
    assert row["effect"] == pytest.approx(float(given.effects(given.cuts([[edge]]), 0, rest).mean()), rel=1e-6)


def test_keys_that_heads_share_are_read_by_each_of_them():
    port, late = Port("x", "in"), (0, 0)
    heads = tuple(Writer(f"z.0[head={head}]", late, Site("z", 0), head) for head in range(4))
    queries = tuple(Reader(f"z.0[head={head}]", late, "q", port, Site("q", 0), head) for head in range(4))
    keys = tuple(Reader(f"z.0[head={2 * g}:{2 * g + 2}]", late, "k", port, Site("k", 0), g) for g in range(2))
    out = Reader("output", (1, 0), "out", Port("y", "in"))
    writers, readers = (Writer("embed", START, Site("embed")), *heads), (*queries, *keys, out)
    edges = [(w, r) for r, reader in enumerate(readers) for w, one in enumerate(writers) if one.time < reader.time]
    graph = Graph(writers, readers, tuple(edges))
    named = [
        graph.numbers[name] for name in ("embed → z.0[head=2:4]/k", "z.0[head=2] → output", "z.0[head=3] → output")
    ]
    placed = Placed(graph, tuple(named), torch.ones(len(graph), 1, 1), Batch(rows=1))
    assert placed.targets(0) == ["z.0[head=2]", "z.0[head=3]"]


# shares of names ------------------------------------------------------------------------------------------------------


def test_named_unnamed_and_unexplained_are_a_whole_and_exact():
    given = cutter(rows=5)
    edges = list(range(0, len(given.graph), 3))
    labels = {"z.1[head=0]": ["one"], "mlp_out.1": ["two"], "embed": []}
    table = carried(given, edges, labels)
    assert table["what"] == ["named", "unnamed", "unexplained"]
    assert sum(table["share"]) == pytest.approx(1, abs=1e-6)
    touched = [edge for edge in edges if any(part in given.graph.name(edge) for part in ("z.1[head=0]", "mlp_out.1"))]
    sets = [touched, edges, range(len(given.graph))]
    one, both, all_of_it = given.effects(given.cuts(sets)).mean(1).tolist()
    assert table["share"][0] == pytest.approx(one / all_of_it, rel=1e-6)
    assert table["share"][1] == pytest.approx((both - one) / all_of_it, rel=1e-6)
    assert table["edges"] == [len(touched), len(edges) - len(touched), len(given.graph) - len(edges)]
    assert all(row["low"] <= row["share"] <= row["high"] for row in table)
    assert not {"embed", "output", *labels} & set(table["parts"][1]) and table["parts"][2] == []


def test_the_true_circuit_leaves_nothing_unexplained_and_a_wrong_one_everything():
    organism = compile("induction", SEED)
    given = of_organism(organism)
    edges = true_edges(organism, given)
    parts = {row["part"] for row in walked(given, edges)} - {"embed", "output"}
    unnamed = carried(given, edges, {})
    assert unnamed["share"][0] == 0 and set(unnamed["parts"][1]) == parts
    assert unnamed["share"][2] == pytest.approx(0, abs=0.01)
    named = carried(given, edges, {part: ["known"] for part in parts})
    assert named["share"][0] == pytest.approx(1, abs=0.01) and named["parts"][1] == []
    wrong = [edge for edge in range(len(given.graph)) if edge not in set(edges)][:4]
    assert carried(given, wrong, {})["share"][2] == pytest.approx(1, abs=0.01)


def test_a_decision_that_nothing_changes_has_nothing_to_share_out():
    given = cutter(rows=4)
    now = dict(zip(given.graph.sites, given.net.read(given.posed.batch, *given.graph.sites).values()))
    same = replace(given, values=replace(given.values, values=(now,)))
    assert carried(same, [0, 1], {}) == Table.of([], columns=CARRIED)
