"""Folders whose files are plugins beside dipbench's own, each under the name of its file."""

import os
from collections.abc import Sequence
from pathlib import Path

from dipbench.errors import UserError

VARIABLE = "DIPBENCH_PLUGINS"
"""The variable of the environment that names them, as PATH does: processes that are started from here have it too."""


def use_folders(folders: Sequence[Path] | None) -> None:
    """Takes these folders, here and in the processes started from here; None changes nothing.

    UserError for what is no folder.
    """
    if folders is None:
        return
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"plugins '{folder}' is not a folder: it takes one whose files are plugins, one a file")
    os.environ[VARIABLE] = os.pathsep.join(str(folder.resolve()) for folder in folders)


def plugin_folders() -> list[Path]:
    """Those that are in use."""
    return [Path(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]


def plugin_files() -> list[Path]:
    """Every Python file in them but those whose name begins with an underscore."""
    return [file for each in plugin_folders() for file in sorted(each.glob("*.py")) if not file.name.startswith("_")]
