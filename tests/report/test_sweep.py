"""A map of two settings in place of a curve for each of their values."""

import numpy as np
import pytest
from forge import Forge, sweep

from dipbench.report import write_report
from dipbench.report.chapters import chapters_of
from dipbench.report.sweep import drawn_of, sweep_of
from dipbench.store.store import Store

RATES, JITTERS = (0.1, 0.02, 0.005), (0.0, 0.1, 0.03)


def final(rate: float, jitter: float) -> float:
    """The PSNR of a made-up fit, dB."""
    return 25 + rate - 2 * jitter


@pytest.fixture
def store(forge: Forge) -> Store:
    """Three rates by three jitters on two images, and a method beside them."""
    sweep(forge, RATES, JITTERS, final)
    forge.plan()
    return forge.store


def test_grid_has_the_values_in_order_and_the_mean_of_each(store: Store) -> None:
    (chapter,) = chapters_of(store.holdings())
    found = sweep_of(chapter)
    assert found is not None
    assert (found.method, found.settings) == ("dip", ("learning_rate", "jitter"))
    assert (found.rows, found.columns) == (["0.005", "0.02", "0.1"], ["0.0", "0.03", "0.1"])
    expected = [[final(rate, jitter) for jitter in sorted(JITTERS)] for rate in sorted(RATES)]
    np.testing.assert_allclose(found.grid("final").to_numpy(), expected)


def test_a_setting_that_failed_on_the_hard_image_is_not_the_best_for_it(forge: Forge) -> None:
    """On the image that both have the first is the better, by 40 dB to 39; `y` has no other."""
    forge.experiment("sweep", "denoising")
    for rate in RATES:
        for jitter in JITTERS:
            settings = {"learning_rate": rate, "jitter": jitter}
            x, y = settings == {"learning_rate": 0.1, "jitter": 0.0}, settings == {"learning_rate": 0.1, "jitter": 0.1}
            for image, psnr in {"easy": 40.0 if x else 39.0 if y else 38.0, "hard": 20.0 if x else 19.0}.items():
                if not (y and image == "hard"):
                    method = {"name": "dip", "settings": settings}
                    forge.done(f"dip {rate} {jitter}", image, 0, {"final": psnr}, method=method)
    forge.plan()
    found = sweep_of(chapters_of(forge.store.holdings())[0])
    assert found is not None
    assert found.best[0] == "dip 0.1 0.0"
    grid = found.grid("final")
    assert (grid.loc["0.1", "0.0"], grid.loc["0.005", "0.03"]) == (30, 28.5)
    assert np.isnan(grid.loc["0.1", "0.1"])
    assert found.remarks == (
        "Left out, because they lack some of the 2 measurements (image and seed) that the others share: dip 0.1 0.1 "
        "(has 1).",
    )


def test_only_the_best_and_the_others_have_curves(store: Store) -> None:
    (chapter,) = chapters_of(store.holdings())
    drawn = drawn_of(chapter, sweep_of(chapter))
    assert len(drawn) == 8 + 1
    assert "bm3d" in drawn
    assert "dip[learning_rate=0.005,jitter=0.1]" not in drawn, "it is the worst"


def test_eight_methods_are_no_sweep(forge: Forge) -> None:
    sweep(forge, RATES[:2], JITTERS, final)
    forge.plan()
    assert sweep_of(chapters_of(forge.store.holdings())[0]) is None


def test_three_settings_are_no_sweep(forge: Forge) -> None:
    sweep(forge, RATES, JITTERS, final, other=True)
    forge.plan()
    assert sweep_of(chapters_of(forge.store.holdings())[0]) is None


def test_map_is_in_the_report(store: Store) -> None:
    folder = write_report(store, store.holdings()).parent
    page = (folder / "index.html").read_text()
    for name in ("curves/sweep-sweep.png", "curves/sweep-sweep.pdf"):
        assert (folder / name).stat().st_size > 5000
        assert f'"{name}"' in page
