"""What a setting takes, in words, from its type."""

from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from dipbench.contract import Plugin
from dipbench.contract.plugin import kind_of
from dipbench.spec import written

_PLAIN = {bool: "true, false", int: "integer", float: "number", str: "text", Path: "path", NoneType: "none"}
_BOUNDS = {Gt: ("gt", ">"), Ge: ("ge", ">="), Lt: ("lt", "<"), Le: ("le", "<=")}


def allowed(cls: type[Plugin]) -> dict[str, str]:
    """Setting -> what it takes: `integer > 0, or none`."""
    hints: Mapping[str, Any] = get_type_hints(cls, include_extras=True)
    return {name: _words(hint) for name, hint in hints.items()}


def _words(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return f"{_words(parts[0])} {_bounds(parts[1:])}".strip()
    if origin is Literal:
        return ", ".join(map(written, parts))
    if origin in (Union, UnionType):
        return ", or ".join(map(_words, parts))
    if origin in (tuple, list):
        return f"list of {_words(parts[0])}" if parts[1:] in ((), (...,)) else f"[{', '.join(map(_words, parts))}]"
    if kind := kind_of(hint):
        return f"a {kind}"
    return _PLAIN.get(hint, str(hint))


def _bounds(constraints: tuple[Any, ...]) -> str:
    found = [_BOUNDS[type(each)] + (each,) for each in constraints if type(each) in _BOUNDS]
    return " and ".join(f"{sign} {getattr(bound, name):g}" for name, sign, bound in found)
