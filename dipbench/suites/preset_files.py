"""The files of suites and agendas: the presets, which lie in dipbench/suites/presets, and those that a user gives."""

import tomllib
from pathlib import Path
from typing import Any

from dipbench.errors import UserError, unknown
from dipbench.foreign.content import TOO_DEEP, checked
from dipbench.foreign.files import bytes_of

LARGEST = 10**6
"""Bytes of a suite: the largest preset has a hundredth of them."""

_MOST_DOTS = 100
"""Before an equals sign: for a key of many parts tomllib takes time and memory by the square of their number."""

PRESETS = Path(__file__).parent / "presets"


def preset_names() -> list[str]:
    """The names of the presets, folders included: `paper/denoising`."""
    return sorted(path.relative_to(PRESETS).with_suffix("").as_posix() for path in PRESETS.rglob("*.toml"))


def preset_content(wanted: str) -> dict[str, Any]:
    """What stands in the TOML of the preset of that name, or in the file of that path."""
    path = Path(wanted) if wanted.endswith(".toml") else PRESETS / f"{wanted}.toml"
    if not wanted.endswith(".toml") and wanted not in preset_names():
        if Path(f"{wanted}.toml").is_file():
            raise UserError(f"unknown suite '{wanted}': did you mean '{wanted}.toml'?")
        raise unknown("suite", wanted, preset_names())
    try:
        raw = bytes_of(path, LARGEST)
        if _has_long_key(raw):
            raise ValueError(TOO_DEEP)
        return checked(tomllib.loads(raw.decode("utf-8-sig")))
    except OSError as error:
        raise UserError(f"cannot read suite '{path}': {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"suite '{path}' is not TOML: {error}") from error
    except RecursionError as error:
        raise UserError(f"suite '{path}' {TOO_DEEP}") from error
    except ValueError as error:
        raise UserError(f"suite '{path}' {error}") from error


def _has_long_key(raw: bytes) -> bool:
    keys = [key for line in raw.splitlines() for key in line.split(b"=")[: None if line.lstrip()[:1] == b"[" else -1]]
    return any(key.count(b".") > _MOST_DOTS for key in keys)
