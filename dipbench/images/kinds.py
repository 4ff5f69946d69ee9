"""What kind of file it is, by its first bytes; its name does not count."""

import re
from pathlib import Path

from dipbench.errors import UserError

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".npy"),
)
"""How the files that are read are called as a rule."""

READ = ("PNG", "JPEG", "TIFF", "BMP", "WebP", "PNM", "NumPy")
"""The kinds that are read; PNM is PBM, PGM and PPM."""

HEAD = 64
"""How many bytes tell the kind."""

_BEGINNINGS: dict[str, re.Pattern[bytes]] = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "TIFF": re.compile(rb"II[*+]\0|MM\0[*+]"),
    "BMP": re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL),  # the size of its second header
    "WebP": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "PNM": re.compile(rb"P[1-6](\s+\d+\s+(\d+\s|#)|\s*#)"),
    "NumPy": re.compile(rb"\x93NUMPY"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "JPEG 2000": re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
    "JPEG XL": re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "),
    "HEIF or AVIF": re.compile(rb".{4}ftyp(heic|heix|hevc|mif1|msf1|avif|avis)", re.DOTALL),
    "OpenEXR": re.compile(rb"\x76\x2f\x31\x01"),
    "Radiance HDR": re.compile(rb"#\?RADIANCE|#\?RGBE"),
    "PFM": re.compile(rb"P[Ff]\s"),
    "PAM": re.compile(rb"P7\s"),
    "Photoshop": re.compile(rb"8BPS"),
    "PDF": re.compile(rb"%PDF-"),
}


def kind_of(head: bytes) -> str | None:
    """The kind of file that begins with `head`: one of `READ`, another that is known, or None."""
    return next((kind for kind, beginning in _BEGINNINGS.items() if beginning.match(head)), None)


def kind_of_file(path: Path) -> str | None:
    """The kind of a file by its content. UserError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return kind_of(file.read(HEAD))
    except OSError as error:
        raise UserError(f"cannot read '{path}': {error.strerror}") from error


def looks_like_image(path: Path) -> bool:
    """Whether a file is called like an image, so that it is an error if it is none, or is one whatever its name."""
    return path.suffix.lower() in SUFFIXES or kind_of_file(path) in READ
