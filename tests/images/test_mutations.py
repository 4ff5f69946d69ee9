"""Ten thousand damaged image files: each is an image or an error of one line, soon, and nothing else happens."""

import signal
import struct
import tempfile
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from specimens import Specimen, specimens
from torch import Tensor

from dipbench.errors import UserError
from dipbench.images.files import AlphaDropped, UnusualDepth, read_image

FILES = 10_000
SECONDS_EACH = 5  # a thousand times what an undamaged file takes
ODD_NUMBERS = (0, 1, 2, 3, 7, 8, 9, 16, 32, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)


class Hangs(BaseException):
    """No Exception, so that nothing on the way takes it for damage."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hangs

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def flipped(raw: bytearray, draw: np.random.Generator) -> None:
    for place in draw.integers(0, 8 * len(raw), size=int(draw.integers(1, 9))):
        raw[place // 8] ^= 1 << place % 8


def cut(raw: bytearray, draw: np.random.Generator) -> None:
    del raw[int(draw.integers(0, len(raw))) :]


def with_bytes_inserted(raw: bytearray, draw: np.random.Generator) -> None:
    at = int(draw.integers(0, len(raw)))
    raw[at:at] = draw.bytes(int(draw.integers(1, 40)))


def with_bytes_left_out(raw: bytearray, draw: np.random.Generator) -> None:
    at = int(draw.integers(0, len(raw)))
    del raw[at : at + int(draw.integers(1, 40))]


def with_a_part_repeated(raw: bytearray, draw: np.random.Generator) -> None:
    at, to = draw.integers(0, len(raw), size=2)
    raw[to:to] = raw[at : at + int(draw.integers(1, 60))]


def with_another_field(raw: bytearray, draw: np.random.Generator) -> None:
    """Numbers that headers do not expect, in the first bytes or, where a TIFF has its tags, in the last."""
    for _ in range(int(draw.integers(1, 4))):
        size, order = (int(draw.choice([1, 2, 4])), str(draw.choice(["little", "big"])))
        at = int(draw.integers(2, min(len(raw), 80))) if draw.random() < 0.5 else int(draw.integers(2, 240)) - 240
        number = int(draw.choice(ODD_NUMBERS)) % 2 ** (8 * size)
        if -len(raw) <= at < len(raw) - size:
            at %= len(raw)
            raw[at : at + size] = number.to_bytes(size, "little" if order == "little" else "big")


MUTATIONS = (flipped, cut, with_bytes_inserted, with_bytes_left_out, with_a_part_repeated, with_another_field)


def with_right_sums(raw: bytes) -> bytes:
    """A PNG whose chunks have the check sums of what is in them now: damage that no sum gives away."""
    at, parts = 8, [raw[:8]]
    while at + 12 <= len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        body = raw[at + 4 : at + 8 + length]
        parts.append(raw[at : at + 4] + body + struct.pack(">I", zlib.crc32(body)))
        at += 12 + length
    return b"".join(parts)


def mutated(specimen: Specimen, draw: np.random.Generator) -> bytes:
    raw = bytearray(specimen.raw)
    MUTATIONS[int(draw.integers(0, len(MUTATIONS)))](raw, draw)
    return with_right_sums(bytes(raw)) if specimen.name.endswith(".png") and draw.random() < 0.7 else bytes(raw)


def reading(path: Path) -> Tensor | str:
    """The image, or the words of the error. Anything else that is raised goes on."""
    try:
        with at_most(SECONDS_EACH):
            return read_image(path)
    except UserError as error:
        return str(error)


@pytest.mark.slow
def test_damaged_files_are_an_image_or_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fixed seed: the same files everywhere. No traceback, no hang, no word, no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    draw, every = np.random.default_rng(14), [specimen for specimen in specimens() if len(specimen.raw) < 4000]
    ended, path = Counter[type](), Path("image")  # where the test fails, that is the file
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", AlphaDropped)
        warnings.simplefilter("ignore", UnusualDepth)
        for number in range(FILES):
            path.write_bytes(mutated(every[number % len(every)], draw))
            made = reading(path)
            ended[type(made)] += 1
            if isinstance(made, str):
                assert "image 'image'" in made
                assert made.isprintable(), repr(made)
            else:
                assert made.ndim == 3
                assert made.shape[0] in (1, 3)
                assert 0 <= made.min() <= made.max() <= 1  # nor NaN
    assert min(ended[str], ended[Tensor]) > FILES / 20, f"next to nothing was tried: {ended}"
    assert list(tmp_path.iterdir()) == [tmp_path / "image"]
    assert capfd.readouterr().err == ""
    assert not caplog.records
