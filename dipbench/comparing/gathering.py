"""Comparisons from stores: whose results lie together, which methods are there, and what is not computed yet."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dipbench import registry
from dipbench.comparing.comparable import comparable
from dipbench.comparing.entrants import entrant_of, output_of
from dipbench.comparing.ranking import Comparison, comparison_of
from dipbench.comparing.scores import without_scores
from dipbench.comparing.variants import said_of_twice
from dipbench.errors import UserError, nearest
from dipbench.metrics import leading
from dipbench.scoring import Metric
from dipbench.spec import parse
from dipbench.store.absent import near_store, no_store
from dipbench.store.records import Holdings
from dipbench.store.results import frame
from dipbench.store.store import Store
from dipbench.suites.preset_files import preset_names
from dipbench.suites.suite import read_suite


@dataclass(frozen=True, eq=False, repr=False)
class Comparisons:
    """What stores say of methods, an experiment after the other."""

    each: list[Comparison]
    remarks: tuple[str, ...]  # of what is not computed, and of experiments that compare nothing

    def __repr__(self) -> str:
        """The verdicts: `ranking` and `differences` have the numbers."""
        lines = []
        for one in self.each:
            lines += [f"{one.experiment}: {one.metric.title}, against {one.baseline}"]
            lines += [f"  {row['label']}: {row['verdict']}" for _, row in one.differences.iterrows()]
            lines += [f"  {remark}" for remark in one.remarks]
        return "\n".join([*lines, *self.remarks])

    @property
    def ranking(self) -> pd.DataFrame:
        """The rankings one below the other: `comparing.ranking.RANKING`."""
        return pd.concat([one.ranking for one in self.each], ignore_index=True)

    @property
    def differences(self) -> pd.DataFrame:
        """The differences from the baseline one below the other: `comparing.ranking.DIFFERENCES`."""
        return pd.concat([one.differences for one in self.each], ignore_index=True)


def store_of(wanted: str) -> Store:
    """The store in a folder, or that of a suite, results/SUITE. UserError, with what to run, where there is none."""
    if Path(wanted).is_dir():
        return Store.existing(Path(wanted))
    try:
        name = read_suite(wanted).name
    except UserError as error:
        if (Path("results") / wanted).is_dir():  # of a suite in a file, by its name
            return Store.existing(Path("results") / wanted)
        near = near_store(Path(wanted)) or near_store(Path("results", wanted))
        if near or (os.sep in wanted and not nearest(wanted, preset_names())):
            raise no_store(Path(wanted), near) from error
        raise UserError(f"'{wanted}' is not a folder of results, nor a suite: {error}") from error
    folder = Path("results") / name
    if not folder.is_dir():
        raise UserError(f"suite '{wanted}' has no results in '{folder}': run 'dipbench run {wanted}' first")
    return Store.existing(folder)


def compared(
    stores: Sequence[Store],
    methods: Sequence[str],
    metric: Metric | None,
    baseline: str = "",
    tie: float | None = None,
    output: str = "",
    held: Sequence[Holdings] | None = None,
) -> Comparisons:
    """Methods, as `entrant_of` reads them, on the measurements that the stores have; none: all that there are.

    `metric` None is that which leads each experiment; `output` is its name, or what a reader calls it; the others are
    as of `comparison_of`; `held` is the part of each store that counts, None all of it. UserError for a method or an
    output that is not there, and where nothing compares.
    """
    holdings = [store.holdings() for store in stores] if held is None else held
    results, remarks = _together(stores, holdings)
    if metric and metric.name not in results:
        raise UserError(
            f"no run in '{stores[0].path}' has a score by {metric.title}: with it among the metrics (--metric "
            f"{metric.name}) this scores what is stored, and computes nothing anew: "
            f"{_commands(holdings[0], holdings[0].plan.runs)}"
        )
    asked = list(dict.fromkeys([*methods, *([baseline] if baseline else [])]))
    for written in asked:
        _check_there(written, results, holdings)
    if len(methods) == 1 and len(asked) == 1:
        raise UserError(f"only '{methods[0]}' is named: it takes two methods or more, or none for all")
    wanted = {entrant_of(written, results).method for written in asked}
    remarks += [
        f"{experiment.name} is at smoke scale: it shows that the suite runs, and is no result."
        for experiment in holdings[0].plan.experiments
        if experiment.scale == "smoke"
    ]
    remarks += [remark for held in holdings for remark in not_computed(held, wanted)]
    against, each = baseline or next(iter(methods), ""), []
    wanted_output = output and output_of(output, results)
    grouped = {experiment.name: experiment.grouped for experiment in holdings[0].plan.experiments}
    for name, rows in results.groupby("experiment", sort=False):
        there = [written for written in asked if _is_there(written, rows)]
        if asked and (against not in there or (methods and len(there) < 2)):
            absent = ", ".join(f"'{written}'" for written in asked if written not in there)
            remarks.append(f"{name}: not compared, for it has no result of {absent}.")
            continue
        found = comparison_of(
            rows,
            metric or leading(rows),
            methods=there if methods else (),
            baseline=against,
            tie=tie,
            output=wanted_output,
            grouped=() if methods else grouped.get(str(name), ()),
        )
        if found:
            each.append(found)
    if not each:
        by = metric or leading(results)
        nothing = without_scores(results, by) or (f"no two methods have a score by {by.title} of the same measurement")
        raise UserError(f"nothing to compare: {nothing}{in_brackets(remarks)}")
    return Comparisons(each, tuple(remarks))


def _together(stores: Sequence[Store], holdings: Sequence[Holdings]) -> tuple[pd.DataFrame, list[str]]:
    """The table of results of the first store, with what the others have of the same measurements; and what to say."""
    first, *others = (
        comparable(frame(held), held.results, store.trace).assign(store=str(store.path.resolve()))
        for store, held in zip(stores, holdings, strict=True)
    )
    experiments = first[["experiment", "measurement"]].drop_duplicates()
    frames = [first]
    for store, held, other in zip(stores[1:], holdings[1:], others, strict=True):
        _check_same_methods(stores[0], holdings[0], store, held)
        shared = other.drop(columns="experiment").merge(experiments, on="measurement")
        if shared.empty:
            raise UserError(
                f"'{stores[0].path}' and '{store.path}' share no measurement: it takes stores with the same images, "
                "task and seeds"
            )
        frames.append(shared.reindex(columns=first.columns))
    together = pd.concat(frames, ignore_index=True)
    once = together.drop_duplicates(["experiment", "method", "run", "output"], ignore_index=True)
    return once.drop(columns="store"), said_of_twice(together)


def _check_same_methods(first: Store, held: Holdings, other: Store, others: Holdings) -> None:
    """UserError for a label that stands for different methods."""
    for label, spec in others.plan.methods.items():
        known = held.plan.methods.get(label, spec)
        if known != spec:
            raise UserError(f"'{label}' is {known} in '{first.path}' and {spec} in '{other.path}': it takes one method")


def _check_there(written: str, results: pd.DataFrame, holdings: Sequence[Holdings]) -> None:
    """UserError for a method without results, with what to run."""
    for held in holdings:
        planned = [key for key, run in held.plan.runs.items() if run.label == written]
        if planned and written not in set(results["method"]):
            raise UserError(f"no run of '{written}' is computed yet: {_commands(held, planned)}")
    try:
        entrant_of(written, results)
    except UserError as error:
        method = written if written.endswith("]") else written.partition(",")[0].strip()
        if str(error).startswith("unknown method") and _can_be_run(method, holdings[0]):
            command = holdings[0].plan.command.partition("\n")[0]
            typed = command.startswith("dipbench run ")
            mend = f"{command} --method '{method}'" if typed else f"{command}, with it among the methods"
            raise UserError(f"{error} (to compute it: {mend})") from error
        raise


def _can_be_run(method: str, held: Holdings) -> bool:
    """Whether a plugin is called so, or a method to which the suite gave a name."""
    try:
        spec = parse(method)
        if spec.name not in held.plan.methods:
            registry.build("method", spec)
    except UserError:
        return False
    return True


def _is_there(written: str, rows: pd.DataFrame) -> bool:
    try:
        return not entrant_of(written, rows).rows(rows).empty
    except UserError:
        return False


def not_computed(held: Holdings, methods: Collection[str]) -> list[str]:
    """A line a method of which some runs are not in the store; no `methods`: all."""
    runs = pd.Series({key: run.label for key, run in held.plan.runs.items()}, dtype="str")
    missing = runs[~runs.index.isin(list(held.results))]
    return [
        f"{count} of {(runs == label).sum()} runs of {label} are not computed: "
        + _commands(held, missing.index[missing == label])
        for label, count in missing.value_counts().items()
        if not methods or label in methods
    ]


def _commands(held: Holdings, keys: Iterable[str]) -> str:
    """What to run for runs to be computed."""
    return " and ".join(dict.fromkeys(map(held.plan.command_of, keys))) or "run the suite again"


def in_brackets(remarks: Sequence[str]) -> str:
    """The first of some remarks, for the end of an error; empty where there is none."""
    return f" ({remarks[0].rstrip('.')})" if remarks else ""
