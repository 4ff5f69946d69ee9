"""What a folder of results is in Python: tidy frames, a plot, and a table in a notebook."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from forge import OTHER, USUAL, Forge
from matplotlib import pyplot

import dipbench
from dipbench.errors import UserError
from dipbench.report.loaded import Loaded


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two experiments: a fit and a method of one estimate on two images, and a method of one estimate alone."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "small.toml").write_text(
        'title = "A <small> suite"\n[[experiments]]\nname = "fits"\ndataset = "photos[crop=64,side=32]"\n'
        'images = ["chelsea", "coffee"]\ntask = "denoising"\nmethods = ["degraded", "dip[down=[8,8],iterations=4]"]\n'
        '[[experiments]]\nname = "one"\ndataset = "photos[crop=64,side=32]"\nimages = ["chelsea"]\n'
        'task = "super_resolution[factor=2]"\nmethods = ["bicubic"]\n'
    )
    dipbench.run(str(folder / "small.toml"), seeds=2, device="cpu", out=folder / "out")
    return folder / "out"


@pytest.fixture
def loaded(stored: Path) -> Iterator[Loaded]:
    yield dipbench.load(stored)
    pyplot.close("all")


def test_results_and_traces_are_tidy(loaded: Loaded, stored: Path) -> None:
    assert set(loaded.results["status"]) == {"done"}
    traces = loaded.traces
    assert list(traces.columns[:5]) == ["experiment", "method", "image", "seed", "iteration"]
    counts = traces.groupby(["experiment", "method"]).size().to_dict()
    fit = "dip[down=[8,8],iterations=4]"
    assert counts == {("fits", fit): 4 * 2 * 2, ("fits", "degraded"): 4, ("one", "bicubic"): 2}
    last = traces[(traces["method"] == fit) & (traces["iteration"] == 3)].set_index(["image", "seed"])["psnr"]
    final = loaded.results.query("method == @fit and output == 'final'").set_index(["image", "seed"])["psnr"]
    np.testing.assert_allclose(last.sort_index(), final.sort_index(), atol=1e-3)


def test_plot_draws_a_panel_an_image(loaded: Loaded) -> None:
    axes = loaded.plot()
    assert [panel.get_title(loc="left") for panel in axes] == ["chelsea", "coffee"]
    assert axes[0].get_ylabel() == "PSNR (vs ground truth) [dB]"
    assert axes[0].figure is pyplot.gcf()
    drawn = max((line.get_ydata() for line in axes[0].get_lines()), key=len)
    trace = loaded.traces.query("method.str.startswith('dip') and image == 'chelsea'", engine="python")
    np.testing.assert_allclose(drawn, trace.groupby("iteration")["psnr"].mean(), rtol=1e-6)


def test_plot_says_what_has_no_curve(loaded: Loaded) -> None:
    with pytest.raises(UserError, match="unknown experiment with curves 'one': known: fits"):
        loaded.plot("one")


def test_a_notebook_shows_a_small_table_whose_means_say_over_what(loaded: Loaded) -> None:
    html = loaded._repr_html_()
    assert "A &lt;small&gt; suite" in html
    assert "<table" in html
    row = loaded.summary().query("method == 'degraded'").iloc[0]
    scores = loaded.results.query("method == 'degraded'")["psnr"]
    assert row["psnr"] == pytest.approx(scores.mean())
    assert (row["images"], row["seeds"]) == (2, 2)
    assert f"{row['psnr']:.2f}" in html
    assert repr(loaded).endswith("out: A <small> suite, 10 done>")


def test_a_summary_is_over_images_of_the_mean_over_seeds_and_of_one_protocol(forge: Forge) -> None:
    """40 dB with three seeds and 20 dB with one make 30, not 35; of another protocol there is another line."""
    forge.experiment("denoising", "denoising")
    for image, seed, psnr in (("easy", 0, 40.0), ("easy", 1, 40.0), ("easy", 2, 40.0), ("hard", 0, 20.0)):
        forge.done("dip", image, seed, {"final": psnr})
        forge.done("luma", image, seed, {"final": psnr + 1}, protocol=OTHER)
    forge.plan()
    found = Loaded(forge.store).summary()
    assert list(found["protocol"]) == [USUAL, OTHER]
    assert list(found["psnr"]) == [30, 31]
    assert found[["images", "seeds"]].values.tolist() == [[2, 1]] * 2
    assert found.attrs["remarks"] == []


def test_means_that_stand_in_a_summary_are_of_the_same_images(forge: Forge) -> None:
    forge.experiment("denoising", "denoising")
    for number in range(12):
        for method in ("dip", "bm3d"):
            forge.done(method, f"image {number}", 0, {"final": 20.0 + number})
    for number in (10, 11):
        forge.done("few", f"image {number}", 0, {"final": 35.0})
    forge.plan()
    loaded = Loaded(forge.store)
    found = loaded.summary().set_index("method")
    assert found["psnr"].dropna().to_dict() == {"dip": 25.5, "bm3d": 25.5}
    assert found["images"].to_dict() == {"dip": 12, "bm3d": 12, "few": 2}
    said = (
        "denoising: Left out, because they lack some of the 12 measurements (image and seed) that the others share: "
        "few (has 2)."
    )
    assert loaded.summary().attrs["remarks"] == [said]
    assert f"<p>{said}</p>" in loaded._repr_html_()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a results folder"):
        dipbench.load(tmp_path)
