"""The command `dipbench cite`."""

from glob import escape
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

    if not (Path(run) / "result.json").is_file():
        _check_an_id(run, store)
    folder = find_run(run, store)
    result = Store.existing(folder.parent.parent).result(folder.name)
    if result is None:
        raise UserError(f"run '{folder}' cannot be read: run its suite again")
    print(signature(result, output), bibtex(result), sep="\n\n")


def _check_an_id(written: str, folder: Path) -> None:
    """UserError where no run's id begins so, with where ids stand."""
    if any(folder.glob(f"**/runs/{escape(written)}*/result.json")):
        return
    some = next((path.parent for path in folder.glob("**/runs/*/result.json")), None)
    mend = "none lies there; --store takes a folder of results"
    if some:
        mend = (
            f"it takes the id of one run, such as {some.name}, and no name of a method; a click on a number of the "
            f"page shows the ids, and so does the column 'run' of the tables in {some.parent.parent}/report/numbers"
        )
    raise UserError(f"no run below '{folder}' has an id that begins with '{written}': {mend}")
