"""Any torch module, unmodified: its sites, reading them, editing them, rerunning with many edits at once."""

from cutaway.network.batch import Batch, TextFeed
from cutaway.network.edit import ZERO, Add, Apply, Change, Edit, Natural, NeverFired, Put, Receipt, Scale, Variant
from cutaway.network.generate import generate, probabilities
from cutaway.network.given import InputError
from cutaway.network.gradient import Gradients, gradients
from cutaway.network.layout import Layout, Proof
from cutaway.network.load import OpenError, pretrained, wrap
from cutaway.network.metric import Custom, LogitDifference, Metric, logits_of
from cutaway.network.network import Network, Run
from cutaway.network.plan import Plan
from cutaway.network.site import POINTS, AddressError, Port, Site
from cutaway.network.sweep import Sweep, plan, sweep

__all__ = [
    "POINTS",
    "ZERO",
    "Add",
    "AddressError",
    "Apply",
    "Batch",
    "Change",
    "Custom",
    "Edit",
    "Gradients",
    "InputError",
    "Layout",
    "LogitDifference",
    "Metric",
    "Natural",
    "Network",
    "NeverFired",
    "OpenError",
    "Plan",
    "Port",
    "Proof",
    "Put",
    "Receipt",
    "Run",
    "Scale",
    "Site",
    "Sweep",
    "TextFeed",
    "Variant",
    "generate",
    "gradients",
    "logits_of",
    "plan",
    "pretrained",
    "probabilities",
    "sweep",
    "wrap",
]
