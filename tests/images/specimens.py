"""Small image files of every kind, depth, layout and orientation that docs/data.md claims, with their right values.

TIFF, PNG and PNM are written here from their specifications, byte by byte, so that what reads them is tested against
something else; compressed TIFF by tifffile and by libtiff (Pillow), JPEG, WebP and BMP by Pillow.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

HEIGHT, WIDTH = 11, 13  # neither divisible by 8, for what is packed into bytes

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Specimen:
    name: str  # with the suffix of its kind
    raw: bytes
    right: Array | None  # (H, W, C) in [0, 1]; None: what Pillow says, for a lossy file
    alpha: bool = False


def levels(*shape: int, top: int = 255, seed: int = 0) -> Array:
    """Random levels from 0 to `top`, both among them."""
    drawn = np.random.default_rng(seed).integers(0, top + 1, size=shape)
    drawn.flat[0], drawn.flat[-1] = 0, top
    return drawn


def smooth(channels: int) -> Array:
    """A picture that JPEG likes, uint8."""
    down, right = np.mgrid[0:24, 0:32]
    return np.stack([(9 * down + 3 * right * (c + 1)) % 256 for c in range(channels)], -1).astype(np.uint8)


def packed(samples: Array, bits: int, order: str = ">") -> bytes:
    """Samples (H, N) of so many bits each, every row beginning at a byte (TIFF 6.0, page 30)."""
    if bits in (8, 16, 32):
        return samples.astype(f"{order}u{bits // 8}").tobytes()
    places = np.arange(bits)[::-1]
    return np.packbits((samples[..., None] >> places & 1).reshape(len(samples), -1).astype(np.uint8), axis=1).tobytes()


def tiff(tags: dict[int, Sequence[int]], strips: list[bytes], order: str = "<", big: bool = False) -> bytes:
    """A TIFF or BigTIFF of one page; every tag is LONG but BitsPerSample, ColorMap and the like, which are SHORT."""
    at, entry, long = (16, "HHQ8s", "Q") if big else (8, "HHI4s", "I")
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    body, offsets = b"", []
    for strip in strips:
        offsets.append(at + len(body))
        body += strip + b"\0" * (len(strip) % 2)
    tags = {**tags, 273: offsets, 279: [len(strip) for strip in strips]}
    entries = b""
    for tag in sorted(tags):
        kind, letter = (3, "H") if tag in (258, 259, 262, 266, 274, 277, 284, 320, 338, 339) else (4, "I")
        value = struct.pack(f"{order}{len(tags[tag])}{letter}", *tags[tag])
        if len(value) > struct.calcsize(long):
            body, value = body + value, struct.pack(order + long, at + len(body))
            body += b"\0" * (len(body) % 2)
        entries += struct.pack(order + entry, tag, kind, len(tags[tag]), value.ljust(struct.calcsize(long), b"\0"))
    start = struct.pack(order + "HHQ", 8, 0, at + len(body)) if big else struct.pack(order + "I", at + len(body))
    directory = struct.pack(order + ("Q" if big else "H"), len(tags)) + entries + struct.pack(order + long, 0)
    return header + start + body + directory


def tiff_of(samples: Array, bits: int, photometric: int, **options: Any) -> bytes:
    """A TIFF of (H, W, C) samples. Options: `order`, `big`, `planar`, `rows` a strip, `extra`, and `tags` to add."""
    height, width, channels = samples.shape
    order, rows = options.get("order", "<"), options.get("rows", height)
    planes = np.moveaxis(samples, -1, 0) if options.get("planar") else samples.reshape(1, height, width * channels)
    encode = options.get("encode", lambda part: packed(part, bits, order))
    strips = [encode(plane[top : top + rows]) for plane in planes for top in range(0, height, rows)]
    tags: dict[int, Sequence[int]] = {
        256: [width], 257: [height], 258: [bits] * channels, 259: [1], 262: [photometric], 277: [channels],
        278: [rows], 284: [2 if options.get("planar") else 1],
    }  # fmt: skip
    if "extra" in options:
        tags[338] = [options["extra"]]
    return tiff({**tags, **options.get("tags", {})}, strips, order, options.get("big", False))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(samples: Array, bits: int, kind: int, *, interlaced: bool = False, before: bytes = b"") -> bytes:
    """A PNG of (H, W, C) samples, every row unfiltered. PNG specification, sections 5, 8 and 11."""
    height, width, _ = samples.shape
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [samples[y::dy, x::dx] for y, x, dy, dx in passes] if interlaced else [samples]
    rows = [row for part in parts if part.size for row in part.reshape(len(part), -1)]
    data = b"".join(b"\0" + packed(row[None], bits) for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, int(interlaced))
    end = chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + end


def exif(orientation: int) -> bytes:
    """The tag Orientation as EXIF has it."""
    tags = Image.Exif()
    tags[274] = orientation
    return tags.tobytes()


def turned(array: Array, orientation: int) -> Array:
    """As EXIF 2.3 draws it (tag 274): by rotations and a reflection, where the code under test transposes."""
    if orientation in (2, 4, 5, 7):
        array = np.fliplr(array)
    quarters = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[orientation]
    return np.rot90(array, quarters)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def of_png() -> Iterator[Specimen]:
    kinds = [(0, 1, (1, 2, 4, 8, 16)), (2, 3, (8, 16)), (4, 2, (8, 16)), (6, 4, (8, 16))]
    for (kind, channels, depths), interlaced in product(kinds, (False, True)):
        for bits in depths:
            samples = levels(HEIGHT, WIDTH, channels, top=2**bits - 1)
            name = f"png-kind{kind}-{bits}{'-interlaced' * interlaced}.png"
            right = samples[..., : 1 if channels < 3 else 3] / (2**bits - 1)
            yield Specimen(name, png(samples, bits, kind, interlaced=interlaced), right, channels in (2, 4))
    for bits in (1, 2, 4, 8):
        colours, samples = levels(2**bits, 3, seed=1), levels(HEIGHT, WIDTH, 1, top=2**bits - 1)
        palette = chunk(b"PLTE", colours.astype(np.uint8).tobytes())
        right = colours[samples[..., 0]] / 255
        yield Specimen(f"png-palette-{bits}.png", png(samples, bits, 3, before=palette), right)
        yield Specimen(f"png-palette-alpha-{bits}.png", png(samples, bits, 3, before=palette + chunk(b"tRNS", b"\0\x80")), right, True)  # fmt: skip # noqa: E501
    for bits in (8, 16):
        top = 2**bits - 1
        samples = levels(HEIGHT, WIDTH, 3, top=top)
        extras = {
            "sbit": chunk(b"sBIT", bytes([5, 6, 5])), "gamma": chunk(b"gAMA", struct.pack(">I", 100000)),
            "profile": chunk(b"iCCP", b"p\0\0" + zlib.compress(b"no profile")),
            "transparent": chunk(b"tRNS", b"\0\1" * 3),
        }  # fmt: skip
        for name, extra in extras.items():
            yield Specimen(f"png-{name}-{bits}.png", png(samples, bits, 2, before=extra), samples / top, name == "transparent")  # fmt: skip # noqa: E501
        for orientation in range(1, 9):
            raw = png(samples, bits, 2, before=chunk(b"eXIf", exif(orientation).removeprefix(b"Exif\0\0")))
            yield Specimen(f"png-turned{orientation}-{bits}.png", raw, turned(samples / top, orientation))


def of_pillow() -> Iterator[Specimen]:
    """JPEG, WebP and BMP."""
    for mode, channels in (("L", 1), ("RGB", 3)):
        image = Image.fromarray(smooth(channels).squeeze(), mode)
        for options in ({}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 2}, {"optimize": True}):
            name = "-".join(map(str, ["jpeg", mode, *options, *options.values()]))
            yield Specimen(f"{name}.jpg", saved(image, "JPEG", quality=85, **options), None)
        for orientation in range(1, 9):
            yield Specimen(f"jpeg-{mode}-turned{orientation}.jpg", saved(image, "JPEG", exif=exif(orientation)), None)
    photograph = Image.fromarray(smooth(3))
    mpo = saved(photograph, "MPO", save_all=True, append_images=[photograph.rotate(180)])
    yield Specimen("jpeg-mpo.jpg", mpo, None)
    yield Specimen("webp-lossy.webp", saved(photograph, "WEBP", quality=80), None)
    for channels in (3, 4):
        samples = levels(HEIGHT, WIDTH, channels).astype(np.uint8)
        image, right = Image.fromarray(samples), samples[..., :3] / 255
        yield Specimen(f"webp-{channels}.webp", saved(image, "WEBP", lossless=True, exact=True), right, channels == 4)
        yield Specimen(f"bmp-{channels}.bmp", saved(image, "BMP"), right)  # its fourth byte means nothing
    for orientation in range(1, 9):
        raw = saved(Image.fromarray(samples[..., :3]), "WEBP", lossless=True, exif=exif(orientation))
        yield Specimen(f"webp-turned{orientation}.webp", raw, turned(samples[..., :3] / 255, orientation))
    grey = samples[..., :1]
    yield Specimen("bmp-grey.bmp", saved(Image.fromarray(grey[..., 0]), "BMP"), grey / 255)
    yield Specimen("bmp-bitmap.bmp", saved(Image.fromarray(grey[..., 0] > 127), "BMP"), grey > 127)
    indexed = Image.fromarray(samples[..., :3]).quantize(16)
    yield Specimen("bmp-palette.bmp", saved(indexed, "BMP"), np.array(indexed.convert("RGB")) / 255)


def of_pnm() -> Iterator[Specimen]:
    for top, channels in product((1, 100, 255, 256, 1000, 65535), (1, 3)):
        samples = levels(HEIGHT, WIDTH, channels, top=top)
        suffix, head = ("pgm", b"25") if channels == 1 else ("ppm", b"36")
        size = f"\n# a comment\n{WIDTH} {HEIGHT}\n{top}\n".encode()
        letters = "\n".join(" ".join(map(str, row.ravel())) for row in samples).encode()
        binary = samples.astype(">u1" if top < 256 else ">u2").tobytes()
        yield Specimen(f"pnm-letters-{top}.{suffix}", b"P" + head[:1] + size + letters + b"\n", samples / top)
        yield Specimen(f"pnm-binary-{top}.{suffix}", b"P" + head[1:] + size + binary, samples / top)
    bits = levels(HEIGHT, WIDTH, 1, top=1)
    letters = "\n".join("".join(map(str, row.ravel())) for row in bits).encode()
    yield Specimen("pnm-letters.pbm", f"P1\n{WIDTH} {HEIGHT}\n".encode() + letters, 1 - bits)
    yield Specimen("pnm-binary.pbm", f"P4\n{WIDTH} {HEIGHT}\n".encode() + packed(bits[..., 0], 1), 1 - bits)


def of_numpy() -> Iterator[Specimen]:
    values = np.random.default_rng(0).random((HEIGHT, WIDTH, 3))
    for kind, channels in product(("<f2", "<f4", ">f4", "<f8"), (0, 1, 3)):
        array = (values[..., :channels] if channels else values[..., 0]).astype(kind)
        for order in ("C", "F"):
            file = BytesIO()
            np.save(file, np.asarray(array, order=order))
            name = f"numpy-{'little' if kind[0] == '<' else 'big'}{kind[1:]}-{channels}-{order}.npy"
            yield Specimen(name, file.getvalue(), np.atleast_3d(array).astype(float))


def of_tiff() -> Iterator[Specimen]:
    for bits, order, planar in product(range(1, 17), "<>", (False, True)):
        top = 2**bits - 1
        for photometric, channels in ((0, 1), (1, 1), (2, 3)):
            samples = levels(HEIGHT, WIDTH, channels, top=top)
            raw = tiff_of(samples, bits, photometric, order=order, planar=planar, rows=4)
            right = samples / top if photometric else 1 - samples / top
            end = "little" if order == "<" else "big"
            yield Specimen(f"tiff-{bits}-{photometric}-{end}{'-planar' * planar}.tif", raw, right)
    for bits in (1, 2, 4, 8, 16):
        samples, colours = levels(HEIGHT, WIDTH, 1, top=2**bits - 1), levels(2**bits, 3, top=65535, seed=1)
        raw = tiff_of(samples, bits, 3, tags={320: list(colours.T.ravel())})
        yield Specimen(f"tiff-palette-{bits}.tif", raw, colours[samples[..., 0]] / 65535)
        high = colours // 256  # in the upper byte alone
        raw = tiff_of(samples, bits, 3, tags={320: list(high.T.ravel() * 256)})
        yield Specimen(f"tiff-palette-high-{bits}.tif", raw, high[samples[..., 0]] / 255)
    samples = levels(HEIGHT, WIDTH, 4, top=255)
    for orientation in range(1, 9):
        raw = tiff_of(samples[..., :3], 8, 2, tags={274: [orientation]})
        yield Specimen(f"tiff-turned{orientation}.tif", raw, turned(samples[..., :3] / 255, orientation))
    for extra, planar in product((0, 2), (False, True)):
        raw = tiff_of(samples, 8, 2, extra=extra, planar=planar)
        yield Specimen(f"tiff-rgb-extra{extra}{'-planar' * planar}.tif", raw, samples[..., :3] / 255, True)
        raw = tiff_of(samples[..., :2], 8, 1, extra=extra, planar=planar)
        yield Specimen(f"tiff-grey-extra{extra}{'-planar' * planar}.tif", raw, samples[..., :1] / 255, True)
    opaque = np.concatenate([samples[..., :3], np.full_like(samples[..., :1], 255)], -1)
    yield Specimen("tiff-premultiplied-opaque.tif", tiff_of(opaque, 8, 2, extra=1), opaque[..., :3] / 255, True)
    yield Specimen("tiff-bigtiff.tif", tiff_of(samples[..., :3], 8, 2, big=True), samples[..., :3] / 255)
    bits = levels(HEIGHT, WIDTH, 1, top=1)
    mirrored = lambda part: bytes(int(f"{byte:08b}"[::-1], 2) for byte in packed(part, 1))  # noqa: E731
    yield Specimen("tiff-fill-order.tif", tiff_of(bits, 1, 1, tags={266: [2]}, encode=mirrored), bits / 1)
    yield from of_compressed_tiff()


def of_compressed_tiff() -> Iterator[Specimen]:
    codecs = ("lzw", "adobe_deflate", "deflate", "packbits", "lzma", "zstd")
    layouts: list[dict[str, Any]] = [{}, {"predictor": True}, {"tile": (16, 16)}, {"rowsperstrip": 4}, {"planarconfig": "separate"}]  # fmt: skip # noqa: E501
    for codec, kind, layout in product((None, *codecs), ("u1", "u2", "f2", "f4", "f8"), layouts):
        if "predictor" in layout and codec in (None, "packbits"):
            continue
        top = {"u1": 255, "u2": 65535}.get(kind, 1)
        values = np.random.default_rng(0).random((HEIGHT, WIDTH, 3)) if kind[0] == "f" else levels(HEIGHT, WIDTH, 3, top=top)  # fmt: skip # noqa: E501
        values = values.astype(kind)
        file, planar = BytesIO(), "planarconfig" in layout
        given = np.moveaxis(values, -1, 0) if planar else values
        tifffile.imwrite(file, given, photometric="rgb", compression=codec, metadata=None, **layout)
        name = f"tiff-{codec}-{kind}-{'-'.join(layout) or 'plain'}.tif"
        yield Specimen(name, file.getvalue(), values.astype(float) / top)
    bits = levels(HEIGHT, WIDTH, top=1)
    for codec in ("group3", "group4", "tiff_ccitt", "tiff_lzw", "packbits", "tiff_adobe_deflate"):
        raw = saved(Image.fromarray(bits.astype(bool)), "TIFF", compression=codec)
        yield Specimen(f"tiff-bitmap-{codec}.tif", raw, bits[..., None] / 1)
    for mode, channels in (("L", 1), ("RGB", 3)):
        image = Image.fromarray(smooth(channels).squeeze(), mode)
        yield Specimen(f"tiff-jpeg-{mode}.tif", saved(image, "TIFF", compression="jpeg"), None)


def specimens() -> list[Specimen]:
    return [*of_png(), *of_pillow(), *of_pnm(), *of_numpy(), *of_tiff()]
