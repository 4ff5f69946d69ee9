"""Checks the classical rows of the paper's tables against the files that the authors released.

    DIPBENCH_DATA=FOLDER python benchmarks/classical_rows.py [PART ...]

FOLDER is the one that the data sets set5, set14, inpaint11, cbm3d9 and released are read from; without it they are
read from where `dipbench data fetch` put them. The parts are `bicubic`, `low_resolution`, `filling`, `noise`, `cbm3d`,
`tuning` and `deblurring`; on one core the last takes an hour and all others together about twenty minutes. Each writes
a CSV to results/reference/classical; the report reports/classical/README.md is rendered from those that are there.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pandas as pd
import torch
from classical_report import OUTLINE, render
from classical_tuning import rows as tuning
from deblurring_tuning import rows as deblurring
from scipy.stats import norm
from torch import Tensor
from truths import truth_of

from dipbench import registry
from dipbench.contract import Dataset, Problem, Scene
from dipbench.errors import UserError
from dipbench.images.files import centre_crop
from dipbench.images.resampling import resize
from dipbench.operators import Identity, Mask
from dipbench.scoring import Protocol
from dipbench.streams import Streams

ROOT = Path(__file__).parent.parent
NUMBERS = ROOT / "results" / "reference" / "classical"
REPORT = ROOT / "reports" / "classical"
SIGMA = 25 / 255  # of the noise, on the [0, 1] scale


def released(name: str) -> Tensor:
    """An image that the authors released (C, H, W), by its name in the data set `released`."""
    image = dataset("released").read(name)
    assert image is not None
    return image


def dataset(name: str) -> Dataset:
    """The data set of that name."""
    return cast(Dataset, registry.build("dataset", name))


def restored(method: str, problem: Problem) -> Tensor:
    """The only estimate of a method (C, H, W)."""
    return next(registry.build("method", method).run(problem, Streams(0)))


def pairs_of_enlargement() -> list[tuple[str, str, Tensor]]:
    """Data set, image and ground truth (C, H, W) at x4 of every image of Set5 and Set14."""
    task = registry.build("task", "super_resolution[factor=4,multiple=0]")
    return [
        (name, image, cast(Tensor, task.prepare(Scene(truth_of(dataset(name), image))).image))
        for name in ("set5", "set14")
        for image in names(name)
    ]


def names(data: str) -> list[str]:
    """The images of a data set."""
    return dataset(data).names()


def bicubic_of_matlab(truth: Tensor, factor: int) -> Tensor:
    """The truth (C, H, W) reduced and enlarged again by MATLAB's cubic in floating point, rounded and clipped once."""
    levels = (truth.double() * 255).round()
    height, width = truth.shape[-2:]
    small = resize(levels, (height // factor, width // factor), "bicubic")
    return (resize(small, (height, width), "bicubic").round().clamp(0, 255) / 255).float()


def differing(image: Tensor, other: Tensor) -> int:
    """How many values of two 8-bit images of one size, with as many channels as the first, are not the same."""
    return int((((image - other[: image.shape[0]]) * 255).round() != 0).sum())


def bicubic() -> pd.DataFrame:
    """Bicubic enlargement against the released files, at x4."""
    protocol = registry.build("task", "super_resolution").protocol()
    rows = []
    for data, image, truth in pairs_of_enlargement():
        file = released(f"sr_x4/{data}/bicubic/{image}")
        ours = bicubic_of_matlab(truth, 4)
        size = tuple(side // 32 * 32 for side in truth.shape[-2:])
        psnr = float(protocol.psnr(centre_crop(ours, *size), centre_crop(truth, *size)))
        rows.append((data, image, ours.numel(), differing(ours, file), round(psnr, 4)))
    return pd.DataFrame(rows, columns=["dataset", "image", "values", "differing", "psnr"])


def low_resolution() -> pd.DataFrame:
    """The low-resolution images of the task with `downsampler=matlab` against those of SelfExSR, at x4."""
    task = registry.build("task", "super_resolution[factor=4,multiple=0,downsampler=matlab]")
    rows = []
    for data, image, truth in pairs_of_enlargement():
        ours = task.degrade(Scene(truth), Streams(0)).measurement
        rows.append((data, image, ours.numel(), differing(ours, released(f"sr_x4/{data}/LR/{image}"))))
    return pd.DataFrame(rows, columns=["dataset", "image", "values", "differing"])


def half_missing(image: str) -> tuple[Tensor, Problem]:
    """The truth and the problem with the authors' own mask: a pixel is known where the released masked image has it.

    A black pixel of the truth counts as known, for the masked image has its value either way.
    """
    truth = truth_of(dataset("inpaint11"), image)
    masked = released(f"inpaint_gray_50p/masked/{image}")
    known = masked == truth
    problem = Problem("inpainting", masked, Mask(known.float()), tuple(truth.shape), known=known, image_name=image)  # type: ignore[arg-type]
    return truth, problem


def filling() -> pd.DataFrame:
    """Filling by the nearest known pixel against the released Voronoi files, and by linear interpolation."""
    protocol, rows = Protocol(), []
    for image in names("inpaint11"):
        truth, problem = half_missing(image)
        theirs = released(f"inpaint_gray_50p/voronoi/{image}")
        ours = restored("nearest_neighbor", problem)
        inner = Protocol(border=(OUTLINE, OUTLINE))
        rows.append(
            (
                image,
                *(round(float(p.psnr(made, truth)), 4) for p in (protocol, inner) for made in (ours, theirs)),
                round(1 - differing(ours, theirs) / ours.numel(), 4),
                round(float(protocol.psnr(restored("linear_scattered", problem), truth)), 4),
                round(float(protocol.psnr(released(f"inpaint_gray_50p/papyan/{image}"), truth)), 4),
            )
        )
    columns = ["image", "nearest", "voronoi", "nearest_inner", "voronoi_inner", "equal", "linear", "papyan"]
    return pd.DataFrame(rows, columns=columns)


def expected_psnr(truth: Tensor) -> float:
    """The PSNR in dB that Gaussian noise of SIGMA, clipped with the image to [0, 1], has on average.

    The second moment of a clipped normal variable, in closed form, over the pixels.
    """
    x = truth.double().numpy()
    low, high = -x / SIGMA, (1 - x) / SIGMA
    inside = norm.cdf(high) - norm.cdf(low) - high * norm.pdf(high) + low * norm.pdf(low)
    error = SIGMA**2 * inside + x**2 * norm.cdf(low) + (1 - x) ** 2 * norm.sf(high)
    return float(-10 * torch.log10(torch.tensor(error.mean())))


def noise() -> pd.DataFrame:
    """The noisy images of the task against what clipped noise has on average, and against the authors' noisy files."""
    task, rows = registry.build("task", "denoising[sigma=25]"), []
    for image in names("cbm3d9"):
        truth = truth_of(dataset("cbm3d9"), image)
        psnrs = [
            float(task.protocol().psnr(task.degrade(Scene(truth), Streams(seed)).measurement, truth))
            for seed in range(3)
        ]
        theirs = float(task.protocol().psnr(released(f"denoise_color_s25/noisy/{image}"), truth))
        rows.append((image, *(round(psnr, 4) for psnr in (*psnrs, expected_psnr(truth), theirs))))
    return pd.DataFrame(rows, columns=["image", "seed_0", "seed_1", "seed_2", "expected", "released"])


def denoised_row(image: str) -> tuple[str, float, float, float]:
    """Name, PSNR of our CBM3D and of the authors' on their noisy file in dB, and our seconds."""
    truth, noisy = truth_of(dataset("cbm3d9"), image), released(f"denoise_color_s25/noisy/{image}")
    start = time.perf_counter()
    ours = restored("bm3d", Problem("denoising", noisy, Identity(), tuple(noisy.shape), sigma=SIGMA))  # type: ignore[arg-type]
    seconds = time.perf_counter() - start
    psnrs = [float(Protocol().psnr(made, truth)) for made in (ours, released(f"denoise_color_s25/bm3d/{image}"))]
    return image, round(psnrs[0], 4), round(psnrs[1], 4), round(seconds, 1)


def cbm3d() -> pd.DataFrame:
    """CBM3D on the authors' noisy files against their outputs."""
    rows = [denoised_row(image) for image in names("cbm3d9")]
    return pd.DataFrame(rows, columns=["image", "ours", "released", "seconds"])


PARTS: dict[str, Callable[[], pd.DataFrame]] = {
    "bicubic": bicubic,
    "low_resolution": low_resolution,
    "filling": filling,
    "noise": noise,
    "cbm3d": cbm3d,
    "tuning": tuning,
    "deblurring": deblurring,
}
"""What can be checked, by name."""


def main() -> None:
    """Writes the numbers of the parts that were asked for, and the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"default: all of {', '.join(PARTS)}")
    torch.set_num_threads(1)
    NUMBERS.mkdir(parents=True, exist_ok=True)
    REPORT.mkdir(parents=True, exist_ok=True)
    for part in parser.parse_args().parts or PARTS:
        try:
            numbers = PARTS[part]()
        except UserError as error:
            sys.exit(f"classical_rows: {error}")
        numbers.to_csv(NUMBERS / f"{part}.csv", index=False, lineterminator="\n")
        print(f"{part}: {len(numbers)} images", flush=True)
    (REPORT / "README.md").write_text(render(NUMBERS), encoding="utf-8")


if __name__ == "__main__":
    main()
