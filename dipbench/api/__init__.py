"""dipbench from Python: the same as the command line, with a pandas frame for an answer."""

import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dipbench import registry
from dipbench.bases.of_function import prior
from dipbench.bases.of_restorer import method
from dipbench.comparing.board import Leaderboard, leaderboard_of
from dipbench.comparing.gathering import Comparisons, compared, store_of
from dipbench.contract import Method, Plugin
from dipbench.errors import UserError
from dipbench.images.files import read_picture
from dipbench.images.writing import Samples, write_as
from dipbench.metrics import metric_of
from dipbench.report import refresh_report
from dipbench.report.loaded import Loaded
from dipbench.resources import pick_device
from dipbench.running.check import Checked, checked, told
from dipbench.running.conditions import Conditions
from dipbench.running.executors import Executor
from dipbench.running.restoring import NoiseLevelNotGiven, Restoration, restored
from dipbench.running.runner import Display, Summary, compute, plan_of
from dipbench.running.score_files import score_folder
from dipbench.running.trial import Progress
from dipbench.store.store import Store
from dipbench.suites.agenda import parts_of
from dipbench.suites.edits import Choices
from dipbench.suites.seeds import seeds_of
from dipbench.trace.kept import Output

__all__ = ["check", "compare", "leaderboard", "load", "method", "prior", "restore", "restore_to", "run", "score"]


def execute(
    name: str,
    choices: Choices,
    *,
    seeds: list[int] | None,
    conditions: Conditions,
    out: Path | None,
    command: str,
    display: Display | None,
    on: Executor,
) -> Iterator[tuple[Store, Summary]]:
    """Runs a suite, or the suites of an agenda in turn, and yields each store with what became of it.

    `seeds` None is 0, or what the agenda says.
    """
    for part in parts_of(name, choices, seeds, conditions.execution.precision):
        store = Store(part.store(out))
        plan = plan_of(part.whole, part.planned, command)
        yield store, compute(part.jobs, store, plan, conditions, display, on)


def executor_of(on: str, jobs: int, methods: Iterable[str]) -> Executor:
    """The executor that is asked for; of methods that this process alone knows it is this process.

    UserError where those are to be computed by others.
    """
    executor: Executor = registry.build("executor", on)
    given = [text for text in methods if registry.is_given("method", text)]
    if not given:
        return executor
    elsewhere = executor.plugin_name() not in ("this_process", "processes")
    if jobs != 1 or elsewhere:
        wrong = f"on must be 'this_process', got '{on}'" if elsewhere else f"jobs must be 1, got {jobs}"
        raise UserError(
            f"{wrong}: method '{given[0]}' was given from Python, and other processes do not know it; or put it into a "
            "file and give its path"
        )
    return registry.build("executor", "this_process")


def run(
    suite: str,
    *,
    only: Sequence[str] | str = (),
    methods: Iterable[Method | type[Method] | str] | Method | type[Method] | str = (),
    data: Path | str | None = None,
    settings: Sequence[str] = (),
    record: Sequence[str] = (),
    rules: Sequence[str] = (),
    metrics: Sequence[str] = (),
    scale: Literal["full", "smoke"] = "full",
    seed: int | None = None,
    seeds: Sequence[int] | int | None = None,
    device: str = "auto",
    on: str = "processes",
    jobs: int = 1,
    engine: str = "auto",
    precision: str = "float32",
    checkpoint: float = 60.0,
    at_once: int = 0,
    out: Path | str | None = None,
    report: bool = False,
    plugins: Sequence[Path | str] | None = None,
) -> pd.DataFrame:
    """Runs a suite or an agenda and returns its results, one row an output: see `dipbench.store.results.columns`.

    The arguments are the options of `dipbench run`; `plugins` are folders, and `seeds` a number of them or a list. One
    word of `only` and one method need no list around them. A method may also be a class or an object of one, from a
    notebook too, or what `dipbench.prior` made: it is computed in this process. A failed run is a row whose `status` is
    `failed` and whose `message` says why. With `jobs` above 1 the caller must be guarded by
    `if __name__ == "__main__"`.
    UserError for what is wrong in the arguments.
    """
    registry.use_folders(None if plugins is None else [Path(folder) for folder in plugins])
    only = [only] if isinstance(only, str) else only
    texts = registry.as_text("method", [methods] if isinstance(methods, (str, Method, type)) else methods)
    choices = Choices(only, texts, Path(data) if data else None, settings, scale, record, rules, metrics)
    made = execute(
        suite,
        choices,
        seeds=seeds_of(seed, seeds),
        conditions=Conditions.read(device, jobs, engine, precision, checkpoint, at_once),
        out=Path(out) if out else None,
        command=_call(
            suite,
            only=only,
            methods=texts,
            data=data,
            settings=settings,
            record=record,
            rules=rules,
            metrics=metrics,
            scale=scale,
            seed=seed,
            seeds=seeds,
            precision=precision,
        ),
        display=None,
        on=executor_of(on, jobs, texts),
    )
    results = {}
    for store, summary in made:
        if report:
            refresh_report(store, summary.holdings)
        results[store.path] = summary.results  # of an agenda's last entry in a store, which asks for all of them
    return pd.concat(results.values(), ignore_index=True)


def _call(suite: str, **given: Any) -> str:
    """How a store says that it was asked from Python: with what decides what is asked, as far as it is not usual."""
    usual: dict[str, Any] = {"scale": "full", "precision": "float32"}
    said = [
        f"{name}={list(value) if isinstance(value, (list, tuple)) else value!r}"
        for name, value in given.items()
        if value not in (None, (), [], "") and value != usual.get(name)
    ]
    return f"dipbench.run({', '.join([repr(suite), *said])}) in {Path(sys.argv[0]).name or 'Python'}"


def compare(
    methods: Iterable[Method | type[Method] | str] = (),
    *,
    suite: str | Path | Sequence[str | Path],
    baseline: str = "",
    metric: str = "",
    ties: float | None = None,
    output: str = "",
) -> Comparisons:
    """Compares methods on the measurements that a store has: tidy frames `ranking` and `differences`, and `remarks`.

    The arguments are those of `dipbench compare`: labels with an output behind a comma or without, or the objects that
    `run` was given, none for all; `suite` is the name of one that was run, a folder of results, or several. Nothing is
    computed. UserError for a method that is not there, with what to run, and for what does not compare.
    """
    by = metric_of(metric)
    if ties is not None and not ties >= 0:
        raise UserError(f"ties must be the difference up to which two methods are equal, 0 or more, got {ties:g}")
    wanted = [suite] if isinstance(suite, (str, Path)) else suite
    stores = [store_of(str(one)) for one in wanted]
    return compared(stores, registry.as_text("method", methods), by, baseline, ties, output)


def leaderboard(stores: Sequence[str | Path], *, metric: str = "", output: str = "") -> pd.DataFrame:
    """Ranks what several stores hold: a line a method of each data set and task.

    Its columns are `dipbench.comparing.board.COLUMNS`. The arguments are those of `dipbench leaderboard`: folders of
    results, or names of suites that were run. What must be said of it stands in `attrs["remarks"]`, by the title of
    the board; under an empty title what concerns all. UserError where nothing can be ranked.
    """
    found = board_of(stores, metric, output)
    frame = found.frame
    frame.attrs["remarks"] = {"": list(found.remarks), **{board.title: list(board.remarks) for board in found.boards}}
    return frame


def board_of(stores: Sequence[str | Path], metric: str = "", output: str = "") -> Leaderboard:
    """The same as boards with their remarks."""
    if not stores:
        raise UserError("leaderboard needs at least one folder of results, got none")
    return leaderboard_of([store_of(str(one)) for one in stores], metric_of(metric), output)


def load(folder: Path | str) -> Loaded:
    """The results and traces in a folder that `run` wrote, as tidy frames. UserError for another folder."""
    return Loaded(Store.existing(Path(folder)))


class Checks(pd.DataFrame):
    """What `check` tried, a row each. Printed it is what a user reads."""

    def __repr__(self) -> str:
        return "\n".join(told(Checked(*row) for row in self[["what", "complaint", "untried"]].to_numpy()))

    def _repr_html_(self) -> None:
        """None, for a notebook to show the text."""


def check(plugin: Plugin | type[Plugin] | str, kind: str = "method") -> Checks:
    """Whether a plugin keeps the contract: a row a line of `dipbench check`.

    A row has a `complaint` where that is wrong and, where it was not tried, the reason in `untried`.
    As `dipbench check`, of a class from a notebook too, or of what `prior` made; what `tiny()` sets is as there, and
    other settings are as given. UserError for what is no plugin.
    """
    (text,) = registry.as_text(kind, [plugin])
    return Checks(
        [{"what": each.what, "complaint": each.complaint, "untried": each.untried} for each in checked(kind, text)]
    )


def score(
    folder: Path | str,
    *,
    dataset: str,
    task: str,
    method_name: str = "",
    out: Path | str | None = None,
    pattern: str = "{name}",
    metrics: Sequence[str] = (),
    peak: int | None = None,
) -> pd.DataFrame:
    """Scores images made elsewhere, called by `pattern` after those of the data set: one row an image, as from `run`.

    The arguments are the options of `dipbench score`. An image without a result is a row whose `status` is `failed`.
    UserError for what is wrong in the arguments.
    """
    return score_folder(Path(folder), dataset, task, method_name, Path(out) if out else None, pattern, metrics, peak)


def restore(
    image: Path | str,
    *,
    task: str,
    method: Method | type[Method] | str = "dip",
    output: str | None = None,
    stop: str | None = None,
    seed: int = 0,
    device: str = "auto",
    peak: int | None = None,
    progress: Progress | None = None,
) -> Output:
    """Restores an image that came degraded, for which there is no truth.

    `output` is `final` or `ema`; None is `ema` where the method has it and did not end too soon for it. `stop` is the
    rule that ends a fit; None is `discrepancy` where the noise level is given or can be estimated, and the output says
    so by its `rule` and `fired`.
    Where a task that has a noise level is given none, it is estimated, with a `NoiseLevelNotGiven` warning. `peak` is
    the level of the file that is white, such as 4095. The output's image is (C, H, W) in [0, 1]. UserError if the
    method refuses the problem or has no such output, or the file cannot be read: all of it before the method begins;
    and where it gave pixels that are not finite, as a fit does that diverged.
    """
    (text,) = registry.as_text("method", [method])
    wanted = Restoration.of(Path(image), task, text, output, stop, pick_device(device), peak)
    if wanted.doubt:
        warnings.warn(f"'{image}': {wanted.doubt}", NoiseLevelNotGiven, stacklevel=2)
    return restored(wanted, seed, progress)


def restore_to(path: Path | str, output: Output, *, like: Path | str | None = None, peak: int | None = None) -> None:
    """Writes what `restore` made, as the suffix says: `dipbench.images.files.WRITTEN`.

    With 8 bits a channel or, where that is given, as in the file `like`, which was read with `peak`: of a file of more
    bits with 16 (PNG and TIFF), and with its colour profile. UserError where it cannot be written.
    """
    write_restored(Path(path), output, Samples.of(read_picture(Path(like), peak), peak) if like else Samples())


def write_restored(path: Path, output: Output, samples: Samples) -> None:
    """The same, with its levels so."""
    try:
        write_as(path, output.image, samples)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot write '{path}': {error}") from error
