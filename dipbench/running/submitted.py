"""Which runs were handed to SLURM, and what its queue says of them.

    DIR/slurm/JOB.json     the tasks of an array, each with the keys of its runs
    DIR/slurm/JOB_TASK_*   what submitit keeps of a task: its pickle, and what it said, in JOB_TASK_0_log.out and .err

It takes neither submitit nor a job of one's own: what is read here is text.
"""

import re
import subprocess
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dipbench.errors import UserError
from dipbench.foreign.content import json_in
from dipbench.store.store import Store, as_json

Tasks = Mapping[str, Sequence[str]]
"""A task of SLURM, as it calls it, and the keys of its runs."""


def folder_of(store: Store) -> Path:
    """Where all of it lies."""
    return store.path.resolve() / "slurm"


def remember(store: Store, tasks: Tasks) -> None:
    """Writes down what was submitted as one array."""
    array = next(iter(tasks)).partition("_")[0]
    with store.new_file(folder_of(store) / f"{array}.json") as file:
        file.write_text(as_json({"tasks": tasks}), encoding="utf-8")


def remembered(store: Store) -> dict[str, list[str]]:
    """All that was submitted and not tidied away, by whatever command.

    What cannot be read is left out, and what SLURM calls no task: files are removed by these names.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(folder_of(store).glob("[0-9]*.json")):
        with suppress(OSError, ValueError, AttributeError, TypeError, KeyError):
            tasks = json_in(path)["tasks"]
            found |= {task: [str(key) for key in keys] for task, keys in tasks.items() if _TASK.fullmatch(task)}
    return found


_TASK = re.compile(r"\d+(_\d+)?", re.ASCII)


def tidy(store: Store, ending: Collection[str] = ()) -> None:
    """Removes what is kept of arrays of which nothing is in the queue and every run is in the store.

    For tasks that are `ending` it waits, but not for long.
    """
    end = time.monotonic() + _SECONDS_TO_END
    while (in_queue := queue()) and not in_queue.keys().isdisjoint(ending) and time.monotonic() < end:
        time.sleep(1)
    if in_queue is None:
        return
    arrays = {task.partition("_")[0] for task in in_queue}
    of_array: dict[str, list[str]] = {}
    for task, keys in remembered(store).items():
        of_array.setdefault(task.partition("_")[0], []).extend(keys)
    for array, keys in of_array.items():
        if array not in arrays and all(store.status(key) in ("done", "refused") for key in keys):
            for file in [*folder_of(store).glob(f"{array}_*"), folder_of(store) / f"{array}.json"]:
                file.unlink(missing_ok=True)
    for link in (link for link in folder_of(store).glob(".submission_file_*") if not link.exists()):
        link.unlink(missing_ok=True)  # to what is removed


_SECONDS_TO_END = 10.0


def queue() -> dict[str, str] | None:
    """What this user has in the queue: a task and its state, such as PENDING. None: the controller does not answer."""
    try:
        said = _slurm("squeue", "--me", "--noheader", "--array", "--format=%i %T")
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(line.split() for line in said.splitlines())


def cancel(tasks: Iterable[str]) -> None:
    """Ends tasks, each after a last checkpoint. UserError where SLURM does not take the order."""
    wanted = list(tasks)
    try:
        for start in range(0, len(wanted), _AT_ONCE):
            _slurm("scancel", *wanted[start : start + _AT_ONCE])
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "stderr", "") or str(error)
        raise UserError(f"the tasks go on, as scancel failed ({reason.strip()}): scancel {wanted[0]} ...") from error


_AT_ONCE = 1000  # names on a command line


def _slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def last_words(store: Store, task: str) -> str:
    """Why a task ended, as its log of errors ends; empty: there is none, or nothing in it."""
    try:
        said = (folder_of(store) / f"{task}_0_log.err").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in said.splitlines() if line.strip()][-_LINES:]
    causes = [line for line in lines if line.startswith(("srun", "slurmstepd")) and "error:" in line]
    return (causes or lines[::-1] or [""])[0]


_LINES = 5  # of a log, in which a cause stands that SLURM tells before it tells what came of it
