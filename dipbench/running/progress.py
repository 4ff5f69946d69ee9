"""Progress, on standard error: bars on a terminal, lines in a file. Results go to standard output."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from dipbench.foreign.printing import Printable, drawn_on, printable
from dipbench.running.ended import Finished
from dipbench.suites.jobs import Job
from dipbench.text import counted


def _shows_bars(console: Console) -> bool:
    """A terminal does, and a notebook that has widgets."""
    return console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is not None)


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} it/s" if task.speed and task.fields.get("fit") else "", style="dim")


class Terminal:
    """One bar for the suite and one for every run in work: iteration, it/s, PSNR, time left."""

    def __init__(self, console: Console | None = None):
        self._console = console = console or Console(file=drawn_on(sys.stderr))
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Speed(),
            TextColumn("{task.fields[psnr]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not _shows_bars(console),
            redirect_stdout=False,  # results are for standard output, which may be a file
        )
        self._overall: TaskID | None = None
        self._running: dict[str, TaskID] = {}
        self._count = 0
        self._done = 0
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        self._below, sys.stderr = sys.stderr, Printable(sys.stderr)  # which prints above the bars now
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        sys.stderr = self._below
        self._bars.stop()

    def begin(self, jobs: list[Job], present: int) -> None:
        """Says what is to be done."""
        self._count = len(jobs)
        there = f"; {present} already computed" if present else ""
        self._say(f"{counted(len(jobs), 'run')} to compute{there}")
        if jobs:
            self._overall = self._bars.add_task("all runs", total=len(jobs), psnr="")

    def step(self, job: Job, iteration: int, iterations: int, psnr: float) -> None:
        """Moves the bar of a run; where there are no bars, a line every 30 seconds."""
        key = job.run.key
        shown = "" if math.isnan(psnr) else f"{psnr:.2f} dB"
        if key not in self._running:
            self._running[key] = self._bars.add_task(
                f"  {printable(job.title)}", total=iterations or None, psnr="", fit=True
            )
        self._bars.update(self._running[key], completed=iteration + 1, psnr=shown)
        if not self._console.is_terminal and time.monotonic() - self._said > 30:
            self._said = time.monotonic()
            reached = f"iteration {iteration + 1} of {iterations or '?'}"
            self._say(f"  {job.title}: {', '.join(filter(None, [reached, shown]))}")

    def end(self, job: Job, finished: Finished) -> None:
        """A line for the run that ended."""
        self._done += 1
        bar = self._running.pop(job.run.key, None)
        if bar is not None:
            self._bars.remove_task(bar)
        if self._overall is not None:
            self._bars.advance(self._overall)
        if finished.status == "done":
            psnr = "a PSNR that is not a number" if math.isnan(finished.psnr) else f"{finished.psnr:.2f} dB"
            what = f"{finished.message or psnr} in {finished.seconds:.1f} s"
        else:
            what = f"{finished.status}: {finished.message}"
        if finished.elsewhere:
            what += ", by another process"
        if finished.dropped:
            what += ", which was first: what was computed here is dropped"
        self._say(f"[{self._done}/{self._count}] {job.title}: {what}")

    def warn(self, message: str) -> None:
        """A line for what went on otherwise than asked."""
        self._say(f"warning: {message}")

    def wait(self, message: str) -> None:
        """A line for what other processes do."""
        self._say(message)

    def result(self, text: str) -> None:
        """What was asked for: on standard output, above the bars where both are one terminal."""
        if self._console.is_terminal and sys.stdout.isatty():
            self._say(text)
        else:
            print(text, flush=True)

    def _say(self, line: str) -> None:
        """One line, whatever the width; brackets in it are no markup."""
        self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def counter(title: str) -> Iterator[Callable[[int, int, float], None]]:
    """A bar for a single fit, shown on a terminal only."""
    console = Console(file=drawn_on(sys.stderr))
    words = TextColumn("{task.description}", markup=False)
    columns = (words, BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(title, total=None, fit=True)
        yield lambda iteration, iterations, psnr: bars.update(bar, completed=iteration + 1, total=iterations or None)
