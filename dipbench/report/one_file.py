"""A report in one file: what lies beside the page is put into it."""

import base64
import io
import re
import zlib
from html import unescape
from pathlib import Path

from PIL import Image

from dipbench.report.album import THUMB_SIDE, opened
from dipbench.report.chunks import FOLDER, as_json

NAME = "report.html"
_SCRIPTS = "<!-- data -->"  # where the page takes what is to be inlined
_QUALITY = 75  # of WebP
_FIGURE_WIDTH, _FIGURE_QUALITY = 700, 40  # pixels; of WebP
_LARGEST_FILE = 16_000  # bytes
_CODE = re.compile(r"<(style|script)>.*?</\1>", re.DOTALL)
_COMMENT_OR_INDENT = re.compile(r"(\n *(//.*|/\*\*.*\*/)?)+(?=\n)|\n +")  # of our scripts and styles, of whole lines
_LINK = re.compile(r'<a href="([^":#]+)">([^<]*)</a>')


def write_one_file(folder: Path) -> Path:
    """Writes `report.html` beside the index.html of a report, which needs nothing else; its path.

    Its pictures are WebP of `THUMB_SIDE` pixels at most, which are not exact; figures are smaller. Its curves and the
    files to save are compressed, so that a script has to unpack them. Of what is linked, figures as PDF and files of
    more than `_LARGEST_FILE` bytes are left out.
    """
    page = (folder / "index.html").read_text(encoding="utf-8")
    page = re.sub(r"<source [^>]*>\n?", "", page)  # the same figure for a phone
    page = _CODE.sub(lambda code: _COMMENT_OR_INDENT.sub("\n", code[0]), page)
    page = re.sub(r'<a class="whole" href="[^"]*"', '<a class="whole"', page)  # a browser opens no such address
    shown = set(re.findall(r'data-picture="([^"]+)"', page))
    page = re.sub(r'src="([^":]+)"', lambda found: _source(folder, found[1]), page)
    files = _files(folder, {unescape(found[1]) for found in _LINK.finditer(page)})
    page = _LINK.sub(lambda found: _kept_link(found[1], found[2], files), page)
    path = folder / NAME
    path.write_text(page.replace(_SCRIPTS, _data(folder, shown, files)), encoding="utf-8")
    return path


def _source(folder: Path, name: str) -> str:
    path = folder / unescape(name)
    return f'src="{_picture(path)}"' if path.is_file() else f'src="{name}"'


def _files(folder: Path, names: set[str]) -> dict[str, str]:
    """The content of the text files that the page takes with it."""
    paths = {name: folder / name for name in sorted(names) if not name.endswith((".pdf", ".png"))}
    small = {name: path for name, path in paths.items() if path.is_file() and path.stat().st_size <= _LARGEST_FILE}
    return {name: path.read_text(encoding="utf-8") for name, path in small.items()}


def _kept_link(name: str, text: str, files: dict[str, str]) -> str:
    """What `explore.js` makes a link of again once the files are unpacked, and words where there is none."""
    held = f' data-file="{name}"' if unescape(name) in files else ""
    return f'<span{held} title="not in this file: see the folder of the report">{text}</span>'


def _data(folder: Path, shown: set[str], files: dict[str, str]) -> str:
    """The scripts of all images, the files, and the pictures that the scripts name and the page does not show yet."""
    chunks = [path.read_text(encoding="utf-8") for path in sorted((folder / FOLDER).glob("*.js"))]
    named = dict.fromkeys(name for chunk in chunks for name in re.findall(r'"f":"(pictures/[^"]+)"', chunk))
    pictures = {name: _picture(folder / name) for name in named if name not in shown}
    packed = zlib.compress(as_json({"script": "".join(chunks), "files": files}).encode(), level=9)
    unpack = f'dipbench.unpack("{base64.b64encode(packed).decode()}");'
    return f"<script>\ndipbench.inlined({as_json(pictures)});\n{unpack}\n</script>"


def _picture(path: Path) -> str:
    """A picture as an address that holds it."""
    thumb = path.with_suffix(".webp")
    if thumb.exists():
        return _uri(thumb.read_bytes())
    small = io.BytesIO()
    with opened(path) as image:
        if max(image.size) > THUMB_SIDE:
            image.thumbnail((_FIGURE_WIDTH, 10 * _FIGURE_WIDTH), Image.Resampling.LANCZOS)
            image.save(small, "WEBP", quality=_FIGURE_QUALITY, method=6)
        else:
            image.save(small, "WEBP", quality=_QUALITY, method=6)
    return _uri(small.getvalue())


def _uri(content: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"
