"""One decision, step by step: what it used, how sure that is, and the rerun without it."""

from cutaway.decisions.decision import Decision, DecisionError, Posed
from cutaway.decisions.effects import Effect, effects
from cutaway.decisions.estimate import Estimate, benjamini_hochberg, estimate
from cutaway.decisions.selective import Selectivity, selectivity
from cutaway.decisions.trace import Check, Trace
from cutaway.decisions.tracing import trace
from cutaway.decisions.without import Rerun, without

__all__ = [
    "Check",
    "Decision",
    "DecisionError",
    "Effect",
    "Estimate",
    "Posed",
    "Rerun",
    "Selectivity",
    "Trace",
    "benjamini_hochberg",
    "effects",
    "estimate",
    "selectivity",
    "trace",
    "without",
]
