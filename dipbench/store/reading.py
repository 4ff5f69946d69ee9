"""The files of a store as records. A store may come from anybody: what these promise is looked at before it is used.

Each function raises OSError, or ValueError with what is wrong, where it does not say otherwise.
"""

from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError

from dipbench.errors import UserError
from dipbench.foreign.content import json_in
from dipbench.foreign.files import is_file_of, is_plain_name
from dipbench.spec import parse
from dipbench.store.records import Plan, Result, WrittenFile
from dipbench.store.shared import Shared
from dipbench.suites.run import key_of

FILES = "files.json"
"""What the pictures of a problem were when they were written."""

_FILES = TypeAdapter(dict[str, WrittenFile])

_LARGEST = 2**63 - 1
"""What a column of the table of results can hold."""


class UnreadableStore(UserError):
    """The disk does not give a file that may well be whole: taking it for lost would have it computed twice."""

    @classmethod
    def of(cls, path: Path, error: Exception, otherwise: str) -> Self:
        """With what to do if it goes on like that."""
        reason = (isinstance(error, OSError) and error.strerror) or error
        return cls(f"cannot read '{path}': {reason}; run the same command again when the disk answers, or {otherwise}")


def plan_in(path: Path) -> Plan:
    """What a command asked for; every run of it names a folder of the store, and every plugin can be read."""
    plan = Plan.model_validate(json_in(path))
    for key, run in plan.runs.items():
        _check_name(key)
        _check_number("seed", run.seed)
    for experiment in plan.experiments:
        _check_written(experiment.task)
        _check_written(experiment.dataset)
    return plan


def plan_or_problem(path: Path) -> Plan | str:
    """The plan in a file, or what is wrong with it."""
    try:
        return plan_in(path)
    except (OSError, ValueError) as error:
        if isinstance(error, ValidationError) and any(problem["type"] == "missing" for problem in error.errors()):
            return "was written by an earlier version of dipbench"
        return f"cannot be read ({reason_of(error)})"


def reason_of(error: Exception) -> str:
    """What is wrong with a file, in one line."""
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return ": ".join(filter(None, [".".join(str(part) for part in problem["loc"]), problem["msg"]]))
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def result_in(folder: Path, store: Path, shared: Shared) -> Result:
    """What came of the run that a folder of the store is named for.

    Its pictures are there, as large as they were written, and none leads out of the store.
    """
    if folder.is_symlink():
        raise ValueError("its folder is a link")
    content = json_in(folder / "result.json")
    result = shared.result(content)
    _check_run(result)
    if (key := key_of(content["run"])) != folder.name:
        raise ValueError(f"it is the result of run {key}")
    pictures = {file for output in result.outputs for file in (output.picture, *output.views.values())}
    for picture in sorted(pictures):
        _check_name(picture)
    missing = {file for file in pictures if not is_file_of(folder / file, store)}
    if missing:
        raise ValueError(f"without {', '.join(sorted(missing))}")
    for picture in sorted(pictures & result.files.keys()):
        if (size := (folder / picture).stat().st_size) != result.files[picture].size:
            raise ValueError(f"its {picture} has {size} bytes, and had {result.files[picture].size}")
    return result


def spoilt_in(folder: Path) -> Path | None:
    """The first file of a problem that is other than its record says; None: none is, or an earlier version wrote it."""
    record = folder / FILES
    try:
        files = _FILES.validate_python(json_in(record)) if record.exists() else {}
    except (OSError, ValueError):
        return record
    return next((folder / name for name, was in sorted(files.items()) if not _is_as_written(folder / name, was)), None)


def _is_as_written(path: Path, was: WrittenFile) -> bool:
    try:
        return WrittenFile.of(path) == was
    except OSError:
        return False


def _check_run(result: Result) -> None:
    run = result.run
    for part, plugin in (("task", run.task), ("method", run.method)):
        if not isinstance(plugin.get("name"), str) or not isinstance(plugin.get("settings"), dict):
            raise ValueError(f"its {part} has no name and settings")
    if result.status == "done" and not result.outputs:
        raise ValueError("it is said to be done, and has no output")
    numbers = {"seed": run.seed, "peak_memory_bytes": result.peak_memory_bytes or 0, "fitted": result.fitted or 0}
    numbers |= {"iteration": max((abs(output.iteration) for output in result.outputs), default=0)}
    for name, number in numbers.items():
        _check_number(name, number)
    times = {"wall_seconds": result.wall_seconds, "seconds": result.seconds or 0}
    times |= {"processor_seconds": result.processor_seconds or 0}
    for name, seconds in times.items():
        if not 0 <= seconds < _LARGEST:
            raise ValueError(f"its {name} are {seconds}")


def _check_number(name: str, number: int) -> None:
    if abs(number) > _LARGEST:
        raise ValueError(f"its {name} is larger than any")


def _check_name(name: str) -> None:
    if not is_plain_name(name):
        raise ValueError(f"'{name[:80]}' names nothing in a folder of the store: it leads out of it")


def _check_written(spec: str) -> None:
    try:
        parse(spec)
    except UserError as error:
        raise ValueError(str(error)) from error
