"""Over everything: save and load, pages and pictures, runs side by side, and the sources to cite."""

from cutaway.study.cite import cite
from cutaway.study.compare import compare
from cutaway.study.page import page, picture
from cutaway.study.store import load, save

__all__ = ["cite", "compare", "load", "page", "picture", "save"]
