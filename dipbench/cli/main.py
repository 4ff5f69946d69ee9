"""The command line: one function a command. torch is imported only by the commands that need it."""

import io
import os
import shlex
import sys
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from dipbench.cli import options
from dipbench.cli.check import check
from dipbench.cli.compare import compare
from dipbench.cli.data import data
from dipbench.cli.leaderboard import leaderboard
from dipbench.cli.new import new
from dipbench.cli.plan import plan
from dipbench.cli.replay import replay
from dipbench.cli.score import score
from dipbench.errors import UserError
from dipbench.running.interruption import Stopped

app = typer.Typer(
    help="The benchmark of Deep Image Prior and of every untrained image prior after it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(data, name="data")
app.command()(score)
app.command()(plan)
app.command()(replay)
app.command()(compare)
app.command()(leaderboard)
app.command()(check)
app.command()(new)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from; can be put anywhere.")] = False,
) -> None:
    """What every command takes; `main` reads it."""


@app.command()
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
) -> None:
    """Run a suite, or the suites of an agenda, and write the report. What is in the store is not computed again."""
    from rich.console import Console

    from dipbench import registry
    from dipbench.api import execute, seeds_of
    from dipbench.cli.progress import Terminal
    from dipbench.comparing.verdict import verdicts_of
    from dipbench.data.pinned import use_folder
    from dipbench.report import write_report
    from dipbench.report.verdicts import as_text
    from dipbench.running import interruption
    from dipbench.running.conditions import Conditions
    from dipbench.suites.edits import Choices

    use_folder(data_dir)
    registry.use_folders(plugins)
    console = Console()
    failures, computed = [], 0
    with Terminal(console) as display, interruption.handled():
        for store, summary in execute(
            suite,
            Choices(only or (), methods or (), data, settings or (), scale, record or (), rules or (), metrics or ()),
            seeds=seeds_of(seed, seeds),
            conditions=Conditions.read(device, jobs, engine, precision, checkpoint, at_once),
            out=out,
            command=shlex.join(["dipbench", *sys.argv[1:]]),
            display=display,
            on=registry.build("executor", on),
        ):
            page = write_report(store, summary.holdings)
            if comparison := as_text(verdicts_of(summary.holdings)):
                console.print(comparison, markup=False, highlight=False, soft_wrap=True)
            computed += summary.ended.total()
            counts = ", ".join(f"{n} {status}" for status, n in sorted(summary.ended.items())) or "nothing to compute"
            there = f"{summary.present} in the store before"
            console.print(f"{counts}; {there}\nreport: {page}", highlight=False, soft_wrap=True)
            for job, finished in summary.failures:
                print(f"dipbench: {job.title} failed: {finished.message}", file=sys.stderr)
            failures += [finished for _, finished in summary.failures]
            doubts = Counter(
                f"{result.run.method['name']}: {words}"
                for result in summary.holdings.results.values()
                for words in result.warnings
            )
            for words, runs in doubts.items():
                print(f"dipbench: {words}" + (f" ({runs} runs)" if runs > 1 else ""), file=sys.stderr)
    for words in _SAID if computed else ():  # the progress has driven them off the screen
        print(f"dipbench: {words}", file=sys.stderr)
    if failures:
        raise typer.Exit(2 if all(finished.mendable for finished in failures) else 1)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
    one_file: Annotated[bool, typer.Option("--one-file", help="Also report.html, which needs no other.")] = False,
) -> None:
    """Write the report again, from the store alone."""
    from dipbench.report import write_report
    from dipbench.store.store import Store

    store = Store.existing(folder)
    print(f"report: {write_report(store, store.holdings(), one_file)}")
    for warning in store.warnings:
        print(f"dipbench: {warning}", file=sys.stderr)


@app.command()
def restore(
    image: Annotated[Path, typer.Argument(help="The degraded image.")],
    task: Annotated[str, typer.Option(help="What happened to it: denoising[sigma=25].")],
    method: Annotated[str, typer.Option(help="name[setting=value] or file.py.")] = "dip",
    out: Annotated[Path | None, typer.Option(help="Default: the image's name with -METHOD.png.")] = None,
    output: Annotated[str | None, typer.Option(help="final or ema; default: ema if the method has it.")] = None,
    seed: int = 0,
    device: options.Device = "auto",
    plugins: options.Plugins = None,
) -> None:
    """Restore an image for which there is no ground truth."""
    from dipbench import api, registry
    from dipbench.cli.progress import counter
    from dipbench.images.files import check_writable
    from dipbench.spec import parse

    registry.use_folders(plugins)
    path = out or image.with_name(f"{image.stem}-{Path(parse(method).name).stem}.png")
    check_writable(path)
    if path.exists() and path.samefile(image):
        raise UserError(f"cannot write '{path}': it is the image to restore; name another file")
    with counter(f"{parse(method).name} on {image.name}") as progress:
        made = api.restore(image, task=task, method=method, output=output, seed=seed, device=device, progress=progress)
    api.restore_to(path, made)
    print(f"{made.name} output at iteration {made.iteration}: {path}")


@app.command(name="list")
def list_(
    kind: Annotated[
        Literal[
            "methods", "datasets", "tasks", "noises", "tricks", "validations", "signals", "rules", "executors", "suites"
        ],
        typer.Argument(),
    ],
    plugins: options.Plugins = None,
) -> None:
    """List what there is."""
    from dipbench import registry
    from dipbench.cli import inventory
    from dipbench.text import table

    registry.use_folders(plugins)
    print(table(inventory.listed(kind), left={0, 1}))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A suite, or a plugin of any kind: its name or the path of its file.")],
    plugins: options.Plugins = None,
) -> None:
    """Show what something is, and its settings."""
    from dipbench import registry
    from dipbench.cli import inventory

    registry.use_folders(plugins)
    print(inventory.shown(name))


@app.command()
def cite(
    run: Annotated[str, typer.Argument(help="The beginning of the run's name, or its folder.")],
    output: Annotated[str, typer.Option(help="final, ema, best or best_ema; or as final_at_1800.")] = "final",
    store: Annotated[Path, typer.Option(help="Where to look.")] = Path("results"),
) -> None:
    """Print one line that says how a number came about, and the BibTeX of what was used."""
    from dipbench.report.citation import bibtex, find_run, signature
    from dipbench.store.store import Store

    folder = find_run(run, store)
    result = Store.existing(folder.parent.parent).result(folder.name)
    if result is None:
        raise UserError(f"run '{folder}' cannot be read: run its suite again")
    print(signature(result, output), bibtex(result), sep="\n\n")


@app.command()
def doctor() -> None:
    """Show versions, devices, instructions, the time of a fit in each precision, the data found and the free disk."""
    from dipbench.cli.health import health

    for line in health(Path.cwd()):
        print(line, flush=True)


def main() -> None:
    """The entry point. What the user can mend is one line and exit status 2."""
    warnings.showwarning = _one_line
    _print_anything()
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app()
    except UserError as error:
        if debug:
            traceback.print_exc()
        print(f"dipbench: {error}", file=sys.stderr)
        sys.exit(2)
    except Stopped as stopped:
        print(
            f"dipbench: stopped by {stopped}; finished runs are kept. The same command resumes the rest, "
            "fits from their last checkpoint",
            file=sys.stderr,
        )
        sys.exit(stopped.status)
    except KeyboardInterrupt:
        print("dipbench: stopped; finished runs are kept. The same command resumes the rest", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe went away
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        print(f"dipbench: {type(error).__name__}: {error} (--debug shows where)", file=sys.stderr)
        sys.exit(1)


def _print_anything() -> None:
    """A terminal that has no letter for a character of a name gets its number instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_SAID: list[str] = []  # the warnings so far


def _one_line(message: Warning | str, *where: object, **more: object) -> None:
    _SAID.append(str(message))
    print(f"dipbench: {message}", file=sys.stderr)
