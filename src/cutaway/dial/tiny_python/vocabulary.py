"""The closed vocabulary of tiny Python, and text to tokens and back: a text is its tokens' texts, one after the other.

Spaces belong to the token that needs them (`for `, ` = `, `, `), a new line and its indentation are one token, and nothing
else is ever merged or split.

Every token has one meaning. A quotation mark therefore is two tokens, one that opens and one that closes: were it one, a
network would first have to count marks to know whether a string begins or ends, and a node that responds to `'` would say
neither. The quote task stays a real one: after the words of a string both closing marks are equally common, and only the
opening mark, some tokens back, says which one it is. For the same reason a block's colon is another token than a dict's, and
an apostrophe is no quotation mark: `don't` is one word. What a mark means is decided by what stands on its *left*, so cutting
a text between two tokens never changes the tokens before the cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cutaway.training.tokenizer import BOS, PAD

LINES = ("\n", "\n    ", "\n        ", "\n            ")
"""A new line at each level of indentation."""

KEYWORDS = (
    *("for ", " in ", "while ", "with ", " as ", "if ", "elif ", "else", "def ", "class ", "return ", "not ", " and "),
    *(" or ", "self", "__init__"),
)
MARKS = ("(", ")", "[", "]", "{", "}", ", ", ": ", ":", ".", "# ")
OPERATORS = (" = ", " += ", " -= ", " == ", " < ", " > ", " + ", " - ", " * ")
OPENING, CLOSING = ("'…", '"…'), ("…'", '…"')
"""The dots say on which side of the mark the string is; they are no part of its text."""

CONSTRUCTORS = ("int", "str", "list", "set", "dict")
BUILTINS = ("print", "open", "range", "len", "sum", "max", "sorted")
METHODS = {
    "str": ("upper", "lower", "split"),
    "list": ("append", "sort", "pop"),
    "set": ("add", "discard"),
    "dict": ("keys", "get"),
    "file": ("read", "write"),
}
"""The methods of each type; no two types share one."""

NAMES = tuple("abcdehkmnpst")
FUNCTIONS = ("load", "make", "find", "send", "grow", "show")
CLASSES = ("Box", "Node", "Cart")
ATTRIBUTES = ("size", "rate", "kind", "rank")
DIGITS = tuple("012345")
COLOURS = ("red", "blue", "green", "gold", "black", "white")
NOUNS = (" sky", " sea", " hill", " road", " tree", " fish")
"""A string is a colour and any number of nouns; a comment too, and then what is said of them."""
VERBS, APOSTROPHES, PLACES = (" is", " was"), (" isn't", " wasn't", " don't", " won't"), (" here", " there", " now")

VOCABULARY: tuple[str, ...] = (
    *(BOS, PAD, *LINES, *KEYWORDS, *MARKS, *OPERATORS, *OPENING, *CLOSING, *CONSTRUCTORS, *BUILTINS),
    *(name for names in METHODS.values() for name in names),
    *(*NAMES, *FUNCTIONS, *CLASSES, *ATTRIBUTES, *DIGITS, *COLOURS, *NOUNS, *VERBS, *APOSTROPHES, *PLACES),
)
IDS: dict[str, int] = {token: index for index, token in enumerate(VOCABULARY)}
TEXTS: tuple[str, ...] = tuple("" if token in (BOS, PAD) else token.replace("…", "") for token in VOCABULARY)

CLOSES = re.compile(r"""(?<=\w)(['"])(?!t\b)""")
OPENS = re.compile(r"""(?<![\w…])(['"])""")


def _pattern(token: str) -> str:
    """A token in a text whose quotation marks are told apart; a word only where it is whole."""
    before, after = r"(?<!\w)" if token[0].isalnum() else "", r"(?!\w)" if token[-1].isalnum() else ""
    return before + re.escape(token) + after


PIECES = "|".join(map(_pattern, sorted(VOCABULARY[2:], key=len, reverse=True)))
_PIECES = re.compile(PIECES)


def encode(text: str) -> list[int]:
    """The ids of a text, <|bos|> first; ValueError where a piece of it is no token.

    >>> decode(encode("for a in range(3):\\n    print(a)\\n"))
    'for a in range(3):\\n    print(a)\\n'
    """
    marked = OPENS.sub(r"\1…", CLOSES.sub(r"…\1", text))
    ids, at = [IDS[BOS]], 0
    while at < len(marked):
        piece = _PIECES.match(marked, at)
        if piece is None:
            rest = marked[at : at + 12].replace("…", "")
            raise ValueError(
                f"tiny Python has no token for what begins at {rest!r}; its vocabulary is closed, and spaces belong to tokens "
                "('for ', ' = ', ', '); give text such as its programs hold"
            )
        ids.append(IDS[piece.group()])
        at = piece.end()
    return ids


def decode(ids: Iterable[int]) -> str:
    """The text of token ids; <|bos|> and <|pad|> have none."""
    return "".join(TEXTS[token] for token in ids)
