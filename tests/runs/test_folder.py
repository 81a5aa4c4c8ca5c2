"""A run is whole or absent, and says what is wrong with it when it is neither."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from cutaway.runs import RunError, Table, new_run, open_run, writing

NODES = Table({"site": ["z.0", "z.1"], "effect": [0.5, None]})


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "study" / "quote"
    with new_run(path, "trace", seed=3, arguments={"prompt": "x = 'abc"}, sources=["Author 2024"]) as run:
        run.save_table(NODES, "nodes")
        run.save_tensors({"a": torch.arange(3)})
        run.write_json("note", {"β": [1, None]})
    return path


def test_what_was_written_is_read_back(folder):
    run = open_run(folder, verify=True)
    assert run.load_table("nodes") == NODES
    assert run.load_tensors()["a"].tolist() == [0, 1, 2]
    assert run.read_json("note") == {"β": [1, None]}


def test_run_json_says_what_made_the_run(folder):
    info = open_run(folder).info
    assert (info["kind"], info["seed"], info["arguments"]) == ("trace", 3, {"prompt": "x = 'abc"})
    assert info["sources"] == ["Author 2024"]
    assert info["versions"]["torch"] == torch.__version__
    assert {file["name"] for file in info["files"]} == {"nodes.parquet", "tensors.safetensors", "note.json"}


def test_a_writer_that_raises_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), new_run(tmp_path / "run", "trace") as run:
        run.save_table(NODES, "nodes")
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX signal")
def test_a_writer_that_is_killed_leaves_no_run(tmp_path):
    path = tmp_path / "run"
    program = (
        "import os, signal\nfrom cutaway.runs import new_run\n"
        f"with new_run({str(path)!r}, 'trace') as run:\n"
        "    run.write_json('note', 1)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGKILL
    assert not path.exists()
    with pytest.raises(RunError, match=r"unfinished: run\.tmp-.*; run it again"):
        open_run(path)
    with new_run(path, "trace"):
        pass
    assert open_run(path).kind == "trace"


def test_a_run_is_replaced_only_when_asked(folder):
    with pytest.raises(RunError, match=r"a run is there already.*overwrite=True"), new_run(folder, "trace"):
        pytest.fail("the block must not start")
    with new_run(folder, "match", overwrite=True) as run:
        run.write_json("other", 1)
        assert open_run(folder).kind == "trace"
    assert sorted(os.listdir(folder)) == ["other.json", "run.json"]
    assert os.listdir(folder.parent) == ["quote"]


def test_a_failed_replacement_leaves_the_earlier_run(folder):
    with pytest.raises(ZeroDivisionError), new_run(folder, "match", overwrite=True):
        raise ZeroDivisionError
    assert open_run(folder, verify=True).kind == "trace"


def test_a_folder_that_is_not_a_run_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(RunError, match="not a run"), writing(tmp_path / "thesis", overwrite=True):
        pytest.fail("the block must not start")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "x"


def test_a_run_that_appears_meanwhile_is_not_replaced(tmp_path):
    with (
        pytest.raises(RunError, match="there already"),
        new_run(tmp_path / "run", "late"),
        new_run(tmp_path / "run", "early"),
    ):
        pass
    assert open_run(tmp_path / "run").kind == "early"
    assert os.listdir(tmp_path) == ["run"]


def test_a_folder_without_run_json_says_what_was_found(tmp_path):
    (tmp_path / "nodes.parquet").write_text("x")
    with pytest.raises(RunError, match=r"found nodes\.parquet; expected run\.json, so this is not a finished run"):
        open_run(tmp_path)


def test_a_cut_run_json_is_an_error_that_says_so(folder):
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text[: len(text) // 2])
    with pytest.raises(RunError, match=r"run\.json: not valid JSON"):
        open_run(folder)


@pytest.mark.parametrize("text", ["{}", "[]", '{"kind": "trace", "format": 1}'])
def test_someone_elses_run_json_is_an_error_that_names_what_it_lacks(folder, text):
    (folder / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"lacks .*files; expected a run written by cutaway"):
        open_run(folder)


@pytest.mark.parametrize("file", ["nodes.parquet", {"name": "x"}, {"name": "../x", "size": 1, "sha256": ""}])
def test_a_list_of_files_that_is_not_ours_is_an_error(folder, file):
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**info, "files": [file]}))
    with pytest.raises(RunError, match=r"lists a file as .*expected a name inside the run"):
        open_run(folder)


def test_a_run_may_have_any_name_and_be_given_relatively(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with new_run("z.9[head=6]*", "trace"), pytest.raises(RunError, match=r"unfinished: z\.9\[head=6\]\*\.tmp-"):
        open_run("z.9[head=6]*")
    assert open_run("z.9[head=6]*").kind == "trace"


def test_what_is_added_to_the_info_while_writing_is_kept(tmp_path):
    with new_run(tmp_path / "run", "trace") as run:
        run.info["sources"].append("Author 2024")
    assert open_run(tmp_path / "run").info["sources"] == ["Author 2024"]


def test_a_run_of_a_later_format_is_refused(folder):
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**info, "format": 99}))
    with pytest.raises(RunError, match="run format 99"):
        open_run(folder)


def test_a_missing_file_is_named(folder):
    (folder / "nodes.parquet").unlink()
    with pytest.raises(RunError, match=r"nodes\.parquet: missing; expected \d+ bytes"):
        open_run(folder)


def test_a_cut_file_is_named_with_its_sizes(folder):
    data = (folder / "tensors.safetensors").read_bytes()
    (folder / "tensors.safetensors").write_bytes(data[:-1])
    with pytest.raises(RunError, match=rf"tensors\.safetensors: found {len(data) - 1} bytes; expected {len(data)}"):
        open_run(folder)


def test_a_changed_file_of_the_same_size_is_found_by_verify(folder):
    data = (folder / "note.json").read_bytes()
    (folder / "note.json").write_bytes(data.replace(b"1", b"2"))
    assert open_run(folder).read_json("note") == {"β": [2, None]}
    with pytest.raises(RunError, match=r"note\.json: its contents differ"):
        open_run(folder, verify=True)


def test_a_table_that_is_not_there_names_those_that_are(folder):
    with pytest.raises(RunError, match="this run has nodes"):
        open_run(folder).load_table("edges")


@pytest.mark.parametrize("name", ["../escape", "a/b", "run.json", ".hidden", "a\\b"])
def test_a_name_that_would_leave_the_folder_is_refused(folder, name):
    with pytest.raises(ValueError, match="plain file name"):
        open_run(folder).write_json(name, 1)


def test_values_that_are_not_json_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON"), new_run(tmp_path / "run", "trace", arguments={"net": object()}):
        pytest.fail("the block must not start")
    with pytest.raises(ValueError, match="not JSON"), new_run(tmp_path / "run", "trace") as run:
        run.write_json("note", float("nan"))
    assert os.listdir(tmp_path) == []


def test_tensors_that_share_memory_or_are_strided_are_stored_right(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    given = {"whole": whole, "same": whole, "turned": whole.T, "row": whole[1], "weight": torch.nn.Parameter(whole)}
    with new_run(tmp_path / "run", "trace") as run:
        run.save_tensors(given, "atoms")
    back = open_run(tmp_path / "run").load_tensors("atoms")
    assert all(torch.equal(back[name], given[name].detach()) for name in given)


def test_arrays_are_stored_with_their_shapes_also_when_strided(tmp_path):
    given = {"turned": np.arange(6.0).reshape(2, 3).T, "scalar": np.array(2.0), "cut": np.arange(6)[::2]}
    with new_run(tmp_path / "run", "trace") as run:
        run.save_tensors(given, "arrays")
    back = open_run(tmp_path / "run").load_tensors("arrays", framework="numpy")
    assert all(np.array_equal(back[name], given[name]) and back[name].shape == given[name].shape for name in given)


def test_importing_runs_and_ledger_does_not_import_torch_or_duckdb():
    program = (
        "import sys, cutaway.runs, cutaway.ledger; "
        "sys.exit(str({'torch', 'duckdb', 'numpy', 'rich', 'transformers'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip() == ""
