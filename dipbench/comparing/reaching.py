"""How long a method takes to reach a quality: seconds to 25 dB, from its trace."""

import math

import pandas as pd

from dipbench.store.store import Store


def seconds_to_reach(psnr: pd.Series, level: float, seconds: float) -> float:
    """When a trace of PSNRs in dB, one an iteration, first was at `level` or above; NaN where it never was.

    `seconds` is what all iterations took, each of which counts as long as any other. It looks at the truth: nobody
    who does not have it would know when that is.
    """
    reached = psnr.ge(level).to_numpy()
    return float(seconds * (reached.argmax() + 1) / len(reached)) if reached.any() else math.nan


def with_seconds_to(results: pd.DataFrame, store: Store, *levels: float) -> pd.DataFrame:
    """The table of results with a column `seconds_to_25dB` for each of `levels`, in dB.

    It is of the raw output, whatever the row's; NaN where a run has no trace or no truth, or never got there.
    """
    times = {run: _times(run, seconds, store, levels) for run, seconds in _done(results)}
    added = {
        f"seconds_to_{level:g}dB": [times[run][i] if run in times else math.nan for run in results["run"]]
        for i, level in enumerate(levels)
    }
    return results.assign(**added)


def _done(results: pd.DataFrame) -> list[tuple[str, float]]:
    runs = results[(results["status"] == "done") & results["seconds"].notna()].drop_duplicates("run")
    return list(zip(runs["run"], runs["seconds"], strict=True))


def _times(run: str, seconds: float, store: Store, levels: tuple[float, ...]) -> list[float]:
    trace = store.trace(run)
    if trace is None or "psnr" not in trace:
        return [math.nan] * len(levels)
    return [seconds_to_reach(trace["psnr"], level, seconds) for level in levels]
