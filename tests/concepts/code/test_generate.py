"""Concepts made from a corpus: what is kept apart by file, what is left out and why, and what every decision differs in."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from tests.concepts.code.snippets import corpus, renamed

from cutaway.cli import concepts as command
from cutaway.cli.concepts import concepts_named
from cutaway.cli.ending import WrongUse
from cutaway.concepts import ConceptError, read_concept, write_concept
from cutaway.concepts.code import CodeConcepts, Sources, code_concepts
from cutaway.concepts.code.corpus import CHOSEN, standard_library_sources
from cutaway.concepts.code.exchanges import EXCHANGES
from cutaway.concepts.code.marks import LONGEST
from cutaway.concepts.code.structures import STRUCTURES
from cutaway.concepts.splitting import plain_text
from cutaway.training.corpus import held_out

TEXTS = corpus()
FEW = TEXTS[:9]


@pytest.fixture(scope="module")
def made() -> CodeConcepts:
    return code_concepts(TEXTS, per=24, seed=3)


def rows_of(concept) -> list[dict]:
    return [*concept.rows, *(row for control in concept.controls for row in control.rows)]


def shared(one: str, other: str) -> int:
    """With how many characters both begin."""
    return next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


def test_forty_concepts_with_controls_and_ten_with_decisions(made: CodeConcepts):
    assert len(made) >= 40, made.left_out
    assert sum(concept.decisions is not None for concept in made.values()) >= 10
    for name, concept in made.items():
        assert name.startswith("code.") and concept.kind == "syntax" and concept.controls
        assert all(re.fullmatch(r"[\w ]+: .+", control.factor) for control in concept.controls)
    assert {f"code.{one.name}" for one in STRUCTURES} == set(made) | {name for name in made.left_out if "," not in name}
    assert EXCHANGES.keys() <= {one.name for one in STRUCTURES}


def test_every_prompt_is_cut_behind_the_token_that_its_span_marks(made: CodeConcepts):
    for concept in made.values():
        for row in rows_of(concept):
            ((start, end),) = row["spans"]
            assert end == len(row["text"]) <= LONGEST and row["text"][start:end].strip() == row["text"][start:end] != ""
            assert any(row["text"] in text for text in TEXTS)


def test_no_file_lies_in_two_splits_and_no_text_has_two_labels(made: CodeConcepts):
    for concept in made.values():
        splits, labels = defaultdict(set), defaultdict(set)
        for row in [*rows_of(concept), *(concept.decisions or ())]:
            splits[row["group"]].add(row["split"])
            for text in filter(None, (row.get("text"), row.get("prompt"), row.get("reference"))):
                splits[plain_text(text)].add(row["split"])
        for row in concept.rows:
            labels[row["text"]].add(row["label"])
        assert all(len(some) == 1 for some in [*splits.values(), *labels.values()])
        assert len({row["group"] for row in concept.rows}) > 3


def test_negatives_end_in_the_tokens_that_positives_end_in(made: CodeConcepts):
    for name in ("code.unary_minus", "code.name_read", "code.returned"):
        ends = [{row["text"][row["spans"][0][0] :] for row in made[name].rows if row["label"] == one} for one in (0, 1)]
        assert ends[0] & ends[1] or name == "code.unary_minus", name


def test_decisions_come_in_twos_one_edit_apart_with_two_answers(made: CodeConcepts):
    for concept in made.values():
        rows = [] if concept.decisions is None else concept.decisions.rows()
        both = {(row["prompt"], row["target"], row["foil"], row["reference"]) for row in rows}
        for prompt, target, foil, reference in both:
            assert target != foil and (reference, foil, target, prompt) in both
            same = shared(prompt, reference)
            rest = shared(prompt[same:][::-1], reference[same:][::-1])
            assert rest and max(len(prompt), len(reference)) - same - rest <= len("return"), (prompt, reference)


def test_one_prompt_of_two_is_real_and_its_target_is_what_comes_next_there(made: CodeConcepts):
    whole = "\0".join(TEXTS)
    for concept in made.values():
        for row in concept.decisions or ():
            real, partner = (row["prompt"] + row["target"], row["reference"] + row["foil"])
            assert real in whole or partner in whole, (concept.name, row)


@pytest.mark.parametrize(
    ("name", "text", "prompt", "target", "reference", "foil"),
    [
        ("inside_string", "f('name')", "f('name", "'", "f(-name", ")"),
        ("single_quoted", "x = 'ab c'", "x = 'ab c", "'", 'x = "ab c', '"'),
        ("triple_quoted", 'x = """ab"""', 'x = """ab', '"""', 'x = "ab', '"'),
        ("f_string_expression", 'x = f"a {b}"', 'x = f"a {b', "}", 'x = f"a @b', '"'),
        ("round_bracket", "x = (a, b)", "x = (a, b", ")", "x = [a, b", "]"),
        ("square_bracket", "x = [a, b]", "x = [a, b", "]", "x = (a, b", ")"),
        ("curly_bracket", "x = [a, b]", "x = [a, b", "]", "x = {a, b", "}"),
        ("bracket_depth_2", "x = f(g(a))", "x = f(g(a)", ")", "x = f-g(a)", "\n"),
        ("argument", "f(a)", "f(a", ")", "f[a", "]"),
        ("subscript", "x[a]", "x[a", "]", "x(a", ")"),
        ("parameter", "def f(a):\n    pass", "def f(a)", ":", "raise f(a)", "\n"),
        ("base_class", "class A(B):\n    pass", "class A(B)", ":", "raise A(B)", "\n"),
        ("import_line", "import a.b", "import a.b", "\n", "from a.b", " import"),
        ("from_module", "from a import b", "from a", " import", "import a", "\n"),
        ("alias", "import a as b", "import a as b", "\n", "with a as b", ":"),
        ("variable_annotation", "a: b = c", "a: b", " =", "a = b", "\n"),
        ("returned", "def f():\n    return a", "def f():\n    return a", "\n", "def f():\n    if a", ":"),
        ("raised", "raise A(b)", "raise A(b)", "\n", "except A(b)", ":"),
        ("condition", "def f():\n    if a: b", "def f():\n    if a", ":", "def f():\n    return a", "\n"),
        ("loop_variable", "def f():\n    for a in b: c", "def f():\n    for a", " in", "def f():\n    return a", "\n"),
        ("comprehension_variable", "[a for a in b]", "[a for a", " in", "[a, a", "]"),
        ("conditional_expression", "x = a if b else c", "x = a if b", " else", "x = a and b", "\n"),
        ("lambda_parameter", "f(lambda a: b)", "f(lambda a", ":", "f(not a", ")"),
        ("dictionary_key", "x = {a: b}", "x = {a", ":", "x = [a", ","),
    ],
)
def test_an_exchange_is_one_token_and_turns_the_answer(name, text, prompt, target, reference, foil):
    from cutaway.concepts.code.candidates import Roles, offer
    from cutaway.concepts.code.parsing import parse

    (structure,) = (one for one in STRUCTURES if one.name == name)
    (couple,) = offer(Roles(parse("x", f"{text}\n"), ""), structure, "g", 9).couples
    assert (couple.prompt, couple.target, couple.reference, couple.foil) == (prompt, target, reference, foil)


def test_the_seed_and_the_files_decide_the_rows_and_their_order_does_not():
    one, again, other = (
        code_concepts(texts, per=16, seed=seed) for texts, seed in ((FEW, 3), (FEW[::-1], 3), (FEW, 4))
    )
    assert dict(one) == dict(again) and one.left_out == again.left_out
    assert one["code.returned"].rows["text"] != other["code.returned"].rows["text"]


def test_renaming_every_variable_of_the_corpus_changes_no_label_and_no_split(made: CodeConcepts):
    other = code_concepts([renamed(text) for text in TEXTS], per=24, seed=3)
    assert list(other) == list(made)
    for name, concept in made.items():
        columns = ("label", "split", "group", "spans")
        assert [other[name].rows[one] for one in columns] == [concept.rows[one] for one in columns], name
    texts = [one["code.returned"].texts("train") for one in (made, other)]
    assert texts[0] != texts[1]


def test_what_is_too_rare_is_left_out_and_says_how_many_rows_are_needed(made: CodeConcepts):
    few = code_concepts([f"x{n} = 1  # item {n} of many\n" for n in range(40)])
    assert list(few) == ["code.number"] and "code.walrus: 0 rows (0 train, 0 val, 0 test); expected at least 16" in str(
        few
    )
    with pytest.raises(ConceptError, match=r"code\.walrus is left out: 0 rows .* give a larger corpus"):
        few["code.walrus"]
    with pytest.raises(ConceptError, match=r"did you mean 'code\.number'"):
        few["code.numbr"]
    assert few["code.number"].cap == "can be read, never used (no decisions given)"


def test_files_that_do_not_parse_are_named_and_the_others_are_used():
    texts = {f"{n}.py": text for n, text in enumerate(FEW)} | {"old.py": "print 'a'\n", "null.py": "x = '\0'\n"}
    found = code_concepts(Sources(texts, {}), per=16)
    assert sorted(found.unparsed) == ["null.py", "old.py"] and found.parsed == len(FEW) and len(found) > 20
    assert "2 more do not parse" in str(found) and "not parsed: old.py: SyntaxError" in str(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ["print 'a'\n", "def f(:\n"],
            r"given 2 Python files of which none parses \(source 1: SyntaxError.*; mend them",
        ),
        ([], r"given no sources; expected texts of Python files; give some"),
        ("no/such/folder", r"no such folder; expected a folder of Python files; check the path"),
    ],
)
def test_a_corpus_without_python_is_an_error_that_says_what_to_try(given, said: str):
    with pytest.raises(ConceptError, match=said):
        code_concepts(given)


def test_fewer_rows_than_a_concept_needs_are_refused():
    with pytest.raises(ConceptError, match=r"given per=15; expected 16 rows of each label .*; give per=16 or more"):
        code_concepts(TEXTS, per=15)


def test_a_folder_gives_what_its_files_give_and_a_broken_encoding_is_named(tmp_path: Path):
    (tmp_path / "below").mkdir()
    for number, text in enumerate(FEW):
        (tmp_path / ("below" if number % 2 else "") / f"{number}.py").write_text(text, encoding="utf-8")
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    found, same = code_concepts(tmp_path, per=16), code_concepts(FEW, per=16)
    assert list(found.unparsed) == ["latin.py"] and found.parsed == len(FEW) and len(found) > 20
    assert all(found[name].rows == concept.rows for name, concept in same.items())


def test_a_concept_is_written_and_read_again_with_the_line_ends_among_its_answers(tmp_path: Path, made: CodeConcepts):
    write_concept(made["code.returned"], tmp_path / "one")
    assert read_concept(tmp_path / "one") == made["code.returned"]
    assert "\n" in made["code.returned"].decisions["target"]


def test_of_the_standard_library_come_first_the_files_that_the_code_model_never_saw():
    chosen = standard_library_sources()
    assert len(chosen.texts) == CHOSEN and chosen.licence == "LicenseRef-PSF-2.0"
    assert [held_out(text) for text in chosen.texts.values()] == sorted(
        map(held_out, chosen.texts.values()), reverse=True
    )
    assert ast.parse(next(iter(chosen.texts.values())))


def test_the_command_line_takes_code_a_folder_of_it_and_single_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    command.code_named.cache_clear()
    for number, text in enumerate(FEW[:6]):
        (tmp_path / f"{number}.py").write_text(text, encoding="utf-8")
    (tmp_path / "old.py").write_text("print 'a'\n", encoding="utf-8")
    names = [concept.name for concept in concepts_named([f"code:{tmp_path}"])]
    assert "code.returned" in names and "not parsed: old.py" in capsys.readouterr().err
    texts = {str(number): text for number, text in enumerate(FEW[:6])}
    monkeypatch.setattr("cutaway.concepts.code.standard_library_sources", lambda: Sources(texts, {}))
    assert [concept.name for concept in concepts_named(["code"])] == names
    assert [concept.name for concept in concepts_named(["code.returned"])] == ["code.returned"]
    command.code_named.cache_clear()


def test_a_wrong_folder_of_code_is_told(tmp_path: Path):
    (tmp_path / "small.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(WrongUse, match="expected code:FOLDER"):
        concepts_named(["code:"])
    with pytest.raises(ConceptError, match="no such folder; expected a folder of Python files"):
        concepts_named(["code:nowhere"])
    with pytest.raises(ConceptError, match=r"given 1 Python files, too few for any concept .* give a larger corpus"):
        concepts_named([f"code:{tmp_path}"])
