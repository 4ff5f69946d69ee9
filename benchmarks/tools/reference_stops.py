"""What stopping rules say of the committed fits of a suite: results/reference/SUITE/stops.csv, one line a fit and rule.

It is taken from the whole traces in the stores, of which `traces.parquet` has a part.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dipbench.compare.line import line_stops
from dipbench.compare.stopping import COLUMNS, fits_of, replayable, stops_of, summaries_of, with_first_peaks
from dipbench.report.stops import Stops, as_markdown
from dipbench.report.stops_figure import write_gaps
from dipbench.store.store import Store

_FILE = "stops.csv"
_DIGITS = 4


def stops_in(store: Store) -> pd.DataFrame:
    """Of every rule that can be asked of the fits in a store, and of the line; empty where none that looks can be."""
    fits = fits_of(store, store.holdings())
    rules = replayable(fit.trace for fit in fits)
    if not any(rule.reads for rule in rules):
        return pd.DataFrame(columns=list(COLUMNS))
    groups = dict.fromkeys((fit.experiment, fit.planned.label) for fit in fits)
    lines = [
        line_stops(store, [fit for fit in fits if (fit.experiment, fit.planned.label) == group]) for group in groups
    ]
    return with_first_peaks(pd.concat([stops_of(fits, rules), *lines], ignore_index=True), fits)


def merged(folder: Path, fresh: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The committed lines with the fresh ones, which take the place of those of the same fit and rule."""
    file = folder / _FILE
    before = [pd.read_csv(file)] if file.exists() else []
    every = pd.concat([*before, *(frame for frame in fresh if len(frame))]) if before or fresh else pd.DataFrame()
    if every.empty:
        return every
    every = every.astype({name: kind for name, kind in COLUMNS.items() if name in every})
    return every.drop_duplicates(["experiment", "method", "run", "rule"], keep="last").reset_index(drop=True)


def write_stops(stops: pd.DataFrame, folder: Path) -> None:
    """Writes the file, where there is a line."""
    if len(stops):
        stops.round(_DIGITS).to_csv(folder / _FILE, index=False, lineterminator="\n")


def section_of(stops: pd.DataFrame, experiment: str, name: str, folder: Path) -> str:
    """The tables of an experiment in Markdown, with a figure NAME-rules.png in `folder`; empty without a line."""
    rows = stops[stops["experiment"] == experiment] if len(stops) else stops
    if rows.empty:
        return ""
    write_gaps(rows, folder / f"{name}-rules.png")
    found = [Stops(str(method), summaries_of(of), of) for method, of in rows.groupby("method", sort=False)]
    return f"### Stopping rules\n\n![Gaps of each rule]({name}-rules.png)\n\n{as_markdown(found)}"
