"""The command line: `dipbench check`."""

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
    from dipbench.running.check import KEPT, checked, kind_of, told
    from dipbench.spec import parse

    registry.use_folders(plugins)
    plugin = parse(name).name
    if not registry.kinds_of(plugin) and (error := registry.meant("plugin", plugin)):
        raise error
    line = ""
    for line in told(checked(kind_of(name, kind), name)):
        print(line, flush=True)
    if not line.startswith(KEPT):
        raise typer.Exit(2)
