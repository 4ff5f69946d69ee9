"""`dipbench data`: fetches, verifies and lists the data sets whose files lie elsewhere, and the weights of networks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dipbench.cli.examples import examples_of
from dipbench.errors import UserError
from dipbench.text import counted

if TYPE_CHECKING:  # imported by the commands when they run: they load torch, which takes seconds
    from dipbench.data.download import Progress as Report
    from dipbench.data.file_set import FileSet
    from dipbench.data.pinned import PinnedFile

data = typer.Typer(
    help="Fetch, verify and list data sets, and weights of networks.",
    epilog=examples_of("data"),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DataDir = Annotated[
    Path | None, typer.Option(help="A folder that has the files; default $DIPBENCH_DATA. Never written to.")
]


@data.command(epilog=examples_of("data fetch"))
def fetch(
    names: Annotated[list[str], typer.Argument(help="Data sets, or weights; dipbench data list shows them.")],
    data_dir: DataDir = None,
) -> None:
    """Download and verify what is not here yet.

    From the pinned commit of each source.
    """
    from dipbench.data.pinned import use_folder

    use_folder(data_dir)
    for found in [_file_set(name) for name in names]:
        wanted = found.wanted()
        with _bar(found.title(), len(wanted)) as begin:
            for file in wanted:
                file.fetch(begin(file))
        lacking = found.out_of_reach()
        here = len(found.files()) - len(wanted) - len(lacking)
        print(f"{found.title()}: {counted(len(wanted), 'file')} fetched, {here} already here")
        for words in lacking:
            print(f"dipbench: {words}", file=sys.stderr)


@data.command(epilog=examples_of("data verify"))
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Default: those with at least one file here.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Compare every file with its sha256. Exit status 2 if one is missing or different."""
    from dipbench.data.pinned import use_folder

    use_folder(data_dir)
    chosen = [_file_set(name) for name in names or ()] or [found for found in _file_sets() if _partly_here(found)]
    problems = []
    for found in chosen:
        own = found.problems()
        print(f"{found.title()}: {len(found.files()) - len(own)} of {counted(len(found.files()), 'file')} right")
        problems += own
    for problem in problems:
        print(f"dipbench: {problem}", file=sys.stderr)
    if not chosen:
        print("no data set has a file here: dipbench data fetch NAME, or point DIPBENCH_DATA to a folder")
    if problems:
        raise typer.Exit(2)


@data.command(name="list", epilog=examples_of("data list"))
def list_(data_dir: DataDir = None) -> None:
    """List the data sets and weights: size, place, terms of use.

    Where files are is said, not whether they are right: see `dipbench data verify`.
    """
    from dipbench.data.pinned import use_folder

    use_folder(data_dir)
    print(f"{'name':12} {'count':>6} {'MB':>6}  {'files':26} licence")
    for found in _file_sets():
        size = sum(file.bytes for file in found.files()) / 1e6
        places = ", ".join(f"{count} {place}" for place, count in sorted(found.places().items()))
        print(f"{found.title():12} {found.count():6} {size:6.1f}  {places:26} {found.terms()}")


def _file_sets() -> "list[FileSet]":
    """Every data set that has files elsewhere, and the weights. One that cannot be imported is named and left out."""
    from dipbench import registry
    from dipbench.data.file_set import FileSet
    from dipbench.data.weights import Weights

    found: list[FileSet] = []
    for name in registry.names("dataset"):
        try:
            built = registry.build("dataset", name)
        except UserError as error:
            print(f"dipbench: {error}", file=sys.stderr)
            continue
        found += [built] if isinstance(built, FileSet) else []
    return [*found, Weights()]


def _file_set(name: str) -> "FileSet":
    from dipbench import registry
    from dipbench.data.file_set import FileSet
    from dipbench.data.weights import Weights

    if name == Weights().title():
        return Weights()
    found = registry.build("dataset", name)
    if not isinstance(found, FileSet):
        known = ", ".join(each.title() for each in _file_sets())
        raise UserError(f"data set '{name}' has no files to fetch or verify: those that do are {known}")
    return found


def _partly_here(found: "FileSet") -> bool:
    return found.places()["missing"] < len(found.files())


@contextmanager
def _bar(name: str, count: int) -> "Iterator[Callable[[PinnedFile], Report]]":
    """A bar on a terminal, for one file after another; to be told each file before it comes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(name, total=None)
        numbers = iter(range(1, count + 1))

        def begin(file: "PinnedFile") -> "Report":
            bars.reset(bar, total=file.bytes, description=f"{name} {next(numbers)}/{count}: {file.name}")
            return lambda done, total: bars.update(bar, completed=done, total=total)

        yield begin
