"""What a user writes to name a plugin and its settings: `nlm[patch_size=5,strength=0.6]`.

What is written is read back as it was: `parse(str(spec)) == spec`, whatever the settings hold.
"""

import math
import tomllib
from dataclasses import dataclass, field
from typing import Any

from dipbench.errors import UserError


@dataclass(frozen=True)
class Spec:
    """A plugin by name (or the path of its file), and the settings given to it.

    A setting is None, a bool, int, float or str, or a list of such.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        name = _quoted(self.name) if set(self.name) & _SYNTAX or self.name != self.name.strip() else self.name
        if not self.settings:
            return name
        return f"{name}[{','.join(f'{key}={written(value)}' for key, value in self.settings.items())}]"

    def with_settings(self, settings: dict[str, Any]) -> "Spec":
        """The same plugin with these settings on top."""
        return Spec(self.name, {**self.settings, **settings})


def parse(text: str) -> Spec:
    """Reads `name` or `name[key=value,...]`; a value is as in TOML, a bare word is a string and `none` is None.

    A name or a value with one of `[],="'#` in it goes into double quotes, as TOML quotes a string.
    """
    if len(text) > LONGEST:
        raise UserError(f"cannot read '{text[:40]}...': it is {len(text)} characters long, and may be {LONGEST}")
    name, settings_text = _name_and_settings(text.strip())
    settings: dict[str, Any] = {}
    for part in _items(settings_text):
        key, *value = _split(part, "=")
        if not value or not key.strip():
            raise UserError(f"cannot read '{part}' in '{text}': it takes key=value")
        settings[key.strip()] = read_value(part[len(key) + 1 :])
    return Spec(name, settings)


def read_value(text: str, depth: int = 0) -> Any:
    """One value: a list of values, as TOML if it is, None for `none`, else the text itself.

    UserError for lists that stand more than `DEEPEST` deep in one another; `depth` is how deep this value does.
    """
    text = text.strip()
    if text.lower() == "none":
        return None
    if text.startswith("[") and text.endswith("]"):
        if depth == DEEPEST:
            raise UserError(f"cannot read '{text[:40]}...': lists may stand {DEEPEST} deep in one another")
        return [read_value(item, depth + 1) for item in _items(text[1:-1])]
    try:
        (value,) = tomllib.loads(f"value = {text}").values()  # of several lines: several values
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, (bool, int, float, str)) else text  # a table, a date: no setting is one


LONGEST = 20_000
"""Characters of a spec: what is longer is none, and would take its time."""

DEEPEST = 20
"""How deep lists of a setting may stand in one another."""

_SYNTAX = set("[],=\"'#")
"""What has a sense of its own, and is quoted where it has not."""


def _name_and_settings(text: str) -> tuple[str, str]:
    """The plugin's name, and what stands in the brackets behind it."""
    name, *rest = _split(text, "[")
    if not name.strip() or (rest and not text.endswith("]")):
        raise UserError(f"cannot read '{text}': it takes name or name[key=value,key=value]")
    quoted = name.startswith('"')
    return str(read_value(name)) if quoted else name.strip(), text[len(name) + 1 : -1] if rest else ""


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that stand in no inner bracket and in no quotes."""
    parts, depth, quote, escaped = [""], 0, "", False
    for character in text:
        if quote:
            quote = "" if character == quote and not escaped else quote
            escaped = character == "\\" and quote == '"' and not escaped
        elif character == separator and not depth:
            parts.append("")
            continue
        elif character in "\"'" and parts[-1].rstrip()[-1:] in ("", "=", ",", "["):
            quote = character
        else:
            depth += (character == "[") - (character == "]")
        parts[-1] += character
    return parts


def _items(text: str) -> list[str]:
    """The parts between commas."""
    return [part for part in _split(text, ",") if part.strip()]


def written(value: Any) -> str:
    """A value as a user writes it: `read_value` reads it back."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(written(item) for item in value)}]"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)  # inf and nan are TOML too
    if isinstance(value, int):
        return str(value)
    text = str(value)
    bare = text and text.isprintable() and not set(text) & _SYNTAX and read_value(text) == text
    return text if bare else _quoted(text)


def _quoted(text: str) -> str:
    """As TOML writes a string on one line (toml.io, v1.0.0, "String")."""
    return f'"{"".join(_ESCAPES.get(character, character) for character in text)}"'


_ESCAPES = {chr(code): f"\\u{code:04x}" for code in (*range(32), 127)} | {'"': '\\"', "\\": "\\\\"}
