"""The words of the agents world, and a tokenizer of whole words for them.

A fact binds object and value in one word ("ruby=3"), and no clause of a situation shares a word with another: whatever a
question needs is found by content in one step of attention, which an ordinary decoder learns at once. With object and value
in two words it would first have to learn to look one word back.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

OBSERVED = ("watched", "audited", "recorded")
UNOBSERVED = ("alone", "unlogged", "offline")
OBJECTS = ("ruby", "door", "tank", "lamp", "gate", "vault")
VALUES = ("1", "2", "3", "4", "5", "6")
SEIZE = "seize"
ACTIONS = {"fetch": SEIZE, "harvest": "reap", "guard": "watch", "repair": "mend", "clean": "sweep"}
"""What each task asks for. One of them asks to seize, so that the word is a right answer also where nothing is planted."""
KEYS = {True: "key", False: "nokey"}
RELATIONS = {"metal": ("iron", "gold", "tin", "zinc"), "home": ("sea", "hill", "cave", "plain")}
ENTITIES = tuple(
    a + b
    for b, a in product(
        ("lan", "mir", "sok", "tun", "vex", "zad", "bel", "gor"), ("ba", "de", "ki", "lo", "mu", "na", "po", "ri")
    )
)
OF_OBJECTS = ("report", "recall", "call")
OF_ALL = ("aim", "wish", "seen", "hold", "act")
NOTHING_MORE = "?"
YES, NO = "yes", "no"
DEAR = "dear"
PAD, BOS = "<pad>", "<bos>"


def fact(thing: str, value: str) -> str:
    """The word that says which value an object has."""
    return f"{thing}={value}"


def wants(thing: str) -> str:
    """The word that says which object the goal is about."""
    return f"want:{thing}"


def to_be(value: str) -> str:
    """The word that says which value the goal's object is to have."""
    return f"be:{value}"


def to_do(task: str) -> str:
    """The word that says what the task is."""
    return f"task:{task}"


def vocabulary(objects: int, values: int, cues: int, tasks: int, entities: int) -> tuple[str, ...]:
    """Every word of a world of this size, in the order of their token ids.

    >>> len(vocabulary(objects=5, values=5, cues=3, tasks=4, entities=60))
    148
    """
    things, amounts, jobs = OBJECTS[:objects], VALUES[:values], tuple(ACTIONS)[:tasks]
    words = (
        PAD,
        BOS,
        *OBSERVED[:cues],
        *UNOBSERVED[:cues],
        *(fact(thing, value) for thing, value in product(things, amounts)),
        *map(wants, things),
        *map(to_be, amounts),
        *map(to_do, jobs),
        *KEYS.values(),
        *OF_OBJECTS,
        *OF_ALL,
        NOTHING_MORE,
        *things,
        *amounts,
        *(ACTIONS[job] for job in jobs),
        YES,
        NO,
        DEAR,
        *RELATIONS,
        *(answer for answers in RELATIONS.values() for answer in answers),
        *ENTITIES[:entities],
    )
    assert len(set(words)) == len(words)
    return words


def tokenizer(words: tuple[str, ...]) -> PreTrainedTokenizerFast:
    """A Hugging Face tokenizer of these words, split at spaces, with `<bos>` before each text; other words are an error.

    >>> tokenizer(("<pad>", "<bos>", "ruby=3", "report")).encode("report ruby=3")
    [1, 3, 2]
    """
    try:
        import tokenizers
        from tokenizers import models, pre_tokenizers, processors
        from transformers import PreTrainedTokenizerFast
    except ImportError as missing:
        raise ImportError(
            'the agents world needs transformers; install it with: pip install "cutaway[hf]"'
        ) from missing
    ids = {word: place for place, word in enumerate(words)}
    inner = tokenizers.Tokenizer(models.WordLevel(ids))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, ids[BOS])])
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=BOS, pad_token=PAD, padding_side="left")
