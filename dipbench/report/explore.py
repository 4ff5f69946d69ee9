"""What the page has of the curves of an image: traces on a grid of iterations, as short as JSON has them.

Iterations count from 1 here, as a logarithmic axis wants them: what a trace calls 0 is the output after one step.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dipbench import registry
from dipbench.report.axis import range_of_measurement, range_of_truth
from dipbench.report.chapters import Chapter, Record
from dipbench.report.curves import iterates
from dipbench.store.outputs import is_average, kind_of, label_of
from dipbench.store.store import Store

POINTS = 300  # of a curve, half of them evenly spread and half on a logarithmic scale
FIT = "psnr_measurement"  # the signal of the lower panel
_FIRST = ("psnr_ema", "psnr", "ssim_ema", "ssim")
_DIGITS = 4  # significant, of the largest number of a signal

Series = list[int | None]
"""Numbers as differences: the first, then what each is above the last that is not None."""


def curves_in(store: Store, chapter: Chapter, image: str, labels: Collection[str]) -> dict[str, Any]:
    """The curves of an image by the methods `labels`, for `curves.js`; empty where none iterates.

    `x`: iterations from 1, differences. `signals`: name -> title, unit, digits, range or None, `oracle` and `lines`:
    label -> m, the mean over the seeds in units of 10^-digits, as differences; s, their standard deviation, where
    there are several. `levels`: label -> PSNR in dB of the methods of one estimate. `marks`: the outputs of fits.
    """
    records = [r for r in chapter.done if r.run.image == image and r.run.protocol == chapter.protocol]
    records = [record for record in records if record.label in labels]
    traces = {record.key: trace for record in records if (trace := store.trace(record.key)) is not None}
    fits = [record for record in records if record.key in traces and iterates(traces[record.key])]
    levels = _levels([record for record in records if len(traces.get(record.key, ())) == 1])
    if not fits:
        return {}
    grid = _grid(max(int(traces[fit.key]["iteration"].max()) for fit in fits), _kept(fits))
    sampled = {fit.key: _sampled(traces[fit.key], grid) for fit in fits}
    marks = _marks(fits)
    lines = pd.concat([traces[fit.key].assign(method=fit.label) for fit in fits], ignore_index=True)
    ranges = _ranges(lines, [mark["p"] for mark in marks], list(levels.values()))
    signals = {name: _signal(name, fits, sampled) | {"range": ranges.get(name)} for name in _signals(sampled.values())}
    return {"x": _differences(grid + 1), "signals": signals, "levels": levels, "marks": marks}


def _kept(fits: Sequence[Record]) -> list[int]:
    return [output.iteration for fit in fits for output in fit.result.outputs]


def _grid(last: int, kept: Iterable[int]) -> NDArray[np.int64]:
    """Iterations from 0: `POINTS` at most, and those of the outputs."""
    even = np.linspace(0, last, POINTS // 2)
    by_ratio = np.geomspace(1, last + 1, POINTS // 2) - 1
    return np.unique(np.concatenate([even, by_ratio, list(kept)]).round().astype(np.int64))


def _sampled(trace: pd.DataFrame, grid: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Every signal at the iterations of the grid, on a line between those that have one; NaN beyond the end."""
    found = {}
    for name in trace.columns.drop("iteration"):
        values = trace[name].to_numpy(dtype=np.float64)
        good = np.isfinite(values)
        if good.any():
            at = trace["iteration"].to_numpy(dtype=np.float64)[good]
            found[name] = np.interp(grid, at, values[good], left=math.nan, right=math.nan)
    return found


def _signals(sampled: Iterable[dict[str, Any]]) -> list[str]:
    """Every signal that some fit has, the averages first, since they are the smoother ones."""
    names = dict.fromkeys(name for signals in sampled for name in signals)
    first = [name for name in _FIRST if name in names]
    return [*first, *(name for name in names if name not in first)]


def _signal(name: str, fits: Sequence[Record], sampled: dict[str, dict[str, NDArray[np.float64]]]) -> dict[str, Any]:
    by_label: dict[str, list[NDArray[np.float64]]] = {}
    for fit in fits:
        if name in sampled[fit.key]:
            by_label.setdefault(fit.label, []).append(sampled[fit.key][name])
    title, unit, oracle = _titles(name)
    digits = 2 if unit == "dB" else _digits([line for lines in by_label.values() for line in lines])
    lines = {label: _line(found, 10.0**digits) for label, found in by_label.items()}
    return {"title": title, "unit": unit, "oracle": oracle, "digits": digits, "lines": lines}


def _titles(column: str) -> tuple[str, str, bool]:
    """Title, unit and whether it looks at the truth; a signal whose file lay elsewhere goes by its name."""
    signal = registry.build_known("signal", column)
    if signal is None:
        return column, "", False
    return signal.title, signal.unit, signal.oracle


def _digits(lines: Sequence[NDArray[np.float64]]) -> int:
    """Behind the point, so that the largest number has `_DIGITS`."""
    largest = max(float(np.nanmax(np.abs(line))) for line in lines)
    return min(max(_DIGITS - math.ceil(math.log10(largest)) if largest > 0 else 0, 0), 15)


def _line(seeds: Sequence[NDArray[np.float64]], scale: float) -> dict[str, Series]:
    together = np.stack(seeds)
    mean = together.mean(axis=0)  # NaN where a seed has ended
    line = {"m": _differences(mean * scale)}
    return line | ({"s": _differences(together.std(axis=0, ddof=1) * scale)} if len(seeds) > 1 else {})


def _differences(values: NDArray[Any]) -> Series:
    """Rounded; without the Nones at the end."""
    series: Series = []
    last = 0
    for value in values.tolist():
        whole = round(value) if math.isfinite(value) else None
        series.append(None if whole is None else whole - last)
        last = last if whole is None else whole
    while series and series[-1] is None:
        series.pop()
    return series


def _levels(records: Sequence[Record]) -> dict[str, float]:
    """PSNR in dB, mean over the seeds, the highest first."""
    rows = [(record.label, record.result.outputs[0].psnr) for record in records]
    frame = pd.DataFrame(rows, columns=["label", "psnr"]).replace([np.inf, -np.inf], np.nan).dropna()
    mean = frame.groupby("label")["psnr"].mean().sort_values(ascending=False)
    return {str(label): round(float(psnr), 3) for label, psnr in mean.items()}


def _marks(fits: Sequence[Record]) -> list[dict[str, Any]]:
    """The peaks and what rules named: label, iteration from 1, PSNR in dB, seed, title, whether an average."""
    return [
        {
            "m": fit.label,
            "i": output.iteration + 1,
            "p": round(output.psnr, 3),
            "seed": fit.run.seed,
            "t": label_of("", output.output).removeprefix(", "),
            "ema": is_average(output.output),
            "rule": output.rule,
        }
        for fit in fits
        for output in fit.result.outputs
        if (output.rule or kind_of(output.output).oracle) and math.isfinite(output.psnr)
    ]


def _ranges(lines: pd.DataFrame, peaks: Sequence[float], levels: Sequence[float]) -> dict[str, list[float]]:
    """What part of the axis shows the end of the rise and the fall: see `axis`."""
    wanted = lines.reindex(columns=["iteration", "method", "psnr", "psnr_ema", FIT]).replace([np.inf, -np.inf], np.nan)
    truth = [round(end, 2) for end in range_of_truth(wanted, peaks, levels)]
    return {"psnr": truth, "psnr_ema": truth, FIT: [round(end, 2) for end in range_of_measurement(wanted)]}
