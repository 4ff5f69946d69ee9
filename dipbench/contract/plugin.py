"""What all plugins have in common, and the types of their settings."""

import copy
import inspect
import sys
from dataclasses import fields
from types import ModuleType
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le, Lt

from dipbench.code import FROM_FILE, source_of
from dipbench.contract.clashes import clashes, ignored
from dipbench.errors import UserError
from dipbench.spec import Spec

PositiveInt = Annotated[int, Gt(0)]
NonNegativeInt = Annotated[int, Ge(0)]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Gt(0), Lt(1)]
Weight = Annotated[float, Ge(0), Lt(1)]
Probability = Annotated[float, Ge(0), Le(1)]


class Plugin:
    """What all kinds of plugin have in common: a name, settings, and where they come from."""

    kind: ClassVar[str]  # of plugin, said by the base class of each kind: one of `registry.KINDS`
    paper: ClassVar[str] = ""  # where it was published: arXiv:..., doi:... or, of what has neither, https://...
    version: ClassVar[int] = 1  # of what it computes: raise it with every change of that, for it is in a run's name
    licence: ClassVar[str] = ""  # terms a user must know of; empty: those of dipbench

    def __init_subclass__(cls, **given: Any) -> None:
        """UserError for what has a name of the contract and is something else: the harness would take it for that.

        And for a setting of a base that is set without its type, which Python would ignore.
        """
        super().__init_subclass__(**given)
        for what in clashes(cls):
            raise UserError(f"{what} of {cls.__name__} has the name of something of the contract: give it another name")
        for written in ignored(cls):
            raise UserError(f"{cls.__name__} sets a setting without its type, which is ignored: write {written}")

    @classmethod
    def plugin_name(cls) -> str:
        """The name of the file, or of the folder of a package, that holds the class: it is asked for by that.

        With `:Class` behind it where that, outside dipbench, holds several of the kind.
        """
        home = home_of(cls.__module__)
        name, module = home.rpartition(".")[2], sys.modules.get(home) if cls.source() else None
        return f"{name}:{cls.__name__}" if module and len(plugins_in(module, cls.kind)) > 1 else name

    @classmethod
    def source(cls) -> str | None:
        """The hash of the code that the class is of, where that is not dipbench's own: see `dipbench.code`."""
        return source_of(cls.__module__)

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    def settings(self) -> dict[str, Any]:
        """Every setting with its value; a setting that is a plugin with its name and its own."""
        # every plugin is a dataclass; the registry sees to it
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]

    def identity(self) -> dict[str, Any]:
        """What tells it from another where it is a setting: name, source, version and settings."""
        source = {"source": self.source()} if self.source() else {}
        settings = {"setting name" if name == "name" else name: value for name, value in self.settings().items()}
        return {"name": self.plugin_name(), **source, "version": self.version, **settings}

    def written(self) -> str:
        """As a user writes it: the name, with the settings that are not the defaults."""
        values = ((field, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        changed = {field.name: _written(value) for field, value in values if value != field.default}
        return str(Spec(self.plugin_name(), changed))


def kind_of(value: object) -> str | None:
    """The kind of plugin that a class is; None: it is none."""
    return getattr(value, "kind", None) if inspect.isclass(value) and issubclass(value, Plugin) else None


def plugins_in(module: ModuleType, kind: str) -> list[type[Plugin]]:
    """The classes of that kind that a module defines; those of a package may stand in its inner modules."""
    found = [
        value
        for value in vars(module).values()
        if kind_of(value) == kind
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
        and not inspect.isabstract(value)
    ]
    return list(dict.fromkeys(found))  # once, whatever else a class is called in it


def unfinished_in(module: ModuleType) -> list[str]:
    """The classes that a module defines and that lack something to be a plugin, each with what it lacks."""
    return [
        f"'{value.__name__}' lacks {', '.join(sorted(value.__abstractmethods__))}()"
        for value in vars(module).values()
        if kind_of(value) and value.__module__ == module.__name__ and inspect.isabstract(value)
    ]


def lacking(cls: Any) -> str:
    """Why a class cannot be built, to be read behind its name; empty: it can."""
    if inspect.isabstract(cls):
        return f"is not whole: it lacks {', '.join(sorted(cls.__abstractmethods__))}()"
    return "" if "__dataclass_fields__" in vars(cls) else "is not a dataclass: put @dataclass(frozen=True) on it"


def home_of(module: str) -> str:
    """The module that a user names by a path: of one that lies in a package, that package."""
    package = module.rpartition(".")[0]
    return home_of(package) if module.startswith(FROM_FILE) and package in sys.modules else module


def _plain(value: Any) -> Any:
    return value.identity() if isinstance(value, Plugin) else copy.deepcopy(value)


def _written(value: Any) -> Any:
    return value.written() if isinstance(value, Plugin) else value
