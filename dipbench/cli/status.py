"""The command `dipbench status`."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def status(folder: Annotated[Path, typer.Argument(help="A folder of results.")]) -> None:
    """Say what of the runs is done, in work, waiting and failed, and the time left.

    Whoever computes them, on whatever machine. It computes none; when what 'dipbench run --detach' submitted is over,
    it writes the report.
    """
    from contextlib import suppress

    from dipbench.cli.report import said_of
    from dipbench.report import refresh_report
    from dipbench.running import submitted
    from dipbench.running.status import as_text, status_of
    from dipbench.store.results import frame
    from dipbench.store.store import Store, UnwritableStore

    store = Store.existing(folder)
    holdings = store.holdings()
    now = status_of(store, holdings)
    print(as_text(now))
    if now.is_over and submitted.remembered(store):
        with suppress(UnwritableStore):
            store.write_index(frame(holdings, store.others(holdings.plan)))
            submitted.tidy(store)
            print(said_of(*refresh_report(store, holdings)))
    for warning in store.warnings:
        print(f"dipbench: {warning}", file=sys.stderr)
