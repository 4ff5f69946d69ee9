"""A small store, and copies of it with one file spoilt."""

import os
import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from mutations import NAMES, spoilt_bytes, spoilt_json, spoilt_png

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from forge import Forge

from dipbench.comparing.gathering import compared
from dipbench.comparing.stopping import fits_of, replayable, stops_of
from dipbench.images.files import to_pillow, write_image
from dipbench.metrics import known
from dipbench.report import write_report
from dipbench.report.citation import bibtex, signature
from dipbench.report.loaded import Loaded
from dipbench.store.results import frame
from dipbench.store.store import SNAPSHOTS, Store

SECRET = "outside/secret.png"
"""A picture beside the store, of which nothing may get into the report."""


class Files(dict[str, Any]):
    """Path -> content, of which nothing is said when it is shown."""

    def __repr__(self) -> str:
        return "<a store>"


def forged(folder: Path) -> Files:
    """The files of a store with a fit, a closed-form method and a failed run, by their paths in it."""
    forge = Forge(Store(folder))
    forge.experiment("denoising", "denoising")
    fit = forge.done("dip", "astronaut", 0, {"final": 27.0, "ema": 28.0, "best": 30.0, "best_ema": 31.0}, engine="lean")
    forge.done("bm3d", "astronaut", 0, {"final": 29.0})
    forge.run("broken", "astronaut", 0, {"status": "failed", "message": "ValueError"})
    forge.plan()
    snapshots = folder / "runs" / fit.key / SNAPSHOTS
    snapshots.mkdir()
    for iteration in (0, 100):
        shutil.copy(folder / "runs" / fit.key / "final.png", snapshots / f"{iteration:06}.png")
    return Files(
        {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    )


TraceFrames = st.builds(
    lambda columns, rows: pd.DataFrame({name: np.resize(np.asarray(value), rows) for name, value in columns.items()}),
    st.dictionaries(
        st.sampled_from(("iteration", "psnr", "loss", "psnr_ema", "variance[window=3]", "evil.py", *NAMES[:30])),
        st.sampled_from(([0, 1, 2], [0.5], [float("nan")], [float("inf")], ["a"], [True], [2**62], [-1, 5], [b"x"])),
        max_size=5,
    ),
    st.sampled_from((0, 1, 3, 400)),
)


def parquet(content: pd.DataFrame) -> bytes:
    file = BytesIO()
    content.to_parquet(file)
    return file.getvalue()


LINKS = ("../../outside", f"../../{SECRET}", f"../../../{SECRET}", f"../../../../{SECRET}", "/dev/zero", "/etc", "loop")


@st.composite
def spoilt(draw: st.DrawFn, files: Files) -> Files:
    """Path -> content, a link, `folder`, `pipe`: the files of a store, one or two of them spoilt."""
    content = Files(files)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(sorted(files)))
        raw = files[path]
        how = draw(st.integers(0, 9))
        if how == 0:
            target = draw(st.sampled_from(LINKS))
            parents = [path, *(str(folder) for folder in Path(path).parents if folder.name)][:2]
            content[draw(st.sampled_from(parents))] = ("link", target)
        elif how == 1:
            content[path] = draw(st.sampled_from((("folder", ""), ("pipe", ""), ("none", ""), b"")))
        elif path.endswith(".json"):
            content[path] = draw(spoilt_json(raw))
        elif path.endswith(".parquet"):
            content[path] = draw(spoilt_bytes(raw) | TraceFrames.map(parquet))
        else:
            content[path] = draw(spoilt_png(raw) | spoilt_bytes(raw))
    if draw(st.integers(0, 9)) == 0:
        extra = (
            "runs/.writing-x",
            "runs/.writing-a-99999999999999999999",
            "plans/evil.json",
            "report/.written",
            "plan.json",
        )
        content[draw(st.sampled_from(extra))] = draw(st.binary(max_size=20) | st.just(("folder", "")))
    return content


def laid_out(content: dict[str, Any], folder: Path) -> Path:
    """Writes the store into `folder`/store, beside what is not to be touched; the links last."""
    (folder / "outside" / "run").mkdir(parents=True)
    image = np.random.default_rng(5).random((3, 40, 40), dtype=np.float32)
    write_image(folder / SECRET, torch.from_numpy(image))
    (folder / "outside" / "run" / "mine.txt").write_text("mine")
    store = folder / "store"
    for path, what in content.items():
        target = store / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(what, bytes):
            target.write_bytes(what)
    for path, what in content.items():
        target = store / path
        if isinstance(what, tuple):
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
            match what[0]:
                case "link":
                    target.symlink_to(what[1])
                case "folder":
                    target.mkdir(parents=True, exist_ok=True)
                case "pipe":
                    os.mkfifo(target)
    return store


def read(path: Path) -> None:
    """All that commands read of a store without a page."""
    store = Store.existing(path)
    holdings = store.holdings()
    frame(holdings, store.others(holdings.plan))
    for key in holdings.plan.runs:
        store.status(key)
    for result in holdings.results.values():
        for output in result.outputs:
            signature(result, output.output)
        bibtex(result)
    fits = fits_of(store, holdings)
    stops_of(fits, replayable(fits))
    loaded = Loaded(store, holdings)
    _ = loaded.traces
    loaded.summary()


def compare(path: Path) -> None:
    compared([Store.existing(path)], (), known()["psnr"])


def page(path: Path) -> None:
    """The report without what is drawn in its figures, which takes nine tenths of its time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Figure, "get_layout_engine", lambda figure: None)
        black = to_pillow(torch.zeros(1, 1, 1))
        patched.setattr(FigureCanvasAgg, "print_png", lambda canvas, into: black.save(into, "PNG"))
        patched.setattr(FigureCanvasPdf, "print_pdf", lambda canvas, into, **more: None)
        report(path)


def report(path: Path) -> None:
    """The page, and nothing of the secret in its folder."""
    store = Store.existing(path)
    page = write_report(store, store.holdings(), one_file=True)
    secret = (path.parent / SECRET).read_bytes()
    shown = [file for file in page.parent.rglob("*") if file.is_file() and file.read_bytes() == secret]
    assert not shown, f"{shown} is a picture from elsewhere"
