"""The way of a fit in pictures: the snapshots of its raw output, for a slider."""

from dataclasses import dataclass

from dipbench.report.chapters import Chapter, Record
from dipbench.report.gallery import MOST_IMAGES, Album
from dipbench.store.store import SNAPSHOTS, Store


@dataclass(frozen=True)
class Frame:
    """The raw output after an iteration."""

    iteration: int
    psnr: float  # dB; NaN without a truth
    picture: str  # relative to the page


@dataclass(frozen=True)
class Film:
    """The frames of a fit of one image."""

    image: str
    method: str
    seed: int
    frames: list[Frame]

    @property
    def best(self) -> int:
        """The number of the frame of the highest PSNR."""
        return max(range(len(self.frames)), key=lambda number: self.frames[number].psnr)


def films_of(store: Store, chapter: Chapter, album: Album) -> list[Film]:
    """One for each fit of the first images of an experiment that has snapshots, of its first seed."""
    films: dict[tuple[str, str], Film] = {}
    for record in chapter.done:
        place = (record.run.image, record.label)
        if record.run.image in chapter.images[:MOST_IMAGES] and place not in films:
            frames = _frames(store, record, album)
            if frames:
                films[place] = Film(*place, record.run.seed, frames)
    return list(films.values())


def _frames(store: Store, record: Record, album: Album) -> list[Frame]:
    files = sorted((store.path / "runs" / record.key / SNAPSHOTS).glob("*.png"))
    trace = store.trace(record.key) if files else None
    if trace is None:
        return []
    psnr = trace.set_index("iteration")["psnr"]
    numbers = [(int(file.stem), file) for file in files if int(file.stem) in psnr.index]
    return [
        Frame(number, float(psnr[number]), album.copy(file, f"{record.run.image}-{record.label}-{number}"))
        for number, file in numbers
    ]
