"""Many runs of one method that differ in two settings: a map of them says more than as many curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dipbench.comparing.side_by_side import means_by_image
from dipbench.report.chapters import Chapter, Record
from dipbench.report.colours import MOST
from dipbench.store.outputs import kind_of


@dataclass(frozen=True, eq=False)
class Sweep:
    """The methods that make a grid. Rows and columns are values of the two settings, as text."""

    method: str  # the name of the plugin
    settings: tuple[str, str]  # of the rows, of the columns
    rows: list[str]
    columns: list[str]
    places: dict[str, tuple[str, str]]  # label -> row, column
    numbers: pd.DataFrame  # label, image, output, psnr: dB, mean over the seeds; of images and seeds that all have
    remarks: tuple[str, ...]  # what is left out of the numbers, and why

    @property
    def best(self) -> list[str]:
        """As many labels as have colours, those with the highest PSNR of any output first, mean over the images.

        Behind them come those that have no number.
        """
        highest = self.numbers.groupby(["label", "output"])["psnr"].mean().groupby("label").max()
        order = map(str, highest.sort_values(ascending=False, kind="stable").index)
        return list(dict.fromkeys([*order, *self.places]))[:MOST]

    def grid(self, output: str) -> pd.DataFrame:
        """The mean PSNR over the images of an output, dB: rows x columns, NaN where there is no number."""
        mean = self.numbers[self.numbers["output"] == output].groupby("label")["psnr"].mean()
        found = pd.DataFrame(index=self.rows, columns=self.columns, dtype="float64")
        for label, psnr in mean.items():
            found.loc[self.places[str(label)]] = psnr
        return found

    @property
    def outputs(self) -> list[str]:
        """Those that have a PSNR, the oracles first, since they say what a recipe could reach."""
        names = dict.fromkeys(self.numbers["output"])
        return sorted(names, key=lambda name: not kind_of(name).oracle)


def sweep_of(chapter: Chapter) -> Sweep | None:
    """The grid of an experiment; None where no more than `MOST` methods differ in two settings alone."""
    first = {record.label: record for record in reversed(chapter.done)}
    for name in dict.fromkeys(record.run.method["name"] for record in first.values()):
        members = [first[label] for label in _in_order(chapter, first) if first[label].run.method["name"] == name]
        found = _grid(members) if len(members) > MOST else None
        if found:
            settings, places = found
            rows, columns = (_sorted([place[axis] for place in places.values()]) for axis in (0, 1))
            texts = {label: (str(row), str(column)) for label, (row, column) in places.items()}
            return Sweep(name, settings, rows, columns, texts, *_numbers(chapter, texts))
    return None


def drawn_of(chapter: Chapter, sweep: Sweep | None) -> list[str]:
    """The methods whose curves and pictures are shown: of a sweep the best."""
    labels = dict.fromkeys(record.label for record in chapter.records)
    if sweep is None:
        return list(labels)
    best = set(sweep.best)
    return [label for label in labels if label not in sweep.places or label in best]


def _in_order(chapter: Chapter, labels: dict[str, Record]) -> list[str]:
    return [label for label in dict.fromkeys(record.label for record in chapter.done) if label in labels]


def _grid(members: Sequence[Record]) -> tuple[tuple[str, str], dict[str, tuple[Any, Any]]] | None:
    """The two settings in which the members differ, and where each stands; None where they are not two."""
    settings = {record.label: record.run.method["settings"] for record in members}
    names = dict.fromkeys(name for found in settings.values() for name in found)
    differ = [name for name in names if len({str(found.get(name)) for found in settings.values()}) > 1]
    if len(differ) != 2:
        return None
    places = {label: (found.get(differ[0]), found.get(differ[1])) for label, found in settings.items()}
    distinct = {(str(row), str(column)) for row, column in places.values()}
    return ((differ[0], differ[1]), places) if len(distinct) == len(places) else None


def _sorted(values: Sequence[Any]) -> list[str]:
    """Each value once, as text; numbers by size."""
    numbers = all(isinstance(value, int | float) for value in values)
    return list(dict.fromkeys(str(value) for value in sorted(values, key=None if numbers else str)))


def _numbers(chapter: Chapter, places: dict[str, tuple[str, str]]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    rows = chapter.frame[chapter.frame["method"].isin(places) & (chapter.frame["protocol"] == chapter.protocol)]
    means, remarks = means_by_image(rows)
    return means.rename(columns={"method": "label"}), tuple(remarks)
