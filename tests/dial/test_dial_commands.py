"""`cutaway dial train`, `sweep`, `prune` and `frontier` as a user gives them: what they print, what they keep, how they end."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.command import Command
from tests.dial.prune.planted import PLANTED, circuit, pruned
from tests.dial.small import same

import cutaway as cw
from cutaway.decisions.claims import Claim
from cutaway.dial.plan import Plan, carried_out
from cutaway.dial.prune.prune import Pruned, Search
from cutaway.dial.prune.saved import names_of
from cutaway.dial.store import load, save
from cutaway.ledger import read
from cutaway.runs import Table, load_parquet, open_run

SMALL = ("--width", "16", "--layers", "1", "--tokens", "512", "--batch", "2", "--seed", "7000")


def test_a_network_is_trained_saved_and_opened(command: Command) -> None:
    done = command("dial", "train", *SMALL, "--pressure", "regrowth=1/4,activations=1/2", "--out", "net", "--json")
    assert done.status == 0, done.err
    assert done.document["verb"] == "dial train" and done.document["result"]["seed"] == 7000
    stored = load("net")
    assert done.document["result"]["held_out"] == stored.record.held_out
    assert stored.network.shape.keep == 0.5 and stored.record.live["up"] == {"live": 256, "of": 1024}
    assert open_run("net").info["arguments"]["command"][:3] == ["cutaway", "dial", "train"]
    assert not Path("net.partial").exists()


def test_a_training_run_that_was_stopped_goes_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import cutaway.dial.plan as plan

    words, real = ("dial", "train", *SMALL, "--flops", "--out"), plan.train
    whole = command(*words, "whole")

    def stopped(network, tokens, recipe, pressures, folder, progress, every, kernels):
        progress = SimpleNamespace(start=print, note=print, finish=bool, advance=stop_at_the_third())
        return real(network, tokens, recipe, pressures, folder, progress, 2)

    monkeypatch.setattr(plan, "train", stopped)
    left = command(*words, "net")
    assert left.status == 130 and "kept in net.partial, the same command goes on" in left.err
    monkeypatch.setattr(plan, "train", real)
    steps = [path.name for path in Path("net.partial").glob("step-*")]
    assert whole.status == 0 and command(*words, "net").status == 0 and steps == ["step-0000002"]
    assert same(load("net").network, load("whole").network)
    booked = {name: read(f"{name}/ledger.jsonl") for name in ("net", "whole")}
    flops = {
        name: [entry.quantity for entry in found.entries if entry.resource == "flops"] for name, found in booked.items()
    }
    assert len(flops["whole"]) == 1 and flops["net"] == flops["whole"], "derived for all parts: not measured on top"
    assert {entry.state for entry in booked["net"].entries} == {"done", "aborted"}


def test_a_training_run_that_was_stopped_before_anything_was_kept_is_booked(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cutaway.dial.plan as plan

    def stopped(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, "train", stopped)
    assert command("dial", "train", *SMALL, "--out", "net").status == 130
    assert {entry.state for entry in read("net.partial/ledger.jsonl").entries} == {"aborted"}
    assert (
        command("dial", "train", "--tokens", "10", "--out", "other").status == 1 and not Path("other.partial").exists()
    )


def stop_at_the_third() -> Callable[[int], None]:
    """An `advance` that stops the run once three steps are done."""
    done = []

    def advance(n: int) -> None:
        done.append(n)
        if len(done) == 3:
            raise KeyboardInterrupt

    return advance


def test_a_sweep_is_printed_and_its_table_saved_and_its_networks_kept(command: Command) -> None:
    words = ("--pressure", "topk=1/2:least=1", "--folder", "kept", "--out", "table", "--examples", "2")
    done = command("dial", "sweep", *SMALL, "--seeds", "2", *words)
    assert done.status == 0, done.err
    assert "2 runs; a task is solved at a loss of 0.15" in done.out and "topk=1/2:least=1" in done.out
    table = cw.load("table")
    assert table["seed"] == [7000, 7001] and table["width"] == [16, 16]
    assert load_parquet("kept/sweep.parquet")["loss"] == table["loss"]
    assert load(Path("kept") / table["name"][1]).record.held_out == table["loss"][1]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a network that solves nothing."""
    stored = carried_out(Plan(width=16, layers=1, tokens=512, batch=2, seed=7000))
    return str(save(stored, tmp_path_factory.mktemp("trained") / "net"))


@pytest.fixture
def planted(network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of a network in which a circuit is planted, which every search finds, and which `verify` is to find again."""

    def found(net, task, windows, settings):
        assert (task.name, settings.target, settings.searches, settings.seed) == (PLANTED.task.name, 0.3, 2, 7000)
        assert torch.equal(windows, load("planted").windows)
        return pruned(circuit())

    monkeypatch.setattr("cutaway.dial.tasks.task_named", lambda name, corpus: PLANTED.task)
    monkeypatch.setattr("cutaway.dial.prune.prune.prune", found)
    monkeypatch.setattr("cutaway.dial.prune.findings.curves", lambda *_, **__: Table({"of": ["the circuit"]}))
    stored = replace(load(network), network=PLANTED.network, windows=PLANTED.windows(64, 7001))
    save(stored, tmp_path / "planted")
    return "planted"


PRUNE = ("--task", "quote_kind", "--target", "0.3", "--seed", "7000", "--out", "found")


def test_a_circuit_is_told_and_saved_and_its_claims_are_run_again(planted: str, command: Command) -> None:
    done = command("dial", "prune", planted, *PRUNE)
    assert done.status == 0, done.err
    edges, nodes = circuit().size
    for said in ("own loss 0.010, target 0.3", f"{edges} edges", f"between {nodes} nodes", "sufficient: the rest live"):
        assert said in done.out
    assert load_parquet("found/edges.parquet")["from"] == [name.split(" → ")[0] for name in names_of(circuit().edges)]
    again = command("verify", "found")
    assert again.status == 0, again.err
    assert f"{edges + 3} of {edges + 3} claims hold, on 512 fresh examples" in again.out
    assert command("verify", "found", "--inputs", "fresh.jsonl").status == 2


def test_another_network_is_verified_too_and_said_to_be_another(planted: str, command: Command) -> None:
    assert command("dial", "prune", planted, *PRUNE).status == 0
    stored = load(planted)
    with torch.no_grad():
        stored.network.blocks[1].attn.out.weight.zero_()
    save(stored, "changed")
    again = command("verify", "found", "changed", "--json")
    assert again.document["changed"] and again.document["held"] == 0
    assert "is no network of the dial" in command("verify", "found", "found").err


def test_what_is_not_there_is_said_before_that_a_trace_needs_inputs(command: Command) -> None:
    assert "nowhere is no file" in command("verify", "nowhere").err
    claim = Claim("cut", ("mlp_out.0",), 1.0, 0.9, 1.1, 8, "beyond", 0.5, "mean", "x", "y", 0, "organism:code")
    Path("claims.jsonl").write_text(claim.line(), encoding="utf-8")
    done = command("verify", "claims.jsonl")
    assert done.status == 2 and "no --inputs were given" in done.err


def test_a_frontier_is_printed_drawn_and_saved_and_goes_on_when_it_was_stopped(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = ("--seeds", "2", "--pressure", "dense", "topk=1/2:least=1", "--folder", "kept", "--examples", "2")
    assert command("dial", "sweep", *SMALL, *grid).status == 0
    words, searched = (
        ("dial", "frontier", "kept", "--tasks", "for_while,def_call", "--target", "0.3", "--seed", "7000"),
        [],
    )

    def found(net, task, windows, settings):
        searched.append((task.name, settings.target, settings.searches, settings.seed))
        if len(searched) == 3:
            raise KeyboardInterrupt
        return Pruned(task.name, 0.05, (Search(7000, circuit(), 1.5),))

    monkeypatch.setattr("cutaway.dial.frontier.circuits.prune", found)
    monkeypatch.setattr("cutaway.dial.frontier.circuits.counting_null", lambda *_, **__: 4.0)
    stopped = command(*words, "--searches", "1")
    assert stopped.status == 130 and "kept in kept, the same command goes on" in stopped.err
    done = command(*words, "--searches", "1", "--page", "page.html", "--out", "found")
    assert done.status == 0, done.err
    assert len(searched) == 9 and set(searched) == {(name, 0.3, 1, 7000) for name in ("for_while", "def_call")}
    for said in (
        "circuits of 2 tasks at a loss of 0.3",
        "topk=1/2:least=1",
        "no multiplier: the dense curve has 1",
        "not tuned",
    ):
        assert said in done.out
    assert "page: page.html" in done.out and Path("page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert load_parquet("found/points.parquet")["edges"] == pytest.approx([circuit().size[0]] * 2)
    document = command(*words, "--searches", "1", "--json").document
    assert len(document["result"]["circuits"]) == 8 and len(searched) == 9


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("frontier", "nowhere"), 1, "holds no sweep.parquet"),
        (("frontier", "nowhere", "--target", "0.8"), 1, "below chance"),
        (("frontier",), 2, "FOLDER"),
        (("frontier", "nowhere", "--device", "cuda"), 2, "run on the cpu"),
        (("prune", "net", "--task", "quote_kind"), 1, "not solved: quote_kind has loss"),
        (("prune", "net", "--task", "quote_knd"), 1, "did you mean quote_kind"),
        (("prune", "net", "--task", "quote_kind", "--target", "0.8"), 1, "below chance"),
        (("prune", "nowhere", "--task", "quote_kind"), 2, "no network of the dial"),
        (("prune", "net"), 2, "--task"),
        (("prune", "net", "--task", "quote_kind", "--adversary", "50"), 2, "--adversary was given 50"),
        (("train", "--corpus", "huge"), 2, "--corpus"),
        (("train", "--pressure", "tpk=1/4"), 1, "did you mean topk"),
        (("train", "--pressure", "topk=0"), 1, "share above 0"),
        (("train", "--tokens", "10"), 1, "less than one batch"),
        (("train", "--device", "toaster"), 2, "this machine has cpu"),
        (("train", "--out", "net"), 1, "is there already"),
        (("sweep", "--width", "many"), 2, "--width was given 'many'"),
        (("sweep", "--width", "1.5"), 2, "expected whole numbers"),
        (("sweep", "--device", "cuda"), 2, "run on the cpu"),
        (("sweep", "--seeds", "0"), 1, "one or more different values"),
        (("sweep", "--engine", "rey"), 1, "given the engine 'rey'"),
    ],
)
def test_an_error_is_one_sentence(
    words: tuple[str, ...], status: int, said: str, network: str, command: Command
) -> None:
    done = command("dial", *(network if word == "net" else word for word in words))
    errors = [line for line in done.err.splitlines() if line.startswith("cutaway: ")]
    assert (done.status, done.out) == (status, "") and len(errors) == 1 and said in errors[0]
    assert "Traceback" not in done.err
