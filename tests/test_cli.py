"""Every command as a user gives it: what it prints, what it keeps, how it ends."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from tests.command import Command

import cutaway as cw
from cutaway.cli import app
from cutaway.cli.question import unescaped
from cutaway.cli.verbs import listed
from cutaway.ledger import read
from cutaway.runs import RunError, open_run

QUOTE = ["organism:code", "x = 'abc", "--answer", "'", "--instead", '"']
SMALL = ["organism:quote", "ant cat ' ant bee", "--answer", " '", "--instead", ' "']
QUICK = ["--nulls", "0", "--draws", "4"]
VERBS = (
    "demo",
    "trace",
    "without",
    "verify",
    "submodels",
    "match",
    "agree",
    "diff",
    "calibrate",
    "organisms",
    "cite",
    "compare",
    "dial train",
    "dial sweep",
    "dial prune",
    "dial frontier",
    "mesa zoo",
    "mesa kinds",
    "mesa screen",
    "mesa report",
    "mesa budget",
    "cost",
    "cost scaling",
    "cost grow",
    "cost clock start",
    "cost clock stop",
)


def outside(*tokens: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs the installed command in a process of its own."""
    entry = Path(sys.executable).with_name("cutaway")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run([str(entry), *tokens], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


# the entry point ----------------------------------------------------------------------------------------------------


def test_the_installed_command_takes_a_decision_apart(tmp_path: Path) -> None:
    done = outside("trace", *SMALL, "--counterfactual", 'ant cat " ant bee', "--nulls", "0", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["nodes"][0]["part"] == "z.0[head=0]"


def test_the_installed_command_gives_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    done = outside("trace", "no-such/model", "a prompt", "--answer", "a", "--instead", "b", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot open 'no-such/model'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_and_every_help_import_no_torch(tmp_path: Path) -> None:
    groups = [["--version"], ["--help"], ["dial", "--help"], ["mesa", "--help"], ["cost", "clock", "--help"]]
    asked = [*groups, *([*verb.split(), "--help"] for verb in VERBS)]
    code = (
        f"import sys\nfrom cutaway.cli import run\nstatus = [run(tokens) for tokens in {asked!r}]\n"
        "assert not any(status), status\nassert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert cw.__version__ in done.stdout.splitlines()[0]


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_tells_every_option(verb: str, command: Command) -> None:
    told = command(*verb.split(), "--help").out
    for option in ("--json", "--seed", "--device", "--out"):
        assert option in told


# what the verbs give ------------------------------------------------------------------------------------------------


def test_a_trace_is_printed_saved_and_drawn(command: Command, tmp_path: Path) -> None:
    done = command("trace", *QUOTE, *QUICK, "--out", "quote", "--page", "quote.html")
    assert done.status == 0, done.err
    saved = cw.load("quote")
    assert str(saved) in done.out
    assert "saved: quote" in done.out and "page: quote.html" in done.out
    assert saved.used and "forwards" in done.err
    assert Path("quote.html").read_text(encoding="utf-8").startswith("<!")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quote", "quote.html"]


def test_a_trace_as_json_is_one_document_with_the_saved_figures(command: Command) -> None:
    document = command("trace", *SMALL, *QUICK, "--seed", "3", "--json", "--out", "quote").document
    saved = cw.load("quote")
    assert document["verb"] == "trace" and document["seed"] == saved.seed == 3 and document["saved"] == "quote"
    assert [row["exact"] for row in document["result"]["nodes"]] == saved.nodes["exact"]
    assert document["cost"]["forwards"] >= saved.cost.forwards > 0


def test_another_seed_draws_other_donors(command: Command) -> None:
    first, again, other = (
        command("trace", *SMALL, *QUICK, "--json", "--seed", seed).document["result"]["total"]["mean"]
        for seed in ("0", "0", "1")
    )
    assert first == again != other


def test_parts_are_addresses_or_kinds(command: Command) -> None:
    document = command("trace", *SMALL, *QUICK, "--json", "--parts", "mlps", "z.0[head=0]").document
    parts = {row["part"] for row in document["result"]["nodes"] if row["within"] is None}
    assert "z.0[head=0]" in parts and "mlp_out.0" in parts and not any("head=1" in part for part in parts)


@pytest.mark.parametrize("kinds", [["heads,mlps"], ["heads", "mlps"], ["heads, mlps,"]])
def test_kinds_and_parts_go_with_commas_or_spaces(kinds: list[str], command: Command) -> None:
    rows = command("submodels", SMALL[0], "--by", *kinds, "--json").document["result"]
    assert {row["kind"] for row in rows} == {"head", "mlp"}
    assert listed([*kinds, "z.0[head=3,pos=-1],z.1[pos=0]"]) == ["heads", "mlps", "z.0[head=3,pos=-1]", "z.1[pos=0]"]


def test_a_counterfactual_stands_in(command: Command) -> None:
    other = ["--counterfactual", 'ant cat " ant bee']
    document = command("trace", *SMALL, "--json", *other).document
    assert document["result"]["baseline"] == "values on the counterfactual"


def test_without_says_what_changes(command: Command) -> None:
    words = [*SMALL[:2], "z.0[head=0]", *SMALL[2:], "--counterfactual", 'ant cat " ant bee']
    done = command("without", *words)
    assert done.status == 0, done.err
    assert re.search("most probable: \"'\" → '\"'", done.out)
    document = command("without", *words, "--json").document
    assert document["changed"] is True
    assert document["result"]["without"]["parts"] == ["z.0[head=0]"]


@pytest.mark.parametrize("several", [["z.0[head=3]", "mlp_out.1"], ["z.0[head=3],mlp_out.1"]])
def test_several_submodels_are_taken_away_together(several: list[str], command: Command) -> None:
    document = command("without", *QUOTE[:2], *several, *QUOTE[2:], "--tokens", "2", "--json").document
    assert document["result"]["without"]["parts"] == ["z.0[head=3]", "mlp_out.1"]
    assert [one["site"] for one in document["result"]["receipts"]] == ["z.0[head=3]", "mlp_out.1"]
    assert all(one["fired"] >= 1 and one["moved"] > 0 for one in document["result"]["receipts"])


def test_the_catalogue_lists_the_kinds_asked_for(command: Command) -> None:
    rows = command("submodels", "organism:code", "--by", "heads, mlps", "--json").document["result"]
    assert len(rows) == 4 * (8 + 1)
    assert {row["kind"] for row in rows} == {"head", "mlp"}
    assert "4 sub-models" in command("submodels", "organism:code", "--by", "mlps", "--on", "x = 1").out


def test_every_listed_organism_opens(command: Command) -> None:
    names = [row["network"] for row in command("organisms", "--json", "--out", "known").document["result"]]
    assert names == cw.load("known")["network"]
    assert "organism:code" in names and len(names) > 6
    assert [cw.open(name).name for name in names]


def test_saved_runs_are_cited_and_compared(command: Command) -> None:
    command("trace", *SMALL, *QUICK, "--out", "one")
    command("trace", *SMALL, *QUICK, "--seed", "1", "--out", "two")
    cited = command("cite", "one", "two")
    assert cited.status == 0 and cited.out.count("syed2024attribution") == 1
    assert len(command("cite", "one", "--json").document["result"]) > 1
    compared = command("compare", "one", "two", "--json", "--out", "both").document
    assert {"effect one", "effect two"} <= compared["result"][0].keys()
    assert len(cw.load("both")) == len(compared["result"])


@pytest.mark.parametrize(
    "words",
    [
        ["without", *SMALL[:2], "z.0[head=0]", *SMALL[2:], "--tokens", "0"],
        ["submodels", "organism:quote"],
    ],
    ids=lambda words: words[0],
)
def test_what_a_verb_gives_can_be_saved_and_opened(words: list[str], command: Command) -> None:
    done = command(*words, "--out", "kept")
    assert done.status == 0, done.err
    assert str(cw.load("kept")) in done.out


def test_the_cpu_can_be_asked_for(command: Command) -> None:
    assert command("submodels", "organism:quote", "--device", "cpu").status == 0


def test_the_demo_shows_a_changed_answer_and_commands_that_work_and_runs_again(command: Command) -> None:
    done = command("demo", "--no-open")
    assert done.status == 0, done.err
    assert "the answer changes" in done.out
    assert Path("cutaway-demo/quote.html").is_file()
    assert "<svg" in Path("cutaway-demo/circuits.html").read_text(encoding="utf-8")
    assert re.search(r"the circuit: edges +\d+ +\d+", done.out)
    assert cw.load("cutaway-demo/trace").used
    suggested = re.findall(r": (cutaway .+)$", done.out, re.MULTILINE)
    assert len(suggested) == 2
    for line in suggested:
        assert command(*shlex.split(line)[1:], "--draws", "4").status == 0, line
    again = command("demo", "--json")
    assert again.document["result"]["reruns"][-1]["answer"][0] == "'"
    sparse, dense = again.document["result"]["circuits"]
    assert sparse["held"] == sparse["claims"] and 0 < sparse["edges"] < 20 < dense["edges"]


# text as users have it ----------------------------------------------------------------------------------------------


def test_backslash_n_is_the_end_of_a_line_in_an_answer(command: Command) -> None:
    document = command(
        "trace", "organism:code", "self.close()", "--answer", r"\n", "--instead", ":", *QUICK, "--json"
    ).document
    assert document["result"]["answers"] == ["\n"]
    assert document["result"]["metric"]["mean"] > 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (r"\n", "\n"),
        (r"\t", "\t"),
        (r"a\r", "a\r"),
        (r"\\n", r"\n"),
        (r"\d", r"\d"),
        ("\\", "\\"),
        ("", ""),
        ("é", "é"),
    ],
)
def test_only_known_escapes_are_decoded(typed: str, meant: str) -> None:
    assert unescaped(typed) == meant


def test_a_backslash_in_the_prompt_is_a_backslash(command: Command) -> None:
    document = command("trace", "organism:code", r"x = 'a\n", *QUOTE[2:], *QUICK, "--json").document
    assert document["result"]["decision"]["inputs"] == r"x = 'a\n"


def test_a_prompt_that_looks_like_html_is_escaped_on_the_page(command: Command) -> None:
    prompt = "x = '<script>alert(1)</script>&<b>"
    done = command("trace", "organism:code", prompt, *QUOTE[2:], *QUICK, "--page", "page.html")
    assert done.status == 0, done.err
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "&<b>" not in page and "&lt;script&gt;" in page
    assert repr(prompt) in done.out


def test_a_prompt_that_begins_with_a_dash_goes_after_two(command: Command) -> None:
    document = command("trace", "organism:code", *QUOTE[2:], *QUICK, "--json", "--", "--x = 'abc").document
    assert document["result"]["decision"]["inputs"] == "--x = 'abc"


@pytest.mark.parametrize("verb", ["trace", "without", "submodels"])
def test_the_usage_names_the_network_before_the_options(verb: str, command: Command) -> None:
    usage = command(verb, "--help").out.splitlines()[0]
    assert re.match(rf"Usage: cutaway {verb} NETWORK .*\[OPTIONS\]$", usage)


# how it ends otherwise ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trace", "organism:cod", *QUOTE[1:]], "did you mean code"),
        (["trace", "./no/folder", *QUOTE[1:]], "there is no folder './no/folder'"),
        (["trace", *QUOTE[:2], "--answer", "a", "--instead", "a"], "are the same output"),
        (["trace", *QUOTE[:2], "--answer", "abcdef", "--instead", "a"], "a decision is about one"),
        (["trace", "organism:code", "x" * 400, *QUOTE[2:]], "reads at most 128"),
        (["trace", *QUOTE, "--counterfactual", "x"], "match row by row"),
        (["trace", *QUOTE, "--baseline", "counterfactual"], "needs Decision(counterfactual"),
        (["without", *QUOTE[:2], "mlp_uot.0", *QUOTE[2:]], "near names: mlp_out.0"),
        (["without", *QUOTE[:2], "z.9[head=3]", *QUOTE[2:]], "blocks 0 to 3 only"),
        (["submodels", "organism:code", "--by", "heds"], "unknown kind of slice 'heds'"),
        (["submodels", "organism:code", "--by", "experts"], "has no experts"),
        (["cite", "nothing-here"], "no such run folder"),
        (["compare", "nothing-here", "nor-here"], "no such run folder"),
    ],
)
def test_an_error_of_the_data_or_network_is_one_sentence(words: list[str], said: str, command: Command) -> None:
    done = command(*words)
    assert (done.status, done.out) == (1, "")
    assert said in done.err and done.err.startswith("cutaway: ") and len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trace", "organism:code"], "PROMPT"),
        (["trace", *QUOTE[:2], "--instead", "a"], "--answer"),
        (["trace", *QUOTE, "--baseline", "none"], "--baseline"),
        (["trace", *QUOTE, "--draws", "many"], "--draws"),
        (["trace", *QUOTE, "--sede", "1"], "--seed"),
        (["trace", *QUOTE, "--device", "toaster"], "this machine has cpu"),
        (["without", *QUOTE], "SUBMODEL"),
        (["submodels", "organism:code", "--by", ","], "--by"),
        (["trace", "organism:code", "", *QUOTE[2:]], "PROMPT is an empty text"),
        (["cite"], "RUN"),
        (["compare", "one"], "two or more"),
        (["tarce", *QUOTE], "tarce"),
    ],
)
def test_wrong_use_is_two_and_says_what_was_expected(words: list[str], said: str, command: Command) -> None:
    done = command(*words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err and "--help" in done.err and len(done.err.splitlines()) == 1


def test_a_folder_that_is_taken_is_said_before_any_work(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("taken").mkdir()
    Path("taken/thesis.txt").write_text("mine")
    monkeypatch.setattr("cutaway.opening.open", forbidden)
    done = command("trace", *QUOTE, "--out", "taken")
    assert done.status == 1 and "taken is there already" in done.err
    assert Path("taken/thesis.txt").read_text() == "mine"


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("a network was opened")


def test_a_traceback_is_there_for_the_asking(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTAWAY_DEBUG", "1")
    with pytest.raises(RunError):
        command("compare", "nothing-here", "nor-here")


def test_a_fault_of_ours_is_not_dressed_as_an_answer(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutaway.opening.open", forbidden)
    monkeypatch.setattr("cutaway.open", forbidden, raising=False)
    with pytest.raises(AssertionError):
        command("submodels", "organism:code")


def test_a_stopped_trace_keeps_what_is_done_and_goes_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    effects = importlib.import_module("cutaway.decisions.effects")  # the name in the package is the function
    plain, calls = effects._measure, []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        if stop_at is not None and len(calls) > stop_at:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(effects, "_measure", counted)
    words = ["trace", *SMALL, "--nulls", "0", "--json", "--out", "kept"]
    stop_at: int | None = 2
    stopped = command(*words)
    assert (stopped.status, stopped.out) == (130, "")
    assert "kept in kept.partial, the same command goes on" in stopped.err
    kept = {path.name for path in Path("kept.partial").iterdir()}
    assert not Path("kept").exists() and len(kept - {"ledger.jsonl"}) == 2 and "ledger.jsonl" in kept

    stop_at = None
    calls.clear()
    resumed = command(*words)
    measured = len(calls)
    assert resumed.status == 0 and not Path("kept.partial").exists()
    calls.clear()
    whole = command(*words[:-1], "other")
    assert measured == len(calls) - 2
    assert resumed.document["result"]["nodes"] == whole.document["result"]["nodes"]


def test_a_stopped_trace_without_a_folder_says_how_to_keep_it(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("cutaway.decisions.effects"), "_measure", stop)
    stopped = command("trace", *SMALL, *QUICK)
    assert stopped.status == 130 and "--out FOLDER" in stopped.err


def test_a_trace_stopped_before_its_first_group_does_not_claim_to_have_kept_any(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cutaway.trace", stop, raising=False)
    stopped = command("trace", *SMALL, "--out", "kept")
    assert stopped.status == 130 and "before anything was done" in stopped.err
    assert not Path("kept.partial").exists()


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    entry = shlex.quote(str(Path(sys.executable).with_name("cutaway")))
    line = f"{{ {entry} organisms; echo $? >&2; }} | true"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "0"


def test_every_verb_is_a_command() -> None:
    def commands(group: App) -> set[str]:
        found: set[str] = set()
        for name in group:
            if not name.startswith("-"):
                inside = commands(group[name])
                found |= {f"{name} {one}" for one in inside}
                found |= {name} if group[name].default_command or not inside else set()
        return found

    assert set(VERBS) == commands(app)


def test_edges_are_traced_shown_and_saved_with_claims_that_verify_runs_again(command: Command, tmp_path: Path) -> None:
    traced = command("trace", *SMALL, "--edges", "--out", "run", "--nulls", "0")
    assert traced.status == 0 and "links:" in traced.out and "sufficient: everything else cut" in traced.out
    fresh = {"prompt": "bee ' cat ant cat", "answer": " '", "instead": ' "'}
    (tmp_path / "fresh.jsonl").write_text(json.dumps(fresh))
    verified = command("verify", "run", "--inputs", "fresh.jsonl", "--json")
    assert verified.status == 0 and verified.document["held"] > 0


def test_a_trace_that_claims_nothing_has_nothing_to_verify(command: Command, tmp_path: Path) -> None:
    command("trace", *SMALL, "--out", "run", "--baseline", "zero", "--nulls", "0")
    (tmp_path / "fresh.jsonl").write_text('{"prompt": "a", "answer": "b"}')
    ended = command("verify", "run", "--inputs", "fresh.jsonl")
    assert ended.status == 1 and "holds no claim" in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no prompt"),
        ("not json", "line 1: no JSON"),
        ('{"prompt": "a"}', "line 1: expected"),
        (
            '{"prompt": "a", "answer": "b", "instead": "c"}\n{"prompt": "a", "answer": "b"}',
            "1 of 2 lines have 'instead'",
        ),
    ],
)
def test_fresh_prompts_that_cannot_be_read_are_wrong_use_naming_the_line(
    command: Command, tmp_path: Path, text: str, said: str
) -> None:
    command("trace", *SMALL, "--out", "run", *QUICK)
    (tmp_path / "fresh.jsonl").write_text(text)
    ended = command("verify", "run", "--inputs", "fresh.jsonl")
    assert ended.status == 2 and said in ended.err


def test_claims_that_are_not_there_are_an_answer_not_a_crash(command: Command, tmp_path: Path) -> None:
    (tmp_path / "fresh.jsonl").write_text('{"prompt": "a", "answer": "b"}')
    ended = command("verify", "nowhere", "organism:quote", "--inputs", "fresh.jsonl")
    assert ended.status == 1 and "is no file" in ended.err


# what they cost -----------------------------------------------------------------------------------------------------


def test_every_command_books_what_it_cost_in_the_run_that_it_made(command: Command) -> None:
    for verb, *rest in (
        ["trace", *SMALL, *QUICK],
        ["submodels", "organism:quote"],
        ["without", *SMALL[:2], "mlp_out.0", *SMALL[2:]],
    ):
        assert command(verb, *rest, "--out", verb).status == 0
        booked = read(Path(verb) / "ledger.jsonl")
        assert {entry.purpose for entry in booked.entries} == {"apply" if verb == "without" else "discover"}
        assert {"cpu_s", "wall_s", "forwards"} <= {entry.resource for entry in booked.entries}
    on = {(entry.module, entry.submodel) for entry in read("without/ledger.jsonl").entries}
    assert (
        len(on) == 1
        and on.pop()[1] == "mlp_out.0"
        and not {entry.module for entry in read("trace/ledger.jsonl").entries} - {""}
    )
    trace = read("trace/ledger.jsonl").where(resource="forwards")
    assert trace.totals().rows()[0]["quantity"] >= cw.load("trace").cost.forwards


def test_what_a_command_cost_that_was_stopped_stays_in_the_ledger_of_the_one_that_went_on(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = cw.trace

    def stopped(*given: Any, **named: Any) -> Any:
        whole(*given, **{**named, "keep": None})
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(cw, "trace", stopped)
        assert command("trace", *SMALL, *QUICK, "--out", "quote").status == 130
    assert {entry.state for entry in read("quote.partial/ledger.jsonl").entries if entry.phase != "trace"} == {
        "aborted"
    }
    assert command("trace", *SMALL, *QUICK, "--out", "quote").status == 0
    states = {entry.state for entry in read("quote/ledger.jsonl").entries}
    assert states == {"done", "aborted"} and not Path("quote.partial").exists()


def test_a_run_is_whole_after_its_ledger_has_grown(command: Command) -> None:
    command("submodels", "organism:quote", "--out", "parts", "--flops")
    assert command("cost", "clock", "start", "reading", "--in", "parts").status == 0
    assert "since" in command("cost", "clock", "start", "reading", "--in", "parts").err
    assert command("cost", "clock", "stop", "--in", "parts").status == 0
    assert open_run("parts", verify=True).kind == "table"
    told = command("cost", "parts", "--training-flops", "1e9", "--page", "cost.html")
    assert "understanding ÷ training, FLOPs" in told.out and "no training is booked" in told.out
    document = command("cost", "parts", "--training-flops", "1e9", "--json", "--out", "kept").document
    assert document["result"]["ratios"]["FLOPs"]["ratio"]["value"] > 0 and Path("kept/cost.json").is_file()
    assert command("cost").status == 2 and command("cost", "nowhere").status == 1
