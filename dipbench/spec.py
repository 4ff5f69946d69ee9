"""What a user writes to name a plugin and its settings: `nlm[patch_size=5,strength=0.6]`."""

import tomllib
from dataclasses import dataclass, field
from typing import Any

from dipbench.errors import UserError


@dataclass(frozen=True)
class Spec:
    """A plugin by name (or the path of its file), and the settings given to it."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.settings:
            return self.name
        return f"{self.name}[{','.join(f'{key}={_written(value)}' for key, value in self.settings.items())}]"

    def with_settings(self, settings: dict[str, Any]) -> "Spec":
        """The same plugin with these settings on top."""
        return Spec(self.name, {**self.settings, **settings})


def parse(text: str) -> Spec:
    """Reads `name` or `name[key=value,...]`; a value is TOML, a bare word is a string and `none` is None."""
    text = text.strip()
    name, bracket, rest = text.partition("[")
    if not name or (bracket and not rest.endswith("]")):
        raise UserError(f"cannot read '{text}': it takes name or name[key=value,key=value]")
    settings: dict[str, Any] = {}
    for part in _split(rest[:-1]) if bracket else []:
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UserError(f"cannot read '{part}' in '{text}': it takes key=value")
        settings[key.strip()] = read_value(value)
    return Spec(name.strip(), settings)


def read_value(text: str) -> Any:
    """One value: TOML if it is, None for `none`, else the text itself."""
    text = text.strip()
    if text.lower() == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _split(text: str) -> list[str]:
    """The parts between commas that are in no inner bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]


def _written(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_written(item) for item in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
