"""What is watched of fits beside the usual signals, and by what code that was."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Self

from dipbench import registry
from dipbench.contract import Plugin, Rule
from dipbench.suites.run import by_content, contents_of, key_of
from dipbench.suites.suite import Suite


@dataclass(frozen=True)
class Watched:
    """What is watched of the fits of a suite beside the usual signals. It changes no fit."""

    signals: tuple[str, ...] = ()  # as `registry.build` takes them: the path of a file stays one
    rules: tuple[str, ...] = ()
    snapshots: int = 0
    names: tuple[str, ...] = ()  # of all of it, for the result of a run to say: another file is another

    @classmethod
    def of(cls, suite: Suite) -> Self:
        """UserError for a signal or a rule that there is not, or that has a setting that is wrong."""
        asked = [*(("signal", spec) for spec in suite.record), *(("rule", spec) for spec in suite.rules)]
        names = [_name_of(registry.build(kind, spec)) for kind, spec in asked]
        names += [f"snapshots={suite.snapshots}"] if suite.snapshots else []
        signals, rules = (tuple(dict.fromkeys(map(str, specs))) for specs in (suite.record, suite.rules))
        return cls(signals, rules, suite.snapshots, tuple(dict.fromkeys(names)))


def _name_of(plugin: Plugin) -> str:
    """As it is written, with what tells its code from another's: a hash, or of one of dipbench's own the version.

    And with a hash of the files that its settings name.
    """
    version = "" if plugin.source() or plugin.version == 1 else f"v{plugin.version}"
    contents = sorted(contents_of(by_content(plugin.settings())))
    files = key_of({"files": contents}) if contents else ""
    return " ".join(filter(None, [plugin.written(), plugin.source(), files, version]))


@cache
def outdated(watched: tuple[str, ...]) -> frozenset[str]:
    """The columns of a trace that are of another version than is there now, by the names that its run gives."""
    columns: set[str] = set()
    for name in watched:
        written = re.sub(r" v\d+$", "", name)
        for plugin in (registry.build_known(kind, written) for kind in ("signal", "rule")):
            if plugin is not None and not plugin.source() and _name_of(plugin) != name:
                columns.update(plugin.reads if isinstance(plugin, Rule) else [plugin.written()])
    return frozenset(columns)
