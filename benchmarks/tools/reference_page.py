"""The report on the committed runs of a suite: reports/SUITE/README.md, with the figures of its curves."""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from reference import Kept
from reference_fits import Known, of_runs, section_of, stops_in
from reference_sheet import sheet_of

from dipbench.comparing.ranking import Comparison
from dipbench.comparing.verdict import verdicts_of
from dipbench.fit.engines.execution import PRECISIONS
from dipbench.report import anytime, ranking
from dipbench.report.chapters import Chapter, chapters_of
from dipbench.report.curves import curves_of
from dipbench.report.figure import write_figures
from dipbench.report.findings import findings_of
from dipbench.report.formats import to_markdown as table_of
from dipbench.report.markup import markdown_text
from dipbench.report.standings import standings_of
from dipbench.report.tables import Table, tables_of
from dipbench.report.verdicts import to_markdown as verdict_table
from dipbench.store.records import Holdings, PlannedExperiment, PlannedRun
from dipbench.store.store import Store
from dipbench.suites.jobs import image_names
from dipbench.suites.suite import Experiment, Suite


def parted(holdings: Holdings, runs: Mapping[str, Kept]) -> Holdings:
    """The same with each experiment in parts within which the numbers compare; `runs` are all of them by key.

    A part has fits of one precision beside the methods that are no fits. Where further seeds were run on some of the
    images alone, the means over all images are of the seeds that have them all, and another part has those images.
    """
    parts = [part for experiment in holdings.plan.experiments for part in _parts(experiment, runs)]
    return replace(holdings, plan=holdings.plan.model_copy(update={"experiments": parts}))


def _parts(experiment: PlannedExperiment, runs: Mapping[str, Kept]) -> list[PlannedExperiment]:
    planned = experiment.runs
    present = {runs[run.key].run.precision for run in planned if runs[run.key].fitted}
    precisions = [name for name in PRECISIONS if name in present] or ["float32"]
    parts = []
    for precision in precisions:
        remark = [] if precision == "float32" else [f"fits in {precision}"]
        alike = [run for run in planned if runs[run.key].run.precision == precision or not runs[run.key].fitted]
        fits = [run for run in alike if runs[run.key].fitted] or alike
        for seeds, images, more in _grids(fits):
            members = [run for run in alike if run.seed in seeds and run.image in images]
            name = f"{experiment.name} ({', '.join(remark + more)})" if remark + more else experiment.name
            parts.append(experiment.model_copy(update={"name": name, "runs": _latest(members, runs)}))
    return parts


def _grids(fits: Sequence[PlannedRun]) -> list[tuple[set[int], set[str], list[str]]]:
    """Seeds and images to be shown together, with what is to be said of them in the name of the part."""
    of_seed: dict[int, set[str]] = {}
    for run in fits:
        of_seed.setdefault(run.seed, set()).add(run.image)
    every = set.union(*of_seed.values())
    most = {seed for seed, images in of_seed.items() if images == of_seed[min(of_seed)]}
    grids: list[tuple[set[int], set[str], list[str]]] = [(most, every, [])]
    shared = set.intersection(*of_seed.values())
    if len(most) < len(of_seed) and shared:
        grids.append((set(of_seed), shared, [f"{len(of_seed)} seeds"]))
    return grids


def _latest(members: Sequence[PlannedRun], runs: Mapping[str, Kept]) -> list[PlannedRun]:
    """One run for each method, image and seed: as the suite would compute it today, where there is one."""
    chosen: dict[tuple[str, str, int], PlannedRun] = {}
    for run in members:
        place = (run.label, run.image, run.seed)
        if place not in chosen or runs[run.key].current:
            chosen[place] = run
    return list(chosen.values())


def page(
    store: Store, holdings: Holdings, suite: Suite, runs: Iterable[Kept], known: Known, folder: Path, note: str = ""
) -> str:
    """The report in Markdown; the figures, drawn from the traces in `store`, go into `folder`.

    `note` is what must be known of these runs and no file of them says.
    """
    found, runs = verdicts_of(holdings, store.trace), list(runs)
    kept_runs = {run.key: run for run in runs if run.fitted}
    parts = [
        f"# {suite.title}",
        suite.description.strip(),
        "\n".join(["Made by", "", "```sh", *commands_of(runs), "python benchmarks/tools/take_in.py", "```"]),
        f"Every run, every number and the traces: `results/reference/{suite.name}`.",
        note.strip(),
    ]
    for chapter in chapters_of(holdings):
        fits = kept_runs.keys() & set(chapter.frame["run"])  # the curve of a baseline that iterates is no result
        curves = curves_of(store, chapter) if fits else None
        if curves:
            write_figures(curves, folder, chapter.file)
            for name in (chapter.file, f"{chapter.file}-log"):
                (folder / f"{name}.pdf").unlink()
            shutil.rmtree(folder / "narrow")
        tables = tables_of(chapter.name, chapter.frame, chapter.missing)
        rankings, of_fits = ranking.rankings_of(store, chapter), of_runs(known, set(chapter.frame["run"]))
        parts += [f"## {chapter.name}", setup_of(holdings, chapter.frame), not_computed(suite, chapter.name, runs)]
        parts.append(_fewer_images(suite, chapter, runs))
        parts.append(_found(tables, rankings, of_fits, chapter))
        sheets = {image: sheet_of(chapter.name, image) for image in chapter.images}
        parts += [f"![What was made of {image}]({file})" for image, file in sheets.items() if (folder / file).exists()]
        parts += [f"![PSNR at every iteration]({chapter.file}.png)"] if curves else []
        parts += [verdict_table(found[chapter.name])] if found.get(chapter.name) else []
        parts.append(_ranking(rankings))
        parts.append(_paces(store, chapter, folder) if fits else "")
        parts.append(section_of(of_fits, chapter.file, folder))
        parts.append(table_of([table for table in tables if _says_something(table)] or tables[:1]))
    parts += _how_to_read(parts)
    return "\n\n".join(part for part in parts if part).rstrip() + "\n"


def commands_of(runs: Iterable[Kept]) -> list[str]:
    """The commands that computed them, without --no-report; once, where only the number of processes differs."""
    found: dict[str, str] = {}
    for run in runs:
        command = run.command.replace(" --no-report", "")
        found.setdefault(re.sub(r" --jobs \d+", "", command), command)
    return list(found.values())


def not_computed(suite: Suite, chapter: str, runs: Iterable[Kept]) -> str:
    """What the suite has in that experiment, and none of the runs is of; empty where nothing lacks."""
    experiment = _experiment_of(suite, chapter)
    there = [(label, run.run.image) for run in runs for name, label in run.named if name == experiment.name]
    images = {one.label: {image for label, image in there if label == one.label} for one in experiment.methods}
    lacking = [f"`{label}`" for label, found in images.items() if not found]
    every, some = len(image_names(experiment)), {label: len(found) for label, found in images.items() if found}
    for number in sorted(set(some.values()) - {every}):
        of = [f"`{label}`" for label, count in some.items() if count == number]
        whose = f" of {', '.join(of)}" if len(of) < len(some) else ""
        lacking.append(f"{every - number} of the {every} images{whose}")
    return f"Of the suite not computed: {', '.join(lacking)}." if lacking else ""


def _fewer_images(suite: Suite, chapter: Chapter, runs: Iterable[Kept]) -> str:
    """That methods which are no fits have images beside those of the fits; empty where they have not."""
    name = _experiment_of(suite, chapter.name).name
    every = {run.run.image for run in runs if any(experiment == name for experiment, _ in run.named)}
    left_out = len(every - set(chapter.images))
    return f"All that follows is of the {len(chapter.images)} images with fits, of {len(every)}." if left_out else ""


def _experiment_of(suite: Suite, chapter: str) -> Experiment:
    """That which a chapter is of, or is a part of."""
    named = [one for one in suite.experiments if f"{chapter} ".startswith(f"{one.name} ")]
    return max(named, key=lambda one: len(one.name))


def _says_something(table: Table) -> bool:
    """Whether there is a number in it: without a truth there is no PSNR."""
    return any(cell.value is not None for row in table.rows for cell in row.cells)


def _found(tables: Sequence[Table], rankings: Sequence[Comparison], known: Known, chapter: Chapter) -> str:
    """What the experiment shows, a line a finding, as the page says it."""
    standings, seeds = standings_of(tables, chapter.frame), chapter.frame["seed"].nunique()
    found = findings_of(standings, next(iter(rankings), None), known["curves"], stops_in(known), seeds)
    return "\n".join(f"- **{markdown_text(one.subject)}** {markdown_text(one.text)}" for one in found)


def _ranking(found: Sequence[Comparison]) -> str:
    """How sure the ranking is; empty where nothing can be said of it."""
    return f"### {ranking.HEADING}\n\n{ranking.as_markdown(found)}" if found else ""


def _how_to_read(parts: Sequence[str]) -> list[str]:
    """What is said once of the tables that a report has."""
    notes = {module.HEADING: module.NOTE for module in (ranking, anytime)}
    there = [f"**{title}** {note}" for title, note in notes.items() if any(f"### {title}" in part for part in parts)]
    return ["## How these tables are read", *there] if there else []


def _paces(store: Store, chapter: Chapter, folder: Path) -> str:
    """Quality against time, with a figure; empty where fewer than two methods iterate."""
    curves = anytime.curves_of(store, chapter)
    if curves.empty:
        return ""
    anytime.write_figure(curves, folder / f"{chapter.file}-anytime.png")
    figure = f"![{anytime.HEADING}]({chapter.file}-anytime.png)"
    parts = [
        f"### {anytime.HEADING}",
        figure,
        anytime.as_markdown(curves).rstrip("\n"),
        anytime.remarks(curves, chapter.done),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def setup_of(holdings: Holdings, rows: pd.DataFrame) -> str:
    """On what the runs were computed, in a line."""
    results = [holdings.results[key] for key in rows["run"].unique()]
    versions = sorted({f"torch {result.environment.versions['torch']}" for result in results})
    commits = sorted({commit[:12] for result in results if (commit := result.environment.commit)})
    if len(commits) < len({result.environment.commit for result in results}):
        commits.append("a commit that was not recorded")
    fits = sorted({f"engine {result.engine}, {result.precision}" for result in results if result.engine})
    seeds = sorted(rows["seed"].unique())
    return (
        f"Device: {', '.join(sorted(rows['device'].unique()))}. "
        + (f"Fits: {'; '.join(fits)}. " if fits else "")
        + f"{', '.join(versions)}, dipbench at {', '.join(commits)}. "
        f"Seeds: {', '.join(map(str, seeds))}. Protocol: `{'`, `'.join(sorted(rows['protocol'].unique()))}`."
    )
