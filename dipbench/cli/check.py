"""The command line: `dipbench check`."""

from dataclasses import replace
from typing import Annotated

import typer

from dipbench.cli import options


def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A method, data set, task, noise, validation, trick, signal or rule, or the path of its file; and "
            "settings."
        ),
    ],
    kind: Annotated[str | None, typer.Option(help="Which is meant, where several have that name: trick, ...")] = None,
    plugins: options.Plugins = None,
) -> None:
    """Try whether a plugin keeps the contract."""
    from dipbench import registry
    from dipbench.running.check import checked, kind_of

    registry.use_folders(plugins)
    wrong = 0
    said = set[str]()
    for each in checked(kind_of(name, kind), name):
        print(replace(each, complaint="the same as above") if each.complaint in said else each, flush=True)
        said.update(filter(None, [each.complaint]))
        wrong += bool(each.complaint)
    print(f"{wrong} wrong" if wrong else "it keeps the contract")
    if wrong:
        raise typer.Exit(2)
