"""Results on disk. A run that is in the store is never computed twice.

A store is a folder of its own: nothing in it that dipbench did not write is changed or removed.

    DIR/store.json          the version of this layout
    DIR/plans/TIME-ID.json  what a command asked for, the last one last; `plan.json` where an earlier version wrote it
    DIR/index.parquet       one row a result, of every run, for other programs; made anew from the runs
    DIR/runs/KEY/           run.json, result.json, trace.parquet, and a PNG an output and a view of it
    DIR/problems/KEY/       truth.png, degraded.png and guide.png, as far as there are, shared by all methods on it,
                            and files.json with what they were when they were written
    DIR/leases/KEY-N.json   which process computes a run, while it does: see `store.leases`
    DIR/checkpoints/KEY/    the state of a fit that is not at its end
    DIR/set_aside/          what could not be read

Any number of processes, of several machines too, may write and read at once. A file or a folder is written under
another name, made to reach the disk and renamed when it is whole: see `disk.whole`. Every command writes a plan of its
own, and a run is computed by the one that holds its lease.
"""

import errno
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow

from dipbench.disk.faults import is_of_the_disk
from dipbench.disk.whole import identity, is_half_written, replaced, written
from dipbench.errors import UserError
from dipbench.foreign.content import json_in
from dipbench.foreign.files import is_file_of, link_out_of
from dipbench.store.absent import check_is_store
from dipbench.store.leases import FOLDER, Leases
from dipbench.store.plans import merged, time_after, without_need
from dipbench.store.reading import UnreadableStore, plan_or_problem, reason_of, result_in, spoilt_in
from dipbench.store.records import Holdings, Plan, Result, Status
from dipbench.store.shared import Shared
from dipbench.store.tables import FILE as TRACE
from dipbench.store.traces import Traces
from dipbench.store.writers import writer
from dipbench.text import plain_numbers
from dipbench.version import __version__

FORMAT = 3
"""1: a run was named by the settings that were given, and by no version. 2: outputs were `last`, `averaged`, `peak`."""

PLANS = "plans"
"""The folder of the plans."""

SNAPSHOTS = "snapshots"
"""The folder of a run with pictures of its output on its way, called by the iteration."""


class Store:
    """A folder of results. Opening it makes it.

    UserError where that fails, where another version made it, or where the folder holds something else.
    """

    def __init__(self, path: Path):
        self.path = path
        self.leases = Leases(path / FOLDER)
        self.warnings: list[str] = []
        self.traces, self._shared = Traces(path / "runs", self.set_aside), Shared()
        self._read: dict[str, tuple[Any, Result]] = {}  # each with what told its folder and its file then
        self._check_format()
        self._refuse_what_leads_out()
        with self.writing():
            (path / "runs").mkdir(exist_ok=True)
            (path / "problems").mkdir(exist_ok=True)

    @classmethod
    def existing(cls, path: Path) -> "Store":
        """The store in a folder that must be one."""
        check_is_store(path)
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
            made = json_in(mark)
            found, by = made["format"], made["dipbench"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            content = f'{{"format": {FORMAT}, "dipbench": "{__version__}"}}'
            mend = f"write it again as {content} if this version made the store"
            if is_of_the_disk(error):
                raise UnreadableStore.of(mark, error, mend) from error
            raise UserError(f"'{mark}' cannot be read ({error}): {mend}") from error
        if found != FORMAT:
            raise UserError(
                f"'{self.path}' was made by dipbench {by} with store format {found}; this is dipbench "
                f"{__version__} with format {FORMAT}, whose runs or outputs have other names: it stays as it is; "
                "take another folder for the results"
            )

    def _refuse_what_leads_out(self) -> None:
        """A store may come from anybody, and what a link of it leads to may be somebody else's."""
        if link := link_out_of(self.path):
            raise UserError(
                f"'{link}' is a link out of the folder of results: put what it leads to in its place, or link the whole"
            )

    def _refuse_what_is_not_a_store(self) -> None:
        held = sorted(path.name for path in self.path.iterdir() if not _is_half_a_mark(path.name))
        if held and not (self.path / "store.json").exists():  # which another process may have written just now
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
        if result is None or (result.status == "done" and not self.has_trace_of(key, result)):
            return None
        return result.status

    def has_trace_of(self, key: str, result: Result) -> bool:
        """Whether the trace of a run is there and whole. One that is not is set aside with its run."""
        return self.traces.is_whole(key, result.files.get(TRACE))

    def result(self, key: str) -> Result | None:
        """What came out of a run. It is read once, unless its folder or its `result.json` is another by now."""
        folder = self.path / "runs" / key
        before = identity(folder)
        if before is None:
            return None
        try:
            now = before, identity(folder / "result.json")
            if key not in self._read or self._read[key][0] != now:
                self._read[key] = now, result_in(folder, self.path, self._shared)
            return self._read[key][1]
        except (OSError, ValueError) as error:
            if identity(folder) != before:  # another process has put a new one in its place
                return self.result(key)
            self.set_aside(folder, "result.json", error)
            return None

    def replace_result(self, result: Result) -> None:
        """Writes the result of a run anew, where there is more to say of what it has."""
        with self.new_file(self.path / "runs" / result.run.key / "result.json") as temporary:
            temporary.write_text(as_json(result.content()), encoding="utf-8")

    def trace(self, key: str) -> pd.DataFrame | None:
        """The trace of a run: one row an iteration, one column a signal."""
        return self.traces.read(key)

    def set_aside(self, folder: Path, file: str, error: Exception) -> None:
        """Moves a run away that has a file which is damaged, and warns of it. UnreadableStore for fault of the disk."""
        if is_of_the_disk(error):
            otherwise = f"remove '{folder}' to have its run computed anew"
            raise UnreadableStore.of(folder / file, error, otherwise) from error
        place = self.path / "set_aside" / f"{folder.name}-{uuid.uuid4().hex[:6]}"
        try:
            place.parent.mkdir(exist_ok=True)
            folder.rename(place)
            said = f"set aside in '{place}', to be computed anew"
        except OSError:  # the store cannot be written to: it is read as if this were not there
            said = "left out"
        self.warnings.append(f"'{folder / file}' cannot be read ({reason_of(error)}): {said}")

    @contextmanager
    def new_folder(self, kind: str, key: str, mark: str = "", *, whatever: bool = False) -> Iterator[Path]:
        """A folder to write to, which becomes `kind`/`key` when the block ends well, in place of one already there.

        CameSecond where another process has put one there meanwhile, unless it may be `whatever`: see `replaced`.
        """
        final = self.path / kind / key
        marked = nullcontext(mark) if mark else writer(final, self.path)
        with self.writing(), marked as own, replaced(final, own, whatever=whatever) as folder:
            yield folder

    @contextmanager
    def new_file(self, path: Path) -> Iterator[Path]:
        """A file to write to, which takes the place of `path` in the store when the block ends well."""
        with self.writing(), writer(path, self.path) as mark, written(path, mark) as temporary:
            yield temporary

    def has_problem(self, key: str) -> bool:
        """Whether the pictures of a problem are there, and none of them leads elsewhere or is another than was written.

        The latter is warned of.
        """
        folder = self.path / "problems" / key
        if not folder.is_dir() or not all(is_file_of(file, self.path) for file in folder.iterdir()):
            return False
        if spoilt := spoilt_in(folder):
            words = f"'{spoilt}' is not what was written: it is left out; remove one of its runs and run it again"
            self.warnings += [words] if words not in self.warnings else []
        return not spoilt

    def write_plan(self, plan: Plan) -> None:
        """Keeps what was asked for beside what was asked for before.

        A plan goes when another asks for all that is in it.
        """
        with self.writing():
            (self.path / PLANS).mkdir(exist_ok=True)
            name = time_after(path.name for path in self._plan_files())
            with self.new_file(self.path / PLANS / f"{name}-{uuid.uuid4().hex[:6]}.json") as temporary:
                temporary.write_text(as_json(plan.model_dump()), encoding="utf-8")
            there = {path: found for path, found in self._plans().items() if isinstance(found, Plan)}
            for path in without_need(there):
                path.unlink(missing_ok=True)  # another process may have been quicker

    def plans(self) -> list[Plan]:
        """What was asked for, by a command each, the last one last. What cannot be read is left out and warned of.

        UserError where none can be read, or there is none.
        """
        found = self._plans()
        plans = [plan for plan in found.values() if isinstance(plan, Plan)]
        problems = [f"'{path}' {problem}" for path, problem in found.items() if not isinstance(problem, Plan)]
        if not plans:
            what = problems[-1] if problems else f"'{self.path / PLANS}' holds no plan"
            raise UserError(f"{what}: run the suite again; what is in the store is not computed again")
        said = [f"{problem}: what it asked for is left out" for problem in problems]
        self.warnings += [words for words in said if words not in self.warnings]
        return plans

    def was_asked(self) -> bool:
        """Whether anything was asked for."""
        return bool(self._plan_files())

    def _plans(self) -> dict[Path, Plan | str]:
        """By its file each plan, or what is wrong with it; the oldest first."""
        found = {path: plan_or_problem(path) for path in self._plan_files()}
        # another process takes a plan away when one that it wrote asks for as much
        return found if self._plan_files() == list(found) else self._plans()

    def _plan_files(self) -> list[Path]:
        of_before = [path for path in [self.path / "plan.json"] if path.exists()]
        return [*of_before, *sorted((self.path / PLANS).glob("[!.]*.json"))]

    def plan(self) -> Plan:
        """All that was asked for. UserError as for `plans`."""
        return merged(self.plans())

    def holdings(self) -> Holdings:
        """What was asked for, and what came of it: every file is read once. UserError as for `plans`."""
        plan = self.plan()
        found = {key: self.result(key) for key in plan.runs}
        return Holdings(plan, {key: result for key, result in found.items() if result is not None})

    def others(self, plan: Plan) -> list[Result]:
        """What is in the store and not in a plan, as from before its plans were kept; nothing if it cannot be read."""
        try:
            keys = sorted(path.name for path in (self.path / "runs").iterdir() if not path.name.startswith("."))
        except OSError:  # which what reads or writes a run says
            return []
        asked = plan.runs
        return [result for key in keys if key not in asked and (result := self.result(key))]

    def write_index(self, frame: pd.DataFrame) -> None:
        """Writes the table of all results for other programs."""
        with self.new_file(self.path / "index.parquet") as temporary:
            temporary.write_bytes(frame.to_parquet())


def _is_half_a_mark(name: str) -> bool:
    """Whether it is what an opening that was cut short left; earlier versions had another name for it."""
    return is_half_written(name) or name.startswith(".store.json-")


class UnwritableStore(UserError):
    """The store cannot be written to: going on would lose what is computed."""


def as_json(content: Any) -> str:
    """JSON as the files of a store have it; a number that JSON does not know is a text."""
    return json.dumps(plain_numbers(content), indent=1, allow_nan=False, default=str) + "\n"


def write_json(path: Path, content: Any) -> None:
    """Writes JSON so that the file is whole or not there: see `written`."""
    with written(path) as temporary:
        temporary.write_text(as_json(content), encoding="utf-8")
