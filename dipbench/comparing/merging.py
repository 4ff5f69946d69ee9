"""The results of several stores in one table, in parts of which each is of one data set, task, protocol and scale."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from dipbench.comparing.comparable import comparable
from dipbench.store.records import Holdings, PlannedExperiment
from dipbench.store.results import frame
from dipbench.store.store import Store
from dipbench.suites.run import Run, canonical


def merged(stores: Sequence[Store], holdings: Sequence[Holdings]) -> pd.DataFrame:
    """The tables of results of all, with what tells measurements and methods of different stores apart.

    Beside those of `store.results.columns` the columns `store`, a name; `command`, that which asked for the run; `on`
    and `task`, as the suite writes data set and task; `smoke`; `problem`, equal where data set and task are; `pixels`,
    equal where an image is; `spec`, what a label stands for; `code`, equal where method and fit compute by the same
    source, version and precision; `settings`; `rule`, that chose the output, with its code. The precision is that of a
    fit, and empty for what is none.
    """
    names = _names([store.path for store in stores])
    tables = [
        comparable(_table(held), held.results, store.trace).assign(store=name)
        for store, name, held in zip(stores, names, holdings, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def _names(paths: Sequence[Path]) -> list[str]:
    """The last parts of each path, as few as tell it from the others."""
    whole = [path.resolve() for path in paths]
    for length in range(1, max(len(path.parts) for path in whole)):
        names = ["/".join(path.parts[-length:]) for path in whole]
        if len(set(names)) == len(set(whole)):
            return names
    return [str(path) for path in whole]


def _table(held: Holdings) -> pd.DataFrame:
    rows = frame(held).drop(columns="task")
    experiments = {experiment.name: experiment for experiment in held.plan.experiments}
    runs = [held.results[key].run for key in rows["run"]]
    facts = [_facts(run, experiments[name]) for run, name in zip(runs, rows["experiment"], strict=True)]
    columns = ["on", "task", "problem", "pixels", "code", "settings"]
    more = pd.DataFrame(facts, columns=columns, index=rows.index)
    return rows.join(more).assign(
        spec=[held.plan.methods.get(label, label) for label in rows["method"]],
        precision=[held.results[key].precision for key in rows["run"]],
        smoke=[experiments[name].scale == "smoke" for name in rows["experiment"]],
        command=[held.plan.command_of(key) for key in rows["run"]],
    )


def _facts(run: Run, experiment: PlannedExperiment) -> tuple[str, ...]:
    return (
        experiment.dataset,
        experiment.task,
        canonical([run.dataset, run.task]),
        canonical([run.pixels, run.versions.get("task")]),
        canonical([run.code, run.precision]),
        canonical(run.method["settings"]),
    )


def parts_of(table: pd.DataFrame) -> list[pd.DataFrame]:
    """What belongs on one board each: of one data set, task, protocol and scale, and with something in common.

    Two experiments have a measurement in common, or the methods of one are among those of the other.
    """
    parts: list[pd.DataFrame] = []
    for _, rows in table.groupby(["problem", "protocol", "smoke"], sort=False):
        parts += _with_something_in_common([one for _, one in rows.groupby(["store", "experiment"], sort=False)])
    return parts


def _with_something_in_common(experiments: Sequence[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The experiments joined, as far as they have anything in common, in the order of the first of each."""
    joined: list[pd.DataFrame] = []
    for rows in experiments:
        alike = [part for part in joined if _belong_together(part, rows)]
        if not alike:
            joined.append(rows)
            continue
        at = next(i for i, part in enumerate(joined) if part is alike[0])
        whole = pd.concat([*alike, rows])
        joined = [part for part in joined if not any(part is other for other in alike)]
        joined.insert(at, whole)
    yield from joined


def _belong_together(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    if set(one["measurement"]) & set(other["measurement"]):
        return True
    methods = [set(zip(rows["method"], rows["code"], strict=True)) for rows in (one, other)]
    among = methods[0] <= methods[1] or methods[1] <= methods[0]
    return among and not _other_pixels(one, other)


def _other_pixels(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether an image of one name is another image in the other, as where it was made smaller."""
    pixels = pd.concat([one, other])[["image", "pixels"]].drop_duplicates()
    return bool(pixels["image"].duplicated().any())
