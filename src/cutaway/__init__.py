"""cutaway: open a neural network, list its sub-models, take a decision apart, rerun it without some of them.

>>> import cutaway as cw
>>> net = cw.open("organism:code")
>>> trace = cw.trace(net, cw.Decision("x = 'abc", answer="'", instead='"'))
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cutaway.concepts.diff import diff
    from cutaway.concepts.verdict import match_all as match
    from cutaway.decisions import Decision, Rerun, Trace, trace, verify, without
    from cutaway.network import Network, Site, generate, plan, sweep
    from cutaway.opening import open
    from cutaway.study import cite, compare, load, page, picture, save
    from cutaway.study.calibrate import calibrate
    from cutaway.study.plants import calibrate_on
    from cutaway.submodels import Directions, SubModel, adversary, catalogue

try:
    __version__ = version("cutaway")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0"

_HOMES = {
    "calibrate": "cutaway.study.calibrate",
    "calibrate_on": "cutaway.study.plants",
    "diff": "cutaway.concepts.diff",
    "match": "cutaway.concepts.verdict:match_all",  # where it is called otherwise, its name there
    "open": "cutaway.opening",
    **dict.fromkeys(("Decision", "Rerun", "Trace", "trace", "verify", "without"), "cutaway.decisions"),
    **dict.fromkeys(("Network", "Site", "generate", "plan", "sweep"), "cutaway.network"),
    **dict.fromkeys(("Directions", "SubModel", "adversary", "catalogue"), "cutaway.submodels"),
    **dict.fromkeys(("cite", "compare", "load", "page", "picture", "save"), "cutaway.study"),
}
__all__ = [
    "Decision",
    "Directions",
    "Network",
    "Rerun",
    "Site",
    "SubModel",
    "Trace",
    "__version__",
    "adversary",
    "calibrate",
    "calibrate_on",
    "catalogue",
    "cite",
    "compare",
    "diff",
    "generate",
    "load",
    "match",
    "open",
    "page",
    "picture",
    "plan",
    "save",
    "sweep",
    "trace",
    "verify",
    "without",
]


def __getattr__(name: str) -> Any:
    """Nouns and verbs are imported when they are first used: `import cutaway` needs no torch."""
    if name not in _HOMES:
        raise AttributeError(f"cutaway has no {name!r}; it has {', '.join(sorted(_HOMES))}")
    home, _, called = _HOMES[name].partition(":")
    return getattr(import_module(home), called or name)


def __dir__() -> list[str]:
    return __all__
