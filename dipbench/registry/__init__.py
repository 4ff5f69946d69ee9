"""Plugins: found by name, by the path of a file, or by the entry point of an installed package, and built.

What finds and builds them is imported when it is asked for: it takes torch, and `dipbench list` does not.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dipbench.registry.building import build as build
    from dipbench.registry.building import build_beside as build_beside
    from dipbench.registry.building import build_known as build_known
    from dipbench.registry.building import build_of as build_of
    from dipbench.registry.building import describe as describe
    from dipbench.registry.building import first_problem as first_problem
    from dipbench.registry.building import setting_names as setting_names
    from dipbench.registry.finding import broken_files as broken_files
    from dipbench.registry.finding import find as find
    from dipbench.registry.finding import kinds_of as kinds_of
    from dipbench.registry.finding import meant as meant
    from dipbench.registry.finding import names as names
    from dipbench.registry.folders import use_folders as use_folders
    from dipbench.registry.given import as_text as as_text
    from dipbench.registry.given import is_given as is_given
    from dipbench.registry.kinds import KINDS as KINDS

_MODULES = {
    "building": ("build", "build_beside", "build_known", "build_of", "describe", "first_problem", "setting_names"),
    "finding": ("broken_files", "find", "kinds_of", "meant", "names"),
    "folders": ("use_folders",),
    "given": ("as_text", "is_given"),
    "kinds": ("KINDS",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"dipbench.registry.{module}"), name)
    raise AttributeError(f"module 'dipbench.registry' has no attribute '{name}'")
