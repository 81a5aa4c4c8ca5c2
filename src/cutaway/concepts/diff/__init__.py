"""What differs between two networks: decisions that are answered otherwise, and the parts that carry that when transplanted.

behaviour.py how often each network gives an answer · pair.py what two networks have in common ·
compared.py a concept asked of both · counterparts.py which part is which · transplant.py parts of one in the other ·
search.py the fewest that carry a difference · carried.py what a set is worth, and why it is refused ·
locating.py one concept that differs · weights.py how far weights and parts are apart · difference.py the answer · diff.py the verb.
"""

from cutaway.concepts.diff.behaviour import Behaviour
from cutaway.concepts.diff.carried import Carried
from cutaway.concepts.diff.diff import diff
from cutaway.concepts.diff.difference import NAMED, VERDICTS, Difference, Differences

__all__ = ["NAMED", "VERDICTS", "Behaviour", "Carried", "Difference", "Differences", "diff"]
