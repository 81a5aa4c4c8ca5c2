"""What is saved comes back equal; what cannot be saved is said."""

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import torch
from tests.study.made import pixels, quote, rerun, small

import cutaway as cw
from cutaway.decisions import Estimate
from cutaway.ledger import read
from cutaway.network import Site
from cutaway.runs import RunError, Table, open_run


def there_and_back(value, folder: Path):
    assert cw.save(value, folder) == folder
    return cw.load(folder)


def test_a_trace_comes_back_equal(tmp_path: Path):
    assert there_and_back(quote(), tmp_path / "run") == quote()


def test_a_changed_trace_does_not_come_back_equal(tmp_path: Path):
    assert there_and_back(replace(quote(), floor=0.5), tmp_path / "run") != quote()


def test_a_loaded_trace_prints_as_the_saved_one(tmp_path: Path):
    assert str(there_and_back(quote(), tmp_path / "run")) == str(quote())


def test_the_tables_of_a_saved_trace_are_parquet_that_duckdb_reads(tmp_path: Path):
    cw.save(small(), tmp_path / "run")
    found = duckdb.sql(f"SELECT part FROM '{tmp_path}/run/nodes.parquet' WHERE state = 'used'").fetchall()
    assert found == [("z.0[head=1]",), ("mlp_out.0",)]
    assert {path.suffix for path in (tmp_path / "run").iterdir()} == {".parquet", ".json", ".jsonl"}


def test_the_cost_of_a_trace_is_booked_in_its_ledger(tmp_path: Path):
    cw.save(small(), tmp_path / "run")
    entries = {entry.resource: entry for entry in read(tmp_path / "run/ledger.jsonl").entries}
    assert entries["forwards"].quantity == 5
    assert entries["wall_s"].seed == 3


def test_a_run_says_what_it_is_of_and_whom_to_cite(tmp_path: Path):
    cw.save(small(), tmp_path / "run")
    info = open_run(tmp_path / "run", verify=True).info
    assert info["kind"] == "trace" and info["seed"] == 3
    assert info["arguments"] == {"network": "tiny", "decision": "tiny: 'x = 1' → '1' rather than '2'"}
    assert "chan2022causal" in info["sources"]


def test_a_rerun_comes_back_with_its_receipts(tmp_path: Path):
    back = there_and_back(rerun(), tmp_path / "run")
    assert str(back) == str(rerun())
    assert [receipt.change[0].tolist() for receipt in back.receipts] == [r.change[0].tolist() for r in rerun().receipts]
    assert replace(back, receipts=()) == replace(rerun(), receipts=())


@pytest.mark.parametrize("table", [Table({}), Table({"a": []}), Table({"a": [1, None], "b": [[0.5], []]})])
def test_a_table_comes_back_equal(table: Table, tmp_path: Path):
    assert there_and_back(table, tmp_path / "run") == table


def test_submodels_come_back_as_they_were(tmp_path: Path):
    one = cw.SubModel("closer", ("z.0[head=1]", "mlp_out.0"), labels=("closes quotes",), evidence={"auc": 0.9})
    assert there_and_back(one, tmp_path / "one") == one
    assert there_and_back([one, one], tmp_path / "two") == [one, one]


def test_a_submodel_made_of_directions_keeps_its_tensors(tmp_path: Path):
    direction = cw.Directions(Site.parse("resid_post.0"), torch.eye(3)[:1])
    made = cw.SubModel("d", tuple(direction.parts), (direction,))
    back = there_and_back(made, tmp_path / "run")
    assert back.parts == made.parts
    assert torch.equal(back.decompositions[0].read, direction.read)


def test_a_decision_on_a_tensor_is_kept_as_safetensors(tmp_path: Path):
    back = there_and_back(pixels(), tmp_path / "run")
    assert (tmp_path / "run/tensors.safetensors").is_file()
    assert torch.equal(back.decision.inputs, pixels().decision.inputs)
    assert replace(back, decision=pixels().decision) == pixels()


def test_numbers_that_json_lacks_and_tuples_survive(tmp_path: Path):
    decision = cw.Decision(("a", "b"), answer=(1, 2), counterfactual={"$": [float("inf")], 3: None})
    assert there_and_back(decision, tmp_path / "run") == decision
    unknown = there_and_back(small(completeness=float("nan")), tmp_path / "nan")
    assert unknown.completeness != unknown.completeness


def margin(output):
    return output[:, 0]


def test_a_metric_function_is_named_but_not_stored(tmp_path: Path):
    trace = small(decision=cw.Decision(torch.zeros(1, 2), metric=margin))
    back = there_and_back(trace, tmp_path / "run")
    assert open_run(tmp_path / "run").info["unstored"] == ["margin: a function, not stored"]
    with pytest.raises(RunError, match="margin was not stored"):
        back.decision.metric(torch.zeros(1, 2))
    assert there_and_back(back, tmp_path / "again").decision.metric == back.decision.metric


def test_a_half_written_run_is_refused(tmp_path: Path):
    cw.save(small(), tmp_path / "run")
    nodes = tmp_path / "run/nodes.parquet"
    nodes.write_bytes(nodes.read_bytes()[:-20])
    with pytest.raises(RunError, match=r"nodes\.parquet: found .* run it again"):
        cw.load(tmp_path / "run")
    (tmp_path / "run/run.json").unlink()
    with pytest.raises(RunError, match="not a finished run"):
        cw.load(tmp_path / "run")


def test_saving_over_a_run_needs_to_be_asked_for(tmp_path: Path):
    cw.save(small(), tmp_path / "run")
    with pytest.raises(RunError, match="overwrite=True"):
        cw.save(small(), tmp_path / "run")
    cw.save(small(seed=9), tmp_path / "run", overwrite=True)
    assert cw.load(tmp_path / "run").seed == 9


@pytest.mark.parametrize("value", [3, "text", [1, 2], Estimate(1.0, 0.0, 2.0, 2, "donors")])
def test_what_is_no_result_is_not_saved(value, tmp_path: Path):
    with pytest.raises(TypeError, match="expected a Trace"):
        cw.save(value, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_inputs_that_cannot_be_stored_leave_nothing_behind(tmp_path: Path):
    with pytest.raises(TypeError, match=r"decision\.inputs is a set"):
        cw.save(small(decision=cw.Decision({1, 2})), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_run_from_another_version_says_so(tmp_path: Path):
    cw.save(small(), tmp_path / "run")
    value = json.loads((tmp_path / "run/value.json").read_text())
    value["colour"] = "blue"
    (tmp_path / "run/value.json").write_text(json.dumps(value))
    info = json.loads((tmp_path / "run/run.json").read_text())
    info["files"] = [one for one in info["files"] if one["name"] != "value.json"]
    (tmp_path / "run/run.json").write_text(json.dumps(info))
    with pytest.raises(RunError, match="its Trace has colour; another version wrote it"):
        cw.load(tmp_path / "run")


def layers() -> cw.Network:
    torch.manual_seed(0)
    return cw.open(torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)))


def test_a_trace_and_a_rerun_on_tensors_come_back_equal(tmp_path: Path):
    net, inputs = layers(), torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    asked = cw.Decision(inputs, answer=torch.tensor([0, 1, 2]), instead=torch.tensor([1, 2, 0]))
    for name, made in (("trace", cw.trace(net, asked)), ("rerun", cw.without(net, asked, "path.0:out"))):
        back = there_and_back(made, tmp_path / name)
        assert back == made
        assert back != replace(made, decision=replace(asked, inputs=inputs + 1))
        assert back.decision.inputs is not inputs
    assert there_and_back(rerun(), tmp_path / "text") == rerun()


def test_a_decision_on_a_batch_comes_back_equal(tmp_path: Path):
    net = layers()
    asked = cw.Decision(net.batch(torch.ones(2, 4)), answer=0, instead=1)
    found = cw.trace(net, asked)
    back = there_and_back(found, tmp_path / "run")
    assert back == found
    assert torch.equal(back.decision.inputs.args[0], torch.ones(2, 4))
    assert back.decision.pose(net).batch.rows == 2


def test_a_rerun_loaded_twice_is_equal_and_one_without_receipts_is_not(tmp_path: Path):
    first, second = (there_and_back(rerun(), tmp_path / name) for name in ("one", "two"))
    assert first == second
    assert first != replace(second, receipts=())
