"""The verdicts of an experiment as a table: for the terminal, and as CSV, Markdown and LaTeX."""

import csv
import io
import math
from collections.abc import Mapping, Sequence

from dipbench.comparing.statistics import CONFIDENCE
from dipbench.comparing.verdict import AVERAGE_ONLY, Difference, Verdict
from dipbench.report.markup import markdown_row, markdown_text
from dipbench.report.sheets import PACKAGES, Line, Sheet, floats, words
from dipbench.store.outputs import label_of
from dipbench.text import table

HEADING = "Comparison with published results"
TITLES = ("", "ours [dB]", "published [dB]", "difference [dB]", "published as", "verdict")


def as_text(found: Mapping[str, Sequence[Verdict]]) -> str:
    """The verdicts of all experiments for a terminal; empty where nothing is compared."""
    blocks = [
        f"{experiment}: {HEADING.lower()}\n{table([TITLES, *map(cells, verdicts)], left=range(len(TITLES)))}"
        for experiment, verdicts in found.items()
        if verdicts
    ]
    every = [verdict for verdicts in found.values() for verdict in verdicts]
    return "\n\n".join([*blocks, explanation(every)] if blocks else [])


def cells(verdict: Verdict) -> tuple[str, str, str, str, str, str]:
    """What stands in each column of `TITLES`."""
    spread = "" if verdict.spread is None else f" ± {verdict.spread:.2f}"
    ours = "" if math.isnan(verdict.ours) else f"{verdict.ours:.2f}{spread}"
    published = f"{verdict.published.value:.2f}, {verdict.published.status}" if verdict.published else ""
    label = label_of(verdict.method, verdict.output)
    return label, ours, published, _difference(verdict.difference), verdict.published_method, verdict.text


def _difference(difference: Difference | None) -> str:
    """With its interval, or why it has none."""
    if difference is None:
        return ""
    if difference.half is None:
        return f"{difference.value:+.2f} ({difference.remark})"
    low, high = difference.value - difference.half, difference.value + difference.half
    return f"{difference.value:+.2f} [{low:+.2f}, {high:+.2f}]"


def explanation(verdicts: Sequence[Verdict]) -> str:
    """How to read the differences, in a line."""
    text = (
        f"Difference: ours minus published; in brackets its {CONFIDENCE:.0%} interval over the images (Student t, from "
        "the difference on each)."
    )
    if any(verdict.difference and verdict.difference.remark == AVERAGE_ONLY for verdict in verdicts):
        text += f" {AVERAGE_ONLY.capitalize()}: no number of the single images is published."
    return text


def to_csv(verdicts: Sequence[Verdict]) -> str:
    """One line a verdict, with the sources of the published number and of the tolerance."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = ["method", "output", "images", "seeds", "ours [dB]", "std [dB]", "published [dB]", "published method"]
    heads += ["status", "source", "difference [dB]", "half interval [dB]", "tolerance [dB]", "tolerance source"]
    writer.writerow([*heads, "verdict", "reason"])
    for verdict in verdicts:
        published, difference, tolerance = verdict.published, verdict.difference, verdict.tolerance
        row = [verdict.method, verdict.output, verdict.images, verdict.seeds]
        row += [_decimals(verdict.ours), _decimals(verdict.spread)]
        row += [f"{published.value:g}" if published else "", verdict.published_method]
        row += [published.status, published.source] if published else ["", ""]
        row += [_decimals(difference.value), _decimals(difference.half)] if difference else ["", ""]
        row += [_decimals(tolerance.value), tolerance.reason] if tolerance else ["", ""]
        writer.writerow([*row, verdict.kind, verdict.reason])
    return text.getvalue()


def _decimals(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.4f}"


def to_markdown(verdicts: Sequence[Verdict]) -> str:
    """A table and, under it, how to read it and where the published numbers can be read."""
    lines = [f"**{HEADING}**", "", markdown_row(TITLES), markdown_row([":--", *["--:"] * 3, *[":--"] * 2])]
    lines += [markdown_row(markdown_text(cell) for cell in cells(verdict)) for verdict in verdicts]
    return "\n".join([*lines, "", *(markdown_text(line) + "\n" for line in notes(verdicts))])


def to_latex(verdicts: Sequence[Verdict], label: str = "tab:published") -> str:
    """A float across the page, for the packages booktabs and tabularx."""
    lines = [Line(tuple(map(words, cells(verdict)))) for verdict in verdicts]
    sheet = Sheet(TITLES, tuple(lines), words=frozenset({2, 3, 4, 5}))
    return PACKAGES + floats(sheet, f"{HEADING}.", label, [words(note) for note in notes(verdicts)])


def notes(verdicts: Sequence[Verdict]) -> list[str]:
    """How to read the table, and where each published number can be read, a line each."""
    named = [(verdict.published_method, verdict.published) for verdict in verdicts if verdict.published]
    sources = dict.fromkeys(f"{method}: {reference.status}, {reference.source}." for method, reference in named)
    return [explanation(verdicts), *sources]


def files_of(verdicts: Sequence[Verdict], name: str) -> dict[str, str]:
    """The files of an experiment whose files are called `name`: path within the report -> text."""
    texts = {"csv": to_csv(verdicts), "md": to_markdown(verdicts), "tex": to_latex(verdicts, f"tab:{name}-published")}
    return {f"published/{name}.{suffix}": text for suffix, text in texts.items()}
