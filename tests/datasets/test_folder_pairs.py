"""Folders as users have them: pairs of noisy and clean files, masks, sub-folders, numbers in names."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.running.conditions import Conditions
from dipbench.running.runner import run_suite
from dipbench.store.store import Store
from dipbench.streams import Streams
from dipbench.suites.suite import Suite


def written(folder: Path, images: dict[str, Tensor]) -> Path:
    for name, image in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(folder / name, image)
    return folder


@pytest.fixture
def pairs(tmp_path: Path, photo: Tensor) -> Path:
    """Two clean pictures, and each 8 levels brighter: an error of 8/255 everywhere."""
    clean = (photo * 200).round() / 255
    images = {"clean/a.png": clean, "clean/b.png": clean.flip(-1)}
    brighter = {name.replace("clean", "noisy"): image + 8 / 255 for name, image in images.items()}
    return written(tmp_path, images | brighter)


def test_pair_is_the_clean_picture_and_the_noisy_one(pairs: Path) -> None:
    dataset = registry.build("dataset", f"folder[path='{pairs}',images=clean,noisy=noisy]")
    assert dataset.names() == ["a", "b"]
    scene = load(dataset, "b", ["measured"])
    assert (scene.measured - scene.image - 8 / 255).abs().max() < 1e-6
    alone = load(registry.build("dataset", f"folder[path='{pairs}',noisy=noisy]"), "b", ["measured"])
    assert alone.image is None
    assert torch.equal(alone.measured, scene.measured)


def test_real_noise_is_scored_against_the_clean_picture(pairs: Path, tmp_path: Path) -> None:
    """PSNR of an error of 8/255 is 20 log10(255 / 8) = 30.07 dB; a method that needs the noise level refuses it."""
    experiment = {"name": "real", "dataset": f"folder[path='{pairs}',images=clean,noisy=noisy]"}
    content = experiment | {"task": "denoising[own=blind]", "methods": ["degraded", "nlm"]}
    suite = Suite.model_validate({"name": "test", "title": "Test", "experiments": [content]})
    conditions = Conditions(torch.device("cpu"), processes=1)
    rows = run_suite(suite, Store(tmp_path / "store"), seeds=[0], conditions=conditions, command="").results
    assert rows.loc[rows["method"] == "degraded", "psnr"].tolist() == pytest.approx([30.0688] * 2, abs=1e-3)
    assert set(rows.loc[rows["method"] == "nlm", "status"]) == {"refused"}


def test_noise_level_of_a_pair_is_told_where_it_is_given(pairs: Path) -> None:
    scene = load(registry.build("dataset", f"folder[path='{pairs}',images=clean,noisy=noisy]"), "a", ["measured"])
    rng = Streams(0, ("measurement",))
    told, blind = (registry.build("task", f"denoising[own={own}]") for own in ("12.75", "blind"))
    assert told.degrade(scene, rng).sigma == 0.05
    assert blind.degrade(scene, rng).sigma is None
    assert torch.equal(blind.degrade(scene, rng).measurement, scene.measured)
    assert blind.settings() == {"own": "blind"}
    assert "own" not in registry.build("task", "denoising").settings(), "runs of before keep their names"


def test_pair_that_is_none_is_refused(pairs: Path, photo: Tensor) -> None:
    task, rng = registry.build("task", "denoising[own=blind]"), Streams(0, ("measurement",))
    with pytest.raises(UserError, match=r"takes a scene that came noisy, and this one did not"):
        task.degrade(load(registry.build("dataset", f"folder[path='{pairs}/clean']"), "a", ["measured"]), rng)
    written(pairs, {"clean/c.png": photo})
    dataset = registry.build("dataset", f"folder[path='{pairs}',images=clean,noisy=noisy]")
    with pytest.raises(UserError, match=r"noisy' has no file for image 'c'.* as c\.png"):
        load(dataset, "c", ["measured"])
    written(pairs, {"noisy/c.png": photo[:, :32]})
    with pytest.raises(UserError, match=r"pairs of one size: .*3 x 32 x 64 .* the clean one 3 x 64 x 64"):
        task.degrade(load(dataset, "c", ["measured"]), rng)


@pytest.mark.parametrize("white", ["known", "missing"])
def test_mask_of_each_image_is_read_either_way_round(tmp_path: Path, photo: Tensor, white: str) -> None:
    left = torch.zeros(1, 64, 64)
    left[..., :10] = 1
    written(tmp_path, {"a.png": photo, "b.png": photo, "masks/a.png": left, "masks/b.png": left.flip(-1)})
    dataset = registry.build("dataset", f"folder[path='{tmp_path}',masks=masks,white={white}]")
    assert dataset.names() == ["a", "b"]
    for name, mask in (("a", left), ("b", left.flip(-1))):
        known = load(dataset, name, ["known"]).known
        assert torch.equal(known, mask == (1 if white == "known" else 0))
    problem = registry.build("task", "inpainting[mask=own]").degrade(load(dataset, "a", ["known"]), Streams(0, ("x",)))
    assert int(problem.known.sum()) == 64 * (10 if white == "known" else 54)


def test_numbers_in_names_count_as_numbers(tmp_path: Path, photo: Tensor) -> None:
    names = ["scene2/frame9", "scene2/frame10", "scene10/frame1", "10", "9"]
    written(tmp_path, {f"{name}.png": photo for name in names})
    dataset = registry.build("dataset", f"folder[path='{tmp_path}',subfolders=true]")
    assert dataset.names() == ["9", "10", "scene2/frame9", "scene2/frame10", "scene10/frame1"]
    assert torch.equal(load(dataset, "scene10/frame1").image, photo)


def test_folder_with_nothing_but_folders_says_what_takes_them(pairs: Path) -> None:
    with pytest.raises(UserError, match=r"but sub-folders \(clean, noisy\): folder\[subfolders=true\] takes theirs"):
        registry.build("dataset", f"folder[path='{pairs}']").names()
