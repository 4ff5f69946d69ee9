"""What is drawn of each experiment, and in which colours: those of a method are the same on the whole page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dipbench.report.chapters import Chapter
from dipbench.report.colours import Colours, colours_of
from dipbench.report.curves import Curves, curves_of
from dipbench.report.figure import files_of, widths_of, write_figures
from dipbench.report.figures import Figures
from dipbench.report.sweep import Sweep, drawn_of, sweep_of
from dipbench.report.sweep_figure import write_sweep
from dipbench.store.store import Store


@dataclass(frozen=True, eq=False)
class Drawing:
    """An experiment with its curves."""

    chapter: Chapter
    sweep: Sweep | None
    labels: list[str]  # of the methods whose curves and pictures are shown
    curves: Curves | None
    colours: Colours  # of every method of the page


def drawings_of(store: Store, chapters: Sequence[Chapter]) -> list[Drawing]:
    """One for each experiment; what iterates has a colour before what does not, since lines need it more."""
    sweeps = [sweep_of(chapter) for chapter in chapters]
    labels = [drawn_of(chapter, sweep) for chapter, sweep in zip(chapters, sweeps, strict=True)]
    curves = [curves_of(store, chapter, drawn) for chapter, drawn in zip(chapters, labels, strict=True)]
    every = [record.label for chapter in chapters for record in chapter.records]
    colours = colours_of([*_flat(found.methods for found in curves if found), *_flat(labels), *every])
    return [Drawing(*of, colours) for of in zip(chapters, sweeps, labels, curves, strict=True)]


def write_drawing(drawing: Drawing, folder: Path, figures: Figures) -> dict[str, int]:
    """Writes the figures of an experiment into `curves`; their widths in CSS pixels, none where there are no curves."""
    name, into, sweep, curves = drawing.chapter.file, folder / "curves", drawing.sweep, drawing.curves
    if sweep:
        files = [f"curves/{name}-sweep.png", f"curves/{name}-sweep.pdf"]
        figures.draw(files, sweep, lambda: write_sweep(sweep, into, name))
    if curves is None:
        return {}
    files = [f"curves/{file}" for file in files_of(name)]
    figures.draw(files, [curves, drawing.colours], lambda: write_figures(curves, into, name, drawing.colours))
    return widths_of(curves)


def _flat(lists: Iterable[Sequence[str]]) -> list[str]:
    return [label for labels in lists for label in labels]
