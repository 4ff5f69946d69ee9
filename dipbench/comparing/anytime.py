"""What a method has to show after so many seconds: the mean over images and seeds of its PSNR, against the time."""

import pandas as pd

from dipbench.store.store import Store

SIGNALS = ["psnr", "psnr_ema"]
COLUMNS = {"method": "str", "iteration": "int64", "seconds": "float64", **dict.fromkeys(SIGNALS, "float64")}


def anytime(results: pd.DataFrame, store: Store) -> pd.DataFrame:
    """The curves of the methods of one experiment, with the columns COLUMNS: a line a method and iteration, PSNR in dB.

    `results` are rows of the table of results under one protocol. PSNRs are means over the images of the mean over the
    seeds; a run that ended before others stays at its last. Every iteration of a method takes the same time: the median
    over its runs, so that a machine that was busy or asleep for one of them does not count. `psnr_ema` is NaN where
    outputs are not averaged. What has no truth or no trace has no line.
    """
    done = results[(results["status"] == "done") & results["seconds"].notna()].drop_duplicates(["method", "run"])
    curves = [_curve(str(method), rows, store) for method, rows in done.groupby("method", sort=False)]
    return pd.concat([pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS), *curves], ignore_index=True)


def seconds_to(curve: pd.DataFrame, level: float) -> float:
    """When the curve of one method first is at `level` in dB or above, averaged outputs counted; NaN: it never is."""
    return float(curve.loc[curve[SIGNALS].max(axis=1) >= level, "seconds"].min())


def _curve(method: str, rows: pd.DataFrame, store: Store) -> pd.DataFrame:
    found = {run: trace.set_index("iteration") for run in rows["run"] if (trace := store.trace(run)) is not None}
    traces = {run: trace for run, trace in found.items() if trace["psnr"].notna().any()}
    if not traces:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    of_run = rows.set_index("run")
    rate = pd.Series(
        {run: of_run.loc[run, "seconds"] / (trace.index[-1] + 1) for run, trace in traces.items()}
    ).median()
    means = {name: _mean({run: trace[name] for run, trace in traces.items()}, of_run["image"]) for name in SIGNALS}
    curve = pd.DataFrame(means).rename_axis("iteration").reset_index()
    return curve.assign(method=method, seconds=rate * (curve["iteration"] + 1)).astype(COLUMNS)[list(COLUMNS)]


def _mean(curves: dict[str, pd.Series], image_of: pd.Series) -> pd.Series:
    """Over the images of the mean over the seeds, at each iteration; curves are of runs."""
    held = pd.DataFrame(curves).sort_index().ffill()
    return held.T.groupby(image_of.loc[held.columns].to_numpy()).mean().mean(skipna=False)
