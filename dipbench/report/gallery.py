"""The pictures of an experiment: what each method made of an image, and the same detail of each, enlarged."""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dipbench.report.chapters import Chapter, Record
from dipbench.store.outputs import kind_of, label_of
from dipbench.store.records import ScoredOutput
from dipbench.store.store import Store

MOST_IMAGES = 4
_SHOWN = ("ema", "final")  # the output that is shown: the first of these that a run has
_MOST_COLUMNS = 7
_ZOOM_SIDE = 256  # pixels, at least

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels, as Pillow has it."""


@dataclass(frozen=True)
class Tile:
    """A picture with its detail; both paths are relative to the page."""

    title: str
    psnr: float | None  # dB; None: the truth, a measurement that no method scored, or there is no truth
    protocol: str  # signature, where it is not the usual one of the experiment
    picture: str
    zoom: str
    width: int  # pixels
    height: int


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


class Album:
    """Puts pictures into a folder beside the page, equal ones once."""

    def __init__(self, page_folder: Path):
        self._folder = page_folder / "pictures"
        self._folder.mkdir()
        self._names: dict[str, str] = {}

    def copy(self, source: Path, title: str) -> str:
        """The relative path of a copy of the file."""
        return self._keep(source.read_bytes(), title)

    def zoom(self, source: Path, box: Box, title: str) -> str:
        """The relative path of an enlargement of the box, every pixel a square."""
        with Image.open(source) as image:
            detail = image.crop(box)
        factor = -(-_ZOOM_SIDE // min(detail.size))
        enlarged = detail.resize((detail.width * factor, detail.height * factor), Image.Resampling.NEAREST)
        unnamed = self._folder / ".zoom.png"
        enlarged.save(unnamed)
        content = unnamed.read_bytes()
        unnamed.unlink()
        return self._keep(content, f"{title}-detail")

    def _keep(self, content: bytes, title: str) -> str:
        digest = hashlib.sha256(content).hexdigest()[:12]
        if digest not in self._names:
            plain = re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.")[:60]
            self._names[digest] = f"{plain}-{digest}.png"
            (self._folder / self._names[digest]).write_bytes(content)
        return f"pictures/{self._names[digest]}"


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
    with Image.open(truth if truth.exists() else _picture(store, records[0])) as opened:
        whole = np.asarray(opened.convert("L"), dtype=np.float64)
    box = busiest(whole)
    add = _Adder(album, box, image)
    given = [add(path, path.stem) for path in (truth, *beside) if path.exists()]
    restored = [_tile(store, record, add, chapter.protocol) for record in records]
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
            title, folder = label_of(record.label, output.output), store.path / "runs" / record.key
            files = {"output": output.picture, **output.views}
            yield title, [add(folder / file, name) for name, file in files.items()]


@dataclass(frozen=True)
class _Adder:
    """Makes tiles of one image."""

    album: Album
    box: Box
    image: str

    def __call__(self, source: Path, title: str, psnr: float | None = None, protocol: str = "") -> Tile:
        name = f"{self.image}-{title}"
        with Image.open(source) as opened:
            width, height = opened.size
        picture, zoom = self.album.copy(source, name), self.album.zoom(source, self.box, name)
        return Tile(title, psnr, protocol, picture, zoom, width, height)


def _tile(store: Store, record: Record, add: _Adder, usual: str) -> Tile:
    outputs = record.result.outputs
    output = _shown(outputs)
    title = label_of(record.label, output.output if len(outputs) > 1 else "")
    other = record.run.protocol if record.run.protocol != usual else ""
    return add(_picture(store, record), title, output.scores.get("psnr"), other)


def _picture(store: Store, record: Record) -> Path:
    return store.path / "runs" / record.key / _shown(record.result.outputs).picture


def _shown(outputs: list[ScoredOutput]) -> ScoredOutput:
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
