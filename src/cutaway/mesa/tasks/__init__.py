"""Families of in-context problems, drawn without end from a seed."""

from cutaway.mesa.tasks.kernel import Smooth
from cutaway.mesa.tasks.logistic import Logistic
from cutaway.mesa.tasks.planning import Planning
from cutaway.mesa.tasks.regression import Regression
from cutaway.mesa.tasks.shortest_paths import ShortestPaths
from cutaway.mesa.tasks.task import Task

__all__ = ["Logistic", "Planning", "Regression", "ShortestPaths", "Smooth", "Task"]
