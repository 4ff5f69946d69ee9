"""Whether a store that something happened to is what it would have been otherwise."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


def alike(folder: Path, other: Path) -> bool:
    """Whether two runs have the same trace to the last bit, and the same pictures."""
    if _files(folder) != _files(other):
        return False
    pictures = all(path.read_bytes() == (other / path.name).read_bytes() for path in folder.glob("*.png"))
    if not (other / "trace.parquet").exists():
        return pictures
    return pictures and pd.read_parquet(folder / "trace.parquet").equals(pd.read_parquet(other / "trace.parquet"))


def _files(folder: Path) -> set[str]:
    """Those that something reads: `run.json` says again what `result.json` says."""
    return {path.name for path in folder.iterdir()} - {"run.json"}


def half_written(store: Path) -> list[str]:
    """What a store has of runs, problems and checkpoints that is not whole, and bears the name of that."""
    return sorted(
        str(path) for kind in ("runs", "problems", "checkpoints") for path in store.glob(f"{kind}/**/.writing-*")
    )


@dataclass(frozen=True)
class Verdict:
    """How many runs of a store are not as they should be."""

    lost: int  # not there at the end
    twice: int  # computed again though they were whole
    other: int  # of another trace, picture or score than undisturbed, or half-written under the name of what is whole


class Judge:
    """Compares with the store of a command that nothing happened to."""

    def __init__(self, whole: Path):
        self._whole = whole
        self._keys = sorted(path.name for path in (whole / "runs").iterdir())

    def ended(self, store: Path) -> dict[str, tuple[int, bytes]]:
        """The runs that are in a store as they should be, and what tells each from one that takes its place."""
        folders = {key: store / "runs" / key for key in self._keys}
        return {
            key: (folder.stat().st_ino, (folder / "result.json").read_bytes())
            for key, folder in folders.items()
            if folder.is_dir() and self._is_right(key, folder)
        }

    def verdict(self, store: Path, before: dict[str, tuple[int, bytes]]) -> Verdict:
        """Of a store at the end; `before` is what `ended` said after the fault."""
        after = self.ended(store)
        there = {path.name for path in (store / "runs").glob("[!.]*")}
        lost = len(set(self._keys) - there)
        twice = sum(after.get(key) != ended for key, ended in before.items())
        return Verdict(lost, twice, len(there) - len(after))

    def _is_right(self, key: str, folder: Path) -> bool:
        other = self._whole / "runs" / key
        try:
            said, expected = (json.loads((each / "result.json").read_text()) for each in (folder, other))
            same = all(said[what] == expected[what] for what in ("status", "run", "outputs", "parameters"))
            return same and alike(folder, other)
        except (OSError, ValueError):  # of what is spoilt
            return False
