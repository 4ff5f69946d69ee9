"""What a method has to show after so many seconds: the mean over images and seeds of its PSNR, against the time."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from dipbench.comparing.side_by_side import side_by_side
from dipbench.store.store import Store

SIGNALS = ["psnr", "psnr_ema"]
COLUMNS = {
    "method": "str",
    "device": "str",  # on which its time was taken
    "iteration": "int64",
    "seconds": "float64",
    **dict.fromkeys(SIGNALS, "float64"),
}


def anytime(results: pd.DataFrame, store: Store) -> pd.DataFrame:
    """The curves of the methods of one experiment, with the columns COLUMNS: a line a method and iteration, PSNR in dB.

    `results` are rows of the table of results under one protocol. PSNRs are means over the images of the mean over the
    seeds, of images and seeds that are the same for all: `side_by_side`, whose remarks are in `attrs["remarks"]`. A run
    that ended before others, or diverged, stays at its last. Every iteration of a method takes the same time: the
    median over all its runs on one `device`, as `timed_on`, so that a machine that was busy or asleep for one of them
    does not count. `psnr_ema` is NaN where outputs are not averaged. What has no truth or no trace has no line.
    """
    done = results[(results["status"] == "done") & results["seconds"].notna()].drop_duplicates(["method", "run"])
    found = {run: trace for run in done["run"].unique() if (trace := store.trace(run)) is not None}
    traces = {run: trace for run, trace in found.items() if trace["psnr"].notna().to_numpy().any()}
    traced = done[done["run"].isin(traces.keys())]
    device = timed_on(zip(traced["method"], traced["device"], strict=True))
    shown, remarks = side_by_side(traced)
    seconds = {method: _seconds(rows[rows["device"] == device[method]], traces) for method, rows in _by_method(traced)}
    curves = [
        _curve(rows, {run: traces[run] for run in rows["run"]}, seconds[method]).assign(
            method=method, device=device[method]
        )
        for method, rows in _by_method(shown)
    ]
    together = pd.concat([pd.DataFrame(columns=list(COLUMNS)), *curves], ignore_index=True).astype(COLUMNS)
    together.attrs["remarks"] = remarks
    return together


def timed_on(runs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By method the device whose runs tell its time, from the method and the device of each run.

    That is the device on which most methods ran; of a method that did not, the one that most of its runs were on.
    """
    of_method: dict[str, Counter[str]] = {}
    for method, device in runs:
        of_method.setdefault(method, Counter())[device] += 1
    methods = Counter(device for found in of_method.values() for device in found)
    common = methods.most_common(1)[0][0] if methods else ""
    return {method: common if common in found else found.most_common(1)[0][0] for method, found in of_method.items()}


def seconds_to(curve: pd.DataFrame, level: float) -> float:
    """When the curve of one method first is at `level` in dB or above, averaged outputs counted; NaN: it never is."""
    at = np.flatnonzero(np.fmax(*(curve[name].to_numpy() for name in SIGNALS)) >= level)
    return float(curve["seconds"].iloc[at[0]]) if len(at) else math.nan


def _by_method(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(method), of_method) for method, of_method in rows.groupby("method", sort=False)]


def _seconds(timed: pd.DataFrame, traces: Mapping[str, pd.DataFrame]) -> float:
    """What an iteration takes: the median over these runs."""
    rates = [
        float(seconds) / (int(traces[run]["iteration"].iloc[-1]) + 1)
        for run, seconds in zip(timed["run"], timed["seconds"], strict=True)
    ]
    return float(np.median(rates))


def _curve(rows: pd.DataFrame, traces: Mapping[str, pd.DataFrame], seconds: float) -> pd.DataFrame:
    """The means of a method's runs, of which an iteration takes so many `seconds`."""
    image_of = dict(zip(rows["run"], rows["image"], strict=True))
    means = {name: _mean(_together(traces, name), image_of) for name in SIGNALS}
    iterations = means[SIGNALS[0]].index.to_numpy()
    return pd.DataFrame({"iteration": iterations, "seconds": seconds * (iterations + 1), **means})


def _together(traces: Mapping[str, pd.DataFrame], signal: str) -> pd.DataFrame:
    """A row an iteration, a column a run; NaN where a run had ended, or diverged."""
    iterations = [trace["iteration"].to_numpy() for trace in traces.values()]
    if all(np.array_equal(iterations[0], other) for other in iterations):  # as nearly always, and much faster
        columns = [trace[signal].to_numpy() for trace in traces.values()]
        return pd.DataFrame(np.column_stack(columns), index=iterations[0], columns=list(traces))
    return pd.DataFrame({run: trace.set_index("iteration")[signal] for run, trace in traces.items()}).sort_index()


def _mean(curves: pd.DataFrame, image_of: Mapping[str, str]) -> pd.Series:
    """Over the images of the mean over the seeds, at each iteration."""
    images = np.array([image_of[str(run)] for run in curves])
    curves = curves.where(curves > -np.inf)  # which a fit that diverged may have
    if not curves.isna().to_numpy().any():  # as nearly always, and much faster
        of_image = [curves.to_numpy()[:, images == image].mean(axis=1) for image in dict.fromkeys(images)]
        return pd.Series(np.mean(of_image, axis=0), index=curves.index)
    return curves.ffill().T.groupby(images).mean().mean(skipna=False)
