"""The pictures that lie beside the page: as they are in the store, and small ones for an overview."""

import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from dipbench.errors import UserError
from dipbench.images.picture import Refused, check_size
from dipbench.store.store import SNAPSHOTS

THUMB_SIDE = 256  # pixels of the longer side of a small picture; one that is no larger is its own
_QUALITY = 85  # of WebP

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels, as Pillow has it."""


@dataclass(frozen=True)
class Picture:
    """A picture of the store beside the page; both paths are relative to the page."""

    path: str  # PNG, as the method made it
    thumb: str  # at most THUMB_SIDE pixels wide and high; the same path where the picture is
    width: int  # pixels
    height: int


class Album:
    """Puts pictures into a folder beside the page.

    A picture is a hard link to the file in the store where the file system has such, and a copy elsewhere: what is in
    a store is never changed in place. Small pictures of the report before are taken over, since names tell runs apart.
    """

    def __init__(self, page_folder: Path, before: Path | None = None):
        self._folder = page_folder / "pictures"
        self._folder.mkdir()
        self._before = before / "pictures" if before else None
        self._there: dict[Path, Picture] = {}
        self._details: dict[Path, str] = {}
        self._wanted: dict[Path, Path] = {}

    def add(self, source: Path, title: str) -> Picture:
        """The picture of a file in a folder of the store; `title` leads its name the first time it is added."""
        if source not in self._there:
            stem = _name(source, title)
            link_or_copy(source, self._folder / f"{stem}.png")
            with opened(source, decoded=False) as image:
                width, height = image.size
            small = max(width, height) <= THUMB_SIDE
            if not small:
                self._wanted[self._folder / f"{stem}.webp"] = source
            path, thumb = f"pictures/{stem}.png", f"pictures/{stem}.{'png' if small else 'webp'}"
            self._there[source] = Picture(path, thumb, width, height)
        return self._there[source]

    def detail(self, source: Path, box: Box, title: str) -> str:
        """The relative path of the pixels in the box, which is the same for all details of a picture."""
        if source not in self._details:
            self._details[source] = f"{_name(source, title)}-detail.png"
            with opened(source) as image:
                image.crop(box).save(self._folder / self._details[source])
        return f"pictures/{self._details[source]}"

    def finish(self) -> None:
        """Makes the small pictures, which takes the time of a report: several at once."""
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
            list(threads.map(self._make_thumb, self._wanted, self._wanted.values()))

    def _make_thumb(self, path: Path, source: Path) -> None:
        before = self._before / path.name if self._before else None
        if before and before.is_file() and not before.is_symlink():
            link_or_copy(before, path)
            return
        with opened(source) as image:
            image.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BOX, reducing_gap=None)
            image.save(path, "WEBP", quality=_QUALITY, method=2)


@contextmanager
def opened(path: Path, *, decoded: bool = True) -> Iterator[Image.Image]:
    """A PNG of a store, which may come from anybody. UserError where it is none, damaged, or lies about its size."""
    with ExitStack() as stack:
        try:
            image = stack.enter_context(Image.open(path, formats=["PNG"]))
            check_size(*image.size, path.stat().st_size)
            if decoded:
                image.load()
        except Refused as error:
            raise UserError(f"picture '{path}' {error}") from error
        except Exception as error:  # whatever a decoder makes of damage
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(f"picture '{path}' cannot be read ({reason}): compute its run again") from error
        yield image


def link_or_copy(source: Path, target: Path) -> None:
    """Another name for a file, or a copy of it where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _name(source: Path, title: str) -> str:
    """Of a picture, with the key of its run or problem, by which its content is known."""
    folder = source.parent.parent if source.parent.name == SNAPSHOTS else source.parent
    return f"{_plain(title)}-{_plain(source.stem)}-{folder.name}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:40]
