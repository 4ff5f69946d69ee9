"""The runs of a suite that are committed: results/reference/SUITE.

runs.jsonl        what became of each run, one line a run; the other two follow from it and from the stores
numbers.csv       the numbers, one row an output
traces.parquet    the traces in single precision: every iteration where they rise fast and every tenth after that,
                  with those of the outputs and the end
"""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from dipbench import registry
from dipbench.scoring import METRICS, SECONDS
from dipbench.store.records import Holdings, Plan, PlannedRun, Result
from dipbench.store.results import frame
from dipbench.store.store import Store
from dipbench.suites.jobs import image_names, jobs_of
from dipbench.suites.run import Run
from dipbench.suites.suite import Suite
from dipbench.text import plain_numbers

FAST = 200  # iterations at the beginning, all kept
EVERY = 10
SIGNALS = ["loss", "psnr", "psnr_ema", "psnr_measurement"]  # of a trace, which the runs of all times have
WATCHED = ["ssim", "variance", "ema_variance", "residual", "validation", "band"]  # kept too, where fits are watched
DIGITS = {**dict.fromkeys(METRICS, 4), SECONDS.name: SECONDS.digits}

Traces = Mapping[str, pd.DataFrame]
"""The thinned trace of a run by its key; a method of one estimate has none."""


class Kept(BaseModel):
    """A run with what is to be said of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    named: list[list[str]]  # experiment, and what that calls the method
    command: str  # that computed it
    result: Result
    current: bool = True  # whether the suite would compute it today under this key

    @property
    def fitted(self) -> bool:
        """Whether it is a fit, which has an engine and a precision."""
        return bool(self.result.engine)

    @property
    def run(self) -> Run:
        """What was computed."""
        return self.result.run


def read(folder: Path) -> tuple[dict[str, Kept], Traces]:
    """The committed runs by key, and their traces."""
    if not (folder / "runs.jsonl").exists():
        return {}, {}
    lines = (folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    runs = [Kept.model_validate(json.loads(line)) for line in lines]
    traces: Traces = {}
    if (folder / "traces.parquet").exists():
        traces = {str(run): rows for run, rows in pd.read_parquet(folder / "traces.parquet").groupby("run")}
    return {run.key: run for run in runs}, traces


def write(folder: Path, runs: Iterable[Kept], traces: Traces, holdings: Holdings) -> None:
    """Writes all three files; `holdings` are of these runs, as `holdings_of` makes them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [run.model_dump(exclude={"current"}, exclude_unset=True) for run in runs]
    (folder / "runs.jsonl").write_text(
        "".join(json.dumps(plain_numbers(line)) + "\n" for line in lines), encoding="utf-8"
    )
    rows = frame(holdings)
    numbers = rows.drop(columns=["status", "message"]).round(DIGITS)
    numbers.to_csv(folder / "numbers.csv", index=False, lineterminator="\n")
    named = [_named(traces[key], rows[rows["run"] == key].iloc[0]) for key in rows["run"].unique() if key in traces]
    if named:
        table = pd.concat(named, ignore_index=True)
        table.to_parquet(folder / "traces.parquet", index=False, **_packed(table))


def _packed(table: pd.DataFrame) -> dict[str, Any]:
    """How floats are smallest that are all different: half of what a dictionary of them takes, and nothing is lost."""
    floats = [name for name in table if table[name].dtype.kind == "f"]
    others = [name for name in table if name not in floats]
    return {"compression": "zstd", "use_dictionary": others, "use_byte_stream_split": floats}


def _named(trace: pd.DataFrame, run: pd.Series) -> pd.DataFrame:
    named = trace.assign(run=run["run"], image=run["image"], method=run["method"], seed=run["seed"])
    return named[["run", "image", "method", "seed", "iteration", *SIGNALS, *watched_in(named)]]


def thinned(trace: pd.DataFrame, outputs: Collection[int], watched: bool = False) -> pd.DataFrame:
    """The part of a trace that is kept; `outputs` are the iterations of the run's outputs."""
    iteration = trace["iteration"]
    columns = ["iteration", *SIGNALS, *(watched_in(trace) if watched else ())]
    kept = trace.reindex(columns=columns)  # what was measured may be no picture, and then has no PSNR
    return kept[(iteration < FAST) | (iteration % EVERY == 0) | iteration.isin([*outputs, iteration.max()])]


def watched_in(trace: pd.DataFrame) -> list[str]:
    """The columns of WATCHED, whatever settings their names have behind them."""
    return [name for plain in WATCHED for name in map(str, trace) if name.partition("[")[0] == plain]


def as_named_today(suite: Suite, runs: Iterable[Kept]) -> list[Kept]:
    """The runs in the order of the suite, those that it has under the names that it gives them.

    A run that it has no more, under its key, stays under the names that it had.
    """
    runs = list(runs)
    today = named_by_suite(suite, [run.run for run in runs])
    renamed = [
        run.model_copy(update={"named": today.get(run.key, run.named), "current": run.key in today}) for run in runs
    ]
    experiments = {experiment.name: experiment for experiment in suite.experiments}
    images = {name: image_names(experiment) for name, experiment in experiments.items()}

    def place(run: Kept) -> tuple[Any, ...]:
        name, label = run.named[0]
        methods = [entrant.label for entrant in experiments[name].methods]
        return (
            *(list(experiments).index(name), images[name].index(run.run.image), run.run.seed),
            *(methods.index(label) if label in methods else len(methods), run.run.precision, run.key),
        )

    return sorted(renamed, key=place)


def named_by_suite(suite: Suite, runs: Iterable[Run]) -> dict[str, list[list[str]]]:
    """The key of each run that the suite has, with the seeds and precisions of `runs` -> experiments and methods."""
    runs = list(runs)
    seeds = sorted({run.seed for run in runs})
    named: dict[str, list[list[str]]] = {}
    for precision in sorted({run.precision for run in runs}):
        for job in jobs_of(suite, seeds, precision):
            places = named.setdefault(job.run.key, [])
            if [job.experiment, job.label] not in places:
                places.append([job.experiment, job.label])
    return named


def holdings_of(suite: Suite, runs: Iterable[Kept]) -> Holdings:
    """What a store would hold of which just these runs were asked for, with no rule that the suite does not ask."""
    rules = {str(registry.build("rule", spec).written()) for spec in suite.rules}
    runs = [run.model_copy(update={"result": _of_rules(run.result, rules)}) for run in runs]
    planned = {
        experiment.name: [
            PlannedRun(key=run.key, label=label, image=run.run.image, seed=run.run.seed)
            for run in runs
            for name, label in run.named
            if name == experiment.name
        ]
        for experiment in suite.experiments
    }
    return Holdings(Plan.of(suite, planned, command=""), {run.key: run.result for run in runs})


def _of_rules(result: Result, rules: Collection[str]) -> Result:
    """Without the outputs that other rules nominated; what ended the fit is its last output all the same."""
    outputs = [each for each in result.outputs if each.output in ("final", "ema") or each.rule in ("", *rules)]
    return result if outputs == result.outputs else result.model_copy(update={"outputs": outputs})


def store_of(folder: Path, runs: Iterable[Kept], traces: Traces) -> Store:
    """A store of the traces of these runs alone, for curves to be drawn from: of one estimate that is its score."""
    store = Store(folder)
    for run in runs:
        with store.new_folder("runs", run.key) as place:
            scored = [output.psnr for output in run.result.outputs][:1]
            one = pd.DataFrame([{"iteration": 0, "psnr": psnr} for psnr in scored], columns=["iteration", *SIGNALS])
            trace = traces.get(run.key, one.astype(dict.fromkeys(SIGNALS, "float64")))
            trace[["iteration", *SIGNALS]].to_parquet(place / "trace.parquet", index=False)
    return store
