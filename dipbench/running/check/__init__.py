"""What every plugin must do, as checks: `dipbench check NAME_OR_FILE` tries it, and the tests all that are found."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dipbench import registry
from dipbench.contract import Method, Plugin, Rule, Task
from dipbench.errors import UserError, is_of_packages, located, unknown
from dipbench.registry.process import apart
from dipbench.running.check import datasets, methods, noises, rules, signals, tasks, tricks, validations
from dipbench.running.check.patience import Endless, at_most
from dipbench.running.check.trying import Try, Untried
from dipbench.spec import parse


@dataclass(frozen=True)
class Checked:
    """One thing that was tried, or that could not be."""

    what: str
    complaint: str = ""  # empty: it is as it should be, or was not tried
    untried: str = ""  # why it was not; empty: it was
    ends: bool = True  # whether what was tried came to an end

    def __str__(self) -> str:
        return f"{self.word}  {self.what}{': ' if self.said else ''}{self.said}"

    @property
    def word(self) -> str:
        return "WRONG" if self.complaint else "-----" if self.untried else "right"

    @property
    def said(self) -> str:
        """What there is to say of it; empty: nothing, it is right."""
        return self.complaint or (f"not tried, because {self.untried}" if self.untried else "")


def told(checks: Iterable[Checked]) -> Iterator[str]:
    """Each as a line, what is said of it in full the first time; then KEPT, or what stands against it."""
    said = set[str]()
    wrong = untried = 0
    for each in checks:
        yield f"{each.word}  {each.what}: the same as above" if each.said in said else str(each)
        said.update(filter(None, [each.said]))
        wrong += bool(each.complaint)
        untried += bool(each.untried)
    if wrong:
        yield f"{wrong} wrong" + (f", {untried} not tried" if untried else "")
    elif untried:
        yield f"{KEPT}, as far as it was tried: {untried} {'line was' if untried == 1 else 'lines were'} not"
    else:
        yield KEPT


KEPT = "it keeps the contract"


def kind_of(written: str, wanted: str | None = None) -> str:
    """The kind of the plugin of that name, or in that file; `wanted` says which, where there are several.

    Settings behind the name make no difference. UserError if there is none that can be checked, or several.
    """
    name = parse(written).name
    if wanted not in (None, *CHECKS):
        raise unknown("kind of plugin", str(wanted), CHECKS)
    kinds = registry.kinds_of(name)
    found = [kind for kind in kinds if kind in CHECKS and wanted in (None, kind)]
    if len(found) > 1:
        raise UserError(f"'{name}' is a {' and a '.join(found)}: say which kind is meant")
    if not found and kinds:
        raise UserError(f"'{name}' is of kind {' and '.join(kinds)}: it takes {wanted or ', '.join(CHECKS)}")
    if not found:
        sought = [wanted] if wanted else list(CHECKS)
        raise unknown(" or ".join(sought), name, (known for kind in sought for known in registry.names(kind)))
    return found[0]


def checked(kind: str, written: str) -> Iterator[Checked]:
    """Every check of a plugin, in turn. An error that a plugin raises is a complaint.

    It has the settings of its `tiny()`, where its kind has that, and of the others those that are `written`. UserError
    for a setting that is wrong.
    """
    spec = parse(written)
    cls = registry.find(kind, spec.name)
    given = registry.build(kind, spec) if spec.settings else None
    yield _tried("says what it is", partial(_describes_itself, cls))
    tries: list[Try] = []

    def make() -> str:
        tries.extend(CHECKS[kind](_small(cls, given, spec.settings)))
        return ""

    made = _tried("can be made with the defaults of its settings", make)
    if made.complaint:
        yield made
    ends = True
    for what, check in tries:
        found = _tried(what, check, _patience_for(cls)) if ends else Checked(what, untried="it does not end")
        ends = ends and found.ends
        yield found


def _small(cls: type[Plugin], given: Plugin | None, names: Iterable[str]) -> Plugin:
    tiny: Any = cls.tiny() if issubclass(cls, (Method, Task, Rule)) else cls()
    free = [name for name in names if getattr(tiny, name) == getattr(cls(), name)]
    return replace(tiny, **{name: getattr(given, name) for name in free})


def _patience_for(cls: type[Plugin]) -> float:
    """Seconds of a processor: a check of a method runs it up to four times."""
    return 4 * cls.most_seconds if issubclass(cls, Method) else 0.0


def _tried(what: str, check: Callable[[], str], seconds: float = 0.0) -> Checked:
    try:
        with apart(), at_most(seconds):
            return Checked(what, check())
    except Untried as reason:
        return Checked(what, untried=str(reason))
    except Endless as error:
        return Checked(what, str(error), ends=False)
    except (Exception, SystemExit) as error:  # whatever a plugin does
        return Checked(what, located(error) + _mend_of(error))


def _mend_of(error: BaseException) -> str:
    """What to do about an error that points to no line of a plugin's, as one deep in torch; empty: it does."""
    if isinstance(error, UserError) or not is_of_packages(error):
        return ""
    return ": no line of your files raised it, so it comes of what they give or keep: mend what is wrong above first"


def _describes_itself(cls: type[Plugin]) -> str:
    if not cls.summary().endswith("."):
        return "its docstring does not begin with a sentence"
    bare = [name for name, kind, _, comment in registry.describe(cls) if not kind or not comment]
    return f"settings without a type or a comment on their line: {', '.join(bare)}" if bare else ""


CHECKS: dict[str, Callable[..., list[Try]]] = {
    "method": methods.checks,
    "dataset": datasets.checks,
    "task": tasks.checks,
    "noise": noises.checks,
    "trick": tricks.checks,
    "signal": signals.checks,
    "rule": rules.checks,
    "validation": validations.checks,
}
"""Kind of plugin -> the checks of one of it, beside those of every plugin."""
