"""What the page's scripts read: curves on a grid, pictures, colours and names; and a report in one file."""

import base64
import json
import re
import shutil
import zlib
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forge import DIVERGED, IMAGES, PEAK, Forge, bm3d_psnr, picture, rising_and_falling
from PIL import Image

from dipbench.images.files import write_image
from dipbench.report.album import THUMB_SIDE, Album
from dipbench.report.chapters import chapters_of
from dipbench.report.colours import GREY, MOST, colours_of, short_names
from dipbench.report.explore import POINTS, curves_in
from dipbench.report.one_file import write_one_file
from dipbench.report.viewer import pictures_in
from dipbench.store.store import Store

LABELS = ["dip", "bm3d", "luma", "trained", "choosy", "degraded"]


def decoded(differences: list[int | None], digits: int) -> np.ndarray[Any, Any]:
    """The numbers of a line, as `dipbench.summed` in explore.js makes them."""
    steps = np.array([np.nan if step is None else step for step in differences], dtype=np.float64)
    return np.where(np.isnan(steps), np.nan, np.nancumsum(steps)) / 10**digits


@pytest.fixture(scope="module")
def curves(store: Store) -> dict[str, Any]:
    return curves_in(store, chapters_of(store.holdings())[0], IMAGES[0], LABELS)


def test_line_is_the_mean_over_the_seeds_with_its_deviation(curves: dict[str, Any], store: Store) -> None:
    chapter = chapters_of(store.holdings())[0]
    traces = [store.trace(r.key) for r in chapter.done if (r.label, r.run.image) == ("dip", IMAGES[0])]
    at = decoded(curves["x"], 0).astype(int) - 1
    raw = np.stack([trace["psnr"].to_numpy()[at] for trace in traces if trace is not None])
    line = curves["signals"]["psnr"]["lines"]["dip"]
    np.testing.assert_allclose(decoded(line["m"], 2), raw.mean(axis=0), atol=0.0051)
    np.testing.assert_allclose(decoded(line["s"], 2), raw.std(axis=0, ddof=1), atol=0.0051)


def test_grid_has_the_peak_and_the_ends_and_is_no_finer_than_a_screen(curves: dict[str, Any]) -> None:
    at = decoded(curves["x"], 0)
    assert {1, PEAK + 1, 400} <= set(at)
    assert len(at) <= POINTS + 3


def test_methods_of_one_estimate_are_levels_and_another_protocol_is_not_there(curves: dict[str, Any]) -> None:
    mean = np.mean([bm3d_psnr(IMAGES[0], seed) for seed in (0, 1)])
    assert curves["levels"]["bm3d"] == pytest.approx(mean, abs=1e-3)
    assert "luma" not in curves["levels"]
    assert list(curves["levels"].values()) == sorted(curves["levels"].values(), reverse=True)


def test_marks_are_the_peaks_of_every_seed(curves: dict[str, Any]) -> None:
    assert [(mark["seed"], mark["i"], mark["ema"]) for mark in curves["marks"]] == [
        (seed, PEAK + 1, ema) for seed in (0, 1) for ema in (False, True)
    ]


def test_a_signal_that_is_small_keeps_its_digits(curves: dict[str, Any]) -> None:
    loss = curves["signals"]["loss"]
    assert decoded(loss["lines"]["dip"]["m"], loss["digits"])[0] == pytest.approx(1, rel=1e-3)
    assert curves["signals"]["psnr_ema"]["title"] == "PSNR, EMA of the output"


def test_a_diverged_fit_has_a_line_up_to_there(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    trace = rising_and_falling(30.0, 400)
    trace.loc[200:, "psnr"] = np.nan
    forge.run("dip", "a", 0, {"outputs": [DIVERGED], "seconds": 1.0}, trace)
    forge.plan()
    found = curves_in(forge.store, chapters_of(forge.store.holdings())[0], "a", ["dip"])
    at, line = decoded(found["x"], 0), decoded(found["signals"]["psnr"]["lines"]["dip"]["m"], 2)
    assert at[len(line) - 1] <= 200


def test_pictures_are_every_output_and_the_measurement_once(store: Store, tmp_path: Path) -> None:
    found = pictures_in(store, chapters_of(store.holdings())[0], IMAGES[0], LABELS, Album(tmp_path))
    titles = [tile["title"] for tile in found["tiles"]]
    outputs = ["dip, final", "dip, EMA", "dip, best (oracle)", "dip, best EMA (oracle)"]
    assert titles == ["ground truth", "degraded", *outputs, "bm3d", "luma", "trained", "choosy"]
    assert [frame["i"] for frame in found["films"]["dip"]] == [PEAK + 1, 400]
    assert next(tile for tile in found["tiles"] if tile["title"] == "luma")["protocol"]


def test_a_large_picture_has_a_small_one_which_the_next_report_takes_over(tmp_path: Path) -> None:
    source = tmp_path / "key" / "final.png"
    source.parent.mkdir()
    write_image(source, picture(0).repeat(1, 8, 8))
    folders = [tmp_path / name for name in ("first", "second")]
    for folder, before in zip(folders, (None, folders[0]), strict=True):
        folder.mkdir()
        album = Album(folder, before)
        added = album.add(source, "a")
        album.finish()
    with Image.open(folders[1] / added.thumb) as small:
        assert small.size == (THUMB_SIDE, THUMB_SIDE * 384 // 512)
    assert (folders[0] / added.thumb).samefile(folders[1] / added.thumb)
    assert (folders[1] / added.path).samefile(source)


def test_eight_methods_have_a_colour_and_each_another() -> None:
    colours = colours_of([f"m{number}" for number in range(12)])
    assert list(colours.values())[MOST:] == [GREY] * 4
    assert len(set(colours.values())) == MOST + 1


def test_a_method_has_one_colour_in_every_experiment(report: Path) -> None:
    data = re.findall(r'class="explore-data">(.*?)</script>', (report / "index.html").read_text())
    colours = [json.loads(text)["colours"] for text in data]
    assert len(colours) == 2
    assert colours[0]["dip"] == colours[1]["dip"] != GREY


def test_short_names_say_what_differs() -> None:
    rates = [f"dip[preset=denoising,down=[8,8],learning_rate={rate}]" for rate in (0.1, 0.01)]
    names = short_names([*rates, "bm3d"])
    assert list(names.values()) == ["dip learning_rate=0.1", "dip learning_rate=0.01", "bm3d"]


def test_short_names_are_never_alike() -> None:
    labels = [f"my_method[a_long_setting={a},another_setting={b}]" for a in range(10, 15) for b in range(10, 15)]
    assert len(set(short_names(labels, most=8).values())) == 25
    assert short_names(["dip[a=1]", "dip a=1", "dip[a=2]"])["dip[a=1]"] != "dip a=1"


@pytest.fixture(scope="module")
def one_file(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_one_file(Path(shutil.copytree(report, tmp_path_factory.mktemp("copy") / "report")))


def test_one_file_names_no_other_and_holds_each_picture_once(one_file: Path) -> None:
    text = one_file.read_text()
    packed = json.loads(zlib.decompress(base64.b64decode(re.search(r'dipbench\.unpack\("(.*)"\);', text)[1])))  # type: ignore[index]
    addresses = re.findall(r'(?:src|href|srcset)="([^"]*)"', text)
    assert {address.partition(":")[0] for address in addresses if not address.startswith("#")} == {"data"}
    held = re.findall(r'data-file="([^"]+)"', text)
    assert {name: (one_file.parent / name).read_text() for name in map(unescape, held)} == packed["files"]
    assert any(name.endswith(".csv") for name in held)
    shown = re.findall(r'data-picture="([^"]+)"', text)
    inlined = json.loads(re.search(r"dipbench\.inlined\((.*)\);", text)[1])  # type: ignore[index]
    assert not set(shown) & set(inlined)
    named = set(re.findall(r'"f":"([^"]+)"', packed["script"]))
    assert named
    assert named <= set(shown) | set(inlined)
    assert len(text) < 500_000
