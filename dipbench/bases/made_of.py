"""The class of a plugin that is made of a function, for what a notebook or a script hands over."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from dipbench.contract import Plugin
from dipbench.errors import UserError

Made = TypeVar("Made", bound=Plugin)


def class_made_of(function: Callable[..., Any], base: type[Made], name: str, *, maker: str, says: str) -> type[Made]:
    """A class of `base` with the function as its `made_of`, called `name` or as the function is.

    What it says of itself is the function's docstring, else `says` with the name for {name}. UserError without a name,
    in the words of `maker`, the function of dipbench that was called.
    """
    name = name or getattr(function, "__name__", "")
    if not name.isidentifier():
        raise UserError(f"{maker} got {function!r}, which has no name: give one, dipbench.{maker}(..., name='mine')")
    words = (inspect.getdoc(function) if inspect.isfunction(function) else "") or says.format(name=name)
    content = {"made_of": staticmethod(function), "__doc__": words, "__module__": function.__module__}
    return dataclass(frozen=True)(type(name, (base,), content))
