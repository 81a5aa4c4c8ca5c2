"""Tiny Python: small consistent programs over a closed vocabulary in which every token has one meaning.

- `tiny_python`: `TinyPython(…)`, its programs and streams of tokens
- `vocabulary`: the tokens, `encode` and `decode`
- `tokenizer`: the same for Hugging Face
- `writer`, `expressions`, `statements`, `blocks`: how a program is written
"""

from cutaway.dial.tiny_python.tiny_python import TinyPython

__all__ = ["TinyPython"]
