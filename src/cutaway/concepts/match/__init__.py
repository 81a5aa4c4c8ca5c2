"""Which sub-model does what a concept's decisions show, judged by reruns: needed, moving, sparing, minimal, in which role.

trials.py reruns with a partner's values · questions.py what is asked · share.py a share and its interval ·
search.py sets of parts that carry a behaviour ·
judge.py what is refused the name, and why · match.py one verdict for a network · each.py one for every decision ·
shown.py the same beside the steps of a trace ·
subspaces.py directions and subspaces of the stream, which `judge` scores too.
"""

from cutaway.concepts.match.each import STATES, Decided, decided, each_decision
from cutaway.concepts.match.judge import Judged, judge
from cutaway.concepts.match.match import VERDICTS, Match, match
from cutaway.concepts.match.questions import Questions
from cutaway.concepts.match.search import Candidate, search
from cutaway.concepts.match.share import Share
from cutaway.concepts.match.shown import Shown, shown
from cutaway.concepts.match.subspaces import subspaces
from cutaway.concepts.match.trials import Trials

__all__ = [
    "STATES",
    "VERDICTS",
    "Candidate",
    "Decided",
    "Judged",
    "Match",
    "Questions",
    "Share",
    "Shown",
    "Trials",
    "decided",
    "each_decision",
    "judge",
    "match",
    "search",
    "shown",
    "subspaces",
]
