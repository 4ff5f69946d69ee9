"""The verdicts of an experiment as a table: for the terminal, and as CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Mapping, Sequence

from dipbench.report.formats import markdown_text, tex
from dipbench.report.outputs import label_of
from dipbench.verdict import Verdict

TITLES = ("", "ours [dB]", "published [dB]", "published as", "verdict")


def as_text(found: Mapping[str, Sequence[Verdict]]) -> str:
    """The verdicts of all experiments for a terminal; empty where nothing stands beside a published number."""
    blocks = []
    for experiment, verdicts in found.items():
        lines = [TITLES, *(cells(verdict) for verdict in verdicts)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(TITLES) - 1)]
        padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=False)] + [line[-1]] for line in lines]
        if verdicts:
            blocks.append(
                "\n".join([f"{experiment}, beside the published numbers", *("  ".join(row) for row in padded)])
            )
    return "\n\n".join(blocks)


def cells(verdict: Verdict) -> tuple[str, str, str, str, str]:
    """What stands in each column of `TITLES`."""
    ours = "" if verdict.ours is None else f"{verdict.ours:.2f}"
    if verdict.spread is not None:
        ours += f" ± {verdict.spread:.2f}"
    published = f"{verdict.published.value:.2f}, {verdict.published.status}" if verdict.published else ""
    return label_of(verdict.method, verdict.output), ours, published, verdict.published_method, verdict.text


def to_csv(verdicts: Sequence[Verdict]) -> str:
    """One line a verdict, with the source of the published number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = ["method", "output", "images", "seeds", "ours [dB]", "std [dB]", "published [dB]", "published method"]
    writer.writerow([*heads, "status", "source", "verdict", "reason"])
    for verdict in verdicts:
        ours = ["" if value is None else f"{value:.4f}" for value in (verdict.ours, verdict.spread)]
        reference = verdict.published
        published = [f"{reference.value:g}", reference.status, reference.source] if reference else ["", "", ""]
        counts = [verdict.images, verdict.seeds, *ours, published[0], verdict.published_method, *published[1:]]
        writer.writerow([verdict.method, verdict.output, *counts, verdict.kind, verdict.reason])
    return text.getvalue()


def to_markdown(verdicts: Sequence[Verdict]) -> str:
    """A table and, under it, where the published numbers can be read."""
    lines = ["**Beside the published numbers**", "", _pipes(TITLES), _pipes([":--", *["--:"] * 2, *[":--"] * 2])]
    lines += [_pipes([markdown_text(cell) for cell in cells(verdict)]) for verdict in verdicts]
    return "\n".join([*lines, "", *(markdown_text(line) + "\n" for line in sources(verdicts))])


def to_latex(verdicts: Sequence[Verdict]) -> str:
    """A table environment for the package booktabs."""
    lines = ["\\begin{table}", "\\centering", "\\caption{Beside the published numbers}"]
    lines += ["\\begin{tabular}{lrrlp{0.35\\linewidth}}", "\\toprule", _ampersands(TITLES), "\\midrule"]
    lines += [_ampersands(cells(verdict)) for verdict in verdicts]
    lines += ["\\bottomrule", "\\end{tabular}"]
    lines += [f"\\par\\smallskip{{\\footnotesize {tex(line)}\\par}}" for line in sources(verdicts)]
    return "\n".join([*lines, "\\end{table}", ""])


def sources(verdicts: Sequence[Verdict]) -> list[str]:
    """Where each published number can be read, a line each."""
    named = [(verdict.published_method, verdict.published) for verdict in verdicts if verdict.published]
    return list(dict.fromkeys(f"{method}: {reference.status}, {reference.source}." for method, reference in named))


def files_of(verdicts: Sequence[Verdict], name: str) -> dict[str, str]:
    """The files of an experiment whose files are called `name`: path within the report -> text."""
    texts = {"csv": to_csv(verdicts), "md": to_markdown(verdicts), "tex": to_latex(verdicts)}
    return {f"published/{name}.{suffix}": text for suffix, text in texts.items()}


def _pipes(line: Sequence[str]) -> str:
    return f"| {' | '.join(line)} |"


def _ampersands(line: Sequence[str]) -> str:
    return f"{' & '.join(tex(cell) for cell in line)} \\\\"
