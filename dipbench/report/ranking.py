"""How sure a ranking is: two tables of an experiment, for the page, the terminal, and as Markdown and CSV."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd

from dipbench.comparing.comparable import comparable
from dipbench.comparing.intervals import FEWEST_IMAGES, FEWEST_RESAMPLED
from dipbench.comparing.paired import tie_width
from dipbench.comparing.ranking import Comparison, comparison_of
from dipbench.comparing.shared import scored, with_most_seeds
from dipbench.comparing.significance import POWER
from dipbench.comparing.statistics import CONFIDENCE
from dipbench.contract.prior import UNSETTLED
from dipbench.metrics import leading
from dipbench.report.chapters import Chapter
from dipbench.report.formats import DASH
from dipbench.report.markup import markdown_table, markdown_text
from dipbench.scoring import METRICS
from dipbench.store.outputs import kind_of
from dipbench.store.store import Store
from dipbench.text import counted, table

HEADING = "How sure is the ranking?"

BY_IMAGES = f"Student's t over the images, of {FEWEST_RESAMPLED} or more the BCa bootstrap"
"""Which interval is meant."""

_TIE = tie_width(METRICS["psnr"])

NOTE = (
    f"Means over the images of the mean over the seeds, each with two {CONFIDENCE:.0%} intervals that answer different"
    f" questions: for other images of this kind ({BY_IMAGES}), and for these images and other seeds. The spread over "
    "seeds is their standard deviation, pooled over the images; beside it is the image where it is widest. Of a fit "
    "its average at the end takes part, else its last output, however far past its peak; what rules stopped does "
    f"where it is named. An average of which the first output still is more than {UNSETTLED:.0%} is none yet: the raw "
    "output of that iteration stands for it, in as many runs as are said to be raw. Methods that share a letter "
    "cannot be told apart: no pair of them has both an interval, of the differences on each image, that leaves out 0 "
    "and a test that is significant in Holm's correction over all pairs, so that a letter may skip a line. A gain is "
    "what a method is better by on the same measurement, the mean over the images; pairs are of image and seed, wins,"
    f" ties and losses of images, a tie being a gain of at most ten steps of the last digit shown, {_TIE:g} dB of "
    "PSNR; p is Wilcoxon's signed rank over the images, exact (beyond 25 images, flips of signs), then corrected by "
    "Holm for all lines of its table, which are fewer than all pairs: a method may be better than the baseline and "
    "share its letter. Better and worse take both the interval and the corrected p; the images needed are for a power"
    f" of 60 to {POWER:.0%} in a family of so many lines. A run that diverged counts with its last finite output; "
    "oracles are left out."
)
"""How to read the tables."""


def rankings_of(store: Store, chapter: Chapter) -> list[Comparison]:
    """How sure the ranking by the metric that leads is, where something can be said: with images or seeds enough.

    One of each output that the suite wants ranked and a method has, the first of which leads; else of the usual ones.
    Where some methods have more seeds than the others, one more of these alone.
    """
    ended = {record.run.key: record.result for record in chapter.records}
    results = comparable(chapter.frame, ended, store.trace)
    there = chapter.baseline in set(results["method"])
    asked = [output for output in chapter.ranked if output in set(results["output"])] or [""]
    metric = leading(chapter.frame)
    baseline = chapter.baseline if there else ""
    found = list[Comparison]()
    for output in asked:
        compare = partial(comparison_of, metric=metric, baseline=baseline, output=output, grouped=chapter.grouped)
        methods, seeds = with_most_seeds(scored(results, metric, output))
        of_all = compare(results)
        if of_all and not _of_too_few(of_all.ranking):
            found.append(of_all)
        if methods and (of_all is None or of_all.ranking["seeds"].min() < seeds):
            against = baseline if baseline in methods else ""
            rows, among = results[results["method"].isin(methods)], f"the methods with {seeds} seeds"
            of_some = compare(rows, baseline=against, among=among)
            if of_some and not _of_too_few(of_some.ranking):
                found.append(of_some if against == baseline else _against_another(of_some, baseline, "has fewer seeds"))
    if there or not chapter.baseline:
        return found
    return [_against_another(one, chapter.baseline, "is not computed here") for one in found]


def _against_another(found: Comparison, wanted: str, why: str) -> Comparison:
    """With a remark of why the baseline which the suite declares is not there."""
    said = f"The suite's baseline {wanted} {why}: differences are against {found.baseline}."
    return replace(found, remarks=(*found.remarks, said))


def _of_too_few(ranking: pd.DataFrame) -> bool:
    return bool(ranking["images"].iloc[0] < FEWEST_IMAGES and ranking["seeds"].min() < 2)


def heading_of(found: Comparison) -> str:
    """Which outputs of which methods it ranks; empty: the usual ones of all."""
    outputs = f"Ranked by '{kind_of(found.asked).title}', where a method has it" if found.asked else ""
    if not found.among:
        return outputs
    return f"{outputs}, of {found.among}" if outputs else f"Of {found.among}"


def rank_heads(found: Comparison) -> list[str]:
    """The heads of the ranking."""
    heads = ["method", "rank", "group", _with_unit("mean", found), "other images", "other seeds"]
    return [*heads, _with_unit("spread over seeds", found), "widest spread"]


def rank_lines(found: Comparison) -> list[list[str]]:
    """A line a method, as `rank_heads`."""
    return [_rank_line(row, found.metric.digits) for _, row in found.ranking.iterrows()]


def _rank_line(row: pd.Series, digits: int) -> list[str]:
    odd = ", ".join(f"{counted(row[what], 'run')} {what}" for what in ("raw", "diverged") if row[what])
    return [
        f"{row['label']} ({odd})" if odd else row["label"],
        str(row["rank"]),
        row["group"] or DASH,
        digits_of(row["mean"], digits),
        interval(row["images_low"], row["images_high"], digits),
        interval(row["seeds_low"], row["seeds_high"], digits),
        digits_of(row["seed_spread"], digits),
        f"{row['worst_image']} {digits_of(row['worst_spread'], digits)}".strip(),
    ]


def difference_heads(found: Comparison) -> list[str]:
    """The heads of the table of differences."""
    heads = [f"against {found.baseline}", _with_unit("gain", found), "pairs won", "win/tie/loss", "p", "p, Holm"]
    return [*heads, "verdict"]


def difference_lines(found: Comparison) -> list[list[str]]:
    """A line a method but the baseline, as `difference_heads`."""
    return [_difference_line(row, found.metric.digits) for _, row in found.differences.iterrows()]


def _difference_line(row: pd.Series, digits: int) -> list[str]:
    gain = f"{row['gain']:+.{digits}f} {interval(row['gain_low'], row['gain_high'], digits, '+')}"
    won = f"{100 * row['won']:.0f}%"
    if not math.isnan(row["won_low"]):
        won += f" [{100 * row['won_low']:.0f}, {100 * row['won_high']:.0f}]"
    counts = f"{row['wins']}/{row['ties']}/{row['losses']}"
    return [row["label"], gain, won, counts, f"{row['p']:.2g}", f"{row['p_holm']:.2g}", row["verdict"]]


def interval(low: float, high: float, digits: int, sign: str = "") -> str:
    """Its ends with so many digits behind the point; a dash where there is none."""
    return DASH if math.isnan(low) else f"[{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]"


def digits_of(value: float, digits: int) -> str:
    """A number with so many digits behind the point; a dash where there is none."""
    return DASH if math.isnan(value) else f"{value:.{digits}f}"


def _with_unit(head: str, found: Comparison) -> str:
    return f"{head} [{found.metric.unit}]" if found.metric.unit else head


def as_text(found: Comparison, width: int | None = None) -> str:
    """Both tables for a terminal so wide, what must be said of them, and the verdicts in sentences."""
    images, seeds = found.ranking["images"].iloc[0], found.ranking["seeds"].min()
    counts = f"{counted(images, 'image')}, {counted(seeds, 'seed')}"
    said = [f"{row['label']} against {found.baseline}: {row['verdict']}." for _, row in found.differences.iterrows()]
    known = slice(None if found.ranking["seed_spread"].notna().any() else -2)  # else there is no spread, nor a worst
    ranking = [line[known] for line in [rank_heads(found), *rank_lines(found)]]
    differences = [line[:-1] for line in [difference_heads(found), *difference_lines(found)]]
    blocks = [
        f"{found.experiment}: {found.metric.title} on {counts}",
        table(ranking, width=width),
        table(differences, width=width),
        "\n".join([*said, *found.remarks]),
    ]
    return "\n\n".join(blocks)


def as_markdown(rankings: Sequence[Comparison]) -> str:
    """Both tables of each with what must be said of them; how they are read says NOTE."""
    return "\n".join(_as_markdown(found) for found in rankings)


def _as_markdown(found: Comparison) -> str:
    heading = [f"{markdown_text(heading)}:", ""] if (heading := heading_of(found)) else []
    ranking = markdown_table(rank_heads(found), rank_lines(found))
    differences = markdown_table(difference_heads(found), difference_lines(found))
    remarks = [f"{markdown_text(remark)}\n" for remark in found.remarks]
    return "\n".join([*heading, *ranking, "", *differences, "", *remarks])


def files_of(rankings: Sequence[Comparison], name: str) -> dict[str, str]:
    """The files of an experiment whose files are called `name`: path within the report -> text."""
    ranking, differences = (
        str(pd.concat(frames, ignore_index=True).to_csv(index=False, lineterminator="\n"))
        for frames in ([found.ranking for found in rankings], [found.differences for found in rankings])
    )
    return {
        f"ranking/{name}.csv": ranking,
        f"ranking/{name}_differences.csv": differences,
        f"ranking/{name}.md": f"{as_markdown(rankings)}\n{NOTE}\n",
    }
