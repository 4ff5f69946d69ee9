"""A page for each command of the command line, made of its help when the site is built."""

import html
import re
from collections.abc import Iterator
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from dipbench.cli.main import app


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Adds commands/index.md and commands/NAME.md."""
    for path, content in pages():
        files.append(File.generated(config, path, content=content))


def pages() -> Iterator[tuple[str, str]]:
    """Where each page lies in the site, and its Markdown."""
    program = typer.main.get_command(app)
    context = _context(program, "dipbench", None)
    rows = [f"[`dipbench {name}`]({name}.md)\n:   {_first(each.help)}\n" for name, each in program.commands.items()]
    yield "commands/index.md", "\n".join(["# Commands\n", *rows, *_body(program, context)])
    for name, command in program.commands.items():
        yield f"commands/{name}.md", "\n".join(_sections(command, name, context, "#"))


def _sections(command: Any, name: str, parent: Any, heading: str) -> Iterator[str]:
    """A command, and below it those that it groups."""
    context = _context(command, name, parent)
    yield f"{heading} {context.command_path}\n"
    yield _text(command.help) + "\n"
    yield from _body(command, context)
    for inner, each in getattr(command, "commands", {}).items():
        yield from _sections(each, inner, context, heading + "#")


def _body(command: Any, context: Any) -> Iterator[str]:
    yield f"```text\n{context.get_usage().removeprefix('Usage: ')}\n```\n"
    for record in filter(None, (parameter.get_help_record(context) for parameter in command.get_params(context))):
        name, said = record
        yield f"`{name}`\n:   {_text(said) or '&nbsp;'}\n"
    examples = command.epilog.partition("Examples:\n")[2]
    yield "**Examples**\n\n```sh\n" + re.sub("^  ", "", examples, flags=re.MULTILINE) + "\n```\n"


def _context(command: Any, name: str, parent: Any) -> Any:
    return command.context_class(command, info_name=name, parent=parent, **command.context_settings)


def _first(text: str) -> str:
    return _text(text.split("\n\n")[0])


def _text(text: str) -> str:
    """Plain text as Markdown that shows every sign of it; what stands between backticks is code already."""
    parts = re.split("(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_\[\]{}])", r"\\\1", html.escape(text, quote=False))
