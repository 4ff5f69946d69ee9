"""The command `dipbench score`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dipbench.cli import options


def score(
    folder: Annotated[Path, typer.Argument(help="The results: an image file for each image of the data set.")],
    dataset: Annotated[str, typer.Option(help="What they are scored against: set5.")],
    task: Annotated[str, typer.Option(help="What was restored: super_resolution[factor=4].")],
    pattern: Annotated[
        str, typer.Option(help="What the files are called: '{name}_x4.png', with the image's name for {name}.")
    ] = "{name}",
    peak: options.Peak = None,
    method_name: Annotated[str, typer.Option(help="Name in the tables; default the folder's name.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Keep the results here and write a report; default: print only.")
    ] = None,
    metrics: options.Metrics = None,
    plugins: options.Plugins = None,
) -> None:
    """Score images that another program made."""
    from dipbench import registry
    from dipbench.report import write_report
    from dipbench.running.score_files import as_text, score_folder
    from dipbench.store.store import Store
    from dipbench.text import counted

    registry.use_folders(plugins)
    scores = score_folder(folder, dataset, task, method_name, out, pattern, metrics or (), peak)
    print(as_text(scores))
    if out is not None:
        store = Store.existing(out)
        print(f"report: {write_report(store, store.holdings())}")
    failed = scores[scores["status"] != "done"]
    if not failed.empty:
        print(f"dipbench: no score for {len(failed)} of {counted(len(scores), 'image')}", file=sys.stderr)
        raise typer.Exit(2)
