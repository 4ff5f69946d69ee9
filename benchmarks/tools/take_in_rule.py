"""Takes into the committed fits what a rule says of them that the suite asks since: results/reference/SUITE.

    dipbench run overfitting/stop_rules --seeds 2 --set dip.stop=discrepancy --out FOLDER
    python benchmarks/tools/take_in_rule.py FOLDER

A fit that a rule ends is, up to there, the fit that goes on: so a rule that came later costs each fit only as far as
where it stops, and its outputs are as they would have been. Taken in is what the rule nominated, its line in stops.csv
and the signals that it reads, in the trace up to there; and only where both fits are the same to the last bit.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from reference import SIGNALS, Kept, as_named_today, read, watched_in
from reference_fits import merged as known_together
from take_in import ROOT, render, result_of, stores_in

from dipbench import registry
from dipbench.comparing.stopping import NO_STOPPING
from dipbench.errors import UserError
from dipbench.spec import Spec
from dipbench.store.records import Plan, Result, ScoredOutput
from dipbench.store.store import Store
from dipbench.suites.run import Run, key_of
from dipbench.suites.suite import read_suite


@dataclass(frozen=True)
class Ended:
    """A fit that a rule was to end."""

    rule: str  # as it is written
    result: Result
    trace: pd.DataFrame  # all of it

    @property
    def nominated(self) -> list[ScoredOutput]:
        """What the rule nominated: the raw output, and the average where the fit has one."""
        return [output for output in self.result.outputs if output.output in (self.rule, f"{self.rule}_ema")]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Stores of fits with stop=RULE, or folders of stores.")],
    root: Annotated[Path, typer.Option(help="The checkout to write to.")] = ROOT,
) -> None:
    """Writes the files."""
    stores = [store for folder in folders for store in stores_in(folder)]
    for name in sorted({plan.name for _, plan in stores}):
        suite, folder = read_suite(name), root / "results" / "reference" / name
        runs, traces = read(folder)
        known, taken, others = known_together(folder, []), 0, 0
        fits = {fit_of(kept.run): key for key, kept in runs.items() if key in traces and goes_on(kept.result)}
        for ended in (ended for store, plan in stores if plan.name == name for ended in ended_in(store, plan)):
            key = fits.get(fit_of(ended.result.run), "")
            if not key or not ended.nominated or ended.rule in [output.rule for output in runs[key].result.outputs]:
                continue
            if not is_its_beginning(ended.trace, traces[key]):
                others += 1
                continue
            known["stops"] = with_line(known["stops"], runs[key], traces[key], ended)
            traces = {**traces, key: with_signals(traces[key], ended)}
            runs[key] = with_outputs(runs[key], ended)
            taken += 1
        render(suite, as_named_today(suite, runs.values()), traces, known, root)
        print(f"{name}: {taken} fits were asked; {others} were not, which are not those that are committed")


def ended_in(store: Store, plan: Plan) -> Iterator[Ended]:
    """The fits of a store that are done and that a rule was to end."""
    for key in plan.runs:
        if store.status(key) == "done" and (rule := rule_of(result := result_of(store, key))):
            trace = store.trace(key)
            assert trace is not None, "it is a fit"
            yield Ended(rule, result, trace)


def goes_on(result: Result) -> bool:
    """Whether no rule ended a fit."""
    return all(output.fired is None for output in result.outputs if output.output == "final")


def fit_of(run: Run) -> str:
    """What names a fit, whatever ends it."""
    settings = {name: value for name, value in run.method["settings"].items() if name != "stop"}
    return key_of(asdict(replace(run, method={**run.method, "settings": settings})))


def rule_of(result: Result) -> str:
    """The rule that was to end a fit, as it is written; empty where none was."""
    stop = result.run.method["settings"].get("stop")
    if not stop:
        return ""
    settings = {name: value for name, value in stop.items() if name not in ("name", "version", "source")}
    rule = registry.build("rule", Spec(stop["name"], settings))
    return str(rule.written())


def is_its_beginning(trace: pd.DataFrame, committed: pd.DataFrame) -> bool:
    """Whether a whole trace has the numbers of the thinned one, to the last bit, at all iterations that both have."""
    both = trace[["iteration", *SIGNALS]].merge(committed[["iteration", *SIGNALS]], on="iteration")
    pairs = [(both[f"{name}_x"], both[f"{name}_y"]) for name in SIGNALS]
    return len(both) > 1 and all(np.array_equal(new.astype("float32"), old, equal_nan=True) for new, old in pairs)


def with_signals(committed: pd.DataFrame, ended: Ended) -> pd.DataFrame:
    """The thinned trace with what the fit that was ended recorded beside, and with the rows that are of its outputs."""
    old = committed.dropna(axis="columns", how="all")
    wanted = [*old["iteration"], *(output.iteration for output in ended.nominated)]
    new = ended.trace[ended.trace["iteration"].isin(wanted)]
    signals = [name for name in new if name in old or name in watched_in(new)]
    new = new[signals].astype({name: "float32" for name in signals if name != "iteration"})
    whole = old.set_index("iteration").combine_first(new.set_index("iteration")).reset_index()
    return whole.astype({"iteration": old["iteration"].dtype})


def with_outputs(kept: Kept, ended: Ended) -> Kept:
    """The committed run with what the rule nominated, in the order of a run that was asked all at once."""
    old = kept.result
    names = [name for name in ended.result.watched if name in old.watched or _plain(name) == ended.rule]
    order = {_plain(name): place for place, name in enumerate(names)}
    outputs = sorted([*old.outputs, *ended.nominated], key=lambda output: order.get(output.rule, -1))
    watched = [*names, *(name for name in old.watched if name not in names)]
    return kept.model_copy(update={"result": old.model_copy(update={"outputs": outputs, "watched": watched})})


def _plain(watched: str) -> str:
    """Without what tells its code from another's."""
    return watched.partition(" ")[0]


def with_line(stops: pd.DataFrame, kept: Kept, committed: pd.DataFrame, ended: Ended) -> pd.DataFrame:
    """The table of stops with the line of the rule, which follows from that of a fit that is not stopped."""
    own = stops[(stops["run"] == kept.key) & (stops["rule"] == NO_STOPPING)]
    lines = [{**line, **_said(line, kept.result, committed, ended)} for line in own.to_dict("records")]
    return pd.concat([stops, pd.DataFrame(lines, columns=stops.columns).astype(stops.dtypes)], ignore_index=True)


def _said(last: Mapping[Any, Any], kept: Result, committed: pd.DataFrame, ended: Ended) -> dict[str, Any]:
    (at, *_), trace = ended.nominated, ended.trace
    there = trace[trace["iteration"] <= at.iteration]
    lost = {name: _last(committed, name) - _last(there, name) for name in ("psnr", "psnr_ema", "ssim")}
    saved = 1 - (at.fired + 1) / last["iterations"] if at.fired is not None else 0.0
    return {
        "rule": ended.rule,
        "nominated": at.iteration,
        "fired": at.fired,
        "psnr": _last(there, "psnr"),
        "gap": last["gap"] + lost["psnr"],
        "gap_first": last["gap_first"] + lost["psnr"],
        "gap_ema": last["gap_ema"] + lost["psnr_ema"],
        "gap_ssim": last["gap_ssim"] + lost["ssim"],
        "saved": saved,
        "seconds_saved": saved * (kept.seconds or np.nan),
    }


def _last(trace: pd.DataFrame, name: str) -> float:
    """The last number of a signal; NaN where it was not recorded."""
    numbers = trace[name].to_numpy() if name in trace else np.empty(0)
    finite = numbers[numbers > -np.inf]
    return float(finite[-1]) if len(finite) else np.nan


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        print(f"take_in_rule: {error}", file=sys.stderr)
        sys.exit(2)
