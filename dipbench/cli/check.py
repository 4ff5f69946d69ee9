"""The command line: `dipbench check`."""

from typing import Annotated

import typer


def check(
    name: Annotated[str, typer.Argument(help="A method, task, noise or data set, or the path of its file.")],
) -> None:
    """Try whether a plugin keeps the contract."""
    from dipbench.running.check import checked, kind_of

    wrong = 0
    for each in checked(kind_of(name), name):
        print(each, flush=True)
        wrong += bool(each.complaint)
    print(f"{wrong} wrong" if wrong else "it keeps the contract")
    if wrong:
        raise typer.Exit(2)
