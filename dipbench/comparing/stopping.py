"""What stopping rules say of the traces in a store: where each stops, and how far from the peak."""

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dipbench import registry
from dipbench.comparing.divergence import Divergence
from dipbench.contract import Nomination, Rule
from dipbench.errors import UserError
from dipbench.store.outputs import kind_of
from dipbench.store.records import NO_TRUTH, Holdings, PlannedRun, Result
from dipbench.store.store import Store
from dipbench.suites.watched import outdated
from dipbench.trace.diverged import diverged_from
from dipbench.trace.signals import Signal
from dipbench.trace.stopping import refuse_what_it_may_not_read, replayed

LARGE_GAP = 1.0  # dB; a stop that loses more has failed
NO_STOPPING = "last"

COLUMNS = {
    "experiment": "str",
    "method": "str",
    "image": "str",
    "seed": "int64",
    "run": "str",
    "rule": "str",
    "nominated": "Int64",  # t*, the iteration whose output counts; missing: it nominates none
    "fired": "Int64",  # t_stop; missing: not within the budget
    "iterations": "int64",  # the budget
    "peak": "int64",  # the iteration of the highest PSNR of the raw output
    "peak_psnr": "float64",  # dB
    "psnr": "float64",  # dB, of the raw output at t*; where that diverged, of the last before it that had not
    "gap": "float64",  # dB: the first minus the second; missing: no output at t* is a number, for the fit diverged
    "gap_first": "float64",  # dB: from the peak of the experiment's first fit of that image and seed
    "gap_ema": "float64",  # dB: the same for the average of the outputs, from its own peak
    "gap_ssim": "float64",  # the same for the SSIM of the raw output, where it was recorded
    "saved": "float64",  # share of the iterations of the budget that the rule makes unnecessary
    "seconds_saved": "float64",
}
"""Of the table of stops: one line a run and rule."""

_WITH_GAPS = ("psnr", "psnr_ema", "ssim")


@dataclass(frozen=True)
class Fitted:
    """A fit in a store, with its trace."""

    experiment: str
    planned: PlannedRun
    result: Result
    trace: pd.DataFrame

    @property
    def cut(self) -> bool:
        """Whether a rule ended it, so that nobody knows what was to come: other rules cannot be asked."""
        return any(output.output == "final" and output.fired is not None for output in self.result.outputs)

    @cached_property
    def signals(self) -> dict[str, np.ndarray]:
        """The columns of the trace, (iterations,)."""
        return {str(name): column.to_numpy() for name, column in self.trace.items()}

    @cached_property
    def held(self) -> dict[str, np.ndarray]:
        """The signals that gaps are of, as far as there is a number, each number held until there is another."""
        found = {name: self.signals[name] for name in _WITH_GAPS if name in self.signals}
        return {name: _held(curve) for name, curve in found.items() if (curve > -np.inf).any()}

    @cached_property
    def peaks(self) -> dict[str, Any]:
        """The highest value of each of them, of the type of the trace."""
        return {name: np.nanmax(curve) for name, curve in self.held.items()}

    @cached_property
    def diverged_from(self) -> int | None:
        """The iteration from which on no output of the fit is a number; None: it did not diverge."""
        return diverged_from(self.signals["psnr"])

    @cached_property
    def peak_at(self) -> int:
        """The iteration of the highest PSNR of the raw output."""
        return int(np.nanargmax(self.signals["psnr"]))


def _held(curve: np.ndarray) -> np.ndarray:
    """Of a fit that diverged it goes on with the last output that had a score: see docs/statistics.md."""
    known = curve > -np.inf  # which NaN is not either
    return curve if known.all() else pd.Series(curve).where(known).ffill().to_numpy()


def fits_of(store: Store, holdings: Holdings) -> list[Fitted]:
    """The fits with a truth that were asked for, each with its trace: of priors, and of what trains by itself."""
    found = []
    for experiment in holdings.plan.experiments:
        for planned in dict.fromkeys(experiment.runs):
            result = holdings.results.get(planned.key)
            if result is None or result.status != "done" or not _overfits(result):
                continue
            trace = store.trace(planned.key)
            if trace is not None and len(trace) > 1 and (trace["psnr"] > -np.inf).to_numpy().any():
                trace = trace.drop(columns=outdated(tuple(result.watched)), errors="ignore")
                found.append(Fitted(experiment.name, planned, result, trace))
    return found


def divergences_of(store: Store, holdings: Holdings) -> list[Divergence]:
    """Of each experiment the methods that have fits which diverged, those whose first output was no number included."""
    found = []
    for experiment in holdings.plan.experiments:
        fits: dict[str, list[int | None]] = {}
        for planned in dict.fromkeys(experiment.runs):
            result = holdings.results.get(planned.key)
            if result and result.status == "done" and result.message != NO_TRUTH and _overfits(result):
                # of most fits the last score says that it did not, and no trace is read
                ended = any(output.output == "final" and output.psnr > -np.inf for output in result.outputs)
                trace = None if ended else store.trace(planned.key)
                at = None if trace is None or "psnr" not in trace else diverged_from(trace["psnr"].to_numpy())
                fits.setdefault(planned.label, []).append(at)
        of_methods = ((label, [at for at in each if at is not None], len(each)) for label, each in fits.items())
        found += [Divergence(experiment.name, label, tuple(at), count) for label, at, count in of_methods if at]
    return found


def _overfits(result: Result) -> bool:
    """Whether its best output can come before the last: see `Method.overfits`."""
    return bool(result.engine) or any(kind_of(output.output).oracle for output in result.outputs)


def replayable(fits: Iterable[Fitted]) -> list[Rule]:
    """The rules that there are, as they are by default, and those that named an output of a fit; `last` leads.

    Of which some trace has the signals.
    """
    fits = list(fits)
    known = {column for fit in fits for column in fit.trace}
    names = registry.names("rule")
    asked = dict.fromkeys(output.rule for fit in fits for output in fit.result.outputs if output.rule)
    built = [registry.build_known("rule", written) for written in dict.fromkeys([*names, *asked])]
    rules: list[Rule] = [rule for rule in built if rule is not None]  # not of a file that lay elsewhere
    return sorted((rule for rule in rules if set(rule.reads) <= known), key=lambda rule: rule.written() != NO_STOPPING)


def stops_of(fits: Sequence[Fitted], rules: Sequence[Rule]) -> pd.DataFrame:
    """What each rule says of each fit, with the columns COLUMNS.

    Nothing of a fit whose trace lacks what it reads, or is `cut`: its peak is but that of what there was of it.
    """
    answerable: dict[tuple[str, ...], list[tuple[str, Rule]]] = {}  # by the columns of a trace, which many share
    rows = []
    for fit in (fit for fit in fits if not fit.cut):
        columns = tuple(fit.signals)
        if columns not in answerable:
            answerable[columns] = _answerable(fit.trace, rules)
        for written, rule in answerable[columns]:
            if not any(np.isnan(fit.signals[column]).all() for column in rule.reads):
                shown = {name: fit.signals[name] for name in ("iteration", *rule.reads)}
                rows.append(row_of(fit, written, rule.judge(shown)))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _answerable(trace: pd.DataFrame, rules: Sequence[Rule]) -> list[tuple[str, Rule]]:
    """The rules, as they are written, that may read what they want of a trace with these columns."""
    signals, found = [signal for signal in signals_in(trace, rules) if signal.written() in trace], []
    for rule in rules:
        with suppress(UserError):
            refuse_what_it_may_not_read(rule, signals)
            found.append((rule.written(), rule))
    return found


def with_first_peaks(stops: pd.DataFrame, fits: Sequence[Fitted]) -> pd.DataFrame:
    """A table of stops with the gaps from the peaks of the fits that come first in their experiments.

    What keeps data from a fit, or fits noisier data, lowers the fit's own peak, against which it is not to be judged.
    """
    peaks: dict[tuple[str, str, int], float] = {}
    for fit in (fit for fit in fits if not fit.cut):
        peaks.setdefault((fit.experiment, fit.planned.image, fit.planned.seed), float(fit.peaks["psnr"]))
    places = zip(stops["experiment"], stops["image"], stops["seed"], strict=True)
    below = [peaks[place] for place in places] - stops["psnr"]
    return stops.assign(gap_first=below.where(stops["gap"].notna()))


def refuse_what_no_fit_can_answer(fits: Sequence[Fitted], rules: Sequence[Rule]) -> None:
    """UserError for a rule that can be asked of no fit, with the reason of the first."""
    for rule in rules:
        if stops_of(fits, [rule]).empty:
            replayed(rule, fits[0].trace, signals_in(fits[0].trace, [rule]))


def signals_in(trace: pd.DataFrame, rules: Sequence[Rule] = ()) -> list[Signal]:
    """The signals of the columns of a trace, those that `rules` bring of their own included; unknown ones left out."""
    own = {column: registry.build_beside("signal", column, type(rule)) for rule in rules for column in rule.reads}
    built = {column: registry.build_known("signal", column) for column in trace.columns.drop("iteration")}
    return list({**{column: signal for column, signal in built.items() if signal is not None}, **own}.values())


def row_of(fit: Fitted, rule: str, said: Nomination) -> dict[str, Any]:
    """The line of a rule on a fit. What nominates nothing gives the last output, as a fit that is not stopped does."""
    length, end = len(fit.trace), len(fit.trace) - 1
    at = end if said.iteration is None else min(said.iteration, end)
    used = (end if said.fired is None else said.fired) + 1
    saved = 1 - used / length
    psnr = fit.held["psnr"]
    return {
        "experiment": fit.experiment,
        "method": fit.planned.label,
        "image": fit.planned.image,
        "seed": fit.planned.seed,
        "run": fit.planned.key,
        "rule": rule,
        "nominated": said.iteration,
        "fired": said.fired,
        "iterations": length,
        "peak": fit.peak_at,
        "peak_psnr": psnr[fit.peak_at],
        "psnr": psnr[at],
        "gap": _gap(fit, "psnr", at),
        "gap_first": math.nan,
        "gap_ema": _gap(fit, "psnr_ema", at),
        "gap_ssim": _gap(fit, "ssim", at),
        "saved": saved,
        "seconds_saved": saved * (fit.result.seconds or math.nan),
    }


def _gap(fit: Fitted, signal: str, at: int) -> float:
    """The highest value minus that at an iteration, or the last one before it; NaN where it was not recorded.

    And where the fit had diverged: held at its last number it would count as one that lost little, or nothing.
    """
    gone = fit.diverged_from is not None and at >= fit.diverged_from
    return float(fit.peaks[signal] - fit.held[signal][at]) if signal in fit.held and not gone else math.nan
