"""Results on disk. A run that is in the store is never computed twice.

A store is a folder of its own: nothing in it that dipbench did not write is changed or removed.

    DIR/store.json          the version of this layout
    DIR/plan.json           the suite that was asked for last, and which runs it is made of
    DIR/index.parquet       one row a result, for other programs; made anew from the runs
    DIR/runs/KEY/           run.json, result.json, trace.parquet, and a PNG an output and a view of it
    DIR/problems/KEY/       truth.png, degraded.png and guide.png, as far as there are, shared by all methods on it
    DIR/set_aside/          what could not be read

A folder is written under another name and renamed when it is whole.
"""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
from pydantic import ValidationError

from dipbench.errors import UserError
from dipbench.store.records import Holdings, Plan, Result, Status
from dipbench.text import plain_numbers
from dipbench.version import __version__

FORMAT = 3
"""1: a run was named by the settings that were given, and by no version. 2: outputs were `last`, `averaged`, `peak`."""


SNAPSHOTS = "snapshots"
"""The folder of a run with pictures of its output on its way, called by the iteration."""


class Store:
    """A folder of results. Opening it makes it.

    UserError where that fails, where another version made it, or where the folder holds something else.
    """

    def __init__(self, path: Path):
        self.path = path
        self.warnings: list[str] = []
        self._check_format()
        with self.writing():
            (path / "runs").mkdir(exist_ok=True)
            (path / "problems").mkdir(exist_ok=True)
        for left in (path / "runs").glob(".writing-*"):
            if not _is_running(int(left.name.rpartition("-")[2])):
                shutil.rmtree(left, ignore_errors=True)

    @classmethod
    def existing(cls, path: Path) -> "Store":
        """The store in a folder that must be one."""
        if not (path / "store.json").is_file():
            raise UserError(f"'{path}' is not a results folder: it takes one that 'dipbench run' wrote")
        return cls(path)

    def _check_format(self) -> None:
        mark = self.path / "store.json"
        if not mark.exists():
            with self.writing():
                self.path.mkdir(parents=True, exist_ok=True)
                self._refuse_what_is_not_a_store()
                write_json(mark, {"format": FORMAT, "dipbench": __version__})
            return
        try:
            made = json.loads(mark.read_text(encoding="utf-8"))
            found, by = made["format"], made["dipbench"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"'{mark}' cannot be read ({error}): write it again as {{\"format\": {FORMAT}, "
                f'"dipbench": "{__version__}"}} if this version made the store'
            ) from error
        if found != FORMAT:
            raise UserError(
                f"'{self.path}' was made by dipbench {by} with store format {found}; this is dipbench "
                f"{__version__} with format {FORMAT}, whose runs or outputs have other names: it stays as it is; "
                "take another folder for the results"
            )

    def _refuse_what_is_not_a_store(self) -> None:
        held = sorted(path.name for path in self.path.iterdir() if not path.name.startswith(".store.json-"))
        if held:
            raise UserError(
                f"'{self.path}' is not a results folder and not empty (it holds '{held[0]}'"
                f"{f' and {len(held) - 1} more' if len(held) > 1 else ''}): take a new folder for the results"
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turns what goes wrong on writing into an error that says what to do."""
        try:
            yield
        except (OSError, pyarrow.ArrowException) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise UnwritableStore(
                f"cannot write to '{self.path}': {reason}; {'free some space or ' if full else ''}take another folder "
                "for the results (finished runs are kept)"
            ) from error

    def status(self, key: str) -> Status | None:
        """How a run ended; None if it is not there. What cannot be read is set aside first."""
        result = self.result(key)
        if result is None:
            return None
        if result.status == "done" and self.trace(key) is None:
            return None
        return result.status

    def result(self, key: str) -> Result | None:
        """What came out of a run."""
        folder = self.path / "runs" / key
        if not folder.exists():
            return None
        try:
            result = Result.model_validate(json.loads((folder / "result.json").read_text(encoding="utf-8")))
            pictures = {file for output in result.outputs for file in (output.picture, *output.views.values())}
            missing = {file for file in pictures if not (folder / file).is_file()}
            if missing:
                raise ValueError(f"without {', '.join(sorted(missing))}")
        except (OSError, ValueError) as error:
            self._set_aside(folder, "result.json", error)
            return None
        return result

    def replace_result(self, result: Result) -> None:
        """Writes the result of a run anew, where there is more to say of what it has."""
        with self.writing():
            write_json(self.path / "runs" / result.run.key / "result.json", result.content())

    def trace(self, key: str) -> pd.DataFrame | None:
        """The trace of a run: one row an iteration, one column a signal."""
        folder = self.path / "runs" / key
        try:
            return pd.read_parquet(folder / "trace.parquet")
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            self._set_aside(folder, "trace.parquet", error)
            return None

    def _set_aside(self, folder: Path, file: str, error: Exception) -> None:
        place = self.path / "set_aside" / f"{folder.name}-{uuid.uuid4().hex[:6]}"
        with self.writing():
            place.parent.mkdir(exist_ok=True)
            folder.rename(place)
        self.warnings.append(
            f"'{folder / file}' cannot be read ({_reason(error)}): set aside in '{place}', to be computed anew"
        )

    @contextmanager
    def new_folder(self, kind: str, key: str) -> Iterator[Path]:
        """A folder to write to, which becomes `kind`/`key` when the block ends well, in place of one already there.

        Where another process has put one there meanwhile, that one stays: it holds the same.
        """
        temporary = self.path / kind / f".writing-{key}-{os.getpid()}"
        final = self.path / kind / key
        before = _identity(final)
        with self.writing():
            try:
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir()
                yield temporary
                if before and before == _identity(final):
                    _remove(final)
                _rename_unless_there(temporary, final)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def has_problem(self, key: str) -> bool:
        """Whether the pictures of a problem are there."""
        return (self.path / "problems" / key).is_dir()

    def write_plan(self, plan: Plan) -> None:
        """Keeps what was asked for, so that a report can be made from the store alone."""
        with self.writing():
            write_json(self.path / "plan.json", plan.model_dump())

    def plan(self) -> Plan:
        """What was asked for last. UserError where it cannot be read, or an earlier version wrote it."""
        path = self.path / "plan.json"
        try:
            return Plan.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            wrong = f"cannot be read ({_reason(error)})"
            if isinstance(error, ValidationError) and any(problem["type"] == "missing" for problem in error.errors()):
                wrong = "was written by an earlier version of dipbench"
            raise UserError(
                f"'{path}' {wrong}: run the suite again; what is in the store is not computed again"
            ) from error

    def holdings(self) -> Holdings:
        """What was asked for last, and what came of it: every file is read once. UserError as for `plan`."""
        plan = self.plan()
        found = {key: self.result(key) for key in plan.runs}
        return Holdings(plan, {key: result for key, result in found.items() if result is not None})

    def write_index(self, frame: pd.DataFrame) -> None:
        """Writes the table of all results for other programs."""
        with self.writing():
            temporary = self.path / f".index-{os.getpid()}.parquet"
            frame.to_parquet(temporary)
            temporary.rename(self.path / "index.parquet")


class UnwritableStore(UserError):
    """The store cannot be written to: going on would lose what is computed."""


def write_json(path: Path, content: Any) -> None:
    """Writes JSON under another name first, so that a file is whole or not there."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.write_text(
        json.dumps(plain_numbers(content), indent=1, allow_nan=False, default=str) + "\n", encoding="utf-8"
    )
    temporary.rename(path)


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from one that takes its place; None where there is none."""
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_ctime_ns


def _remove(folder: Path) -> None:
    """Removes a folder in two steps, so that half of it is never there under its name."""
    doomed = folder.with_name(f".writing-removed-{uuid.uuid4().hex[:8]}-{os.getpid()}")
    with suppress(FileNotFoundError):  # another process was quicker
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _rename_unless_there(folder: Path, final: Path) -> None:
    try:
        folder.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _reason(error: Exception) -> str:
    """What is wrong with a file, in one line."""
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return ": ".join(filter(None, [".".join(str(part) for part in problem["loc"]), problem["msg"]]))
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
