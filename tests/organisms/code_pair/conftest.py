"""A library that is read at once: held-out code in the place of what networks are trained on."""

from __future__ import annotations

import pytest

from cutaway.organisms.code_pair import statements as real
from cutaway.organisms.code_reference import load_reference
from cutaway.training.corpus import Corpus


@pytest.fixture
def small_library(monkeypatch: pytest.MonkeyPatch):
    """Held-out code in the place of the library, which takes seconds to read."""
    texts = tuple(load_reference().code)
    monkeypatch.setattr(real, "standard_library", lambda: Corpus(texts, texts[:1], "", ""))
    monkeypatch.setattr(real, "EVERY", 1)
    for cached in (real.statements, real.windows):
        cached.cache_clear()
    yield
    for cached in (real.statements, real.windows):
        cached.cache_clear()
