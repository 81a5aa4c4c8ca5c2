"""The vocabulary of tiny Python as a Hugging Face word-level tokenizer, with the ids that `encode` gives.

A normaliser marks which side of each quotation mark the string is on, and the decoder takes the marks off again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.dial.tiny_python.vocabulary import CLOSES, IDS, OPENS, PIECES
from cutaway.training.tokenizer import BOS, PAD

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def tokenizer() -> Tokenizer:
    """A tokenizer that puts <|bos|> before a text and refuses what is no token of tiny Python."""
    tokenizers = _tokenizers()
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(IDS))
    normalizers, regex = tokenizers.normalizers, tokenizers.Regex
    sides = [
        normalizers.Replace(regex(pattern.pattern.replace("""(['"])""", mark)), marked)
        for pattern, form in ((CLOSES, "…{}"), (OPENS, "{}…"))
        for mark in ("'", '"')
        for marked in [form.format(mark)]
    ]
    made.normalizer = normalizers.Sequence(sides)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(regex(PIECES), behavior="isolated")
    made.decoder = tokenizers.decoders.Sequence([tokenizers.decoders.Replace("…", ""), tokenizers.decoders.Fuse()])
    made.add_special_tokens([BOS, PAD])
    made.post_processor = tokenizers.processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, IDS[BOS])])
    return made


def _tokenizers():
    """The Hugging Face package, or an error that names the command that installs it."""
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.normalizers
        import tokenizers.pre_tokenizers
        import tokenizers.processors
    except ImportError as missing:
        raise ImportError('this needs the package tokenizers; install it with: pip install "cutaway[hf]"') from missing
    return tokenizers
