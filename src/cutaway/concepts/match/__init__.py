"""Which sub-model does what a concept's decisions show, judged by reruns: needed, enough, sparing, minimal, in which role.

trials.py reruns with a partner's values · questions.py what is asked · search.py sets of parts that carry a behaviour ·
judge.py what is refused the name, and why · match.py one verdict for a network · each.py one for every decision.
"""

from cutaway.concepts.match.each import STATES, each_decision
from cutaway.concepts.match.judge import Judged, Share, judge
from cutaway.concepts.match.match import VERDICTS, Match, match
from cutaway.concepts.match.questions import Questions
from cutaway.concepts.match.search import Candidate, search
from cutaway.concepts.match.trials import Trials

__all__ = [
    "STATES",
    "VERDICTS",
    "Candidate",
    "Judged",
    "Match",
    "Questions",
    "Share",
    "Trials",
    "each_decision",
    "judge",
    "match",
    "search",
]
