"""What is known of the committed fits of a suite from their whole traces, of which `traces.parquet` has a part.

results/reference/SUITE/stops.csv    what each stopping rule says of each fit
results/reference/SUITE/curves.csv   the rise and fall of each fit
results/reference/SUITE/choices.csv  its PSNR by every way to choose an iteration that is no rule
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from dipbench.comparing import chosen, rise_and_fall, stopping
from dipbench.comparing.line import LINE, MEAN, line_stops
from dipbench.comparing.stopping import Fitted, fits_of, replayable, stops_of, with_first_peaks
from dipbench.comparing.summary import summaries_of
from dipbench.report import rise
from dipbench.report.colours import colours_of
from dipbench.report.stops import Stops, as_markdown
from dipbench.report.stops_figure import write_gaps
from dipbench.store.store import Store

_DIGITS = 4

Known = dict[str, pd.DataFrame]
"""The tables by the name of their file without its end: `stops`, `curves` and `choices`."""

_COLUMNS = {"stops": stopping.COLUMNS, "curves": rise_and_fall.COLUMNS, "choices": chosen.COLUMNS}


def known_in(store: Store) -> Known:
    """What the traces of a store say."""
    fits = fits_of(store, store.holdings())
    curves, choices = rise_and_fall.rise_and_fall(fits), chosen.choices_of(fits)
    return {"stops": _stops_of(store, fits), "curves": curves, "choices": choices}


def _stops_of(store: Store, fits: Sequence[Fitted]) -> pd.DataFrame:
    """Of every rule that can be asked of the fits, and of the line; empty where none that looks can be."""
    rules = replayable(fits)
    if not any(rule.reads for rule in rules):
        return pd.DataFrame(columns=list(stopping.COLUMNS))
    return with_first_peaks(pd.concat([stops_of(fits, rules), line_stops(store, fits)], ignore_index=True), fits)


def merged(folder: Path, fresh: Sequence[Known]) -> Known:
    """The committed tables with the fresh ones, whose lines take the place of those of the same fit and rule."""
    return {
        name: _merged(folder / f"{name}.csv", [known[name] for known in fresh], _COLUMNS[name]) for name in _COLUMNS
    }


def _merged(file: Path, fresh: Sequence[pd.DataFrame], columns: dict[str, str]) -> pd.DataFrame:
    before = [pd.read_csv(file)] if file.exists() else []
    parts = [part for part in (*before, *fresh) if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(columns))
    keys = [name for name in ("experiment", "method", "run", "rule", "way") if name in columns]
    together = pd.concat(parts).astype(columns)
    same = together[keys].replace({MEAN: LINE}).duplicated(keep="last")  # of a fit there is one of the two
    return together[~same].reset_index(drop=True)


def write_known(known: Known, folder: Path) -> None:
    """Writes the tables that have a line."""
    for name, table in known.items():
        if len(table):
            table.round(_DIGITS).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def of_runs(known: Known, runs: Collection[str]) -> Known:
    """What is known of some runs, by their keys."""
    return {name: table[table["run"].isin(runs)] for name, table in known.items()}


def stops_in(known: Known) -> list[Stops]:
    """What the rules say of the fits, a method after the other."""
    by_method = known["stops"].groupby("method", sort=False)
    return [Stops(str(method), summaries_of(rows), rows) for method, rows in by_method]


def section_of(known: Known, name: str, folder: Path) -> str:
    """The tables of some fits in Markdown, with a figure NAME-rules.png in `folder`; empty without a line."""
    curves, stops = known["curves"], known["stops"]
    parts = [f"### Rise and fall\n\n{rise.as_markdown(rise.lines_of(curves))}"] if len(curves) else []
    if len(stops):
        write_gaps(stops, folder / f"{name}-rules.png", colours_of(stops["method"]))
        parts.append(f"### Stopping rules\n\n![Gaps of each rule]({name}-rules.png)\n\n{as_markdown(stops_in(known))}")
    return "\n".join(parts)
