"""The sections of reports/speed on what bfloat16 does to a fit, and for which tables it may stand for float32."""

from typing import Any

import numpy as np
import pandas as pd
from classical_report import table
from fidelity_statistics import (
    BEST,
    BEST_EMA,
    CONFIDENCE,
    FINAL,
    FINAL_EMA,
    ITERATION,
    MEASUREMENT,
    interval,
)

REACH = 0.1  # dB: the mean difference up to which a table may be computed in bfloat16
JUDGED = (BEST_EMA, FINAL)
NOISE = 2.0  # spreads over seeds: a single fit that differs by less says nothing

YES, NO, OPEN = "yes", "no", "not decided"
DOUBT = "cannot tell: an interval reaches beyond"  # the words of docs/statistics.md where the means alone are within


def sections(differences: pd.DataFrame, full: pd.DataFrame) -> list[str]:
    """Every section on whose tables there is a number, the verdict first."""
    parts = []
    bf16 = differences[differences["precision"] == "bf16"] if len(differences) else differences
    pairs = full if "bf16" in full else pd.DataFrame()
    if len(bf16) or len(pairs):
        parts += ["## Where bfloat16 may stand for float32\n", verdict(bf16, pairs)]
    if len(differences):
        parts += ["## Small fits, minus eager float32\n", _differences(differences)]
    if len(pairs):
        parts += ["## Fits at full length, bfloat16 beside float32\n", _figures(pairs), _measurement(pairs)]
    return parts


def verdict(bf16: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """For which tables bfloat16 may stand for float32, and the numbers that say so."""
    small = [_small(bf16, engine) for engine in bf16["engine"].unique()] if len(bf16) else []
    noise = {q: bf16.loc[bf16["quantity"] == q, "spread over seeds"].max() for q in JUDGED} if len(bf16) else {}
    full = [_full(own, noise) for _, own in pairs.groupby(["task", "method"], sort=False)] if len(pairs) else []
    answers = {row["fits"]: _answer(small, row) for row in full}
    sentences = [
        f"{said} {'; '.join(fits)}."
        for answer, said in SAID.items()
        if (fits := [fit for fit, found in answers.items() if found == answer])
    ]
    found = pd.DataFrame([*small, *full])
    head = " ".join(sentences or ["Not decided for any table: that takes the small fits and a pair at full length."])
    return f"{head}\n\n{table(found)}\n\n{RULE}\n"


SAID = {
    YES: "bfloat16 may stand for float32 in the tables of:",
    NO: "It may not in those of:",
    OPEN: "It is not decided for those of:",
}

RULE = (
    f"bf16 minus float32, dB, mean over the images with its {CONFIDENCE:.0%} interval (Student's t over the images, "
    f"each the mean over its seeds). A table takes both means within {REACH} dB, of the small fits and of its own at "
    "full length, also where an interval reaches beyond, by which it cannot be told. One image has no interval: it "
    f"decides nothing if it is off by less than {NOISE:g} times what the difference of the small fits spreads over "
    "seeds."
)


def _small(bf16: pd.DataFrame, engine: str) -> dict[str, Any]:
    found = bf16[bf16["engine"] == engine].set_index("quantity")
    first = found.iloc[0]
    bounds = found[["difference", "low", "high"]].astype(float)
    means = {q: (bounds["difference"][q], bounds["low"][q], bounds["high"][q]) for q in JUDGED}
    where = f"{first['crop']}x{first['crop']} crops" if first["crop"] else "whole images"
    fits = f"{where}, {first['seeds']} seeds, {engine}"
    return _row(fits, int(first["images"]), means, YES if _within(means) else NO)


def _full(pairs: pd.DataFrame, noise: dict[str, float]) -> dict[str, Any]:
    """All pairs of a method in a task: within reach, beyond it, or of one image that is beyond it as seeds may be."""
    by_image = {q: pairs[pairs["quantity"] == q].groupby("image")["difference"].mean() for q in JUDGED}
    means = {quantity: interval(values) for quantity, values in by_image.items()}
    count = len(by_image[FINAL])
    answer = YES if _within(means) else NO
    if answer == NO and count == 1 and all(abs(means[q][0]) <= max(REACH, NOISE * noise.get(q, 0)) for q in JUDGED):
        answer = OPEN
    return _row(f"{pairs['task'].iloc[0]}, {pairs['method'].iloc[0]}", count, means, answer)


def _row(fits: str, images: int, means: dict[str, tuple[float, float, float]], answer: str) -> dict[str, Any]:
    cells = {f"{quantity}, difference": _with_interval(*values) for quantity, values in means.items()}
    return {"fits": fits, "images": images, **cells, f"within {REACH} dB": _told(means, answer)}


def _within(means: dict[str, tuple[float, float, float]]) -> bool:
    return all(abs(mean) <= REACH for mean, _, _ in means.values())  # False also for what is no number


def _told(means: dict[str, tuple[float, float, float]], answer: str) -> str:
    beyond = any(low < -REACH or high > REACH for _, low, high in means.values())
    return DOUBT if answer == YES and beyond else answer


def _answer(small: list[dict[str, Any]], full: dict[str, Any]) -> str:
    """Of a table: what its own fits say, unless small ones say no or are not there."""
    column = f"within {REACH} dB"
    if not small:
        return OPEN
    if any(row[column] == NO for row in small):
        return NO
    return YES if full[column] == DOUBT else str(full[column])


def _with_interval(mean: float, low: float, high: float) -> str:
    return f"{mean:+.2f}" if np.isnan(low) else f"{mean:+.2f} ({low:+.2f} to {high:+.2f})"


def _differences(differences: pd.DataFrame) -> str:
    """A row a quantity of every execution, and under it on what they were computed."""
    shown = pd.DataFrame(
        {
            "engine": differences["engine"],
            "precision": differences["precision"],
            "quantity": differences["quantity"],
            "eager float32": _values(differences, "eager float32"),
            "difference": [_with_interval(*row) for row in differences[["difference", "low", "high"]].to_numpy()],
            "its spread over seeds": differences["spread over seeds"],
            "spread of eager float32": differences["spread of eager float32"],
        }
    )
    facts = ("method", "device", "instructions", "images", "seeds", "crop", "torch")
    same = "; ".join(f"{f}: {', '.join(map(str, differences[f].unique()))}" for f in facts if f in differences)
    return f"{table(shown)}\n\n{same}.\n"


def _values(frame: pd.DataFrame, column: str) -> list[str]:
    """Iterations whole, decibels in hundredths."""
    digits = [0 if quantity == ITERATION else 2 for quantity in frame["quantity"]]
    return [f"{value:.{count}f}" for value, count in zip(frame[column], digits, strict=True)]


def _figures(pairs: pd.DataFrame) -> str:
    """Peaks and ends: a row an image and a quantity."""
    kept = pairs[pairs["quantity"].isin([BEST, ITERATION, BEST_EMA, FINAL, FINAL_EMA])]
    shown = kept[["task", "method", "image", "seed", "iterations", "quantity", "float32", "bf16", "difference"]]
    shown = shown.assign(**{name: _values(kept, name) for name in ("float32", "bf16", "difference")})
    engines = ", ".join(pairs["engine of bf16"].unique())
    devices = [f"{name} on {', '.join(pairs[f'device of {name}'].unique())}" for name in ("float32", "bf16")]
    return f"{table(shown)}\n\nengine of bf16: {engines}; {'; '.join(devices)}.\n"


def _measurement(pairs: pd.DataFrame) -> str:
    """The data-fit PSNR, which says how far a fit has come: a row an iteration, three columns a pair."""
    name = rf"^{MEASUREMENT} at (\d+) \[dB\]$"
    at = pairs.assign(iteration=pairs["quantity"].str.extract(name)[0]).dropna(subset=["iteration"])
    columns: dict[str, pd.Series] = {}
    named = ["image", "task", "method", "seed"]
    told = [name for name in named if name == "image" or at[name].nunique() > 1]  # what tells the pairs apart
    for _, pair in at.groupby(named, sort=False):
        by = pair.set_index(pair["iteration"].astype(int))
        title = ", ".join(str(pair[name].iloc[0]) for name in told)
        columns |= {f"{title}: {column}": by[column] for column in ("float32", "bf16", "difference")}
    shown = pd.DataFrame(columns).sort_index()
    texts = shown.map(lambda value: "" if pd.isna(value) else f"{value:.2f}").rename_axis("iteration").reset_index()
    return f"Data-fit PSNR, dB:\n\n{table(texts)}\n"
