"""Which fits diverged: their last outputs are no numbers. What is said of them, and which scores stand for theirs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dipbench.scoring import METRICS
from dipbench.store.records import NO_TRUTH
from dipbench.trace.diverged import diverged_from

_ON_THE_WAY = {"final": "", "ema": "_ema"}  # of these outputs the trace may have the score at each iteration


@dataclass(frozen=True)
class Divergence:
    """The fits of a method in an experiment that diverged."""

    experiment: str
    method: str
    at: tuple[int, ...]  # of each, the iteration from which on no output is a number, from 0
    fits: int  # of the method, those that did not diverge included

    def __str__(self) -> str:
        return said_of_divergence(len(self.at), self.fits, self.at)


def said_of_divergence(count: int, of: int, at: Sequence[int]) -> str:
    """`diverged in 1 of 3 fits (at iteration 2)`; `at` are iterations from 0, as far as they are known."""
    first, last = (min(at) + 1, max(at) + 1) if at else (0, 0)
    when = f"iteration {first}" if first == last else f"iterations {first} to {last}"
    return f"diverged in {count} of {of} {'fits' if at else 'runs'}" + (f" (at {when})" if at else "")


def said_of_diverged(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """What to say of runs that are compared by their last finite output, a line a label: see `comparing.comparable`."""
    gone = {label: of_one[of_one["diverged"]] for label, of_one in rows.items() if "diverged" in of_one}
    at = {label: runs["diverged_at"].dropna().astype(int).tolist() for label, runs in gone.items()}
    return [
        f"{label} {said_of_divergence(len(runs), len(rows[label]), at[label])}: there its last finite output counts."
        for label, runs in gone.items()
        if len(runs)
    ]


def with_last_finite(results: pd.DataFrame, trace_of: Callable[[str], pd.DataFrame | None]) -> pd.DataFrame:
    """A table of results with `diverged` and `diverged_at`, and scores of what did: see `comparing.comparable`."""
    scored = (results["status"] == "done") & (results["message"] != NO_TRUTH)
    diverged = scored & (results["psnr"].isna() | (results["psnr"] == -np.inf))
    filled = results.assign(diverged=diverged, diverged_at=np.nan)
    for place, row in filled[diverged].iterrows():
        trace, averaged = trace_of(row["run"]), _ON_THE_WAY.get(row["output"])
        if trace is not None and len(trace) > 1 and "psnr" in trace:
            filled.loc[place, "diverged_at"] = diverged_from(trace["psnr"].to_numpy())
        if trace is not None and averaged is not None:
            for name in METRICS:
                filled.loc[place, name] = _last_finite(trace, name + averaged)
    return filled


def _last_finite(trace: pd.DataFrame, column: str) -> float:
    """NaN where there is none."""
    numbers = trace[column].to_numpy() if column in trace else np.empty(0)
    finite = numbers[np.isfinite(numbers)]
    return float(finite[-1]) if len(finite) else np.nan
