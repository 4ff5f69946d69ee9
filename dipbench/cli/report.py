"""The command `dipbench report`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dipbench.cli import options
from dipbench.errors import UserError


def report(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
    only: options.Only = None,
    last: Annotated[bool, typer.Option("--last", help="Only what the last command asked for.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="The folder of the page, as for results that cannot be written to.")
    ] = None,
    one_file: Annotated[bool, typer.Option("--one-file", help="Also report.html, which needs no other.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    plugins: options.Plugins = None,
) -> None:
    """Write the report again, from a folder of results alone.

    It shows all that was asked for, by whatever commands, and computes no run. Where nothing has changed since it was
    written, it stays as it is.
    """
    import webbrowser

    from dipbench import registry
    from dipbench.report import refresh_report
    from dipbench.store.narrowing import narrowed
    from dipbench.store.store import Store, UnwritableStore

    registry.use_folders(plugins)
    store = Store.existing(folder)
    holdings = store.holdings()
    if last:
        holdings = holdings.of(store.plans()[-1])
    if only:
        holdings = holdings.of(narrowed(holdings.plan, only))
    try:
        page, written = refresh_report(store, holdings, out, one_file=one_file)
    except UnwritableStore as error:
        reason = str(error).partition("; take another")[0]
        raise UserError(f"{reason}; --out FOLDER writes the report elsewhere") from error
    print(said_of(page, written))
    for warning in store.warnings:
        print(f"dipbench: {warning}", file=sys.stderr)
    if show and not webbrowser.open(page.resolve().as_uri()):
        raise UserError(f"no browser can be opened from here: open '{page}' in one")


def said_of(page: Path, written: bool) -> str:
    """Where the page is, and whether it was written now."""
    return f"report: {page}" + ("" if written else " (nothing has changed: not rendered again)")
