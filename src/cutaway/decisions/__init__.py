"""One decision, step by step: what it used, how sure that is, and the rerun without it."""

from cutaway.decisions.circuit.checks import Joint
from cutaway.decisions.circuit.circuit import Circuit
from cutaway.decisions.claims import Claim, ClaimError, claims_of, verify
from cutaway.decisions.decision import Decision, DecisionError, Posed
from cutaway.decisions.effects import Effect, effects
from cutaway.decisions.estimate import Estimate, benjamini_hochberg, estimate
from cutaway.decisions.selective import Selectivity, selectivity
from cutaway.decisions.trace import Check, Trace
from cutaway.decisions.tracing import trace
from cutaway.decisions.without import Rerun, without

__all__ = [
    "Check",
    "Circuit",
    "Claim",
    "ClaimError",
    "Decision",
    "DecisionError",
    "Effect",
    "Estimate",
    "Joint",
    "Posed",
    "Rerun",
    "Selectivity",
    "Trace",
    "benjamini_hochberg",
    "claims_of",
    "effects",
    "estimate",
    "selectivity",
    "trace",
    "verify",
    "without",
]
