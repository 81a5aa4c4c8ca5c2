"""Any torch module, unmodified: its sites, reading them, editing them, rerunning with many edits at once."""

from cutaway.network.batch import Batch, TextFeed
from cutaway.network.edit import ZERO, Add, Apply, Change, Edit, NeverFired, Put, Receipt, Scale, Variant
from cutaway.network.generate import generate, probabilities
from cutaway.network.gradient import Gradients, gradients
from cutaway.network.layout import Layout, Proof
from cutaway.network.load import OpenError, pretrained, wrap
from cutaway.network.metric import Custom, LogitDifference, Metric, logits_of
from cutaway.network.network import Network, Run
from cutaway.network.site import POINTS, AddressError, Port, Site
from cutaway.network.sweep import Plan, Sweep, sweep

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
    "Layout",
    "LogitDifference",
    "Metric",
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
    "pretrained",
    "probabilities",
    "sweep",
    "wrap",
]
