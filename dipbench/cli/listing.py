"""What `dipbench list` prints. It takes no torch, unless there are plugins that are not dipbench's own."""

from dipbench.errors import UserError
from dipbench.registry.folders import plugin_files
from dipbench.registry.kinds import installed, own_modules
from dipbench.registry.outline import Outline, outline_of
from dipbench.suites.preset_files import preset_content, preset_names


def listed(kind: str) -> list[tuple[str, str]]:
    """Name and one line of everything of a kind, in the plural: methods, datasets, tasks, ... or suites."""
    if kind == "suites":
        return [(name, str(preset_content(name).get("title", ""))) for name in preset_names()]
    one = kind.removesuffix("s")
    if plugin_files() or installed(one):
        from dipbench.cli.inventory import of_everyone

        return of_everyone(one)
    return [(name, _line(one, name)) for name in sorted(own_modules(one))]


def line_of(plugin: Outline) -> str:
    """What a list says of a plugin."""
    return plugin.summary + (" (learned)" if plugin.learned else "")


def _line(kind: str, name: str) -> str:
    try:
        return line_of(outline_of(kind, name))
    except UserError as error:
        return f"unavailable: {error}"
