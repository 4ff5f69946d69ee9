"""A report in one file: what lies beside the page is put into it."""

import base64
import io
import re
from html import unescape
from mimetypes import guess_type
from pathlib import Path

from PIL import Image

from dipbench.report.album import THUMB_SIDE
from dipbench.report.chunks import FOLDER, as_json

NAME = "report.html"
_SCRIPTS = "<!-- data -->"  # where the page takes what is to be inlined
_QUALITY = 90  # of WebP
_TINY = 32  # pixels; a picture of no more is kept as it is
_FIGURE_WIDTH, _FIGURE_QUALITY = 700, 60  # pixels; of WebP
_LARGEST_LINK = 16_000  # bytes


def write_one_file(folder: Path) -> Path:
    """Writes `report.html` beside the index.html of a report, which needs nothing else; its path.

    Its pictures are WebP of `THUMB_SIDE` pixels at most, which are not exact; figures are smaller.
    Links to figures as PDF and to files of more than `_LARGEST_LINK` bytes are left out.
    """
    page = (folder / "index.html").read_text(encoding="utf-8")
    page = re.sub(r"<source [^>]*>\n?", "", page)  # the same figure for a phone
    page = re.sub(r'<a class="whole" href="[^"]*"', '<a class="whole"', page)  # a browser opens no such address
    shown = set(re.findall(r'data-picture="([^"]+)"', page))
    page = re.sub(r'src="([^":]+)"', lambda found: _source(folder, found[1]), page)
    page = re.sub(r'<a href="([^":#]+)">([^<]*)</a>', lambda found: _link(folder, found[1], found[2]), page)
    path = folder / NAME
    path.write_text(page.replace(_SCRIPTS, _data(folder, shown)), encoding="utf-8")
    return path


def _source(folder: Path, name: str) -> str:
    path = folder / unescape(name)
    return f'src="{_picture(path)}"' if path.is_file() else f'src="{name}"'


def _link(folder: Path, name: str, text: str) -> str:
    """A link to a file as one to its content."""
    path = folder / unescape(name)
    if not path.is_file() or path.suffix == ".pdf" or path.stat().st_size > _LARGEST_LINK:
        return f'<span title="not in this file: see the folder of the report">{text}</span>'
    kind = guess_type(path.name)[0] or "text/plain"
    return f'<a href="{_uri(path.read_bytes(), kind)}" download="{path.name}">{text}</a>'


def _data(folder: Path, shown: set[str]) -> str:
    """The scripts of all images, and the pictures that they name and the page does not show yet."""
    chunks = [path.read_text(encoding="utf-8") for path in sorted((folder / FOLDER).glob("*.js"))]
    named = dict.fromkeys(name for chunk in chunks for name in re.findall(r'"f":"(pictures/[^"]+)"', chunk))
    pictures = {name: _picture(folder / name) for name in named if name not in shown}
    return f"<script>\ndipbench.inlined({as_json(pictures)});\n{''.join(chunks)}</script>"


def _picture(path: Path) -> str:
    """A picture as an address that holds it."""
    thumb = path.with_suffix(".webp")
    if thumb.exists():
        return _uri(thumb.read_bytes(), "image/webp")
    small = io.BytesIO()
    with Image.open(path) as image:
        if max(image.size) > THUMB_SIDE:
            image.thumbnail((_FIGURE_WIDTH, 10 * _FIGURE_WIDTH), Image.Resampling.LANCZOS)
            image.save(small, "WEBP", quality=_FIGURE_QUALITY, method=6)
        else:
            image.save(small, "WEBP", quality=_QUALITY, lossless=max(image.size) <= _TINY)
    return _uri(small.getvalue(), "image/webp")


def _uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
