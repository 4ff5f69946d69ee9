"""Reproduced, different, or not comparable: on made-up results beside real published numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from torch import Tensor

from dipbench import api
from dipbench.images import write_image
from dipbench.report.verdicts import as_text, to_csv, to_latex, to_markdown
from dipbench.store import Store
from dipbench.verdict import Verdict, verdicts, verdicts_of

LUMA = "peak:1|channels:luma|border:4+5|quantisation:none"
SET5 = ["baby", "bird", "butterfly", "head", "woman"]
X4 = {"factor": 4, "multiple": 32, "downsampler": "lanczos"}
TOLERANT = {"tolerance": 0.4, "reason": "re-runs differ by that"}


class Made:
    """An experiment on Set5 at x4 with results that are given: PSNR by label, output, image and seed."""

    def __init__(self, rows: dict[str, str], **published: Any):
        self.rows: list[dict[str, Any]] = []
        self.experiment: dict[str, Any] = {
            "name": "x4",
            "dataset": "set5",
            "task": "super_resolution[factor=4]",
            "published": {"table": "sr_x4", "dataset": "set5", "rows": rows, **published},
            "runs": [],
        }

    def add(
        self, label: str, psnr: Callable[[int, int], float], *, outputs: tuple[str, ...] = ("last",),
        images: list[str] | None = None, seeds: int = 1, protocol: str = LUMA,
    ) -> "Made":  # fmt: skip
        """Runs of a method, of which `psnr` gives the dB by the places of the output and of the seed."""
        for image in images or SET5:
            for seed in range(seeds):
                run = f"{label}-{image}-{seed}"
                self.experiment["runs"].append({"key": run, "label": label})
                common = {"method": label, "image": image, "seed": seed, "run": run, "protocol": protocol}
                for place, output in enumerate(outputs):
                    self.rows.append({**common, "output": output, "psnr": psnr(place, seed), "status": "done"})
        return self

    def judged(self, settings: dict[str, Any] | None = None, *, smoke: bool = False) -> list[Verdict]:
        return verdicts(self.experiment, pd.DataFrame(self.rows), settings or X4, smoke=smoke)

    def verdict(self) -> Verdict:
        (verdict,) = self.judged()
        return verdict


def dip(value: float, **more: Any) -> Made:
    return Made({"dip": "DIP"}, **TOLERANT).add("dip", lambda output, seed: value, **more)


def test_within_the_tolerance_is_reproduced_and_the_tolerance_is_named() -> None:
    verdict = dip(29.6).verdict()
    assert verdict.kind == "reproduced"
    assert verdict.text == "reproduced: within 0.4 dB, re-runs differ by that"
    assert verdict.published is not None
    assert (verdict.published.value, verdict.published.status) == (29.90, "printed")


@pytest.mark.parametrize(("value", "text"), [(29.4, "differs by -0.50 dB"), (30.42, "differs by +0.52 dB")])
def test_outside_the_tolerance_differs_by_so_much(value: float, text: str) -> None:
    verdict = dip(value).verdict()
    assert verdict.text == text
    assert verdict.kind == "differs"


def test_mean_is_over_images_and_spread_over_seeds() -> None:
    verdict = Made({"dip": "DIP"}, **TOLERANT).add("dip", lambda output, seed: 29.5 + 0.2 * seed, seeds=3).verdict()
    assert (verdict.images, verdict.seeds) == (5, 3)
    assert verdict.ours == pytest.approx(29.7)
    assert verdict.spread == pytest.approx(0.2)


@pytest.mark.parametrize(("step", "kind"), [(0.1, "reproduced"), (0.01, "differs")])
def test_without_a_tolerance_the_interval_of_one_more_run_decides(step: float, kind: str) -> None:
    """Means of 29.8 and a standard deviation of `step`: t = 4.303 of two degrees, times sqrt(4/3)."""
    verdict = Made({"dip": "DIP"}).add("dip", lambda output, seed: 29.8 + step * (seed - 1), seeds=3).verdict()
    assert verdict.kind == kind
    half = 4.3027 * step * (4 / 3) ** 0.5
    assert verdict.reason == f"95% of runs are expected in {29.8 - half:.2f} to {29.8 + half:.2f} dB"


def test_without_a_tolerance_two_seeds_are_too_few() -> None:
    verdict = Made({"dip": "DIP"}).add("dip", lambda output, seed: 29.8 + seed, seeds=2).verdict()
    assert verdict.text == "not comparable: no tolerance is given, and an interval takes 3 seeds, not 2"


def test_outputs_stand_beside_published_numbers_of_their_own() -> None:
    made = Made({"dip, averaged": "DIP", "dip": "Bicubic"}, **TOLERANT)
    made.add("dip", lambda output, seed: 28.4 + 1.5 * output, outputs=("last", "averaged", "peak"))
    assert [(v.output, v.published_method, v.kind) for v in made.judged()] == [
        ("last", "Bicubic", "reproduced"),
        ("averaged", "DIP", "reproduced"),
    ]


def test_some_images_are_compared_with_the_published_numbers_of_the_same() -> None:
    verdict = dip(29.0, images=["bird", "butterfly"]).verdict()
    assert verdict.kind == "reproduced"
    assert verdict.images == 2
    assert verdict.published is not None
    assert verdict.published.status == "recomputed"
    assert verdict.published.value == pytest.approx(29.01, abs=0.01)


def test_images_without_a_published_number_are_not_comparable() -> None:
    made = Made({"dip": "DIP"}, **TOLERANT).add("dip", lambda output, seed: 29.2, images=["House256", "kodim01"])
    made.experiment |= {"dataset": "cbm3d9"}
    made.experiment["published"] |= {"table": "denoising_25", "dataset": "cbm3d9"}
    for row in made.rows:
        row["protocol"] = "peak:1|channels:all|border:0+0|quantisation:none"
    (verdict,) = made.judged({"sigma": 25.0})
    assert verdict.text == "not comparable: 2 of 9 images, and no published number of House256, kodim01"


def test_another_protocol_is_not_comparable() -> None:
    other = LUMA.replace("4+5", "4+4")
    text = dip(29.9, protocol=other).verdict().text
    assert text.startswith(f"not comparable: scored by {other}, published by peak:1|channels:all|border:4+5|")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dataset": "set5[crop=64]"}, "on set5[crop=64], published on set5"),
        ({"dataset": "folder[path=mine]"}, "on folder[path=mine], published on set5"),
    ],
)
def test_other_pixels_are_not_comparable(change: dict[str, str], reason: str) -> None:
    made = dip(29.9)
    made.experiment |= change
    assert made.verdict().text == f"not comparable: {reason}"


def test_another_degradation_is_not_comparable() -> None:
    (verdict,) = dip(29.9).judged({"factor": 2, "multiple": 32})
    assert verdict.text == "not comparable: another degradation: factor=2 for 4"


def test_smoke_scale_is_not_comparable() -> None:
    (verdict,) = dip(29.9).judged(smoke=True)
    assert verdict.text == "not comparable: at smoke scale"
    assert verdict.ours == pytest.approx(29.9)


def test_other_settings_than_the_suites_are_not_comparable() -> None:
    made = Made({"dip": "DIP"}, **TOLERANT).add("dip[iterations=5]", lambda output, seed: 29.9)
    assert made.verdict().text == "not comparable: run as dip[iterations=5]"


def test_missing_runs_are_not_comparable() -> None:
    made = dip(29.9)
    made.rows[1]["status"] = "failed"
    assert made.verdict().text == "not comparable: 1 of its 5 runs have no result"


def test_rows_without_a_published_number_have_no_verdict() -> None:
    assert dip(29.9).add("tv", lambda output, seed: 28.0).verdict().method == "dip"


def test_terminal_and_files_say_the_same() -> None:
    made = Made({"dip": "DIP", "bicubic": "Bicubic"}, **TOLERANT)
    found = made.add("dip", lambda o, s: 29.7, seeds=2).add("bicubic", lambda o, s: 27.0, seeds=2).judged()
    assert as_text({"x4": found, "other": []}).splitlines() == [
        "x4, beside the published numbers",
        "         ours [dB]     published [dB]  published as  verdict",
        "dip      29.70 ± 0.00  29.90, printed  DIP           reproduced: within 0.4 dB, re-runs differ by that",
        "bicubic  27.00 ± 0.00  28.43, printed  Bicubic       differs by -1.43 dB",
    ]
    assert "| bicubic | 27.00 ± 0.00 | 28.43, printed | Bicubic | differs by -1.43 dB |" in to_markdown(found)
    assert "DIP: printed, arXiv:1711.10925v3, section 3." in to_markdown(found)
    assert "bicubic & 27.00 $\\pm$ 0.00 & 28.43, printed & Bicubic & differs by -1.43 dB \\\\" in to_latex(found)
    assert to_csv(found).splitlines()[1].startswith("dip,,5,2,29.7000,0.0000,29.9,DIP,printed,")


@pytest.fixture
def suite(tmp_path: Path, photo: Tensor) -> Path:
    """A suite on a folder that is called neither Set5 nor anything else that is published."""
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo)
    path = tmp_path / "small.toml"
    path.write_text(
        f'title = "Small"\n[[experiments]]\nname = "a"\ndataset = "folder[path={tmp_path / "images"}]"\n'
        'task = "super_resolution[factor=4]"\nmethods = ["bicubic", "nearest"]\n'
        '[experiments.published]\ntable = "sr_x4"\ndataset = "set5"\ntolerance = 0.4\nreason = "so"\n'
        'rows = { bicubic = "Bicubic" }\n'
    )
    return path


def test_store_alone_gives_the_verdicts_and_the_report_shows_them(suite: Path, tmp_path: Path) -> None:
    api.run(str(suite), out=tmp_path / "out", report=True)
    (verdict,) = verdicts_of(Store.existing(tmp_path / "out"))["a"]
    assert verdict.text.startswith("not comparable: on folder[path=")
    report = tmp_path / "out" / "report"
    assert "Beside the published numbers" in (report / "index.html").read_text()
    for suffix in ("csv", "md", "tex"):
        assert (report / "published" / f"a.{suffix}").is_file()
        assert f'href="published/a.{suffix}"' in (report / "index.html").read_text()


def test_suite_without_published_numbers_has_no_verdicts(suite: Path, tmp_path: Path) -> None:
    text = suite.read_text()
    suite.write_text(text[: text.index("[experiments.published]")])
    api.run(str(suite), out=tmp_path / "out", report=True)
    assert verdicts_of(Store.existing(tmp_path / "out")) == {}
    assert "Beside the published numbers" not in (tmp_path / "out" / "report" / "index.html").read_text()
