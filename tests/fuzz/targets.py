"""What is fuzzed: of each target how an input is made, and what is done with it."""

import io
import json
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import spoilt_stores
import torch
from hypothesis import strategies as st
from mutations import NAMES, VALUES, spoilt_bytes, spoilt_png, with_nesting
from watching import Wrong, tried

sys.path.insert(0, str(Path(__file__).parents[1] / "images"))
from specimens import specimens

from dipbench.data.download import read_member
from dipbench.data.weights import read_weights
from dipbench.errors import UserError
from dipbench.images.files import read_image
from dipbench.running.checkpoints import Checkpoints
from dipbench.spec import Spec, parse
from dipbench.suites.agenda import read_agenda
from dipbench.suites.edits import Choices, chosen
from dipbench.suites.preset_files import PRESETS


@dataclass(frozen=True)
class Target:
    """One way in for a file of a stranger's."""

    inputs: st.SearchStrategy[Any]
    attempt: Callable[[Any], str]  # `ok`, or what the UserError said; Wrong for anything else
    short: int  # examples in the short form


@contextmanager
def fresh() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        yield Path(folder)


def of_file(name: str, do: Callable[[Path], Any]) -> Callable[[bytes], str]:
    """A try with a file of that name, in a folder in which nothing else may come to be."""

    def attempt(raw: bytes) -> str:
        with fresh() as folder:
            (folder / name).write_bytes(raw)
            return tried(lambda: do(folder / name), folder, name)

    return attempt


# what a user, or a suite, writes

WORDS = st.sampled_from(
    (*"[],=\"'#\\ \t\n", "dip", "iterations", "none", "inf", "0x", "1_0", "1e999", "2024-01-01", "true")
)
SPECS = st.one_of(
    st.lists(WORDS | st.text(max_size=5), max_size=30).map("".join),
    st.sampled_from(NAMES),
    st.builds(lambda name, value, n: f"{name}[a={'[' * n}{value}{']' * n}]", WORDS, WORDS, st.integers(0, 4000)),
    st.builds(lambda word, n: f"a[b={word * n}]", WORDS, st.integers(0, 30_000)),
)


def of_spec(text: str) -> str:
    def do() -> None:
        spec = parse(text)
        if parse(str(spec)) != spec and "nan" not in text.lower():
            raise Wrong("a spec is read back otherwise")
        hash(str(Spec(spec.name)))

    with fresh() as folder:
        return tried(do, folder)


# suites

PRESET_TEXTS = [path.read_text(encoding="utf-8") for path in sorted(PRESETS.rglob("*.toml"))]


def toml(value: Any) -> str:
    """A value as TOML, of a table on one line too; what TOML cannot say is left to be wrong."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else str(value).lower()


def grown() -> st.SearchStrategy[bytes]:
    """A suite by its grammar, in which any value may be any other."""
    text = st.sampled_from(("photos", "denoising[sigma=25]", "dip[iterations=5]", "bm3d", *NAMES[:36]))
    mostly = lambda right: st.one_of(right, right, right, VALUES)  # noqa: E731
    experiment = st.fixed_dictionaries(
        {
            "name": mostly(text),
            "dataset": mostly(text),
            "task": mostly(text),
            "methods": mostly(st.lists(text, max_size=3)),
        },
        optional={"images": VALUES, "baseline": VALUES, "published": VALUES, "protocol": VALUES, "other": VALUES},
    )
    suite = st.fixed_dictionaries(
        {"title": mostly(text), "experiments": mostly(st.lists(mostly(experiment), max_size=2))},
        optional={
            "name": mostly(text), "description": VALUES,
            "methods": mostly(st.dictionaries(text, mostly(text), max_size=2)),
            "record": VALUES, "rules": mostly(st.lists(text)), "metrics": VALUES, "snapshots": VALUES, "smoke": VALUES,
            "agenda": VALUES, "scale": VALUES,
        },
    )  # fmt: skip
    return suite.map(
        lambda content: with_nesting("\n".join(f"{key} = {toml(value)}" for key, value in content.items())).encode(
            "utf-8", "replace"
        )
    )


SUITES = st.one_of(
    grown(),
    st.sampled_from(PRESET_TEXTS).flatmap(
        lambda text: spoilt_bytes(text.encode(), [t.encode() for t in PRESET_TEXTS[:5]])
    ),
    st.builds(
        lambda key, n: f"{key} = {'[' * n}{']' * n}".encode(),
        st.sampled_from(("title", "experiments", "a")),
        st.integers(1, 5000),
    ),
    st.builds(lambda n: ("a." * n + "b = 1").encode(), st.integers(1, 20_000)),
    st.builds(lambda n: ("[" + "a." * n + "b]").encode(), st.integers(1, 20_000)),
)


def of_suite(path: Path) -> None:
    if read_agenda(str(path)) is None:
        chosen(str(path), Choices())


# pictures, archives, weights, checkpoints


@cache
def small() -> list[Any]:
    return [specimen for specimen in specimens() if len(specimen.raw) < 4000]


def of_picture() -> st.SearchStrategy[bytes]:
    raws = [specimen.raw for specimen in small()]
    pngs = [raw for raw in raws if raw[1:4] == b"PNG"]
    return st.one_of(
        st.sampled_from(raws).flatmap(lambda raw: spoilt_bytes(raw, raws[::7])),
        st.sampled_from(pngs).flatmap(spoilt_png),
    )


def zipped(names: list[str], method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name in names:
            opened.writestr(name.encode("utf-8", "replace").decode(), b"content" * 20)
    return file.getvalue()


def tarred(names: list[str], mode: str, kind: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as opened:  # type: ignore[call-overload]
        for name in names:
            about = tarfile.TarInfo(name.encode("utf-8", "replace").decode())
            about.size, about.type, about.linkname = 140 if kind == tarfile.REGTYPE else 0, kind, "../../outside"
            opened.addfile(about, io.BytesIO(b"content" * 20))
    return file.getvalue()


MEMBERS = st.lists(
    st.sampled_from(("in/a.png", "in/b.png", "in", *(n for n in NAMES if 0 < len(n) < 200 and "\0" not in n))),
    max_size=4,
)
ARCHIVES = st.one_of(
    st.builds(zipped, MEMBERS, st.sampled_from((0, 8, 12, 14))),
    st.builds(
        tarred, MEMBERS, st.sampled_from(("w", "w:gz", "w:bz2", "w:xz")),
        st.sampled_from((tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)),
    ),
)  # fmt: skip
SPOILT_ARCHIVES = ARCHIVES | ARCHIVES.flatmap(spoilt_bytes)


def saved(state: Any) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


class Runs:
    """What PyTorch's unpickler must not run."""

    def __reduce__(self) -> Any:
        return (exec, ("open('ran', 'w').close()",))


STATES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, 1, [], {}, {"trial": {}}, {"trial": None, "at_once": 1}, Runs(), {"a": Runs()}]),
    st.dictionaries(
        st.sampled_from(("trial", "at_once", "resumed", "environment")), st.none() | st.integers() | st.text()
    ),
)
GOOD_STATE = saved({"trial": {"course": [torch.zeros(5), 3]}, "at_once": 1, "resumed": [], "environment": {"a": "b"}})
CHECKPOINTS = STATES.map(saved) | spoilt_bytes(GOOD_STATE)


def of_checkpoint(raw: bytes) -> str:
    with fresh() as folder:
        inner = folder / "checkpoints"
        inner.mkdir()
        (inner / "00000003.pt").write_bytes(raw)

        def do() -> None:
            state, words = Checkpoints(inner).load()
            if state is None and not words:
                raise Wrong("a checkpoint was left out without a word")

        return tried(do, folder)


def of_weights(raw: bytes) -> str:
    import os

    with fresh() as folder:
        (folder / "weights").mkdir()
        (folder / "weights" / "squeezenet1_0_deepcompressed.npz").write_bytes(raw)
        before, os.environ["DIPBENCH_DATA"] = os.environ.get("DIPBENCH_DATA"), str(folder)
        try:
            said = tried(lambda: read_weights("squeezenet1_0_deepcompressed"), folder, "squeezenet1_0_deepcompressed")
        finally:
            del os.environ["DIPBENCH_DATA"]
            os.environ |= {"DIPBENCH_DATA": before} if before else {}
        if said == "ok":
            raise Wrong("weights of another content were taken")
        return said


@cache
def a_store() -> spoilt_stores.Files:
    with fresh() as folder:
        return spoilt_stores.forged(folder / "store")


def of_store(do: Callable[[Path], None], named: str = "store") -> Callable[[dict[str, Any]], str]:
    def attempt(content: dict[str, Any]) -> str:
        with fresh() as folder:
            path = spoilt_stores.laid_out(content, folder)
            return tried(lambda: do(path), folder / "outside", named)

    return attempt


@cache
def targets() -> dict[str, Target]:
    """By what the table calls it."""
    spoilt_store = spoilt_stores.spoilt(a_store())
    return {
        "specs": Target(SPECS, of_spec, 150),
        "suites": Target(SUITES, of_file("suite.toml", of_suite), 80),
        "pictures": Target(of_picture(), of_file("picture", read_image), 150),
        "archives": Target(SPOILT_ARCHIVES, of_file("archive", lambda path: read_member(path, "in/a.png")), 100),
        "weights": Target(spoilt_bytes(zipped(["a.npy"], 0)), of_weights, 30),
        "checkpoints": Target(CHECKPOINTS, of_checkpoint, 60),
        "stores, read": Target(spoilt_store, of_store(spoilt_stores.read), 40),
        "stores, compared": Target(spoilt_store, of_store(spoilt_stores.compare, ""), 20),
        "stores, reported": Target(spoilt_store, of_store(spoilt_stores.page), 4),
        "stores, drawn": Target(spoilt_store, of_store(spoilt_stores.report), 1),
    }


__all__ = ["Target", "UserError", "targets", "tomllib"]
