"""Gates: networks written by hand in which it is known, decision by decision, what was used, overruled, or idle.

circuits.py the circuits and the table of what is known · network.py their weights · decisions.py what is asked of them.
"""

from cutaway.organisms.gates.circuits import Circuit, known
from cutaway.organisms.gates.decisions import Known, Setting, answer, decisions, namings
from cutaway.organisms.gates.network import GateNetwork, gate_network, opened

__all__ = [
    "Circuit",
    "GateNetwork",
    "Known",
    "Setting",
    "answer",
    "decisions",
    "gate_network",
    "known",
    "namings",
    "opened",
]
