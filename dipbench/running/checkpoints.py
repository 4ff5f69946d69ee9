"""The state of a fit that is not at its end, on disk.

    DIR/checkpoints/KEY/ITERATION.pt

A file is written under another name, made to reach the disk, and renamed; the last two are kept, so that one which
cannot be read costs little.
"""

import shutil
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from dipbench.disk.faults import is_of_the_disk
from dipbench.disk.whole import written

_KEPT = 2

_RUN = "run"  # where a state says of which run it is


class Checkpoints:
    """Those of one run, by a writer of that mark: see `dipbench.disk.whole`."""

    def __init__(self, folder: Path, mark: str = ""):
        self._folder, self._mark = folder, mark

    def save(self, state: dict[str, Any], iteration: int) -> None:
        """Writes what `load` gives back. OSError where that fails."""
        content = BytesIO()  # of what a disk answers to torch, that makes an error of its own
        torch.save({_RUN: self._folder.name, **state}, content)
        self._folder.mkdir(parents=True, exist_ok=True)
        with written(self._folder / f"{iteration:08d}.pt", self._mark) as temporary:
            temporary.write_bytes(content.getbuffer())
        for old in self._files()[_KEPT:]:
            old.unlink(missing_ok=True)

    def load(self) -> tuple[dict[str, Any] | None, list[str]]:
        """The last state that can be read, on the host, and a line for each file that cannot; None: there is none.

        OSError where the disk does not give what may well be whole: see `is_of_the_disk`.
        """
        unreadable: list[str] = []
        for file in self._files():
            try:
                return _read(file), unreadable
            except Exception as error:  # whatever PyTorch makes of damage
                if is_of_the_disk(error):
                    raise
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                unreadable.append(f"checkpoint '{file}' cannot be read ({reason}): the one before it is taken")
        return None, unreadable

    def clear(self) -> None:
        """Removes them all: the run is at its end."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        """The last first."""
        return sorted(self._folder.glob("*.pt"), reverse=True)


def last_iteration(store: Path, key: str) -> int:
    """The iteration of the last checkpoint of a run; 0: there is none."""
    names = (file.stem for file in (store / "checkpoints" / key).glob("[0-9]*.pt"))
    return max((int(name) for name in names if name.isdigit()), default=0)


def _read(file: Path) -> dict[str, Any]:
    """What `save` wrote: tensors, numbers, text and containers, for nothing else is unpickled.

    ValueError for what `save` does not write, such as parts that are compressed and may be a thousand times as large.
    """
    if not file.is_file():
        raise ValueError("it is no file")
    content = BytesIO(file.read_bytes())
    with zipfile.ZipFile(content) as parts:
        if any(part.file_size != part.compress_size for part in parts.infolist()):
            raise ValueError("its parts are compressed")
    content.seek(0)
    state = torch.load(content, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, which is no state of a fit")
    if (run := state.pop(_RUN, file.parent.name)) != file.parent.name:  # earlier versions did not say
        raise ValueError(f"it is of run {str(run)[:80]}")
    return state
