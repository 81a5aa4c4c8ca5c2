"""Telltale signs of an optimizer inside a network: one pure function a file."""

from cutaway.mesa.signs.adapting import ADAPTING
from cutaway.mesa.signs.beyond import BEYOND
from cutaway.mesa.signs.commuting import COMMUTING
from cutaway.mesa.signs.composition import COMPOSITION
from cutaway.mesa.signs.curvature import CURVATURE
from cutaway.mesa.signs.decodable import DECODABLE
from cutaway.mesa.signs.degree import DEGREE
from cutaway.mesa.signs.descent import DESCENT
from cutaway.mesa.signs.drop import DROP
from cutaway.mesa.signs.familiarity import FAMILIARITY
from cutaway.mesa.signs.improving import IMPROVING
from cutaway.mesa.signs.interpolation import INTERPOLATION
from cutaway.mesa.signs.leap import LEAP
from cutaway.mesa.signs.loop import LOOP
from cutaway.mesa.signs.margin import MARGIN
from cutaway.mesa.signs.restart import RESTART
from cutaway.mesa.signs.retarget import RETARGET
from cutaway.mesa.signs.retention import RETENTION
from cutaway.mesa.signs.shape import SHAPE
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.signs.spectral import SPECTRAL
from cutaway.mesa.signs.splice import SPLICE
from cutaway.mesa.signs.stateful import STATEFUL
from cutaway.mesa.signs.steps import STEPS
from cutaway.mesa.signs.symmetry import SYMMETRY

SIGNS = (
    ADAPTING,
    FAMILIARITY,
    IMPROVING,
    DESCENT,
    MARGIN,
    SPECTRAL,
    DEGREE,
    COMPOSITION,
    LEAP,
    BEYOND,
    CURVATURE,
    RETARGET,
    RETENTION,
    STATEFUL,
    RESTART,
    SYMMETRY,
    COMMUTING,
    SHAPE,
    STEPS,
    DECODABLE,
    LOOP,
    DROP,
    INTERPOLATION,
    SPLICE,
)

__all__ = ["SIGNS", "Reading", "Sign"]
