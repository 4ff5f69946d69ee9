"""Writes reports/overfitting/README.md: what the committed fits of the laboratory say, each number with its interval.

    python benchmarks/overfitting_report.py

It reads stops.csv, curves.csv and choices.csv of results/reference/overfitting/*, which benchmarks/tools/take_in.py
writes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from overfitting_studies import FITTED, REACHED, by_noise, energies, rings, table, targets, wrong_levels

from dipbench.comparing.chosen import with_rules
from dipbench.comparing.statistics import pooled_spread
from dipbench.comparing.stopping import LARGE_GAP, NO_STOPPING
from dipbench.comparing.summary import summaries_of
from dipbench.report import choosing
from dipbench.report.formats import DASH
from dipbench.report.stops import cells

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results" / "reference" / "overfitting"
PAPER = {"wmv": "ES-WMV", "emv": "ES-EMV"}
TOLD = "discrepancy[energy=told]"  # of fits that were not asked the other


def read(suite: str, table: str) -> pd.DataFrame:
    """A table of a suite."""
    return pd.read_csv(REFERENCE / suite / f"{table}.csv")


def traces(suite: str) -> pd.DataFrame:
    """The committed parts of the traces of a suite."""
    return pd.read_parquet(REFERENCE / suite / "traces.parquet")


def detectors(stops: pd.DataFrame) -> str:
    """Every rule on the fits of a suite, a line a rule and way to fit, from the first fit's peak."""
    lines = []
    for method, rows in stops.groupby("method", sort=False):
        for summary in summaries_of(rows):
            told = cells(summary)
            name = f"{PAPER.get(summary.rule, summary.rule)}, {method}"
            lines.append((summary.median_first, [name, told[1], told[5], told[4], told[6], *told[9:]]))
    heads = ["rule, fit", "fits", "gap [dB], median", "own gap above 1 dB", "EMA's gap [dB]", "fired", "saved"]
    return table(heads, [line for _, line in sorted(lines, key=lambda line: line[0])])


def verdict(stops: pd.DataFrame) -> str:
    """On which recipes ES-WMV fails, in words."""
    worst = stops[stops["rule"] == "wmv"].groupby("method", sort=False)["gap"].max()
    failed = worst[worst > LARGE_GAP]
    return (
        f"One thing is changed at a time. ES-WMV loses more than {LARGE_GAP:g} dB on a fit with: "
        f"{'; '.join(failed.index) or 'none'}. With all others at most {worst[worst <= LARGE_GAP].max():.2f} dB."
    )


def recipes(stops: pd.DataFrame, curves: pd.DataFrame) -> str:
    """ES-WMV and the discrepancy rule on each recipe."""
    rule = "discrepancy" if "discrepancy" in set(stops["rule"]) else TOLD
    lines = []
    for method, rows in stops.groupby("method", sort=False):
        by_rule = {summary.rule: summary for summary in summaries_of(rows)}
        wmv, discrepancy = by_rule["wmv"], by_rule[rule]
        lost = curves.loc[curves["method"] == method, "lost"]
        lines.append(
            [
                str(method),
                str(wmv.runs),
                f"{wmv.median:.2f} ({rows.loc[rows['rule'] == 'wmv', 'gap'].max():.2f})",
                f"{wmv.fired.count} of {wmv.fired.of}",
                f"{discrepancy.median:.2f} ({rows.loc[rows['rule'] == rule, 'gap'].max():.2f})",
                f"{lost.median():.2f}",
            ]
        )
    heads = ["recipe", "fits", "ES-WMV's gap [dB], median (worst)", "fired"]
    return table([*heads, f"{rule}: gap [dB], median (worst)", "lost by not stopping [dB]"], lines)


SOURCES = {
    "smoothed_peak": "peak [dB]",
    "peak_at": "its iteration",
    "ema_peak": "EMA's peak [dB]",
    "lost": "lost at the end [dB]",
}


def sources(curves: pd.DataFrame) -> str:
    """What spreads over the seeds where only one source is drawn anew, a line a source."""
    lines = []
    for source, rows in curves.groupby("method", sort=False):
        found = [pooled_spread(rows, column, "image") for column in SOURCES]
        told = [f"{s[0]:.2f} [{s[1]:.2f}, {s[2]:.2f}]" if s else DASH for s in found]
        lines.append([str(source), f"{rows['image'].nunique()} x {rows['seed'].nunique()}", *told])
    return table(["drawn anew", "images x seeds", *SOURCES.values()], lines)


def peaks(curves: pd.DataFrame, stops: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    """How high each fit rises, when, and where it ends: a line a fit, called by the columns `names`.

    Peak and end are single iterations both: the end is what no stopping gives, and no mean of the last iterations.
    """
    ends = stops[stops["rule"] == NO_STOPPING].set_index(["experiment", "run"])["psnr"]
    return [
        [
            ", ".join(f"seed {row[name]}" if name == "seed" else row[name] for name in names),
            f"{row['peak']:.2f} at {row['peak_at']}",
            f"{row['ema_peak']:.2f} at {row['ema_peak_at']:.0f}",
            f"{ends.get((row['experiment'], row['run']), float('nan')):.2f}",
        ]
        for row in curves.to_dict("records")
    ]


def thumbnail(curves: pd.DataFrame, stops: pd.DataFrame) -> str:
    """F16 at 64x64 beside the figures of the notes that it is checked against."""
    f16 = curves[(curves["image"] == "F16_512") & (curves["method"] == "dip")]
    told = ["expected (64x64, another program)", "25.8 to 25.9 at 309 to 324", "27.3 to 27.5 at 475", "21.8"]
    heads = ["F16 at 64x64, sigma 25", "raw peak [dB]", "EMA's peak [dB]", "at 2000, raw [dB]"]
    return table(heads, [*peaks(f16, stops, ["seed"]), told])


def where_wmv_breaks(suite: str) -> str:
    """In words, and on each recipe of a suite."""
    stops = read(suite, "stops")
    return f"{verdict(stops)}\n\n{recipes(stops, read(suite, 'curves'))}"


def at_full_size() -> str:
    """Whole images: their rise and fall, and where ES-WMV breaks."""
    return f"{rise_and_end('full_size', ['image', 'method'])}\n\n{where_wmv_breaks('full_size')}"


def rise_and_end(suite: str, names: Sequence[str]) -> str:
    """How high each fit of a suite rises, and where it ends."""
    return table(_PEAKS, peaks(read(suite, "curves"), read(suite, "stops"), names))


def flattery() -> str:
    """What the choice of an iteration is worth."""
    return choosing.as_markdown(with_rules(read("oracles", "choices"), read("oracles", "stops"))).strip()


_PEAKS = ["fit", "raw peak [dB]", "EMA's peak [dB]", "at the end, raw [dB]"]


def _independent(stops: pd.DataFrame) -> str:
    """What intervals over fits take for granted, of the fits that there are."""
    images, seeds = stops["image"].nunique(), stops["seed"].nunique()
    return (
        f"The fits are of {images} images with {seeds} seeds each; the intervals take them for independent, so that "
        "they are too narrow as far as the seeds of an image agree."
    )


STUDIES: list[tuple[str, str, Callable[[], str]]] = [
    (
        "Where ES-WMV breaks",
        "",
        lambda: where_wmv_breaks("sensitivity"),
    ),
    (
        "Image by image",
        "The nine images of the paper's denoising at 64x64, sigma 25, one seed.",
        lambda: rise_and_end("curves", ["image"]),
    ),
    (
        "Other kinds of noise",
        "The middle levels of the study of ES-WMV, three images, one seed: gaps from the peak of the same fit, "
        "with their range.",
        lambda: by_noise(read("noises", "stops")),
    ),
    (
        "Which noise energy the discrepancy principle takes",
        "Noise is clipped with the measurement. What that leaves of it was told as if levels were alike from black to "
        "white, of which photographs have fewer near either: too little, so that fits stopped late. The energy present "
        "follows from the picture's own levels, without the truth, and the rule takes it now; "
        "`discrepancy[energy=told]` has what was told. Fits of priors with either, by their traces as committed, of "
        "every tenth iteration, so that gaps are off by some tenths of a decibel on a fit "
        "(`python benchmarks/tools/noise_energy.py`); raw output, from the fit's own peak; the gain is the mean over "
        "the images, with its 95% interval. At sigma 15 it loses a little.",
        lambda: energies(pd.read_csv(REFERENCE / "noise_energy.csv")),
    ),
    (
        "What a wrong noise level does",
        "Sigma 25, three images, one seed; gaps from the peak of the fit to all of the data, with their range. Split "
        "noise is drawn with the wrong level, and fitted anew.",
        lambda: wrong_levels(read("sigma_error", "stops")),
    ),
    (
        "What a network fits easily, and what it resists",
        "Figure 2 of the paper at 64x64 on F16: PSNR to what is fitted, and the iteration at which it is "
        f"{FITTED:g} dB.",
        lambda: targets(traces("fit_curves"), read("fit_curves", "numbers")),
    ),
    (
        "Which frequencies come when",
        f"The iteration at which the output first has {REACHED:.0%} of the noisy measurement's spectrum in each of "
        "five rings, from low to high frequencies; sigma 25.",
        lambda: rings(traces("spectrum"), read("spectrum", "curves")),
    ),
    (
        "At full size",
        "The paper's network on whole images: House256 in bfloat16 on a CPU (how near that is to float32: "
        "reports/speed), F16 in TF32 on a GPU.",
        at_full_size,
    ),
    (
        "What carries the spread between runs",
        "Standard deviation over the seeds, within images, with its 95% interval (chi-square).",
        lambda: sources(read("seeds", "curves")),
    ),
    ("How much the best iterate flatters, and whether it changes who is better", "", flattery),
]
"""Each a heading, what is to be known of it, and what makes it."""


def main() -> None:
    """Writes the report."""
    rules, curves = read("stop_rules", "stops"), read("stop_rules", "curves")
    parts = [
        "# Overfitting, measured",
        "Made by `python benchmarks/overfitting_report.py` from what is committed; each suite has a report of its own "
        "beside this one. Thumbnails of 64x64 pixels and a small skip network: mechanisms, not numbers of a paper.",
        "## Does it rise and fall as it should?",
        thumbnail(curves[curves["experiment"] == "sigma 25"], rules),
    ]
    for level in sorted(rules["experiment"].unique(), key=lambda name: int(name.split()[1])):
        parts += [
            f"## Which rule stops best, {level}",
            "The gap is from the peak of the fit to all of the data, raw output, so that what keeps data apart pays "
            f"for it; the line knows nothing but the noisy image and the peaks of other images. {_independent(rules)}",
            detectors(rules[rules["experiment"] == level]),
        ]
    for heading, words, made in STUDIES:
        parts += [f"## {heading}", words, made()]
    text = "\n\n".join(part for part in parts if part)
    (ROOT / "reports" / "overfitting" / "README.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
