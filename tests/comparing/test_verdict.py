"""Reproduced, different, not judged or not comparable: on made-up results and real published numbers."""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from scipy.stats import ttest_rel

from dipbench import registry
from dipbench.comparing.comparable import comparable
from dipbench.comparing.verdict import AVERAGE_ONLY, Tolerance, Verdict, verdicts
from dipbench.published import images_of
from dipbench.report.verdicts import as_text, explanation, to_csv, to_latex, to_markdown
from dipbench.store.records import PlannedExperiment

LUMA = "peak:1|channels:luma|border:4+5|quantisation:none"
SET5 = ["baby", "bird", "butterfly", "head", "woman"]
X4 = {"factor": 4, "multiple": 32, "downsampler": "lanczos"}
DIP = {"method": "DIP", "tolerance": 0.4, "reason": "re-runs differ by that"}
BICUBIC = {"method": "Bicubic", "tolerance": 0.02, "reason": "draws nothing"}
FITTED = {"method": "DIP", "stochastic": True}
RELEASED = {"baby": 31.4915, "bird": 31.7959, "butterfly": 26.2317, "head": 31.0367, "woman": 28.9340}


class Made:
    """An experiment on Set5 at x4 with results that are given: PSNR by label, output, image and seed."""

    def __init__(self, rows: dict[str, dict[str, Any]]):
        self.rows: list[dict[str, Any]] = []
        self.traces: dict[str, pd.DataFrame] = {}  # by the run
        self.experiment: dict[str, Any] = {
            "name": "x4",
            "dataset": "set5",
            "task": "super_resolution[factor=4]",
            "published": {"table": "sr_x4", "dataset": "set5", "rows": rows},
            "runs": [],
        }

    def add(
        self, label: str, psnr: Callable[[int, int], float], *, outputs: tuple[str, ...] = ("final",),
        images: list[str] | None = None, seeds: int = 1, protocol: str = LUMA, of_image: dict[str, float] | None = None,
    ) -> "Made":  # fmt: skip
        """Runs of a method, of which `psnr` gives the dB by the places of the output and of the seed.

        `of_image` is added to it.
        """
        for image in images or SET5:
            more = (of_image or {}).get(image, 0.0)
            for seed in range(seeds):
                run = f"{label}-{image}-{seed}"
                self.experiment["runs"].append({"key": run, "label": label, "image": image, "seed": seed})
                common = {
                    "method": label,
                    "image": image,
                    "seed": seed,
                    "run": run,
                    "protocol": protocol,
                    "message": "",
                }
                for place, output in enumerate(outputs):
                    self.rows.append({**common, "output": output, "psnr": psnr(place, seed) + more, "status": "done"})
        return self

    def judged(
        self, settings: dict[str, Any] | None = None, labels: dict[str, str] | None = None, *, smoke: bool = False
    ) -> list[Verdict]:
        scale = "smoke" if smoke else "full"
        experiment = PlannedExperiment.model_validate(self.experiment | {"scale": scale})
        results = comparable(pd.DataFrame(self.rows), {}, self.traces.get)
        return verdicts(experiment, results, settings or X4, labels)

    def verdict(self) -> Verdict:
        (verdict,) = self.judged()
        return verdict


def dip(value: float, **more: Any) -> Made:
    return Made({"dip": DIP}).add("dip", lambda output, seed: value, **more)


def test_within_the_tolerance_is_reproduced_and_the_tolerance_is_named() -> None:
    verdict = dip(29.6).verdict()
    assert verdict.kind == "reproduced"
    assert verdict.text == "reproduced: within 0.4 dB (re-runs differ by that)"
    assert verdict.tolerance == Tolerance(0.4, "re-runs differ by that")
    assert verdict.published is not None
    assert (verdict.published.value, verdict.published.status) == (29.90, "printed")


@pytest.mark.parametrize(("value", "difference"), [(29.4, -0.5), (30.42, 0.52)])
def test_outside_the_tolerance_differs_and_says_by_how_much(value: float, difference: float) -> None:
    verdict = dip(value).verdict()
    assert verdict.text == "differs: by more than 0.4 dB (re-runs differ by that)"
    assert verdict.kind == "differs"
    assert verdict.difference is not None
    assert verdict.difference.value == pytest.approx(difference)


def test_each_row_has_a_tolerance_of_its_own() -> None:
    made = Made({"dip": DIP, "bicubic": BICUBIC})
    made.add("dip", lambda output, seed: 29.87).add("bicubic", lambda output, seed: 28.40)
    assert [(v.kind, v.tolerance and v.tolerance.value) for v in made.judged()] == [
        ("reproduced", 0.4),
        ("differs", 0.02),
    ]


def test_interval_of_the_difference_is_students_over_the_images() -> None:
    """Differences of -0.2 to 0.2 in steps of 0.1: a deviation of 0.15811, times 2.7764 (four degrees) by sqrt(5)."""
    steps = dict(zip(SET5, (-0.2, -0.1, 0.0, 0.1, 0.2), strict=True))
    of_image = {image: value + steps[image] for image, value in RELEASED.items()}
    verdict = Made({"dip": DIP}).add("dip", lambda output, seed: 0.1, of_image=of_image).verdict()
    assert verdict.difference is not None
    assert verdict.difference.half == pytest.approx(2.7764 * 0.158114 / 5**0.5, abs=1e-4)
    assert verdict.difference.value == pytest.approx(29.89796 + 0.1 - 29.90), "against the printed average"


def test_interval_is_that_of_a_paired_t_test() -> None:
    """scipy.stats.ttest_rel on the same five pairs, with three seeds averaged first."""
    of_image = {"baby": 31.2, "bird": 32.0, "butterfly": 26.0, "head": 31.5, "woman": 28.7}
    made = Made({"dip": FITTED}).add("dip", lambda output, seed: 0.1 * (seed - 1), seeds=3, of_image=of_image)
    paired = ttest_rel([of_image[i] for i in SET5], [RELEASED[i] for i in SET5]).confidence_interval(0.95)
    difference = made.verdict().difference
    assert difference is not None
    assert difference.half is not None
    assert 2 * difference.half == pytest.approx(paired.high - paired.low, abs=1e-3)


def test_seeds_that_were_run_on_some_of_the_images_are_not_averaged_with_those_of_all() -> None:
    made = Made({"dip": {**DIP, "stochastic": True}}).add("dip", lambda output, seed: 29.6)
    made.add("dip", lambda output, seed: 26.0 + seed, images=["butterfly"], seeds=3)
    verdict = made.verdict()
    assert (verdict.ours, verdict.seeds, verdict.images) == (29.6, 1, 5)
    assert verdict.kind == "reproduced", "by the tolerance: one seed has no spread"


def test_one_image_has_no_interval() -> None:
    verdict = dip(26.0, images=["butterfly"]).verdict()
    assert verdict.difference is not None
    assert verdict.difference.value == pytest.approx(26.0 - RELEASED["butterfly"], abs=1e-4)
    assert (verdict.difference.half, verdict.difference.remark) == (None, "one image")


def denoising(row: dict[str, Any], value: float, images: list[str] | None = None) -> Verdict:
    """On the nine colour images, of which the averages in the text alone are published for Deep Image Prior."""
    names = images or sorted(images_of("denoising_25", "cbm3d9"))
    protocol = "peak:1|channels:all|border:0+0|quantisation:none"
    made = Made({"dip": row}).add("dip", lambda output, seed: value, images=names, protocol=protocol)
    made.experiment |= {"dataset": "cbm3d9", "published": made.experiment["published"] | {"table": "denoising_25"}}
    made.experiment["published"]["dataset"] = "cbm3d9"
    (verdict,) = made.judged({"sigma": 25.0})
    return verdict


def test_average_alone_has_a_difference_without_an_interval() -> None:
    verdict = denoising(DIP, 29.4)
    assert verdict.text == "reproduced: within 0.4 dB (re-runs differ by that)"
    assert verdict.difference is not None
    assert verdict.difference.value == pytest.approx(29.4 - 29.22)
    assert (verdict.difference.half, verdict.difference.remark) == (None, "average only")


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (24, "reproduced: within 0.4 dB (re-runs differ by that)"),
        (2, "not comparable: 2 of 24 images, and no number in that table of kodim01, kodim02"),
    ],
)
def test_where_means_alone_are_published_they_are_of_the_whole_data_set(images: int, text: str) -> None:
    row = DIP | {"method": "DIP, best iterate (Zafari et al.)"}
    protocol = "peak:1|channels:all|border:0+0|quantisation:none"
    names = registry.build("dataset", "kodak24").names()[:images]
    made = Made({"dip": row}).add("dip", lambda output, seed: 29.0, images=names, protocol=protocol)
    made.experiment |= {"dataset": "kodak24"}
    made.experiment["published"] |= {"table": "kodak24_25", "dataset": "kodak24"}
    (verdict,) = made.judged({"sigma": 25.0, "clip": False})
    assert verdict.text == text


def test_tolerance_is_for_the_mean_over_all_images() -> None:
    verdict = dip(29.0, images=["bird", "butterfly"]).verdict()
    assert verdict.text == "not judged: the tolerance is for the mean over all 5 images, not 2"
    assert verdict.difference is not None
    assert verdict.difference.value == pytest.approx(29.0 - (RELEASED["bird"] + RELEASED["butterfly"]) / 2, abs=1e-4)
    assert verdict.tolerance is None


def test_printed_numbers_of_the_images_come_before_their_recomputed_average() -> None:
    """Table 1 of the inpainting prints images alone: their mean is 33.48, that of the released 8-bit files 33.44."""
    images = sorted(images_of("inpainting_50", "inpaint11"))
    protocol = "peak:1|channels:all|border:0+0|quantisation:none"
    made = Made({"dip": DIP}).add("dip", lambda output, seed: 33.5, images=images, protocol=protocol)
    made.experiment |= {"dataset": "inpaint11"}
    made.experiment["published"] |= {"table": "inpainting_50", "dataset": "inpaint11"}
    (verdict,) = made.judged({})
    assert verdict.published is not None
    assert (round(verdict.published.value, 2), verdict.published.status) == (33.48, "printed")


def test_mean_is_over_images_and_spread_over_seeds() -> None:
    verdict = Made({"dip": DIP}).add("dip", lambda output, seed: 29.5 + 0.2 * seed, seeds=3).verdict()
    assert (verdict.images, verdict.seeds) == (5, 3)
    assert verdict.ours == pytest.approx(29.7)
    assert verdict.spread == pytest.approx(0.2)


@pytest.mark.parametrize(("step", "kind"), [(0.1, "reproduced"), (0.01, "differs")])
@pytest.mark.parametrize("row", [FITTED, {**DIP, "stochastic": True}])
def test_seeds_of_a_fit_decide_once_there_are_three(row: dict[str, Any], step: float, kind: str) -> None:
    """Means of 29.8 and a standard deviation of `step`: t = 4.303 of two degrees, times sqrt(4/3), for one more run."""
    verdict = Made({"dip": row}).add("dip", lambda output, seed: 29.8 + step * (seed - 1), seeds=3).verdict()
    assert verdict.kind == kind
    assert verdict.tolerance is not None
    assert verdict.tolerance.value == pytest.approx(4.3027 * step * (4 / 3) ** 0.5, abs=1e-4)
    assert verdict.tolerance.reason == "in which 95% of runs are expected, by its 3 seeds"


def test_seeds_do_not_decide_what_is_no_fit() -> None:
    verdict = Made({"dip": DIP}).add("dip", lambda output, seed: 29.8 + 0.001 * seed, seeds=3).verdict()
    assert verdict.text == "reproduced: within 0.4 dB (re-runs differ by that)"


def test_seeds_decide_on_some_of_the_images_too() -> None:
    made = Made({"dip": FITTED}).add("dip", lambda o, seed: 26.0 + 0.2 * (seed - 1), seeds=3, images=["butterfly"])
    assert made.verdict().kind == "reproduced"


@pytest.mark.parametrize(
    ("row", "images", "reason"),
    [
        (FITTED, 5, "no tolerance is given, and its spread takes 3 seeds, not 2"),
        (
            {**DIP, "stochastic": True},
            1,
            "the tolerance is for the mean over all 5 images, not 1, and its spread takes 3 seeds, not 2",
        ),
    ],
)
def test_what_nothing_judges_says_why(row: dict[str, Any], images: int, reason: str) -> None:
    made = Made({"dip": row}).add("dip", lambda output, seed: 29.8 + seed, seeds=2, images=SET5[:images])
    assert made.verdict().text == f"not judged: {reason}"


def test_outputs_are_compared_with_published_numbers_of_their_own() -> None:
    made = Made({"dip, ema": DIP, "dip": {**DIP, "method": "Bicubic"}})
    made.add("dip", lambda output, seed: 28.4 + 1.5 * output, outputs=("final", "ema", "best"))
    assert [(v.output, v.published_method, v.kind) for v in made.judged()] == [
        ("final", "Bicubic", "reproduced"),
        ("ema", "DIP", "reproduced"),
    ]


def test_some_images_are_compared_with_the_published_numbers_of_the_same() -> None:
    verdict = dip(29.0, images=["bird", "butterfly"]).verdict()
    assert verdict.images == 2
    assert verdict.published is not None
    assert verdict.published.status == "recomputed"
    assert verdict.published.value == pytest.approx(29.01, abs=0.01)


def test_images_without_a_published_number_are_not_comparable() -> None:
    verdict = denoising(DIP, 29.2, images=["House256", "kodim01"])
    assert verdict.text == "not comparable: 2 of 9 images, and no number in that table of House256, kodim01"


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


def test_numbers_of_a_data_set_that_was_read_in_a_way_of_its_own_are_of_those_pixels_alone() -> None:
    made = dip(29.9)
    made.experiment["published"]["read_as"] = "set5[side=64]"
    assert made.verdict().text == "not comparable: on set5, published on set5[side=64]"
    made.experiment["dataset"] = "set5[side=64]"
    assert made.verdict().kind == dip(29.9).verdict().kind != "not comparable"


def test_another_degradation_is_not_comparable() -> None:
    (verdict,) = dip(29.9).judged({"factor": 2, "multiple": 32})
    assert verdict.difference is None
    assert verdict.text == "not comparable: another degradation: factor=2 for 4"


def test_smoke_scale_is_not_comparable() -> None:
    (verdict,) = dip(29.9).judged(smoke=True)
    assert verdict.text == "not comparable: at smoke scale"
    assert verdict.ours == pytest.approx(29.9)


def test_other_settings_than_the_suites_are_not_comparable() -> None:
    made = Made({"dip": DIP}).add("dip[iterations=5]", lambda output, seed: 29.9)
    assert made.verdict().text == "not comparable: run as dip[iterations=5]"


def test_a_label_that_had_to_be_told_apart_is_still_the_suites() -> None:
    """Beside one of other iterations it says its own, which are those of the suite."""
    made = Made({"dip": DIP}).add("dip[iterations=2000]", lambda output, seed: 29.9)
    (verdict,) = made.judged(labels={"dip[iterations=2000]": "dip"})
    assert (verdict.method, verdict.kind) == ("dip[iterations=2000]", dip(29.9).verdict().kind)
    assert verdict.kind != "not comparable"


def test_missing_runs_are_not_comparable() -> None:
    made = dip(29.9)
    made.rows[1]["status"] = "failed"
    assert made.verdict().text == "not comparable: 1 of its 5 runs have no result"


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
def test_runs_that_diverged_are_counted_and_no_seed_is_passed_over(score: float) -> None:
    """Of seeds 3 and 4 the run on baby diverged, with 20 dB the last that its trace has: 29.9 less 9.9 / 5 each."""
    made = Made({"dip": FITTED}).add("dip", lambda output, seed: 29.9, seeds=5)
    for row in made.rows:
        if row["image"] == "baby" and row["seed"] > 2:
            row["psnr"] = score
    without = made.verdict()
    assert without.text == "not comparable: 2 of its 25 runs diverged"
    assert (without.seeds, without.spread, without.tolerance) == (5, None, None)
    assert math.isnan(without.ours)
    made.traces = {f"dip-baby-{seed}": pd.DataFrame({"psnr": [12.0, 20.0, score]}) for seed in (3, 4)}
    scored = made.verdict()
    assert scored.text == without.text
    assert scored.ours == pytest.approx(29.9 - 2 / 5 * 9.9 / 5)
    assert scored.seeds == 5


def test_an_infinite_psnr_has_no_mean() -> None:
    made = dip(29.9, of_image={"baby": float("inf")})
    assert made.verdict().text == "not comparable: the PSNR of what it restored is not a finite number"


def test_rows_without_a_published_number_have_no_verdict() -> None:
    assert dip(29.9).add("tv", lambda output, seed: 28.0).verdict().method == "dip"


def test_terminal_and_files_say_the_same() -> None:
    bicubic = {"baby": 31.8, "bird": 30.2, "butterfly": 22.1, "head": 31.4, "woman": 26.7}
    made = Made({"dip": DIP, "bicubic": BICUBIC}).add("dip", lambda o, s: 26.2, seeds=2, images=["butterfly"])
    found = made.add("bicubic", lambda o, s: 0.0, of_image=bicubic).judged()
    assert [line.rstrip() for line in as_text({"x4": found, "other": []}).splitlines()] == [
        "x4: comparison with published results",
        "         ours [dB]     published [dB]     difference [dB]       published as  verdict",
        "dip      26.20 ± 0.00  26.23, recomputed  -0.03 (one image)     DIP           "
        "not judged: the tolerance is for the mean over all 5 images, not 1",
        "bicubic  28.44         28.43, printed     +0.01 [-0.05, +0.07]  Bicubic       "
        "reproduced: within 0.02 dB (draws nothing)",
        "",
        explanation(found),
    ]
    row = r"| bicubic | 28.44 | 28.43, printed | +0.01 \[-0.05, +0.07\] | Bicubic | reproduced: within 0.02 dB"
    assert row in to_markdown(found)
    assert "95% interval over the images (Student t" in to_markdown(found)
    assert "Bicubic: printed, arXiv:1711.10925v3, section 3." in to_markdown(found)
    latex = to_latex(found).replace("\\allowbreak{}", "")
    assert "bicubic & 28.44 & 28.43, printed & +0.01 {[}-0.05, +0.07{]} & Bicubic & reproduced" in latex
    _, line = csv.DictReader(io.StringIO(to_csv(found)))
    assert line["difference [dB]"] == "0.0100"
    assert (line["tolerance [dB]"], line["tolerance source"]) == ("0.0200", "draws nothing")
    assert (line["published [dB]"], line["source"]) == ("28.43", "arXiv:1711.10925v3, section 3")


def test_what_average_only_means_is_said_where_a_row_says_it() -> None:
    bicubic = {"baby": 31.8, "bird": 30.2, "butterfly": 22.1, "head": 31.4, "woman": 26.7}
    verdicts = Made({"bicubic": BICUBIC}).add("bicubic", lambda o, s: 0.0, of_image=bicubic).judged()
    assert "verage only" not in explanation(verdicts)
    (verdict,) = verdicts
    assert verdict.difference
    only = replace(verdict, difference=replace(verdict.difference, half=None, remark=AVERAGE_ONLY))
    assert "Average only: no number of the single images" in explanation([verdict, only])
