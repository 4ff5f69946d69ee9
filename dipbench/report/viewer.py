"""What the page has of the pictures of an image: the truth, what was measured, and every output of every method."""

import math
from collections.abc import Collection, Iterator
from typing import Any

from dipbench.report.album import Album, Picture
from dipbench.report.chapters import Chapter, Record
from dipbench.report.film import Frame, frames_of
from dipbench.report.gallery import is_same, main_output
from dipbench.store.outputs import label_of
from dipbench.store.pictures import picture_of
from dipbench.store.store import Store

_GIVEN = {"truth": "ground truth", "degraded": "degraded", "guide": "guide"}
"""The pictures of a problem by file, as a reader calls them."""


def pictures_in(store: Store, chapter: Chapter, image: str, labels: Collection[str], album: Album) -> dict[str, Any]:
    """The pictures of an image by the methods `labels`, of the first seed, for `pictures.js`; empty: there are none.

    `seed`. `tiles`: title, f the file, s the small file, w and h in pixels, and as far as there are p, the PSNR in dB,
    protocol, where it is not the usual one, m, the label, and i, the iteration from 1; `main` is whether it is the
    output that is shown of its run. `films`: label -> frames of the fit: i, p, f.
    """
    records = [record for record in chapter.done if record.run.image == image and record.label in labels]
    if not records or not store.has_problem(records[0].run.measurement_key):
        return {}
    seed = records[0].run.seed
    records = [record for record in records if record.run.seed == seed]
    tiles = [*_given(store, records[0], album)]
    for record in records:
        tiles += _outputs(store, record, chapter.protocol, album)
    films = {record.label: [_frame(frame) for frame in frames_of(store, record, album)] for record in records}
    return {"seed": seed, "tiles": tiles, "films": {label: frames for label, frames in films.items() if frames}}


def _given(store: Store, record: Record, album: Album) -> Iterator[dict[str, Any]]:
    folder = store.path / "problems" / record.run.measurement_key
    for name, title in _GIVEN.items():
        path = folder / f"{name}.png"
        if path.exists():
            yield {"title": title, "main": True, "given": name} | _files(album.add(path, record.run.image))


def _outputs(store: Store, record: Record, usual: str, album: Album) -> Iterator[dict[str, Any]]:
    """Those of a run, but that of a method that leaves the measurement as it is."""
    outputs = record.result.outputs
    made = [picture_of(store, record.key, record.result, output.picture) for output in outputs]
    measured = store.path / "problems" / record.run.measurement_key / "degraded.png"
    if len(outputs) == 1 and measured.exists() and is_same(made[0], measured):
        return
    for output, source in zip(outputs, made, strict=True):
        title = label_of(record.label, output.output if len(outputs) > 1 else "")
        picture = album.add(source, f"{record.run.image}-{record.label}")
        tile = {"title": title, "m": record.label, "main": output == main_output(outputs)} | _files(picture)
        if len(outputs) > 1:
            tile["i"] = output.iteration + 1
        if record.run.protocol != usual:
            tile["protocol"] = record.run.protocol
        yield tile | _psnr(output.psnr)


def _files(picture: Picture) -> dict[str, Any]:
    return {"f": picture.path, "s": picture.thumb, "w": picture.width, "h": picture.height}


def _frame(frame: Frame) -> dict[str, Any]:
    return {"i": frame.iteration + 1, "f": frame.picture.path, "s": frame.picture.thumb} | _psnr(frame.psnr)


def _psnr(psnr: float) -> dict[str, float]:
    return {"p": round(psnr, 2)} if math.isfinite(psnr) else {}
