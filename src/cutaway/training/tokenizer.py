"""A small byte-pair tokenizer in which every quote, bracket, comma, colon and newline is a token of its own.

A decision between `'` and `"` can then be asked after any prompt: the answer never merges with its neighbours.
Byte-level byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) by Hugging Face `tokenizers`; a text starts with
<|bos|>.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BOS, PAD = "<|bos|>", "<|pad|>"
ISOLATED = "'\"()[]{},:\n"

# No lookahead, so cutting a text before an isolated character never changes the tokens on its left.
PIECES = "|".join(
    [
        r"""['"()\[\]{},:\n]""",
        r"(?<=\n)[ \t]+",  # indentation: a whole run; not at the start of a text, where " name" is a word's beginning
        r" {2,}",
        r" ?[^\W\d]+",
        r" ?\d",
        r""" ?[^\s\w'"()\[\]{},:]+""",
        r"\s",
    ]
)


def train_tokenizer(texts: Iterable[str], vocab: int = 1024) -> Tokenizer:
    """A tokenizer of `vocab` tokens learned from `texts`; ids 0 and 1 are <|bos|> and <|pad|>."""
    tokenizers = _tokenizers()
    if vocab < 258:
        raise ValueError(f"vocab is {vocab}; expected at least 258 (256 bytes, {BOS} and {PAD}); try 1024")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    pieces = tokenizers.pre_tokenizers
    tokenizer.pre_tokenizer = pieces.Sequence(
        [
            pieces.Split(tokenizers.Regex(PIECES), behavior="isolated"),
            pieces.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=[BOS, PAD], initial_alphabet=pieces.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def read_tokenizer(text: str) -> Tokenizer:
    """The tokenizer whose `tokenizer.json` is `text`."""
    return _tokenizers().Tokenizer.from_str(text)


def stream(tokenizer: Tokenizer, texts: Iterable[str]) -> Int[Tensor, "stream"]:
    """All texts as one row of token ids, <|bos|> before each."""
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=True)
    return torch.tensor([token for encoding in encodings for token in encoding.ids], dtype=torch.long)


def _tokenizers():
    """The Hugging Face package, or an error that names the command that installs it."""
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.processors
        import tokenizers.trainers
    except ImportError as missing:
        raise ImportError('this needs the package tokenizers; install it with: pip install "cutaway[hf]"') from missing
    return tokenizers
