"""The reader's tokenizer: word pieces learned from the train questions, in which every task and answer is one token.

It was made by `word_pieces(asked())` and is kept as data: the trainer of `tokenizers` numbers the pieces in another order each
time. WordPiece: Schuster and Nakajima 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutaway.organisms.reader.tasks import MASK, TASKS, Asked

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

FOLDER = Path(__file__).parents[1] / "data" / "reader"
VOCABULARY = 2500


@cache
def shipped_tokenizer() -> PreTrainedTokenizerFast:
    """The tokenizer of every reader, whatever its seed."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(str(FOLDER))


def word_pieces(texts: Sequence[Asked], vocabulary: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """A tokenizer learned from train texts. A text starts with [CLS]; nothing comes after the mask."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "mask_token": MASK}
    inner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    inner.normalizer = normalizers.BertNormalizer(lowercase=True)
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.decoder = decoders.WordPiece()
    words = [*TASKS, *(answer for answers in TASKS.values() for answer in answers)]
    seen = [one.text for one in texts if one.split == "train"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, special_tokens=list(special.values()), show_progress=False
    )
    inner.train_from_iterator([*seen, *words * len(seen)], trainer)  # so often that each is a word of its own
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", inner.token_to_id("[CLS]"))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=inner, **special)


def one_token(tokenizer: Any, word: str) -> int:
    """The number of an answer."""
    (number,) = tokenizer.encode(word, add_special_tokens=False)
    return number
