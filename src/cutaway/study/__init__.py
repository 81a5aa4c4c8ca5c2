"""Over everything: save and load, pages and pictures, runs side by side, circuits for other tools, and the sources to cite."""

from cutaway.study.cite import cite
from cutaway.study.compare import compare
from cutaway.study.exchange import from_mib, to_graph_json, to_mib
from cutaway.study.page import page, picture
from cutaway.study.store import load, save

__all__ = ["cite", "compare", "from_mib", "load", "page", "picture", "save", "to_graph_json", "to_mib"]
