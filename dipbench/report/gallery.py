"""The pictures of an experiment: what each method made of an image, and the same detail of each, enlarged."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dipbench.report.album import Album, Box, Picture, opened
from dipbench.report.chapters import Chapter, Record
from dipbench.store.outputs import kind_of, label_of
from dipbench.store.pictures import picture_of
from dipbench.store.records import ScoredOutput
from dipbench.store.store import Store

MOST_IMAGES = 4
_SHOWN = ("ema", "final")  # the output that is shown: the first of these that a run has
_MOST_COLUMNS = 7


@dataclass(frozen=True)
class Tile:
    """A picture with its detail, whose path is relative to the page."""

    title: str
    psnr: float | None  # dB; None: the truth, a measurement that no method scored, or there is no truth
    protocol: str  # signature, where it is not the usual one of the experiment
    picture: Picture
    zoom: str


@dataclass(frozen=True)
class Strip:
    """One image: the truth and the measurement, as far as there are, and what each method made of it.

    Or one output of a method beside what its task shows of it.
    """

    image: str
    seed: int
    tiles: list[Tile]
    box: Box  # of the detail
    frame: tuple[float, float, float, float]  # the same as left, top, width, height in per cent of the image
    of: str = ""  # the output; empty: all methods

    @property
    def columns(self) -> int:
        """How many tiles stand side by side on a wide page, so that the rows are about equally full."""
        return math.ceil(len(self.tiles) / math.ceil(len(self.tiles) / _MOST_COLUMNS))


def strips_of(store: Store, chapter: Chapter, album: Album) -> list[Strip]:
    """A strip for each of the first images of an experiment, of its first seed, and one for each output with views."""
    return [strip for image in chapter.images[:MOST_IMAGES] for strip in _strips(store, chapter, album, image)]


def _strips(store: Store, chapter: Chapter, album: Album, image: str) -> list[Strip]:
    """Empty where the pictures of the problem are gone, or nothing restored it."""
    records = [record for record in chapter.done if record.run.image == image]
    if not records or not store.has_problem(records[0].run.measurement_key):
        return []
    seed = records[0].run.seed
    records = [record for record in records if record.run.seed == seed]
    problem = store.path / "problems" / records[0].run.measurement_key
    truth, *beside = (problem / f"{name}.png" for name in ("truth", "degraded", "guide"))
    with opened(truth if truth.exists() else _picture(store, records[0])) as picture:
        whole = np.asarray(picture.convert("L"), dtype=np.float64)
    box = busiest(whole)
    add = _Adder(album, box, image)
    given = [add(path, path.stem) for path in (truth, *beside) if path.exists()]
    restored = [_tile(store, record, add, chapter.protocol, problem / "degraded.png") for record in records]
    height, width = whole.shape
    left, top, right, bottom = box
    frame = (100 * left / width, 100 * top / height, 100 * (right - left) / width, 100 * (bottom - top) / height)
    whole_strip = Strip(image, seed, _merged(given, restored), box, frame)
    return [whole_strip, *(replace(whole_strip, tiles=tiles, of=of) for of, tiles in _views(store, records, add))]


def _views(store: Store, records: list[Record], add: "_Adder") -> Iterator[tuple[str, list[Tile]]]:
    """Each output that its task shows more of, the oracles aside: what it is called; itself and its views."""
    for record in records:
        shown = [output for output in record.result.outputs if output.views and not kind_of(output.output).oracle]
        for output in sorted(shown, key=lambda output: output.iteration):
            files = {"output": output.picture, **output.views}
            sources = {name: picture_of(store, record.key, record.result, file) for name, file in files.items()}
            tiles = [add(source, name, method=record.label) for name, source in sources.items()]
            yield label_of(record.label, output.output), tiles


@dataclass(frozen=True)
class _Adder:
    """Makes tiles of one image."""

    album: Album
    box: Box
    image: str

    def __call__(
        self, source: Path, title: str, psnr: float | None = None, protocol: str = "", method: str = ""
    ) -> Tile:
        name = f"{self.image}-{method}"
        picture, zoom = self.album.add(source, name), self.album.detail(source, self.box, name)
        return Tile(title, psnr, protocol, picture, zoom)


def _tile(store: Store, record: Record, add: _Adder, usual: str, measured: Path) -> Tile:
    """Of what a method made; one that leaves the measurement as it is has its very picture."""
    outputs = record.result.outputs
    output = main_output(outputs)
    title = label_of(record.label, output.output if len(outputs) > 1 else "")
    other = record.run.protocol if record.run.protocol != usual else ""
    picture = _picture(store, record)
    source = measured if measured.exists() and is_same(picture, measured) else picture
    return add(source, title, output.scores.get("psnr"), other, record.label)


def _picture(store: Store, record: Record) -> Path:
    return picture_of(store, record.key, record.result, main_output(record.result.outputs).picture)


def main_output(outputs: list[ScoredOutput]) -> ScoredOutput:
    """The one that is shown of a run: the average of a fit where it is kept, else what comes first."""
    named = {output.output: output for output in outputs}
    return next((named[name] for name in _SHOWN if name in named), outputs[0])


def _merged(given: list[Tile], restored: list[Tile]) -> list[Tile]:
    """The tiles with the methods whose picture is the measurement itself put together into one, in its place."""
    degraded = [tile for tile in given if tile.title == "degraded"]
    same = [tile for tile in restored if tile.picture in [other.picture for other in degraded]]
    if not same:
        return [*given, *restored]
    together = replace(same[0], title=" / ".join(tile.title for tile in same))
    others = [tile for tile in restored if tile not in same]
    return [*(tile for tile in given if tile not in degraded), together, *others]


def is_same(one: Path, other: Path) -> bool:
    """Whether two files hold the same."""
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def busiest(image: NDArray[np.float64]) -> Box:
    """The square of a quarter of the shorter side of a grey image (H, W) in which neighbouring pixels differ most.

    Its corner is sought in steps of half its side.
    """
    steps = np.abs(np.diff(image, axis=0, append=image[-1:])) + np.abs(np.diff(image, axis=1, append=image[:, -1:]))
    height, width = image.shape
    side = max(min(height, width) // 4, 1)
    step = max(side // 2, 1)
    corners = [(top, left) for top in range(0, height - side + 1, step) for left in range(0, width - side + 1, step)]
    top, left = max(corners, key=lambda corner: steps[corner[0] : corner[0] + side, corner[1] : corner[1] + side].sum())
    return left, top, left + side, top + side
