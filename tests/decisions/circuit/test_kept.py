"""Circuits that were stopped: finished reruns are kept, what is kept is not run again, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.decisions.circuit.pieces import refined
from tests.decisions.circuit.small import cutter

import cutaway as cw
from cutaway.decisions.circuit.circuit import Circuit, circuit
from cutaway.decisions.circuit.cut import Cutter
from cutaway.network import Custom
from cutaway.submodels import baseline
from submodels.networks import PROMPTS, directions, small


@dataclass
class Reruns:
    """Counts the reruns with cut edges, and stops as Ctrl-C does after so many of them."""

    decide: Callable[..., torch.Tensor]
    count: int = 0
    stop: int = 10**9

    def __call__(self, *args: Any, **more: Any) -> torch.Tensor:
        if self.count == self.stop:
            raise KeyboardInterrupt
        self.count += 1
        return self.decide(*args, **more)

    def after(self, do: Callable[[], Any]) -> int:
        """How many `do` takes."""
        self.count = 0
        do()
        return self.count


@pytest.fixture
def reruns(monkeypatch: pytest.MonkeyPatch) -> Reruns:
    counted = Reruns(Cutter.decide)
    monkeypatch.setattr(Cutter, "decide", lambda *args, **more: counted(*args, **more))
    return counted


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Circuits with fewer random sets: none of them is looked at."""
    monkeypatch.setattr("cutaway.decisions.circuit.find.HALVES", 4)
    monkeypatch.setattr("cutaway.decisions.circuit.checks.HALVES", 4)
    monkeypatch.setattr("cutaway.decisions.circuit.checks.WRONG", 2)


def given(keep: Path | None = None, seed: int = 7000, dtype: torch.dtype = torch.float32, **more: Any) -> Cutter:
    """A fresh network with weights, prompts and stand-ins that are the same every time."""
    return replace(cutter(seed, rows=8, dtype=dtype, layers=2, heads=1, d_head=16, **more), keep=keep)


def found_in(one: Cutter) -> Circuit:
    return circuit(one, strata=1, steps=(1,), restarts=1, rephrased=replace(given(seed=7001), keep=one.keep))


def tables(found: Circuit) -> dict[str, Any]:
    return {field.name: getattr(found, field.name) for field in fields(found)}


def sets(one: Cutter) -> torch.Tensor:
    """Six random sets of a third of the edges."""
    return (torch.rand(6, len(one.graph), generator=torch.Generator().manual_seed(0)) < 1 / 3).float()


def resampled(keep: Path | None, seed: int) -> Cutter:
    one = given(keep)
    return replace(one, values=baseline(one.net, one.posed.batch, one.graph.sites, "resample", 2, seed=seed))


# the same circuit -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_a_circuit_that_was_stopped_is_taken_up_to_the_same_circuit_with_fewer_reruns(
    tmp_path: Path, reruns: Reruns
) -> None:
    plain = tables(found_in(given()))
    everything = reruns.after(lambda: found_in(given(tmp_path / "another")))
    reruns.count, reruns.stop = 0, everything // 2
    with pytest.raises(KeyboardInterrupt):
        found_in(given(tmp_path / "stopped"))
    assert {path.suffix for path in (tmp_path / "stopped").iterdir()} == {".json"}
    reruns.count, reruns.stop = 0, 10**9
    assert tables(found_in(given(tmp_path / "stopped"))) == plain
    assert reruns.count < 0.7 * everything
    reruns.count = 0
    assert tables(found_in(given(tmp_path / "stopped"))) == plain
    assert reruns.count < 0.2 * everything  # rounding and the adversary, which are not kept


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_effects_are_read_back_to_the_last_bit_and_in_their_dtype(
    tmp_path: Path, reruns: Reruns, dtype: torch.dtype
) -> None:
    one = given(dtype=dtype)
    fresh = one.effects(sets(one))
    kept = given(tmp_path, dtype=dtype)
    assert torch.equal(kept.effects(sets(kept)), fresh)
    again = given(tmp_path, dtype=dtype)
    reruns.count = 0
    read = again.effects(sets(again))
    assert not reruns.count
    assert read.dtype == fresh.dtype == dtype and torch.equal(read, fresh)


def test_stacks_that_were_finished_before_ctrl_c_are_not_run_again(
    tmp_path: Path, reruns: Reruns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cutter, "_fitting", lambda *_: 2)
    one = given(tmp_path)
    reruns.stop = 2
    with pytest.raises(KeyboardInterrupt):
        one.effects(sets(one))
    reruns.stop = 10**9
    assert reruns.after(lambda: given(tmp_path).effects(sets(one))) == 1
    torch.testing.assert_close(given(tmp_path).effects(sets(one)), given().effects(sets(one)))


def test_stacks_that_were_halved_are_kept_and_halved_again(
    tmp_path: Path, reruns: Reruns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def little(self: Cutter, cuts: torch.Tensor, *args: Any) -> torch.Tensor:
        if len(cuts) > 4:
            raise torch.OutOfMemoryError("not that many sets")
        return reruns(self, cuts, *args)

    monkeypatch.setattr(Cutter, "decide", little)
    found, told = [], []
    for one in (given(), given(tmp_path), given(tmp_path)):
        reruns.count = 0
        found.append(one.effects(sets(one)))
        told.append(one.told)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    assert told[0] and told[0] == told[1] == told[2]
    assert not reruns.count


def test_a_spoilt_file_is_made_again(tmp_path: Path, reruns: Reruns) -> None:
    one = given(tmp_path)
    fresh = one.effects(sets(one))
    (path,) = tmp_path.iterdir()
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[: len(whole) // 2], encoding="utf-8")
    reruns.count = 0
    assert torch.equal(given(tmp_path).effects(sets(one)), fresh)
    assert reruns.count == 1 and path.read_text(encoding="utf-8") == whole


def test_without_a_folder_nothing_is_written_and_nothing_more_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cutaway.decisions.circuit.cut.fingerprint", lambda *_: pytest.fail("a pass for nothing"))
    one = given()
    assert bool(one.effects(sets(one)).any())
    assert not list(tmp_path.iterdir())


# another question -------------------------------------------------------------------------------------------------------


def edited(keep: Path | None) -> Cutter:
    """One weight is another, by the least that there is: one that no sample looks at, nor the clean decision."""
    one = given(keep, positions="learned")
    with torch.no_grad():
        one.net.module.position.weight[7, 3] *= 1 + 2**-23
    return one


def buffered(keep: Path | None, value: float) -> Cutter:
    one = given(keep)
    one.net.module.register_buffer("scale", torch.tensor([value]))
    return one


def of_half(keep: Path | None, first: int) -> Cutter:
    """Half of the prompts; zeros stand in, and the decision is the same for all: only the inputs tell the halves apart."""
    one = given(keep, kind="zero")
    always = Custom(lambda logits: torch.ones(len(logits)))
    return replace(one, posed=replace(one.posed, metric=always)).rows(torch.arange(first, first + 4))


def along(keep: Path | None, seed: int) -> Cutter:
    """Directions of one name at the MLP of block 1."""
    way = directions("mlp_out.1", 16, False, atoms=1, seed=seed)
    return refined(given(keep), way)


def asking(keep: Path | None, sign: float) -> Cutter:
    one = given(keep)
    return replace(
        one, posed=replace(one.posed, metric=Custom(lambda logits: logits[:, -1, 1] + sign * logits[:, -1, 3]))
    )


def moved_inside(keep: Path | None) -> Cutter:
    """Other stand-ins at one site."""
    one = given(keep)
    (values,), site = one.values.values, one.graph.sites[-1]
    return replace(one, values=replace(one.values, values=({**values, site: values[site] * (1 + 2**-20)},)))


OTHERS: dict[str, tuple[Callable[..., Cutter], Callable[..., Cutter]]] = {
    "weights": (given, partial(given, gain=2.1)),
    "one weight": (partial(given, positions="learned"), edited),
    "buffer": (partial(buffered, value=1.0), partial(buffered, value=2.0)),
    "inputs": (partial(of_half, first=0), partial(of_half, first=4)),
    "dtype": (given, partial(given, dtype=torch.float64)),
    "rows": (lambda keep: given(keep).rows(torch.arange(4)), lambda keep: given(keep).rows(torch.arange(4, 8))),
    "order of rows": (given, lambda keep: given(keep).rows(torch.arange(8).flip(0))),
    "seed of the stand-ins": (partial(resampled, seed=0), partial(resampled, seed=1)),
    "stand-ins": (given, moved_inside),
    "kind of stand-in": (given, partial(given, kind="zero")),
    "metric": (partial(asking, sign=1.0), partial(asking, sign=-1.0)),
    "graph": (given, lambda keep: refined(given(keep), "mlp_act.1[neuron=0:6]")),
    "groups of a graph": (
        lambda keep: refined(given(keep), "mlp_act.1[neuron=0:6]"),
        lambda keep: refined(given(keep), "mlp_act.1[neuron=0:5]"),
    ),
    "directions of one name": (partial(along, seed=0), partial(along, seed=5)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_belongs_to_another_question_is_not_taken(tmp_path: Path, reruns: Reruns, name: str) -> None:
    one, other = OTHERS[name]
    first, second = one(tmp_path), other(tmp_path)
    cuts = torch.eye(len(second.graph))
    first.effects(torch.eye(len(first.graph)))
    assert not reruns.after(lambda: one(tmp_path).effects(torch.eye(len(first.graph))))
    again = reruns.after(lambda: second.effects(cuts))
    assert again == reruns.after(lambda: other(None).effects(cuts)) > 0
    assert torch.equal(second.effects(cuts), other(None).effects(cuts))


def test_rows_of_a_cutter_whose_question_is_known_are_a_question_of_their_own(tmp_path: Path) -> None:
    one = given(tmp_path)
    one.effects(sets(one))
    some = [one.rows(torch.arange(start, start + 4)).effects(sets(one)) for start in (0, 4)]
    expected = [given().rows(torch.arange(start, start + 4)).effects(sets(one)) for start in (0, 4)]
    assert all(torch.equal(a, b) for a, b in zip(some, expected))
    assert not torch.allclose(some[0], some[1])


def test_other_cuts_draws_and_positions_are_not_taken_for_each_other(tmp_path: Path) -> None:
    kept, fresh = resampled(tmp_path, 0), resampled(None, 0)
    cuts, where = sets(kept), torch.zeros(6, 6, dtype=torch.bool)
    where[:, :3] = True
    calls: list[tuple[Any, ...]] = [
        (cuts,),
        (cuts / 2,),
        (cuts.flip(0),),
        (cuts, 1),
        (cuts, 0, where),
        (cuts, 0, ~where),
    ]
    found = [kept.effects(*call) for call in calls]
    assert all(torch.equal(one, fresh.effects(*call)) for one, call in zip(found, calls))
    assert not any(torch.equal(one, other) for i, one in enumerate(found) for other in found[:i])
    assert len(list(tmp_path.iterdir())) == len(calls)


# a whole trace ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_a_trace_that_was_stopped_among_its_links_is_taken_up_there(
    tmp_path: Path, reruns: Reruns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutaway.decisions.tracing.circuit", partial(circuit, strata=1, steps=()))
    net, decision = small(layers=1, heads=1), cw.Decision(PROMPTS, " mat", " rug")
    traced = partial(cw.trace, net, decision, edges=True, nulls=0, neurons=0, draws=8)
    plain = traced()
    everything = reruns.after(lambda: traced(keep=tmp_path / "another"))
    reruns.count, reruns.stop = 0, everything // 2
    with pytest.raises(KeyboardInterrupt):
        traced(keep=tmp_path)
    assert list((tmp_path / "links").glob("*.json"))
    reruns.count, reruns.stop = 0, 10**9
    again = traced(keep=tmp_path)
    assert reruns.count < 0.7 * everything
    assert again.nodes == plain.nodes and again.edges == plain.edges
    assert tables(again.circuit) == tables(plain.circuit)
