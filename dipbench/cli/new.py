"""The command line: `dipbench new`."""

import importlib.util
import keyword
import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from dipbench.errors import UserError


def new(
    kind: Annotated[Literal["prior", "method"], typer.Argument(help="What it is: a network to fit, or any method.")],
    name: Annotated[str, typer.Argument(help="Its name, which is its file's: my_prior.")],
    out: Annotated[Path, typer.Option(help="The folder to write it to.")] = Path(),
) -> None:
    """Write a file to start a prior or a method of your own from.

    `dipbench check` finds it right as it is.
    """
    path = out / f"{name}.py"
    _check(name, path)
    text = (Path(__file__).parent / "starters" / f"{kind}.txt").read_text(encoding="utf-8")
    class_name = "".join(word.capitalize() for word in name.split("_"))
    if keyword.iskeyword(class_name) or class_name in re.findall(r"\w+", text):
        raise UserError(
            f"'{name}' makes a class {class_name}, a word that the file needs for another thing: take another"
        )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text.replace("CLASS", class_name).replace("NAME", name))
    except OSError as error:
        raise UserError(f"cannot write '{path}': {error.strerror}") from error
    print(f"{path}: try it with dipbench check {path}")


def _check(name: str, path: Path) -> None:
    """UserError for a name that makes no module of its own, and for a file that is there."""
    if not name.isidentifier() or name.startswith("_"):
        raise UserError(f"name must be of letters, digits and _, and begin with a letter, got '{name}'")
    if path.exists():
        raise UserError(f"'{path}' is there already: it stays as it is; take another name, or remove it first")
    if not path.parent.is_dir():
        raise UserError(f"cannot write '{path}': '{path.parent}' is not a folder; make it first")
    if keyword.iskeyword(name):
        raise UserError(f"'{name}' is a word of Python's, by which no module can be imported: take another")
    if importlib.util.find_spec(name):
        raise UserError(f"'{name}' is a module of Python's or of a package, which the file would hide: take another")
