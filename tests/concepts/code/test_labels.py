"""Labels of code against hand-labelled snippets: what is positive, what is negative, and what renaming does to either."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.concepts.code.snippets import LABELLED, renamed

from cutaway.concepts.code.candidates import Roles, Sides, sides
from cutaway.concepts.code.parsing import parse
from cutaway.concepts.code.structures import STRUCTURES

BY_NAME = {structure.name: structure for structure in STRUCTURES}


def sides_of(name: str, text: str) -> Sides:
    return sides(Roles(parse("snippet", text), "seed"), BY_NAME[name])


def test_every_structure_has_a_snippet_and_there_are_forty_at_least():
    assert set(LABELLED) == set(BY_NAME) and len(BY_NAME) == len(STRUCTURES) >= 40


@pytest.mark.parametrize("name", LABELLED)
def test_exactly_the_tokens_that_the_hand_labels_name_are_positive(name: str):
    labelled = LABELLED[name]
    found = sides_of(name, labelled.text).positive
    assert [found[start].string for start in sorted(found)] == labelled.positive.split()


@pytest.mark.parametrize("name", LABELLED)
def test_what_looks_alike_in_the_snippet_is_negative_and_never_both(name: str):
    found = sides_of(name, LABELLED[name].text)
    negative = list(found.negative)
    missing = Counter(LABELLED[name].negative.split()) - Counter(mark.string for mark in negative)
    assert not missing
    assert not {mark.start for mark in negative} & found.positive.keys()


@pytest.mark.parametrize("name", LABELLED)
def test_no_control_holds_the_structure(name: str):
    found = sides_of(name, "".join(one.text for one in LABELLED.values() if "'''" not in one.text))
    assert found.positive or name in ("docstring", "triple_quoted")
    for look in BY_NAME[name].looks:
        assert not {mark.start for mark in found.control(look)} & found.positive.keys()


@pytest.mark.parametrize("name", LABELLED)
def test_renaming_every_variable_changes_no_label(name: str):
    text = LABELLED[name].text
    before, after = sides_of(name, text), sides_of(name, renamed(text))
    assert renamed(text) != text
    assert sorted(before.positive) == sorted(after.positive)
    assert sorted(mark.start for mark in before.negative) == sorted(mark.start for mark in after.negative)


def test_names_are_labelled_in_characters_also_behind_letters_of_several_bytes():
    found = sides_of("returned", "def f(ä='é'):\n    x = 'üü'; return größe\n").positive
    assert [mark.string for mark in found.values()] == ["größe"]


def test_a_form_feed_ends_no_line_and_windows_line_ends_are_like_others():
    for text in ("x = 1\n\f\ndef f(a):\n    return b\n", "x = 1\r\ndef f(a):\r\n    return b\r\n"):
        assert [mark.string for mark in sides_of("returned", text).positive.values()] == ["b"]


def test_what_cannot_be_known_from_the_left_is_on_neither_side():
    starts = sides_of("name_read", "a = b\nc(d)\n")
    assert {mark.string for mark in [*starts.positive.values(), *starts.negative]} == {"b", "d"}
    first = sides_of("dictionary_key", "x = {a: b, c: d}\n")
    assert "a" not in {mark.string for mark in [*first.positive.values(), *first.negative]}


@pytest.mark.parametrize(
    ("name", "look", "text", "tokens"),
    [
        ("inside_string", "comment", "x = 1  # the 'quoted words' here\n", "quoted words"),
        ("comment", "hash_in_string", "x = 'a # no comment'\n", "no comment"),
        ("f_string_expression", "plain_string", "x = 'a {b} c'\n", "b"),
        ("single_quoted", "apostrophes", "x = \"a 'b c' d\"\n", "b c"),
        ("triple_quoted", "concatenated", "x = ('a'\n     'b c')\n", "b c"),
        ("docstring", "no_docstring", "x = '''a'''\n", "a"),
        ("round_bracket", "closed", "f(a) + b\n", "b"),
        ("round_bracket", "told", "# behind (an open\n", "an open"),
        ("bracket_depth_2", "closed", "f(a) + g(b) + c\n", "c"),
        ("indentation_2", "continuation", "f(\n        a)\n", "a"),
        ("loop_variable", "same_name", "for a in b:\n    c(a)\n", "a"),
        ("decorator", "matrix_product", "x = a @ b\n", "b"),
        ("decorator", "at_sign", "# ask me@there or @name\n", "there name"),
        ("default_value", "assignment", "a = b\n", "b"),
        ("import_line", "told", "'import this or that'\n", "this or that"),
        ("returned", "told", "# returns the\n# value\n", "the"),
        ("unary_minus", "difference", "(a) - b\n", "-"),
        ("starred", "product", "a * b ** c\n", "b c"),
        ("iterable", "member", "x = a in b\n", "b"),
    ],
)
def test_a_control_is_where_the_tell_tale_is_and_the_structure_is_not(name: str, look: str, text: str, tokens: str):
    found = sides_of(name, text)
    (control,) = (one for one in BY_NAME[name].looks if one.name == look)
    marks = {mark.start: mark.string for mark in found.control(control)}
    assert [marks[start] for start in sorted(marks)] == tokens.split()
