"""Plugins: found by name, by the path of a file, or by the entry point of an installed package, and built."""

from dipbench.registry.building import build, build_beside, describe, first_problem, setting_names
from dipbench.registry.finding import KINDS, broken_files, find, kinds_of, names
from dipbench.registry.folders import use_folders
from dipbench.registry.given import as_text, is_given

__all__ = [
    "KINDS",
    "as_text",
    "broken_files",
    "build",
    "build_beside",
    "describe",
    "find",
    "first_problem",
    "is_given",
    "kinds_of",
    "names",
    "setting_names",
    "use_folders",
]
