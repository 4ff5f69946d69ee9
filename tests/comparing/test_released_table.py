"""What the authors' released outputs establish for other images, recomputed: the table of the design."""

import pytest

from dipbench.comparing.paired import Pair, tie_width
from dipbench.comparing.ranking import comparison_of
from dipbench.comparing.significance import images_needed
from dipbench.comparing.statistics import half_interval
from dipbench.scoring import METRICS
from results import LUMA, released, results

PSNR = METRICS["psnr"]
DENOISING = ("denoising_25", "cbm3d9", "")
INPAINTING = ("inpainting_50", "inpaint11", "")
X4, X8 = ("sr_x4", "set14", LUMA), ("sr_x8", "set14", LUMA)


@pytest.mark.parametrize(
    ("source", "method", "other", "images", "mean", "half", "std", "p", "needed"),
    [
        (DENOISING, "DIP, released", "CBM3D", 9, -0.13, 0.61, 0.80, 0.73, (504, 128, 22)),
        (DENOISING, "DIP, released", "NLM", 9, 1.06, 0.77, 1.00, 0.039, (793, 200, 34)),
        (INPAINTING, "DIP", "DIP, first release", 11, 0.81, 1.08, 1.60, 0.10, (2017, 506, 83)),
        (INPAINTING, "DIP", "Papyan et al.", 11, 2.28, 1.28, 1.90, 0.001, (2850, 714, 116)),
        (X4, "DIP", "TV prior", 14, 0.58, 0.37, 0.63, 0.009, (317, 81, 15)),
        (X4, "DIP", "LapSRN", 14, -1.12, 0.31, 0.53, 0.000122, (225, 58, 11)),
        (X8, "DIP", "DIP, jitter 0.03", 14, 0.11, 0.16, 0.28, 0.43, (65, 18, 6)),
    ],
)
def test_released_outputs_differ_by_as_much_as_the_table_says(
    source: tuple[str, str, str], method: str, other: str, images: int,
    mean: float, half: float, std: float, p: float, needed: tuple[int, int, int],
) -> None:  # fmt: skip
    table, dataset, protocol = source
    ours, theirs = (
        results({"x": released(table, dataset, name, protocol)}).set_index(["image", "seed"])["psnr"]
        for name in (method, other)
    )
    pair = Pair.of(ours, theirs, PSNR, tie_width(PSNR))
    assert len(pair.means) == images
    assert pair.means.mean() == pytest.approx(mean, abs=0.006)
    assert half_interval(pair.means) == pytest.approx(half, abs=0.006)
    assert pair.means.std() == pytest.approx(std, abs=0.006)
    assert pair.p == pytest.approx(p, rel=0.06)
    assert tuple(images_needed(pair.means.std(), width) for width in (0.1, 0.2, 0.5)) == needed
    assert pair.row(pair.p, pair.p, 1)["images_needed"] == needed[0]


def test_of_set14_three_rivals_are_told_apart_in_words() -> None:
    names = {"dip": "DIP", "tv": "TV prior", "lapsrn": "LapSRN"}
    found = comparison_of(results({label: released("sr_x4", "set14", of, LUMA) for label, of in names.items()}), PSNR)
    assert found is not None
    assert found.baseline == "dip"
    assert list(found.ranking["label"]) == ["lapsrn", "dip", "tv"]
    assert list(found.ranking["group"]) == ["a", "b", "c"]
    verdicts = dict(zip(found.differences["label"], found.differences["verdict"], strict=True))
    assert verdicts["lapsrn"].startswith("better by 1.12 [0.8")
    assert verdicts["tv"].startswith("worse by 0.58 [0.2")
    assert found.remarks == ()


def test_of_set5_nothing_can_be_told() -> None:
    names = {"dip": "DIP", "lapsrn": "LapSRN"}
    found = comparison_of(results({label: released("sr_x4", "set5", of, LUMA) for label, of in names.items()}), PSNR)
    assert found is not None
    assert list(found.ranking["group"]) == ["", ""]
    assert found.differences["gain_low"].iloc[0] > 1, "Student's interval alone would have called it better"
    assert found.differences["verdict"].iloc[0].startswith("cannot tell: ")
    assert found.remarks[0].startswith("5 images can never give a significant exact paired test")
    assert "0.0625" in found.remarks[0]
