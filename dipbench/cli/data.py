"""`dipbench data`: fetches, verifies and lists the data sets whose files lie elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dipbench.errors import UserError

if TYPE_CHECKING:  # imported by the commands when they run: they load torch, which takes seconds
    from dipbench.data.collection import Collection, Entry
    from dipbench.data.download import Progress as Report

data = typer.Typer(help="Fetch, verify and list the data sets.", no_args_is_help=True, pretty_exceptions_enable=False)

DataDir = Annotated[
    Path | None, typer.Option(help="A folder that has the files; default $DIPBENCH_DATA. Never written to.")
]


@data.command()
def fetch(
    names: Annotated[list[str], typer.Argument(help="Data sets; dipbench data list shows them.")],
    data_dir: DataDir = None,
) -> None:
    """Download what is not here yet, from the pinned commit of each source, and verify it."""
    from dipbench.data.pinned import use_folder

    use_folder(data_dir)
    for found in [_collection(name) for name in names]:
        wanted = found.wanted()
        with _bar(found.plugin_name(), len(wanted)) as begin:
            for entry in wanted:
                entry.fetch(begin(entry))
        print(f"{found.plugin_name()}: {len(wanted)} files fetched, {len(found.entries()) - len(wanted)} were here")


@data.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Default: those with at least one file here.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Compare every file with its sha256. Exit status 2 if one is missing or different."""
    from dipbench.data.pinned import use_folder

    use_folder(data_dir)
    chosen = [_collection(name) for name in names or ()] or [found for found in _collections() if _partly_here(found)]
    problems = []
    for found in chosen:
        own = found.problems()
        print(f"{found.plugin_name()}: {len(found.entries()) - len(own)} of {len(found.entries())} files are right")
        problems += own
    for problem in problems:
        print(f"dipbench: {problem}", file=sys.stderr)
    if not chosen:
        print("no data set has a file here: dipbench data fetch NAME, or point DIPBENCH_DATA to a folder")
    if problems:
        raise typer.Exit(2)


@data.command(name="list")
def list_(data_dir: DataDir = None) -> None:
    """Every data set: images, size, where its files are (not verified), terms of use."""
    from dipbench.data.pinned import use_folder

    use_folder(data_dir)
    print(f"{'name':12} {'images':>6} {'MB':>6}  {'files':26} licence")
    for found in _collections():
        size = sum(entry.bytes for entry in found.entries()) / 1e6
        places = ", ".join(f"{count} {place}" for place, count in sorted(found.places().items()))
        print(f"{found.plugin_name():12} {len(found.names()):6} {size:6.1f}  {places:26} {found.licence}")


def _collections() -> "list[Collection]":
    """Every data set that has files elsewhere. One that cannot be imported is named and left out."""
    from dipbench import registry
    from dipbench.data.collection import Collection

    found = []
    for name in registry.names("dataset"):
        try:
            built = registry.build("dataset", name)
        except UserError as error:
            print(f"dipbench: {error}", file=sys.stderr)
            continue
        found += [built] if isinstance(built, Collection) else []
    return found


def _collection(name: str) -> "Collection":
    from dipbench import registry
    from dipbench.data.collection import Collection

    found = registry.build("dataset", name)
    if not isinstance(found, Collection):
        known = ", ".join(collection.plugin_name() for collection in _collections())
        raise UserError(f"data set '{name}' has no files to fetch or verify: those that do are {known}")
    return found


def _partly_here(found: "Collection") -> bool:
    return found.places()["missing"] < len(found.entries())


@contextmanager
def _bar(name: str, count: int) -> "Iterator[Callable[[Entry], Report]]":
    """A bar on a terminal, for one file after another; to be told each file before it comes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(name, total=None)
        numbers = iter(range(1, count + 1))

        def begin(entry: "Entry") -> "Report":
            bars.reset(bar, total=entry.bytes, description=f"{name} {next(numbers)}/{count}: {entry.name}")
            return lambda done, total: bars.update(bar, completed=done, total=total)

        yield begin
