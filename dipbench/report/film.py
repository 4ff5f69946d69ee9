"""The way of a fit in pictures, for a slider."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dipbench.foreign.files import is_file_of
from dipbench.report.album import Album, Picture
from dipbench.report.chapters import Record
from dipbench.store.outputs import is_average
from dipbench.store.pictures import picture_of
from dipbench.store.store import SNAPSHOTS, Store


@dataclass(frozen=True)
class Frame:
    """The raw output after an iteration."""

    iteration: int  # from 0
    psnr: float  # dB; NaN without a truth
    picture: Picture


def frames_of(store: Store, record: Record, album: Album) -> list[Frame]:
    """What is kept of a fit's raw output on its way: its snapshots, and the outputs that were kept for what they are.

    Empty where that is less than two pictures.
    """
    folder = store.path / "runs" / record.key
    psnr = {output.iteration: output.psnr for output in record.result.outputs if not is_average(output.output)}
    files = {output.iteration: output.picture for output in record.result.outputs if not is_average(output.output)}
    snapshots = [file for file in sorted((folder / SNAPSHOTS).glob("*.png")) if _is_frame(file, store)]
    trace = store.trace(record.key) if snapshots else None
    if trace is not None:
        known = dict(zip(trace["iteration"], trace["psnr"], strict=True))
        kept = {int(file.stem): f"{SNAPSHOTS}/{file.name}" for file in snapshots if int(file.stem) in known}
        files, psnr = kept | files, {iteration: known[iteration] for iteration in kept} | psnr
    if len(files) < 2:
        return []
    title = f"{record.run.image}-{record.label}"
    sources = {at: picture_of(store, record.key, record.result, files[at]) for at in sorted(files)}
    return [Frame(at, float(psnr[at]), album.add(source, title)) for at, source in sources.items()]


def _is_frame(file: Path, store: Store) -> bool:
    return file.stem.isdecimal() and file.stem.isascii() and is_file_of(file, store.path)


@dataclass(frozen=True)
class Film:
    """The frames of a fit of one image, where nothing moves them."""

    image: str
    method: str
    frames: list[Frame]


def films_of(store: Store, records: Sequence[Record], album: Album) -> list[Film]:
    """One for each method and image that has snapshots, of its first seed."""
    films: dict[tuple[str, str], Film] = {}
    for record in records:
        place = (record.run.image, record.label)
        if place not in films and (store.path / "runs" / record.key / SNAPSHOTS).is_dir():
            films[place] = Film(*place, frames_of(store, record, album))
    return list(films.values())
