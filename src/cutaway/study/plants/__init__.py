"""How much of what `match` says can be believed in one's own network: known sub-models are planted there, and asked for.

plants.py one plant, asked for blind, as a row · curve.py recall against strength, false claims, the smallest effect, and what
they predict · calibrate_on.py the verb.
"""

from cutaway.study.plants.calibrate_on import calibrate_on, cpu_minutes
from cutaway.study.plants.curve import Point, Sensitivity
from cutaway.study.plants.plants import STRENGTHS, Plant, one_plant, plants_of

__all__ = ["STRENGTHS", "Plant", "Point", "Sensitivity", "calibrate_on", "cpu_minutes", "one_plant", "plants_of"]
