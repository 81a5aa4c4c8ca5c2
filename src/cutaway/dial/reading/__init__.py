"""Reading a circuit: as a table, as a wiring picture, and as a rule text that is run against the network.

- `table(circuit, network, windows, examples, texts)`: what nodes respond to and write, what edges carry
- `picture(circuit, network, table)`: one page of HTML with the wiring as SVG
- `rule_text(circuit, network, task, texts)`: a `RuleText`, `decide`s from the text alone; `words(rule)` are its lines
- `score(rule, network, task, fresh)`: agreement with the network and errors foretold, beside the true program, an n-gram and a
  distilled rule of equal bits
- `folding.folded(rule)`: without lines that always say the same; `shifts.erring(network, task)`: prompts on which it errs
- `asked`: `surer(network, times)` and `AsAnswered(task, network)`, to search a circuit for what the network answers
"""

from cutaway.dial.reading.picture import picture
from cutaway.dial.reading.rule import Fit, rule_text
from cutaway.dial.reading.rule_text import RuleText
from cutaway.dial.reading.score import ScoreCard, collected, score
from cutaway.dial.reading.table import Table, table
from cutaway.dial.reading.wording import words

__all__ = ["Fit", "RuleText", "ScoreCard", "Table", "collected", "picture", "rule_text", "score", "table", "words"]
