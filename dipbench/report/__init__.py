"""The report of a store: tables, curves, pictures and the page that shows them. It reads the store and runs nothing."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dipbench.comparing.chosen import choices_of, with_rules
from dipbench.comparing.divergence import Divergence
from dipbench.comparing.line import line_stops
from dipbench.comparing.rise_and_fall import rise_and_fall
from dipbench.comparing.stopping import Fitted, divergences_of, fits_of
from dipbench.comparing.verdict import Verdict, verdicts_of
from dipbench.report import anytime, choosing
from dipbench.report.album import Album
from dipbench.report.alike import with_alike
from dipbench.report.chapters import chapters_of
from dipbench.report.chunks import write_chunks
from dipbench.report.drawing import Drawing, drawings_of, write_drawing
from dipbench.report.facts import methods_of, task_settings
from dipbench.report.figures import Figures
from dipbench.report.film import films_of
from dipbench.report.findings import findings_of
from dipbench.report.folder import is_up_to_date, new_report, place_of
from dipbench.report.gallery import MOST_IMAGES, strips_of
from dipbench.report.one_file import NAME, write_one_file
from dipbench.report.origins import origins_of
from dipbench.report.page import SMOKE, Section, page
from dipbench.report.ranking import files_of as files_of_ranking
from dipbench.report.ranking import rankings_of
from dipbench.report.rise import lines_of
from dipbench.report.standings import standings_of
from dipbench.report.stops import Stops, as_csv, as_markdown, stops_in
from dipbench.report.stops_figure import write_gaps, write_heat_map
from dipbench.report.table_files import files_of_tables
from dipbench.report.tables import tables_of
from dipbench.report.verdicts import files_of
from dipbench.store.records import Holdings
from dipbench.store.store import Store

__all__ = ["refresh_report", "write_report"]

HEAT_MAP = "rules/heat_map.png"


def write_report(store: Store, holdings: Holdings, out: Path | None = None, *, one_file: bool = False) -> Path:
    """Writes the report in place of one already there; the path of its page.

    It goes into `out`, by default into the folder `report` of the store. `one_file`: also a report.html, which needs
    nothing beside it, and whose path it is then. `holdings` are what it shows; traces and pictures are read from the
    store where they are drawn. UserError where it cannot be written to. What somebody else put into that folder stays.
    """
    with new_report(store, holdings, out) as folder:
        with store.traces.kept():
            _write(store, holdings, folder, before=place_of(store, out))
        if one_file:
            write_one_file(folder)
    return _page_in(store, out, one_file)


def refresh_report(
    store: Store, holdings: Holdings, out: Path | None = None, *, one_file: bool = False
) -> tuple[Path, bool]:
    """The same, unless the one that is there is up to date; and whether it was written."""
    page = _page_in(store, out, one_file)
    if page.is_file() and is_up_to_date(store, holdings, out):
        return page, False
    return write_report(store, holdings, out, one_file=one_file), True


def _page_in(store: Store, out: Path | None, one_file: bool) -> Path:
    return place_of(store, out) / (NAME if one_file else "index.html")


def _write(store: Store, holdings: Holdings, folder: Path, before: Path) -> None:
    for name in ("tables/images", "numbers", "curves", "published", "ranking", "rules"):
        (folder / name).mkdir(parents=True)
    album, figures = Album(folder, before), Figures(folder, before)
    verdicts, fits = verdicts_of(holdings, store.trace), fits_of(store, holdings)
    lines = line_stops(store, fits)
    drawings, diverged = drawings_of(store, chapters_of(holdings)), divergences_of(store, holdings)
    sections = [
        _section(
            *(store, drawing, album, figures, folder, holdings),
            *(verdicts.get(drawing.chapter.name, []), fits, lines, diverged),
        )
        for drawing in drawings
    ]
    album.finish()
    stops = {section.chapter.name: section.stops for section in sections if section.stops}
    if len(stops) > 1:
        frames = {name: pd.concat([one.frame for one in of_name]) for name, of_name in stops.items()}
        figures.draw([HEAT_MAP], frames, lambda: write_heat_map(frames, folder / HEAT_MAP))
    figures.finish()
    (folder / "index.html").write_text(page(holdings.plan, sections), encoding="utf-8")


def _section(
    store: Store,
    drawing: Drawing,
    album: Album,
    figures: Figures,
    folder: Path,
    holdings: Holdings,
    verdicts: list[Verdict],
    every_fit: list[Fitted],
    lines: pd.DataFrame,
    diverged: Sequence[Divergence],
) -> Section:
    """Writes the files of an experiment; what the page says of it. `lines` is what the line says of `every_fit`."""
    chapter, curves = drawing.chapter, drawing.curves
    rankings = rankings_of(store, chapter)
    ranking = next(iter(rankings), None)
    title = f"{chapter.name}, {SMOKE}" if chapter.scale == "smoke" else chapter.name
    tables = tables_of(title, chapter.frame, chapter.missing) if chapter.records else []
    if tables:
        tables[0] = with_alike(tables[0], ranking)
        _write_texts(files_of_tables(tables, chapter, holdings.plan), folder)
    if verdicts:
        _write_texts(files_of(verdicts, chapter.file), folder)
    if rankings:
        _write_texts(files_of_ranking(rankings, chapter.file), folder)
    widths = write_drawing(drawing, folder, figures)
    fits = [fit for fit in every_fit if fit.experiment == chapter.name]
    rise, stops = rise_and_fall(fits), stops_in(fits, lines)
    choices = (
        with_rules(choices_of(fits), pd.concat([of_method.frame for of_method in stops])) if stops else choices_of(fits)
    )
    chosen = choosing.table_of(choices)
    _write_fits(rise, choices if chosen else None, stops, drawing, folder, figures)
    paces = anytime.curves_of(store, chapter)
    if len(paces):
        _write_paces(paces, drawing, folder, figures)
    strips = strips_of(store, chapter, album)
    pictured = [record for record in chapter.done if record.run.image in chapter.images[:MOST_IMAGES]]
    standings = standings_of(tables, chapter.frame) if tables else None
    seeds = chapter.frame["seed"].nunique()
    gone = [found for found in diverged if found.experiment == chapter.name]
    return Section(
        chapter,
        tables,
        standings,
        findings_of(standings, ranking, rise, stops, seeds, gone) if standings else [],
        origins_of(chapter),
        curves,
        widths,
        strips,
        paces=paces,
        methods=methods_of(chapter, holdings.plan.methods),
        task=task_settings(chapter),
        verdicts=verdicts,
        rankings=rankings,
        rise=lines_of(rise),
        choosing=chosen,
        stops=stops,
        films=films_of(store, pictured, album),
        sweep=drawing.sweep,
        explorable=write_chunks(store, drawing, album, folder),
    )


def _write_fits(
    rise: pd.DataFrame,
    choices: pd.DataFrame | None,
    stops: list[Stops],
    drawing: Drawing,
    folder: Path,
    figures: Figures,
) -> None:
    """The files of what the fits of an experiment were like, and of what rules say of them."""
    name = drawing.chapter.file
    if len(rise):
        _write_texts({f"curves/{name}.csv": rise.to_csv(index=False, lineterminator="\n")}, folder)
    if choices is not None:
        _write_texts({f"rules/{name}-choices.csv": choices.to_csv(index=False, lineterminator="\n")}, folder)
    if stops:
        _write_texts({f"rules/{name}.csv": as_csv(stops), f"rules/{name}.md": as_markdown(stops)}, folder)
        together, file = pd.concat([of_method.frame for of_method in stops], ignore_index=True), f"rules/{name}.png"
        shown = [together, drawing.colours]
        figures.draw([file], shown, lambda: write_gaps(together, folder / file, drawing.colours))


def _write_paces(paces: pd.DataFrame, drawing: Drawing, folder: Path, figures: Figures) -> None:
    """The files of quality against time."""
    name = drawing.chapter.file
    _write_texts({f"curves/{name}-anytime.csv": paces.to_csv(index=False, lineterminator="\n")}, folder)
    shown = paces[paces["method"].isin(drawing.labels)]
    file = f"curves/{name}-anytime.png"
    figures.draw([file], [shown, drawing.colours], lambda: anytime.write_figure(shown, folder / file, drawing.colours))


def _write_texts(texts: dict[str, str], folder: Path) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
