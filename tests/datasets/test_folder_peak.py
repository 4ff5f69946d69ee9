"""A folder of images with 12 bits in 16, and results of that kind: the PSNR is that of the peak."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage.metrics import peak_signal_noise_ratio

import dipbench
from dipbench import registry
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite

LEVELS = np.random.default_rng(0).integers(200, 3800, (16, 24, 3)).astype(np.uint16)
NOISY = (LEVELS + np.random.default_rng(1).integers(-200, 200, LEVELS.shape)).astype(np.uint16)

pytestmark = pytest.mark.filterwarnings("ignore:.*has no level above:dipbench.images.files.UnusualDepth")


@pytest.fixture(autouse=True)
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, levels in (("clean", LEVELS), ("noisy", NOISY)):
        Path(folder).mkdir()
        tifffile.imwrite(f"{folder}/a.tif", levels, photometric="rgb")


def test_pairs_are_of_the_peak_and_so_is_their_psnr(tmp_path: Path) -> None:
    Path("s.toml").write_text(
        'title = "T"\n[[experiments]]\nname = "e"\ndataset = "folder[path=.,images=clean,noisy=noisy,peak=4095]"\n'
        'task = "denoising[own=blind]"\nmethods = ["degraded"]\n'
    )
    (found,) = dipbench.run("s.toml", out="out", device="cpu")["psnr"]
    assert found == pytest.approx(peak_signal_noise_ratio(LEVELS, NOISY, data_range=4095), abs=1e-4)
    scene = load(registry.build("dataset", "folder[path=.,images=clean,noisy=noisy,peak=4095]"), "a", ["measured"])
    assert np.array_equal((scene.image * 4095).round().numpy(), LEVELS.transpose(2, 0, 1))


@pytest.mark.parametrize("peak", [4095, 65535])
def test_results_of_another_program_are_scored_by_the_peak(peak: int) -> None:
    dataset = "folder[path=clean,peak=4095]"
    scored = dipbench.score("noisy", dataset=dataset, task="denoising", peak=peak)
    theirs = peak_signal_noise_ratio(LEVELS / 4095, NOISY / peak, data_range=1)
    assert scored["psnr"].tolist() == pytest.approx([theirs], abs=1e-4)


def test_another_peak_is_another_run() -> None:
    def key(dataset: str, method: str) -> str:
        experiment = {"name": "e", "dataset": dataset, "task": "denoising", "methods": [method]}
        (job,) = jobs_of(Suite.model_validate({"name": "s", "title": "S", "experiments": [experiment]}), [0])
        return job.run.key

    datasets = ["folder[path=clean]", "folder[path=clean,peak=4095]", "folder[path=clean,peak=4000]"]
    methods = ["files[folder=noisy]", "files[folder=noisy,peak=4095]"]
    assert len({key(dataset, method) for dataset in datasets for method in methods}) == 6
    assert key(datasets[0], methods[0]) == key("folder[path=clean,peak=65535]", methods[0]), "it is the highest anyway"
    assert "peak" not in registry.build("method", "files").settings(), "runs of before keep their names"


def test_a_level_above_the_peak_names_the_file() -> None:
    with pytest.raises(UserError, match=r"image 'clean/a\.tif' holds the level \d+, above the peak 1023"):
        load(registry.build("dataset", "folder[path=clean,peak=1023]"), "a")


def test_it_is_set_of_a_folder_from_the_command_line() -> None:
    asked = {"data": "clean", "only": ["denoising", "degraded"], "scale": "smoke", "device": "cpu"}
    sizes = ["folder.crop=16"]
    bright = dipbench.run("quickstart", settings=[*sizes, "folder.peak=4095"], out="bright", **asked)  # type: ignore[arg-type]
    dark = dipbench.run("quickstart", settings=sizes, out="dark", **asked)  # type: ignore[arg-type]
    assert set(bright["run"]).isdisjoint(dark["run"])
