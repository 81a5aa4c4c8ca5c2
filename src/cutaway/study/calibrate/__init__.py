"""The promise against the measured error: what `match` says of networks whose answer is known.

populations.py training runs and the networks that come of them · asking.py what is asked of a network · strata.py which
answer is counted, and what is promised · runs.py one training run as a row · calibration.py promised beside measured.
"""

from cutaway.study.calibrate.calibration import Calibration, Line, calibrate, chosen_of
from cutaway.study.calibrate.runs import Run, cpu_hours, one_run, runs_of
from cutaway.study.calibrate.strata import STRATA, Stratum

__all__ = [
    "STRATA",
    "Calibration",
    "Line",
    "Run",
    "Stratum",
    "calibrate",
    "chosen_of",
    "cpu_hours",
    "one_run",
    "runs_of",
]
