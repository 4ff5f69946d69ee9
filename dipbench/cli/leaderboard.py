"""The command `dipbench leaderboard`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dipbench.cli import options, terminal


def leaderboard(
    stores: Annotated[
        list[str], typer.Argument(help="Folders of results, of one machine or several, or suites that were run.")
    ],
    metric: options.ComparedBy = "",
    output: options.ComparedOutput = "",
    out: Annotated[Path, typer.Option(help="The folder of the page and its tables.")] = Path("leaderboard"),
) -> None:
    """Rank the methods of several folders of results together.

    It writes a page with a board for each data set and task, and computes no run. On a board are the methods of all
    folders that have the same images; the others stand below, with what they lack. What another protocol scored has a
    board of its own; other precisions, devices and engines are marked.
    """
    from dipbench import api
    from dipbench.report.board import as_text, write_leaderboard

    found = api.board_of(stores, metric, output)
    page = write_leaderboard(found, out)
    print("\n\n".join(as_text(board, terminal.width()) for board in found.boards))
    for remark in found.remarks:
        print(f"dipbench: {remark}", file=sys.stderr)
    print(f"\nleaderboard: {page}")
