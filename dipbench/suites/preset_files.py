"""The files of suites and agendas: the presets, which lie in dipbench/suites/presets, and those that a user gives."""

import tomllib
from pathlib import Path
from typing import Any

from dipbench.errors import UserError, unknown

PRESETS = Path(__file__).parent / "presets"


def preset_names() -> list[str]:
    """The names of the presets, folders included: `paper/denoising`."""
    return sorted(path.relative_to(PRESETS).with_suffix("").as_posix() for path in PRESETS.rglob("*.toml"))


def preset_content(wanted: str) -> dict[str, Any]:
    """What stands in the TOML of the preset of that name, or in the file of that path."""
    path = Path(wanted) if wanted.endswith(".toml") else PRESETS / f"{wanted}.toml"
    if not wanted.endswith(".toml") and wanted not in preset_names():
        raise unknown("suite", wanted, preset_names())
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"cannot read suite '{path}': {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"suite '{path}' is not TOML: {error}") from error
