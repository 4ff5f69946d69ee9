"""The command line: one function a command. torch is imported only by the commands that need it."""

import io
import os
import shlex
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dipbench.cli import options
from dipbench.cli.check import check
from dipbench.cli.cite import cite
from dipbench.cli.compare import compare
from dipbench.cli.data import data
from dipbench.cli.examples import examples_of
from dipbench.cli.leaderboard import leaderboard
from dipbench.cli.new import new
from dipbench.cli.plan import plan
from dipbench.cli.replay import replay
from dipbench.cli.report import report, said_of
from dipbench.cli.restore import restore
from dipbench.cli.score import score
from dipbench.cli.status import status
from dipbench.cli.terminal import WARNED, show_warning
from dipbench.errors import UserError, located
from dipbench.foreign.printing import Printable
from dipbench.running.interruption import Stopped
from dipbench.version import __version__

if TYPE_CHECKING:
    from dipbench.running.ended import Finished
    from dipbench.suites.jobs import Job

app = typer.Typer(
    help="The benchmark of Deep Image Prior and of every untrained image prior after it.",
    epilog=examples_of(),
    no_args_is_help=True,
    rich_markup_mode=None,  # which would take the brackets of name[setting=value] for markup, and drop them
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"dipbench {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from; may appear anywhere.")] = False,
) -> None:
    """What every command takes; `main` reads it."""


def run(
    suite: options.SuiteName,
    only: options.Only = None,
    methods: options.Methods = None,
    data: options.Data = None,
    scale: options.Scale = "full",
    seed: options.Seed = None,
    seeds: options.Seeds = None,
    device: options.Device = "auto",
    on: options.On = "processes",
    detach: options.Detach = False,
    jobs: options.Jobs = 0,
    engine: options.Engine = "auto",
    precision: options.Precision = "float32",
    checkpoint: options.Checkpoint = 60.0,
    at_once: options.AtOnce = 0,
    out: options.Out = None,
    data_dir: options.DataDir = None,
    settings: options.Settings = None,
    record: options.Record = None,
    rules: options.Rules = None,
    metrics: options.Metrics = None,
    plugins: options.Plugins = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report; 'dipbench report' does.")] = False,
) -> None:
    """Run a suite or an agenda of suites, and write the report.

    What is in the folder of results is not computed again. The report shows all that was ever asked of these results;
    --only narrows what is computed. Where runs failed, here or in another process, the exit status is 2 if each says
    what you can mend, else 1.
    """
    from dipbench import registry
    from dipbench.api import execute
    from dipbench.comparing.verdict import verdicts_of
    from dipbench.data.pinned import use_folder
    from dipbench.report import refresh_report
    from dipbench.report.verdicts import as_text
    from dipbench.running import interruption
    from dipbench.running.conditions import Conditions
    from dipbench.running.executors import Executor
    from dipbench.running.progress import Terminal
    from dipbench.suites.edits import Choices
    from dipbench.suites.seeds import seeds_of

    use_folder(data_dir)
    registry.use_folders(plugins)
    executor: Executor = registry.build("executor", on)
    if detach:
        executor = executor.detached()
    failures, computed, waiting = [], 0, []
    with Terminal() as display, interruption.handled():
        for store, summary in execute(
            suite,
            Choices(only or (), methods or (), data, settings or (), scale, record or (), rules or (), metrics or ()),
            seeds=seeds_of(seed, seeds),
            conditions=Conditions.read(device, jobs, engine, precision, checkpoint, at_once),
            out=out,
            command=shlex.join(["dipbench", *sys.argv[1:]]),
            display=display,
            on=executor,
        ):
            submitted = summary.ended["submitted"]
            told = len(store.warnings)
            page = "" if no_report or submitted else f"\n{said_of(*refresh_report(store, summary.holdings))}"
            if comparison := as_text(verdicts_of(summary.asked, store.trace)):
                display.result(comparison)
            computed += summary.ended.total() - submitted
            waiting += [store.path] if submitted else []
            nothing = "none computed here" if summary.elsewhere else "nothing to compute"
            counts = ", ".join(f"{n} {status}" for status, n in sorted(summary.ended.items())) or nothing
            others = f"; {summary.elsewhere} computed by other processes" if summary.elsewhere else ""
            display.result(f"{counts}{others}; {summary.present} already computed{page}")
            for warning in store.warnings[told:]:
                print(f"dipbench: {warning}", file=sys.stderr)
            for message, titles in _by_message(summary.failures).items():
                more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
                print(f"dipbench: {titles[0]}{more} failed: {message}", file=sys.stderr)
            failures += [finished for _, finished in summary.failures]
            runs, doubts = summary.asked.plan.runs, dict[str, list[str]]()
            for key, result in summary.asked.results.items():
                for words in result.warnings:
                    doubts.setdefault(words, []).append(f"{runs[key].label} on {result.run.image}")
            for words, titles in doubts.items():
                more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
                print(f"dipbench: {titles[0]}{more}: {words}", file=sys.stderr)
    for words in WARNED if computed else ():  # the progress has driven them off the screen
        print(f"dipbench: {words}", file=sys.stderr)
    for folder in waiting:
        print(f"what becomes of them: dipbench status {shlex.quote(str(folder))}")
    if failures:
        raise typer.Exit(2 if all(finished.mendable for finished in failures) else 1)


def _by_message(failures: Iterable["tuple[Job, Finished]"]) -> dict[str, list[str]]:
    """The runs that failed, by what went wrong."""
    found: dict[str, list[str]] = {}
    for job, finished in failures:
        found.setdefault(finished.message, []).append(job.title)
    return found


def list_(
    kind: Annotated[
        Literal[
            "methods", "datasets", "tasks", "noises", "tricks", "validations", "signals", "rules", "executors", "suites"
        ],
        typer.Argument(),
    ],
    plugins: options.Plugins = None,
) -> None:
    """List methods, tasks, data sets, suites and the rest.

    `dipbench show` describes each.
    """
    from dipbench.cli.listing import listed
    from dipbench.registry.folders import use_folders
    from dipbench.text import table

    use_folders(plugins)
    print(table(listed(kind), left={0, 1}))


def show(
    name: Annotated[str, typer.Argument(help="A suite, or a plugin of any kind: its name or the path of its file.")],
    plugins: options.Plugins = None,
) -> None:
    """Describe a method, a suite, ..., with its settings."""
    from dipbench import registry
    from dipbench.cli import inventory

    registry.use_folders(plugins)
    print(inventory.shown(name))


def doctor() -> None:
    """Show versions, devices, speed, data and free disk here.

    A fit is timed in each precision, which takes seconds.
    """
    from dipbench.cli.health import health

    for line in health(Path.cwd()):
        print(line, flush=True)


_COMMANDS: dict[str, Callable[..., None]] = {
    "run": run,
    "plan": plan,
    "status": status,
    "report": report,
    "compare": compare,
    "leaderboard": leaderboard,
    "replay": replay,
    "score": score,
    "restore": restore,
    "list": list_,
    "show": show,
    "check": check,
    "new": new,
    "cite": cite,
    "doctor": doctor,
}
"""In the order of the help."""

for _name, _command in _COMMANDS.items():
    app.command(_name, epilog=examples_of(_name))(_command)
app.add_typer(data, name="data")


def main() -> None:
    """The entry point. What the user can mend is one line and exit status 2."""
    warnings.showwarning = show_warning
    _print_anything()
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app(prog_name="dipbench")  # whatever started it, such as python -c
    except UserError as error:
        if debug:
            traceback.print_exc()
        print(f"dipbench: {error}", file=sys.stderr)
        sys.exit(2)
    except Stopped as stopped:
        print(
            f"dipbench: stopped by {stopped}; finished runs are kept. Run the same command to resume, "
            "fits from their last checkpoint",
            file=sys.stderr,
        )
        sys.exit(stopped.status)
    except KeyboardInterrupt:
        print("dipbench: stopped; finished runs are kept. Run the same command to resume", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe went away
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        print(f"dipbench: {located(error)}; --debug shows the way there", file=sys.stderr)
        sys.exit(1)


def _print_anything() -> None:
    """A name may come from anybody: what a terminal has no letter for, or would obey, is printed as its number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = Printable(sys.stdout), Printable(sys.stderr)
