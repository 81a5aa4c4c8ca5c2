"""A study of how the cost of understanding grows: networks of several sizes, trained, taken apart, and what that took."""

from cutaway.study.growth.growth import Grown, StudyError, grow, lines
from cutaway.study.growth.search import Explained, Explainer, NothingToExplainError, Search
from cutaway.study.growth.setting import DEFAULT, Setting, Size

__all__ = [
    "DEFAULT",
    "Explained",
    "Explainer",
    "Grown",
    "NothingToExplainError",
    "Search",
    "Setting",
    "Size",
    "StudyError",
    "grow",
    "lines",
]
