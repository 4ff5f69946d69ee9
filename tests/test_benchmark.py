"""`dipbench.Benchmark`: methods as a notebook has them, side by side on the same measurements."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import dipbench
from dipbench.contract import Method, Problem
from dipbench.errors import UserError
from dipbench.scoring import Protocol
from dipbench.store.store import Store
from dipbench.streams import Streams


class Small(nn.Sequential):
    def __init__(self, channels: int) -> None:
        super().__init__(nn.Conv2d(32, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, channels, 1), nn.Sigmoid())


@dataclass(frozen=True)
class Scaled(Method):
    """The measurement, scaled."""

    by: float = 0.5  # the factor

    def refuses(self, problem: Problem) -> str | None:
        return None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        yield problem.measurement * self.by


def halved(image: Tensor) -> Tensor:
    """Half of every value."""
    return image / 2


def shifted(image: Tensor, problem: Any, rng: Any) -> Tensor:
    noise = torch.randn(image.shape, generator=rng.torch("shift"))
    return image + problem.sigma * noise


def broken(image: Tensor) -> Tensor:
    raise RuntimeError("it broke")


def benchmark(folder: Path, **given: Any) -> dipbench.Benchmark:
    asked = {"task": "denoising[sigma=25]", "dataset": "photos[crop=300,side=48]", "images": ["chelsea", "coffee"]}
    return dipbench.Benchmark(**{**asked, "out": folder / "store", **given})


def test_every_kind_of_method_stands_under_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    methods = {
        "written": "dip[down=[4],up=[4],skip=[2],iterations=3]",
        "net": dipbench.prior(Small, iterations=3),
        "made": dipbench.prior(lambda channels: Small(channels), name="made", iterations=3),
        "half": halved,
        "with the problem": shifted,
        "broken": broken,
    }
    found = benchmark(tmp_path).run(methods, device="cpu")
    assert list(dict.fromkeys(found.results["method"])) == list(methods)
    statuses = {method: set(rows["status"]) for method, rows in found.results.groupby("method")}
    assert statuses == {name: {"done"} for name in methods} | {"broken": {"failed"}}
    assert "it broke" in found.results.set_index("method").loc["broken", "message"].iloc[0]
    assert "12 runs to compute" in capsys.readouterr().out
    degraded = torch.from_numpy(_array(found.image("degraded", "coffee"))) / 255
    truth = torch.from_numpy(_array(found.image("truth", "coffee"))) / 255
    half = found.results.query("method == 'half' and image == 'coffee'")["psnr"].item()
    assert half == pytest.approx(Protocol().psnr(degraded / 2, truth).item(), abs=0.05)  # of 8 bits
    assert set(found.traces["method"]) >= {"written", "net", "made"}


def _array(picture: Any) -> Any:
    return np.moveaxis(np.asarray(picture, dtype=np.float32), -1, 0)


def test_networks_are_told_from_functions_of_the_image_by_what_they_take(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="weights would go from one image to the next"):
        benchmark(tmp_path).run({"mine": Small(3)})
    with pytest.raises(UserError, match="'mine' got 3: it takes a method as text"):
        benchmark(tmp_path).run({"mine": 3})
    with pytest.raises(UserError, match="takes 'strength': beside the image it is given problem and rng"):
        benchmark(tmp_path).run({"mine": lambda image, strength: image})
    assert not (tmp_path / "store").exists()


def test_what_was_computed_is_not_computed_again_and_another_call_adds_to_it(tmp_path: Path) -> None:
    first = benchmark(tmp_path, images="chelsea").run({"half": halved, "degraded": "degraded"}, progress=False)
    again = benchmark(tmp_path, images="chelsea").run(["degraded", "bicubic", halved], progress=False)
    assert len(first.results) == 2
    assert list(again.results["method"]) == ["degraded", "bicubic", "halved"]
    started = first.results.set_index("method")["run"]["degraded"]
    assert again.results.set_index("method")["run"]["degraded"] == started
    assert {"half", "degraded", "bicubic", "halved"} == set(dipbench.load(tmp_path / "store").results["method"])


def test_seeds_are_a_number_or_a_list(tmp_path: Path) -> None:
    def seeds(given: Any) -> set[int]:
        found = benchmark(tmp_path, images="chelsea", seeds=given).run(["degraded"], progress=False)
        return set(found.results["seed"])

    assert seeds(2) == {0, 1}
    assert seeds([3, 7]) == {3, 7}
    with pytest.raises(UserError, match="at least 1, got 0"):
        seeds(0)


def test_a_folder_of_images_is_a_data_set(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    found = benchmark(tmp_path, images="chelsea").run(["degraded"], progress=False)
    found.image("truth").save(tmp_path / "mine" / "cat.png")
    of_folder = benchmark(tmp_path, dataset=tmp_path / "mine", images=()).run(["degraded"], progress=False)
    assert list(of_folder.results["image"]) == ["cat"]
    assert of_folder.image("truth").tobytes() == found.image("truth").tobytes()


def test_what_is_wrong_in_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"experiments\.0: baseline must be one of the methods degraded, got 'dip'"):
        benchmark(tmp_path).run(["degraded"], baseline="dip")
    with pytest.raises(UserError, match="unknown task 'denoise'"):
        benchmark(tmp_path, task="denoise").run(["degraded"])


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    dip = "dip[down=[4],up=[4],skip=[2],iterations=4]"
    folder = tmp_path_factory.mktemp("found")
    return benchmark(folder).run({"dip": dip, "nlm": "nlm"}, device="cpu", progress=False)


def test_result_compares_its_methods(found: Any) -> None:
    one = found.compare("nlm", "dip").differences
    assert list(one["baseline"]) == ["nlm"]
    assert list(one["label"]) == ["dip, EMA"]
    assert list(found.compare(baseline="dip").differences["label"]) == ["nlm"]
    with pytest.raises(UserError, match="unknown metric 'psn'"):
        found.compare(metric="psn")


def test_result_compares_no_methods_of_another_benchmark_in_its_folder(tmp_path: Path) -> None:
    two = benchmark(tmp_path)
    two.run({"mine": "nlm", "tv": "tv"}, device="cpu", progress=False)
    found = two.run({"Mine": "wavelet", "h": "degraded"}, device="cpu", progress=False)
    differences = found.compare().differences
    assert (list(differences["label"]), list(differences["baseline"])) == (["h"], ["Mine"])
    assert set(found.compare().ranking["label"]) == set(found.results["method"]) == {"Mine", "h"}
    with pytest.raises(UserError, match="unknown method of these results 'Mne': did you mean 'Mine'"):
        found.compare("Mne", "h")
    with pytest.raises(
        UserError, match=r"'tv': known: Mine, h \(to compute it: dipbench\.Benchmark.*\[Mine, h\]\), with"
    ):
        found.compare("tv", "h")
    assert set(dipbench.compare(suite=tmp_path / "store").ranking["label"]) == {"mine", "tv", "Mine", "h"}


def test_result_shows_its_pictures(found: Any) -> None:
    assert found.image("dip").size == (48, 48)
    assert found.image("dip", "coffee").tobytes() != found.image("dip", "chelsea").tobytes()
    assert found.image("dip").tobytes() == found.image("dip", "chelsea", "ema", seed=0).tobytes()
    assert found.image("dip", output="final").tobytes() != found.image("dip").tobytes()
    for asked, words in (
        ({"method": "dop"}, "unknown method 'dop'"),
        ({"method": "dip", "image": "bee"}, "unknown image 'bee': known: chelsea, coffee"),
        ({"method": "nlm", "output": "ema"}, "unknown output 'ema': known: final"),
        ({"method": "dip", "seed": 5}, "unknown seed '5': known: 0"),
        ({"method": "guide"}, "'chelsea' has no guide: its task keeps none"),
    ):
        with pytest.raises(UserError, match=words):
            found.image(**asked)


def test_dir_lists_what_there_is() -> None:
    assert {"Benchmark", "compare", "load", "method", "prior", "restore", "run"} <= set(dir(dipbench))
    assert all(getattr(dipbench, name) for name in dir(dipbench))


def test_one_word_needs_no_list_around_it(tmp_path: Path) -> None:
    results = dipbench.run("quickstart", only="denoising", methods="bicubic", scale="smoke", device="cpu", out=tmp_path)
    assert set(results["experiment"]) == {"denoising"}
    assert "bicubic" in set(results["method"])


def test_a_store_says_all_that_was_asked_of_it(tmp_path: Path) -> None:
    asked = {"only": ["denoising", "bm3d"], "record": ["ssim"], "rules": ["wmv"], "metrics": ["gmsd"]}
    dipbench.run("quickstart", scale="smoke", device="cpu", out=tmp_path, **asked)  # type: ignore[arg-type]
    command = Store.existing(tmp_path).plan().command
    assert all(f"{name}={words}" in command for name, words in asked.items())


@pytest.mark.parametrize("method", ["degraded", halved, dipbench.prior(Small, iterations=2)])
def test_one_method_needs_no_list_around_it(tmp_path: Path, method: Any) -> None:
    bench = dipbench.Benchmark("denoising", "photos[crop=64,side=16]", "chelsea", out=tmp_path / "out")
    results = bench.run(method, device="cpu", progress=False).results
    assert set(results["status"]) == {"done"}
    assert results["method"].nunique() == 1


def test_methods_of_a_list_go_by_their_settings_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    bench = benchmark(tmp_path, images="coffee")
    found = bench.run([Scaled, Scaled(by=0.8), "nlm", "nlm"], device="cpu")
    assert list(dict.fromkeys(found.results["method"])) == ["Scaled", "Scaled[by=0.8]", "nlm"]
    with pytest.raises(UserError, match=r"two methods are called 'halved': give names, \{'one': \.\.\., 'other'"):
        bench.run([halved, halved], device="cpu")


def test_a_name_of_several_words_is_one(tmp_path: Path) -> None:
    bench = benchmark(tmp_path, images="coffee")
    found = bench.run({"my half": lambda image: image / 2, "two-thirds": lambda image: image / 1.5}, device="cpu")
    assert list(dict.fromkeys(found.results["method"])) == ["my half", "two-thirds"]
