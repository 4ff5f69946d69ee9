"""The command `dipbench cite`."""

from pathlib import Path
from typing import Annotated

import typer

from dipbench.errors import UserError


def cite(
    run: Annotated[str, typer.Argument(help="The beginning of the run's id, or its folder.")],
    output: Annotated[str, typer.Option(help="final, ema, best or best_ema; or as final_at_1800.")] = "final",
    store: Annotated[Path, typer.Option(help="Where to look.")] = Path("results"),
) -> None:
    """Print the provenance of a run, and BibTeX of what it used."""
    from dipbench.report.citation import bibtex, find_run, signature
    from dipbench.store.store import Store

    folder = find_run(run, store)
    result = Store.existing(folder.parent.parent).result(folder.name)
    if result is None:
        raise UserError(f"run '{folder}' cannot be read: run its suite again")
    print(signature(result, output), bibtex(result), sep="\n\n")
