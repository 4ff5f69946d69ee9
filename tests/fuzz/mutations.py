"""Strategies of hypothesis that spoil what is good: bytes, the chunks of a PNG, the values of a JSON, names."""

import json
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

NUMBERS = (0, 1, 2, 7, 8, 15, 16, 127, 128, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)

NAMES = (
    *(
        "../../up",
        "/etc/passwd",
        "..",
        ".",
        "",
        " ",
        "~",
        "a/b",
        "a\\b",
        "C:\\x",
        "a\0b",
        "a\nb",
        "\x1b[31mred",
        "n" * 300,
    ),
    *(
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</script>",
        "{{ 7*7 }}",
        "${HOME}",
        "`id`",
        "$(id)",
    ),
    *(
        "\\input{/etc/passwd}",
        "\\immediate\\write18{id}",
        "%&#_^$",
        "=cmd|' /C calc'!A0",
        "; rm -rf .",
        "-rf",
        "\u202egpj",
    ),
    *(
        "dip[iterations=1]",
        "evil.py",
        "./evil.py:Evil",
        "\ud800",
        "图像",
        "A" * 5000,
        "[" * 2000,
        "a[" * 500 + "]" * 500,
    ),
)
"""What a stranger may call a thing: paths, markup, commands, plugins, characters that nobody sees or can write."""

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from([None, True, False, [], {}, [[]], [None], {"": {}}, {"a": "b"}]),
    st.sampled_from([0, -1, 1, 2**31, 2**63, -(2**70), 10**400, 1e308, float("inf"), float("nan"), -0.0, 0.5]),
    st.integers(2, 3000).map(lambda depth: f"@nested {depth}"),
    st.text(max_size=20),
)


def with_nesting(text: str) -> str:
    """JSON or TOML with the lists in lists for which a text stands: what makes them would go too deep itself."""
    return re.sub(r'"@nested (\d+)"', lambda found: "[" * int(found[1]) + "]" * int(found[1]), text)


@st.composite
def spoilt_bytes(draw: st.DrawFn, raw: bytes, others: Sequence[bytes] = ()) -> bytes:
    """`raw` with one to four things wrong with it."""
    content = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        if not content:
            break
        at = draw(st.integers(0, len(content) - 1) | st.integers(0, min(len(content), 200) - 1))
        to = min(at + draw(st.integers(1, 40)), len(content))
        match draw(st.sampled_from(("flip", "number", "cut", "leave out", "repeat", "insert", "other"))):
            case "flip":
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "number":
                size, order = draw(st.sampled_from((1, 2, 4))), draw(st.sampled_from(("little", "big")))
                content[at : at + size] = (draw(st.sampled_from(NUMBERS)) % 256**size).to_bytes(size, order)
            case "cut":
                del content[at:]
            case "leave out":
                del content[at:to]
            case "repeat":
                content[at:at] = content[at:to] * draw(st.sampled_from((1, 2, 100)))
            case "insert":
                content[at:at] = draw(st.binary(max_size=40))
            case "other" if others:
                other = draw(st.sampled_from(others))
                content[at:] = other[min(at, len(other)) :]
    return bytes(content)


def chunks_of(png: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of each chunk of a PNG."""
    at, found = 8, []
    while at + 12 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    size = struct.pack(">I", len(content) if length is None else length)
    return size + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@st.composite
def spoilt_png(draw: st.DrawFn, raw: bytes) -> bytes:
    """A PNG of which a chunk is spoilt, lost, there twice, a bomb or lies about its length; its sums are right."""
    chunks = chunks_of(raw)
    at = draw(st.integers(0, len(chunks) - 1))
    kind, content = chunks[at]
    parts = [chunk(*each) for each in chunks]
    match draw(st.sampled_from(("content", "lost", "twice", "length", "bomb", "pixels", "size"))):
        case "content" if content:
            parts[at] = chunk(kind, draw(spoilt_bytes(content)))
        case "lost":
            del parts[at]
        case "twice":
            parts.insert(draw(st.integers(0, len(parts))), parts[at])
        case "length":
            parts[at] = chunk(kind, content, draw(st.sampled_from(NUMBERS)))
        case "bomb":
            packed = zlib.compress(bytes(draw(st.sampled_from((10**4, 10**7, 3 * 10**7)))), 9)
            bomb = draw(st.sampled_from(((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"))))
            parts.insert(1, chunk(bomb[0], bomb[1] + packed))
        case "pixels":
            packed = zlib.compress(bytes(draw(st.sampled_from((0, 10, 10**4, 10**7)))), 9)
            parts = [chunk(*each) if each[0] != b"IDAT" else chunk(b"IDAT", packed) for each in chunks]
        case "size":
            sides = struct.pack(">II", draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS)))
            parts[0] = chunk(b"IHDR", sides + chunks[0][1][8:])
    return raw[:8] + b"".join(parts)


def places_in(content: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value of a JSON."""
    items: Any = (
        content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    )
    return [place] * bool(place) + [found for key, value in items for found in places_in(value, (*place, key))]


@st.composite
def spoilt_json(draw: st.DrawFn, raw: bytes) -> bytes:
    """A JSON with one to three other values, fields lost, or fields called otherwise; now and then its bytes spoilt."""
    if draw(st.integers(0, 5)) == 0:
        return draw(spoilt_bytes(raw))
    content = json.loads(raw)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places_in(content)))
        holder = content
        for key in way:
            holder = holder[key]
        match draw(st.sampled_from(("value", "value", "value", "lost", "name"))):
            case "value":
                holder[last] = draw(VALUES)
            case "lost":
                del holder[last]
            case "name" if isinstance(holder, dict):
                holder[draw(st.sampled_from(NAMES))] = holder.pop(last)
        if not places_in(content):
            break
    return with_nesting(json.dumps(content)).encode()
