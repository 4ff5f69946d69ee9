"""Computes an agenda in the background, for days, beside other work.

    python benchmarks/tools/background.py start FOLDER paper/tables --commit HEAD -- --precision bf16
    python benchmarks/tools/background.py status FOLDER
    python benchmarks/tools/background.py pause FOLDER     # to time something else on the idle machine
    python benchmarks/tools/background.py resume FOLDER
    python benchmarks/tools/background.py stop FOLDER      # fits go on from their checkpoints at the next start

It runs at the lowest priority, one process of one thread on each core, in a session of its own, from a copy of dipbench
installed from a commit of this checkout, so that nothing that is edited here reaches it. All of it lies in FOLDER,
outside the checkout: `site-COMMIT`, `results` with a store for each suite, `log`, and what is needed to find it again.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from dipbench.errors import UserError
from dipbench.store.store import Store
from dipbench.suites.agenda import read_agenda
from dipbench.suites.suite import read_suite

ROOT = Path(__file__).parent.parent.parent
MARK = "background.json"

app = typer.Typer(no_args_is_help=True, add_completion=False)
Folder = Annotated[Path, typer.Argument(help="Where all of it lies, outside the checkout.")]


class NotPossible(Exception):
    """What the user can mend."""


@dataclass(frozen=True)
class Job:
    """What was started."""

    process: int  # the first one, which leads the group of all its processes
    began: str  # as the system says it, to tell the process from a later one of that number
    commit: str
    command: list[str]  # the words after `dipbench`

    @classmethod
    def of(cls, folder: Path) -> "Job":
        """The one that was started last in a folder."""
        try:
            return cls(**json.loads((folder / MARK).read_text()))
        except FileNotFoundError:
            raise NotPossible(f"nothing was started in '{folder}'") from None

    @property
    def state(self) -> str:
        """`running`, `paused` or `ended`."""
        condition, began = _condition(self.process)
        if began != self.began or condition.startswith("Z"):
            return "ended"
        return "paused" if condition.startswith("T") else "running"

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to all its processes."""
        if self.state == "ended":
            raise NotPossible("it has ended")
        os.killpg(self.process, number)


def _condition(process: int) -> tuple[str, str]:
    """The state of a process as `ps` writes it, and when it began; empty where there is none."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    state, _, began = shown.stdout.strip().partition(" ")
    return state, began.strip()


def _states(group: int) -> list[str]:
    """The state of every process of a group, as `ps` writes it."""
    shown = subprocess.run(["ps", "-A", "-o", "pgid=", "-o", "stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in shown.stdout.splitlines()]
    return [state for number, state in rows if int(number) == group]


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def start(
    context: typer.Context,
    folder: Folder,
    agenda: Annotated[str, typer.Argument(help="An agenda or a suite. Options of `dipbench run` follow after `--`.")],
    commit: Annotated[str, typer.Option(help="Of this checkout, to be installed.")] = "HEAD",
) -> None:
    """Start it, or go on where it stopped."""
    folder = folder.absolute()
    if folder.is_relative_to(ROOT.resolve()):
        raise NotPossible(f"'{folder}' lies in the checkout: take a folder outside it")
    if (folder / MARK).exists() and Job.of(folder).state != "ended":
        raise NotPossible(f"it runs in '{folder}': stop it first")
    full = _commit(commit)
    site = installed(full, folder)
    out = folder / "results" / ("" if read_agenda(agenda) else read_suite(agenda).name)
    words = ["run", agenda, "--out", str(out), *context.args]
    code = "from dipbench.cli.main import main; main()"
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            ["nice", "-n", "19", sys.executable, "-P", "-c", code, *words],
            env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _come_last(process.pid)
    job = Job(process.pid, _condition(process.pid)[1], full, words)
    (folder / MARK).write_text(json.dumps(asdict(job), indent=1) + "\n")
    print(f"process {job.process}, dipbench at {full[:12]}; log: {folder / 'log'}")


def _come_last(process: int) -> None:
    """Gives the session of a process the lowest priority too: Linux shares the processor by sessions first.

    Within its own session alone would `nice` count (man 7 sched, the autogroup feature).
    """
    with contextlib.suppress(OSError):  # another system, or a kernel that does not
        Path(f"/proc/{process}/autogroup").write_text("19")


def _commit(name: str) -> str:
    found = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--verify", f"{name}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise NotPossible(f"'{name}' is not a commit of '{ROOT}'")
    return found.stdout.strip()


def installed(commit: str, folder: Path) -> Path:
    """Where dipbench of that commit is installed, without what it depends on."""
    site = folder / f"site-{commit[:12]}"
    if site.is_dir():
        return site
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".installing-{os.getpid()}"
    source = f"git+{ROOT.absolute().as_uri()}@{commit}"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(new)]
    if subprocess.run([*pip, source], check=False).returncode:
        raise NotPossible(f"pip could not install '{source}': see above")
    return new.rename(site)


@app.command()
def pause(folder: Folder) -> None:
    """Stop all its processes where they are, and return when they stand; they keep their memory."""
    job = Job.of(folder)
    job.send(signal.SIGSTOP)
    until = time.monotonic() + 60  # one that waits for its disk stands only after that
    while not all(state.startswith(("T", "Z")) for state in _states(job.process)):
        if time.monotonic() > until:
            raise NotPossible("some of its processes do not stand yet: they were told to, and will")
        time.sleep(0.05)


@app.command()
def resume(folder: Folder) -> None:
    """Let them go on."""
    Job.of(folder).send(signal.SIGCONT)


@app.command()
def stop(
    folder: Folder,
    wait: Annotated[float, typer.Option(help="Seconds to wait for its end.")] = 120,
) -> None:
    """End it: fits write a checkpoint first."""
    job = Job.of(folder)
    job.send(signal.SIGCONT)
    os.kill(job.process, signal.SIGTERM)  # it ends its own processes
    until = time.monotonic() + wait
    while job.state != "ended":
        if time.monotonic() > until:
            raise NotPossible(f"process {job.process} has not ended after {wait:g} s: it was told to, and may yet")
        time.sleep(0.1)


@app.command()
def status(folder: Folder) -> None:
    """Say what is done and what is in work."""
    job = Job.of(folder)
    print(f"{job.state}: dipbench {' '.join(job.command)} (commit {job.commit[:12]})")
    for mark in sorted((folder / "results").rglob("store.json")):
        for line in _lines_of(Store(mark.parent), mark.parent.relative_to(folder / "results").as_posix()):
            print(line)


def _lines_of(store: Store, name: str) -> list[str]:
    """What became of the runs that were asked for, and how far the fits are that wrote a checkpoint."""
    if not store.was_asked():
        return []
    holdings = store.holdings()
    planned, ended = holdings.plan.runs, Counter(result.status for result in holdings.results.values())
    counts = ", ".join(f"{count} {status}" for status, count in sorted(ended.items()))
    lines = [f"{name}: {counts or 'nothing done'} of {len(planned)} runs"]
    for key, run in planned.items():
        reached = sorted(int(file.stem) for file in (store.path / "checkpoints" / key).glob("*.pt"))
        if reached and key not in holdings.results:
            lines.append(f"  {run.label} on {run.image}, seed {run.seed}: iteration {reached[-1]}")
    return lines


def main() -> None:
    """What the user can mend is one line and exit status 2."""
    try:
        app()
    except (NotPossible, UserError) as error:
        print(f"background: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
