"""Curves and pictures in a real browser: what a reader points at, chooses and moves."""

import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browser import Opener, overflow
from forge import PEAK, Forge, picture, rising_and_falling, sweep
from PIL import Image

from dipbench.images.files import write_image
from dipbench.report import write_report
from dipbench.store.store import SNAPSHOTS, Store

FRAMES = (0, 9, 99, 399)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report, also in one file, on two methods that iterate on two images with two seeds, one with snapshots."""
    forge = Forge(Store(tmp_path_factory.mktemp("results") / "store"))
    forge.experiment("denoising", "denoising")
    for image in ("one", "two"):
        for seed in (0, 1):
            for label, more in (("dip", 0), ("wide", 2)):
                fit(forge, label, image, seed, 28.0 + more + seed)
            forge.done("bm3d", image, seed, {"final": 29.5})
    forge.plan()
    return write_report(forge.store, forge.store.holdings(), one_file=True).parent


def fit(forge: Forge, label: str, image: str, seed: int, best: float) -> None:
    outputs = [
        {"output": "final", "iteration": 399, "psnr": best - 1.05, "ssim": 0.7, "picture": "final.png"},
        {"output": "best", "iteration": PEAK, "psnr": best, "ssim": 0.8, "picture": "best.png"},
    ]
    trace = rising_and_falling(best, 400).assign(psnr_ema=np.nan)
    run = forge.run(label, image, seed, {"outputs": outputs, "seconds": 2.0}, trace)
    snapshots = forge.store.path / "runs" / run.key / SNAPSHOTS
    snapshots.mkdir()
    for iteration in FRAMES:
        write_image(snapshots / f"{iteration:06}.png", picture(iteration / 800))


@pytest.fixture
def page(folder: Path, opened: Opener) -> Any:
    """The page, with its scripts at work."""
    found = opened(folder / "index.html")
    started(found)
    return found


def started(page: Any) -> None:
    page.locator(".explore-data").first.evaluate("one => one.closest('section').scrollIntoView()")
    page.locator(".explore-curves .legend button").first.wait_for()
    page.locator(".explore-pictures .picks img").first.wait_for()


def point(page: Any, share: float, press: bool = False) -> None:
    """Points at a place of the upper panel, a share of its width from the left."""
    page.locator(".explore-curves").scroll_into_view_if_needed()
    box = page.locator(".explore-curves .u-over").first.bounding_box()
    page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_timeout(60)  # uPlot moves its crosshair with the next frame
    if press:
        page.mouse.down()
        page.mouse.up()


def said(page: Any) -> str:
    return str(page.locator(".reading-of").inner_text())


def iteration(page: Any) -> int:
    return int(said(page).split(":")[0].removeprefix("Iteration ").replace(",", ""))


def value(page: Any, label: str) -> str:
    return str(page.locator(f".legend button[title='{label}'] .value").inner_text())


def mean(best: float, at: int) -> float:
    """Of the two seeds at an iteration, from 1."""
    traces = [rising_and_falling(best + seed, 400) for seed in (0, 1)]
    return float(pd.concat(traces).groupby("iteration")["psnr"].mean()[at - 1])


def test_hovering_says_every_value_with_its_deviation(page: Any) -> None:
    point(page, 0.5)
    at = iteration(page)
    assert 190 < at < 210
    for label, best in (("dip", 28.0), ("wide", 30.0)):
        assert value(page, label) == f"{mean(best, at):.2f} ± 0.71"
    assert value(page, "bm3d") == "29.50"


def test_logarithmic_axis_shows_the_rise(page: Any) -> None:
    page.get_by_label("log axis").check()
    point(page, 0.5)
    assert 15 < iteration(page) < 25


def test_a_method_is_hidden_and_shown_by_its_button(page: Any) -> None:
    colour = "rgb(1, 115, 178)"
    button = page.locator(".legend button[title='dip']")
    assert button.locator(".swatch").evaluate("one => getComputedStyle(one).backgroundColor") == colour
    before = blue_pixels(page)
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert blue_pixels(page) < 0.1 * before
    button.press("Enter")
    assert blue_pixels(page) == pytest.approx(before, rel=0.1)


def blue_pixels(page: Any) -> int:
    shot = np.asarray(Image.open(BytesIO(page.locator(".plots").screenshot())).convert("RGB")).astype(int)
    return int((np.abs(shot - np.array([1, 115, 178])).sum(axis=2) < 30).sum())


def test_keys_move_the_crosshair(page: Any) -> None:
    plots = page.locator(".plots")
    plots.press("End")
    assert iteration(page) == 400
    plots.press("ArrowLeft")
    assert 390 < iteration(page) < 400
    plots.press("Home")
    assert iteration(page) == 1


def test_who_cannot_see_the_curves_is_told_their_peaks(page: Any) -> None:
    label = page.locator(".plots").get_attribute("aria-label")
    assert f"dip: highest 28.50 at iteration {PEAK + 1}, last {mean(28.0, 400):.2f}" in label


def test_another_signal_is_drawn(page: Any) -> None:
    page.get_by_label("signal").select_option("loss")
    point(page, 0.5)
    assert value(page, "dip") == f"{1 / iteration(page):.4f} ± 0.0000"


def test_both_follow_the_image_that_is_chosen(page: Any) -> None:
    curves, pictures = (page.locator(f"{place} select").first for place in (".explore-curves", ".explore-pictures"))
    pictures.select_option("two")
    page.wait_for_function("document.querySelector('.explore-curves select').value === 'two'")
    assert page.locator(".picks img").first.get_attribute("alt").startswith("two")
    curves.select_option("one")
    page.wait_for_function("document.querySelector('.picks img').alt.startsWith('one')")


def compared(page: Any, left: str, right: str) -> Any:
    """The stage with these two pictures."""
    for name, title in (("left", left), ("right", right)):
        page.locator(".explore-pictures").get_by_label(name, exact=True).select_option(label=title)
    page.wait_for_function("[...document.querySelectorAll('.stage img')].every(one => one.complete)")
    return page.locator(".stage")


def shades(stage: Any) -> Any:
    """The stage as it is seen, (48, 64, 3) in [0, 255], by the middle of each pixel of the pictures."""
    stage.scroll_into_view_if_needed()
    shot = np.asarray(Image.open(BytesIO(stage.screenshot())).convert("RGB")).astype(int)
    rows, columns = (
        ((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip((48, 64), shot.shape, strict=False)
    )
    return shot[np.ix_(rows, columns)]


def as_seen(shade: float) -> Any:
    return (picture(shade).permute(1, 2, 0).numpy() * 255).round().astype(int)


def test_the_wipe_shows_one_picture_left_and_the_other_right(page: Any) -> None:
    stage = compared(page, "ground truth", "bm3d")
    page.get_by_label("how much is of the left picture").fill("25")
    seen, left, right = shades(stage), as_seen(0), as_seen(29.5 / 400)
    assert np.abs(seen[:, :15] - left[:, :15]).max() <= 2
    assert np.abs(seen[:, 17:] - right[:, 17:]).max() <= 2
    stage.press("Shift+ArrowRight")
    assert page.get_by_label("how much is of the left picture").input_value() == "30"


def test_the_wipe_is_dragged(page: Any) -> None:
    stage = compared(page, "ground truth", "bm3d")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 20)
    page.mouse.up()
    assert page.get_by_label("how much is of the left picture").input_value() == "80"


def test_the_difference_is_four_times_as_large_as_it_is(page: Any) -> None:
    stage = compared(page, "ground truth", "bm3d")
    stage.press("d")
    expected = np.minimum(4 * np.abs(as_seen(0) - as_seen(29.5 / 400)), 255)
    assert np.abs(shades(stage) - expected).max() <= 4
    compared(page, "bm3d", "bm3d")
    assert shades(stage).max() == 0


def test_a_key_flips_between_the_two(page: Any) -> None:
    stage = compared(page, "ground truth", "bm3d")
    for shade in (29.5 / 400, 0, 29.5 / 400):
        stage.press("f")
        assert np.abs(shades(stage) - as_seen(shade)).max() <= 2


def test_arrows_show_the_next_picture_and_a_click_any(page: Any) -> None:
    stage, right = page.locator(".stage"), page.locator(".explore-pictures").get_by_label("right", exact=True)
    page.locator(".pick").nth(1).click()
    assert right.locator("option:checked").inner_text() == "degraded"
    stage.press("ArrowRight")
    assert right.locator("option:checked").inner_text() == "dip, final"
    assert page.locator(".pick[aria-pressed='true']").inner_text().startswith("dip, final")


def test_the_loupe_is_at_the_same_place_of_every_picture(page: Any) -> None:
    page.get_by_label("loupe").check()
    frame = page.locator(".pick .frame").nth(2)
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    shares = page.evaluate(
        """[...document.querySelectorAll('.picks img, .stage img')].map(one => {
            const [x, y] = getComputedStyle(one).transformOrigin.split(' ').map(parseFloat);
            return [x / one.offsetWidth, y / one.offsetHeight, getComputedStyle(one).transform];
        })"""
    )
    assert len(shares) > 6
    for x, y, transform in shares:
        assert (x, y) == (pytest.approx(0.75, abs=0.02), pytest.approx(0.25, abs=0.02))
        assert transform == "matrix(4, 0, 0, 4, 0, 0)"


def test_the_way_of_a_fit_follows_the_curve_and_moves_it(page: Any) -> None:
    slider, words = page.get_by_label("iteration", exact=True), page.locator(".film output")
    kept = sorted({*FRAMES, PEAK})
    assert slider.get_attribute("max") == str(len(kept) - 1)
    slider.fill("2")
    assert words.inner_text().startswith(f"iteration {kept[2] + 1}")
    assert iteration(page) == pytest.approx(kept[2] + 1, abs=2)
    point(page, PEAK / 400)
    assert words.inner_text().startswith(f"iteration {PEAK + 1}, 28.00 dB")
    point(page, 0.99, press=True)
    assert words.inner_text().startswith("iteration 400")
    page.locator(".stage").press("f")
    assert "iteration 400" in page.locator(".explore-pictures .under").inner_text()


def test_a_fit_is_chosen_by_a_click_near_its_curve(page: Any) -> None:
    box = page.locator(".explore-curves .u-over").first.bounding_box()
    page.locator(".explore-curves").scroll_into_view_if_needed()
    box = page.locator(".explore-curves .u-over").first.bounding_box()
    fits = page.locator(".film select")
    for share in np.linspace(0.05, 0.95, 40):  # down the panel: the upper line is that of the wide one
        page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + share * box["height"])
        page.wait_for_timeout(30)
        if fits.input_value() == "wide":
            return
    raise AssertionError("no click chose it")


@pytest.mark.parametrize("width", [390, 1024, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_into_the_window(folder: Path, opened: Opener, width: int, scheme: str) -> None:
    page = opened(folder / "index.html", width, color_scheme=scheme)
    started(page)
    assert overflow(page) <= 0
    assert page.locator(".stage").bounding_box()["width"] > 250


def test_one_file_does_the_same_where_nothing_lies_beside_it(folder: Path, opened: Opener, tmp_path: Path) -> None:
    page = opened(Path(shutil.copy(folder / "report.html", tmp_path / "mine.html")))
    started(page)
    point(page, 0.5)
    assert value(page, "bm3d") == "29.50"
    page.locator(".pick").nth(3).click()
    page.wait_for_function("[...document.querySelectorAll('.stage img')].every(one => one.naturalWidth === 64)")
    page.get_by_label("iteration", exact=True).fill("1")
    page.wait_for_function("[...document.querySelectorAll('.stage img')].every(one => one.naturalWidth === 64)")
    assert "compressed" in page.locator(".explore-pictures .under").inner_text()
    assert [url for url in opened.requests if url.startswith("file:")] == [(tmp_path / "mine.html").as_uri()]
    link = page.locator("a[download$='.csv']").first
    with page.expect_download() as saving:
        link.click()
    name = saving.value.suggested_filename
    assert saving.value.path().read_bytes() in {path.read_bytes() for path in folder.rglob(name)}


def test_without_scripts_the_figures_and_pictures_are_there(folder: Path, opened: Opener) -> None:
    page = opened(folder / "index.html", java_script_enabled=False)
    assert page.locator(".static-curves img").is_visible()
    assert page.locator(".static-pictures .strip").first.is_visible()
    assert not page.locator(".explore-curves").is_visible()


def test_without_its_data_the_figures_stay(folder: Path, opened: Opener, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    shutil.rmtree(copied / "explore")
    page = opened(copied / "index.html")
    page.wait_for_timeout(300)
    assert page.locator(".static-curves img").is_visible()
    opened.complaints.clear()  # of the browser: the file is not there


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    forge = Forge(Store(tmp_path_factory.mktemp("results") / "store"))
    sweep(forge, (0.1, 0.02, 0.005), (0.0, 0.1, 0.03), lambda rate, jitter: 25 + rate - 2 * jitter)
    forge.plan()
    return write_report(forge.store, forge.store.holdings())


def test_map_of_a_sweep_has_a_cell_a_method_and_the_best_in_bold(swept: Path, opened: Opener) -> None:
    page = opened(swept)
    page.locator(".explore-heat td").first.wait_for()
    assert page.locator(".explore-heat td").count() == 9
    assert page.locator(".explore-heat .best").inner_text() == "28.10"
    page.locator(".explore-heat").get_by_label("output").select_option("final")
    assert page.locator(".explore-heat .best").inner_text() == "25.10"
    assert "mean of 2 images" in page.locator(".explore-heat caption").inner_text()
    assert page.locator(".explore-curves .legend button:not(.level)").count() == 8
