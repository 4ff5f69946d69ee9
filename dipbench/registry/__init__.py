"""Plugins: found by name, by the path of a file, or by the entry point of an installed package, and built."""

from dipbench.registry.building import build, build_beside, describe, first_problem, setting_names
from dipbench.registry.finding import KINDS, find, kinds_of, names

__all__ = ["KINDS", "build", "build_beside", "describe", "find", "first_problem", "kinds_of", "names", "setting_names"]
