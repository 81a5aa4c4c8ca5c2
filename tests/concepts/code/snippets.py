"""A hand-labelled snippet for every code concept: which tokens are positive, and some that must be negative.

Shuffled and with other names they also make a corpus in which every structure occurs.
"""

from __future__ import annotations

import io
import keyword
import random
import tokenize
from collections.abc import Callable
from typing import NamedTuple


class Labelled(NamedTuple):
    """A source, all its positive tokens in order, and tokens that are negative."""

    text: str
    positive: str
    negative: str = ""


LABELLED = {
    "inside_string": Labelled("x = 'two words' + y  # 'not this'\n", "two words", "x y"),
    "comment": Labelled("x = 'a # not this'  # but this\n", "but this", "x"),
    "f_string_expression": Labelled("x = f'a {name!r:>{wide}} {{b}} {d[0] + e:c}' + '{z}'\n", "name d e", "a b"),
    "single_quoted": Labelled("x = 'one' + \"it 'two three' four\"\n", "one", "it two three four"),
    "triple_quoted": Labelled("x = '''one\ntwo''' 'three'\n", "one two", "three"),
    "docstring": Labelled("def f():\n    '''one two'''\n    x = '''three'''\n    'four'\n", "one two", "three four"),
    "round_bracket": Labelled("f(a, [b], {c}, (d)) + e\n", "a d", "f b c e"),
    "square_bracket": Labelled("f(a, [b, (c)], x[d]) + e\n", "b d", "f a c e"),
    "curly_bracket": Labelled("f(a, {b: {c, (d)}}) + e\n", "b c", "f a d e"),
    "bracket_depth_2": Labelled("f(a, [b, (c)]) + d\n", "b c", "f a d"),
    "indentation_2": Labelled("def f():\n    if a:\n        b\n    c(\n            d)\n", "b", "f a c d"),
    "else_branch": Labelled("if a:\n    b\nelse:\n    c\n    d\ne if f else g\n", "c", "b"),
    "bound_name": Labelled(
        "import a as b\ndef c(d, *e):\n    for f, g in h:\n        pass\nwith i() as j:\n    [k for l in m]\n",
        "b c d e f g j l",
        "h i k m",
    ),
    "name_read": Labelled("x = a.b(c, d=e)\nf(g)\n", "a c e g", "b"),
    "parameter": Labelled("def f(a, /, b: c = d, *e, g, **h):\n    return lambda i: a\n", "a b e g h", "f c d a"),
    "function_name": Labelled("def f(a):\n    g()\nasync def h(): pass\nf()\n", "f h", "a g f"),
    "class_name": Labelled("@d\nclass A(B):\n    c = A\n", "A", "d B c A"),
    "base_class": Labelled("class A(B, c.D, metaclass=E):\n    f(G)\n", "B c D", "A E f G"),
    "attribute": Labelled("import a.b\nx = c.d(e).f\nx.g = 1.5\n", "d f g", "x c e"),
    "decorator": Labelled("@a.b(c)\ndef f():\n    return d @ e\n", "a b c", "f d e"),
    "declared": Labelled(
        "def f():\n    global a, b\n    def g():\n        nonlocal c\n    return a\n", "a b c", "f g a"
    ),
    "import_line": Labelled("import a.b as c\nfrom .d import (e,\n    f as g)\nh = 'import i'\n", "a b c d e f g", "h"),
    "from_module": Labelled("from a.b import c\nfrom . import d\nimport e\n", "a b", "c d e"),
    "imported_name": Labelled("from a import b, c as d\nimport e\n", "b c", "a e"),
    "alias": Labelled("import a as b\nfrom c import d as e, f as g\nwith h as i: pass\n", "b e g", "a c d f h i"),
    "parameter_annotation": Labelled("def f(a: B, *c: D[E]) -> G:\n    h: I = 0\n", "B D E", "f a c G h I"),
    "return_annotation": Labelled("def f(a: B) -> C[D]:\n    return e\n", "C D", "f a B e"),
    "variable_annotation": Labelled("a: B[C] = d\ndef f(e: G): pass\nx = {h: i}\n", "B C", "a d f e G x h i"),
    "number": Labelled("x = 1 + y * 0x2f  # 3\n", "1 0x2f", "x y"),
    "argument": Labelled("f(a, b + c, d=e)\ndef g(h, i=j): pass\n", "a b c", "f e g h j"),
    "method_argument": Labelled("a.b(c, d)\nf(g)\n", "c d", "a b f g"),
    "keyword_name": Labelled("f(a, b=c, d=e, g=h)\ndef i(j=k, l=m): pass\n", "d g", "f a c e h i j l"),
    "keyword_value": Labelled("f(a, b=c, **d)\nclass E(F, k=G): pass\nh = i\n", "c G", "f a b d h i"),
    "default_value": Labelled("def f(a, b=c, *, d=e): pass\ng(h=i)\nj = lambda k=l: 2\n", "c e l", "f a b g h i j 2"),
    "starred": Labelled("f(a, *b, **c.d)\ne * g ** h\n*i, j = k\n", "b c d", "f a e g h i j k"),
    "assigned": Labelled("a = b = c + d\ne(f=g)\ndef h(i=j): pass\n", "c d", "a b e f g h i j"),
    "augmented": Labelled("a += b.c\nd = e + f\ng == h\n", "b c", "a d e f g h"),
    "returned": Labelled("def f():\n    return a + b\nc = 'return d'\n", "a b", "f c"),
    "yielded": Labelled("def f():\n    x = yield a\n    yield from b\n    return c\n", "a b", "f x c"),
    "raised": Labelled("raise A(b) from c\nx = D\n", "A b", "c x D"),
    "asserted": Labelled("assert a == b, c\nd = e\n", "a b", "c d e"),
    "condition": Labelled(
        "if a and b:\n    c\nelif d:\n    pass\nwhile e: pass\nx = g if h else i\n", "a b d e", "c x h i"
    ),
    "loop_variable": Labelled("for a, (b, c) in d:\n    a\nx = [e for e in f]\n", "a b c", "d a e f"),
    "iterable": Labelled("for a in b(c):\n    d\nx = e in g\n[h for h in i]\n", "b c", "a d e g i"),
    "with_item": Labelled("with a(b) as c, d as e:\n    f\n", "a b d", "c e f"),
    "except_type": Labelled("try:\n    a\nexcept (B, C) as d:\n    e\nexcept F: raise G\n", "B C F", "a d e G"),
    "comprehension_variable": Labelled("[a for a, b in c for d in b]\nfor e in f: pass\n", "a b d", "a c b e f"),
    "comprehension_iterable": Labelled("{a: b for a in c(d)}\nfor e in f: pass\n", "c d", "a b e f"),
    "comprehension_condition": Labelled("[a for a in b if c if d(e)]\nif f: pass\n", "c d e", "a b f"),
    "conditional_expression": Labelled("a = b if c.d else e\nif f: pass\n", "c d", "a b e f"),
    "lambda_parameter": Labelled("a(lambda b, *c: b + d)\ndef e(f): pass\n", "b c", "a b d e f"),
    "lambda_body": Labelled("a(lambda b: c + d, e)\n", "c d", "a b e"),
    "subscript": Labelled("a[b, c]\nd[e:f]\n[g]\n", "b c", "a d e f g"),
    "slice": Labelled("a[b:c:d]\ne[f]\nx = {g: h}\n", "c d", "a b e f g h"),
    "dictionary_key": Labelled("x = {a: b, c: d, 'e': f, **g}\n[h, 'i']\n", "c 'e'", "x b d f g h 'i'"),
    "dictionary_value": Labelled("x = {a: b, 'c': d + 1}\ny[e:f]\n", "b d 1", "x a y e f"),
    "tuple_element": Labelled("a = b, c, d\ne(f, g)\n(h, i)\n[j, k]\n", "c d i", "a e f g j k"),
    "unary_minus": Labelled("a = -b - c * -d + e\n", "- -", "= - * +"),
    "boolean_operand": Labelled("x = a and b or not c\ny = d + e\n", "b c", "x a y d e"),
    "compared": Labelled("a = b < c <= d\ne = f in g\nfor h in i: pass\n", "c d g", "a b e f h i"),
    "walrus": Labelled("if (a := b(c)):\n    d = e\n", "b c", "a d e"),
}


def renamed(text: str, new: Callable[[str], str] | None = None) -> str:
    """Every name in code but keywords exchanged, by default for another of its length."""
    lines = text.splitlines(keepends=True)
    for part in reversed(list(tokenize.generate_tokens(io.StringIO(text).readline))):
        if part.type == tokenize.NAME and not keyword.iskeyword(part.string):
            row, start, end = part.start[0] - 1, part.start[1], part.end[1]
            lines[row] = lines[row][:start] + (new or _turned)(part.string) + lines[row][end:]
    return "".join(lines)


def _turned(name: str) -> str:
    """The letters of a name, each 13 further; no keyword."""
    turned = "".join(chr((ord(one) - 97 + 13) % 26 + 97) if one.islower() else one for one in name)
    return f"_{turned[1:]}" if keyword.iskeyword(turned) else turned


def corpus(files: int = 24, seed: int = 0) -> list[str]:
    """Sources of all snippets in an order of their own, each file with its own names."""
    made = []
    for number in range(files):
        shuffled = random.Random(f"{seed} {number}")
        parts = [one.text for one in LABELLED.values()]
        shuffled.shuffle(parts)
        words = {letter: f"{letter}{shuffled.choice(_WORDS)}" for letter in "abcdefghijklmnopqrstuvwxyzABCDEFG"}
        made.append(renamed("".join(parts), lambda name, words=words: words.get(name, name)))
    return made


_WORDS = (
    "rea",
    "line",
    "mount",
    "dge",
    "rrow",
    "ndex",
    "ssue",
    "key",
    "st",
    "ode",
    "pen",
    "tem",
    "path",
    "row",
    "name",
    "lot",
)
