"""Tables of benchmarks/overfitting_report.py: kinds of noise, frequencies, targets, wrong noise levels."""

from collections.abc import Sequence

import pandas as pd

from dipbench.comparing.intervals import over_images
from dipbench.comparing.statistics import median_interval
from dipbench.report.formats import DASH
from dipbench.report.markup import markdown_table

REACHED = 0.9  # of a ring's spectrum
FITTED = 25.0  # dB to the measurement
MOMENTS = (100, 500, 1999)  # iterations
LEVELS = {"-20%": -0.2, "-10%": -0.1, "as it is": 0.0, "+10%": 0.1, "+20%": 0.2}
"""How wrong a noise level is: the words of the suite, and the setting."""


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    return "\n".join(markdown_table(heads, lines))


def gap_of(gaps: pd.Series) -> str:
    """The median of gaps in dB with its interval, or with its range where they are too few for one."""
    if gaps.empty:
        return DASH
    found = median_interval(gaps)
    low, high = found or (gaps.min(), gaps.max())
    return f"{gaps.median():.2f} [{low:.2f}, {high:.2f}]" if found else f"{gaps.median():.2f} ({low:.2f} to {high:.2f})"


def by_noise(stops: pd.DataFrame) -> str:
    """Each rule on each kind of noise, the one with the least worst median first."""
    kinds = list(stops["experiment"].unique())
    cells = {
        rule: {kind: rows[rows["experiment"] == kind]["gap"] for kind in kinds} for rule, rows in stops.groupby("rule")
    }
    order = sorted(cells, key=lambda rule: max(gaps.median() for gaps in cells[rule].values() if len(gaps)))
    lines = [[str(rule), *(gap_of(cells[rule][kind]) for kind in kinds)] for rule in order]
    return table(["rule: gap [dB], median", *kinds], lines)


def energies(found: pd.DataFrame) -> str:
    """What each energy of the noise is of the one that is there, and the gap of the discrepancy rule with it."""
    lines = []
    for (suite, experiment), rows in found.groupby(["suite", "experiment"], sort=False):
        shares = rows.groupby(["image", "seed"])[["told", "present"]].first()
        lines.append(
            [
                f"{suite}, {experiment}",
                str(len(rows)),
                *(f"{each.median():.2f} ({each.min():.2f} to {each.max():.2f})" for _, each in shares.items()),
                *(f"{rows[name].median():.2f}" for name in ("gap_told", "gap_present")),
                _gain(rows),
            ]
        )
    heads = ["fits of", "fits", "told / there", "present / there"]
    gaps = ["told: gap [dB], median", "present: gap [dB], median", "present gains [dB], mean"]
    return table([*heads, *gaps], lines)


def _gain(rows: pd.DataFrame) -> str:
    """Of the energy present over the one told, the mean over the images, with its interval where there are enough."""
    gains = (rows["gap_told"] - rows["gap_present"]).groupby(rows["image"]).mean()
    interval = over_images(gains)
    return f"{gains.mean():+.2f}" + (f" [{interval.low:+.2f}, {interval.high:+.2f}]" if interval else "")


def rings(traces: pd.DataFrame, curves: pd.DataFrame) -> str:
    """When each ring of the spectrum is reached, beside the peak of the fit; a line an image."""
    names = sorted(name for name in map(str, traces) if name.partition("[")[0] == "band")  # the first is `band` alone
    heads = ["image", *(f"ring {number}" for number in range(len(names))), "peak of the PSNR"]
    peak_at = curves.set_index("run")["peak_at"]
    lines = []
    for run, trace in traces.groupby("run", sort=False):
        reached = [trace.loc[trace[name] >= REACHED, "iteration"].min() for name in names]
        lines.append([trace["image"].iloc[0], *map(_moment, reached), _moment(peak_at.get(run))])
    return table(heads, lines)


def targets(traces: pd.DataFrame, numbers: pd.DataFrame) -> str:
    """How fast each target is fitted: its PSNR at some moments, and when it first is FITTED."""
    experiment_of = numbers.groupby("run")["experiment"].first()
    heads = ["target, fit", *(f"at {moment} [dB]" for moment in MOMENTS), f"{FITTED:g} dB at"]
    lines = []
    for run, trace in traces.groupby("run", sort=False):
        fitted = trace.set_index("iteration")["psnr_measurement"]
        near = [fitted.iloc[fitted.index.get_indexer(pd.Index([moment]), method="nearest")[0]] for moment in MOMENTS]
        first = trace.loc[trace["psnr_measurement"] >= FITTED, "iteration"].min()
        name = f"{experiment_of[run]}, {trace['method'].iloc[0]}"
        lines.append([name, *(f"{value:.1f}" for value in near), _moment(first)])
    return table(heads, lines)


def wrong_levels(stops: pd.DataFrame) -> str:
    """The discrepancy rule and split noise with levels that are wrong by so much; gaps from the first fit's peak."""
    lines = []
    for words, error in LEVELS.items():
        rule = f"discrepancy[error={error:g}]" if error else "discrepancy"
        method = f"split noise, {words}" if error else "split noise"
        of_rule = stops[(stops["method"] == "dip") & (stops["rule"] == rule)]
        of_split = stops[(stops["method"] == method) & (stops["rule"] == "validation")]
        lines.append([words, gap_of(of_rule["gap_first"]), gap_of(of_split["gap_first"])])
    return table(["noise level", "discrepancy: gap [dB], median", "split noise: gap [dB], median"], lines)


def _moment(iteration: float | None) -> str:
    return DASH if iteration is None or pd.isna(iteration) else f"{iteration:.0f}"
