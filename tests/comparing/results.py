"""Tables of results for comparisons: made up, and the released outputs of the Deep Image Prior paper."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dipbench.comparing.ranking import Comparison, comparison_of
from dipbench.published import AVERAGE, numbers_of
from dipbench.scoring import METRICS

LUMA = "peak:1|channels:luma|border:4+5|quantisation:none"
PSNR = METRICS["psnr"]
Scores = dict[tuple[str, int], float]


def made(offset: float = 0.0, spread: float = 0.0, images: int = 10, seeds: int = 1, draw: int = 0) -> Scores:
    """Images from 22 to 31 dB, and what a method is better by: its mean is `offset`, its deviation `spread`."""
    normal = np.random.default_rng(draw).normal(size=(images, seeds))
    gains = offset + spread * (normal - normal.mean()) / normal.std(ddof=1)
    return {(f"image {i}", s): 22.0 + i + gains[i, s] for i in range(images) for s in range(seeds)}


def found(table: pd.DataFrame, **choices: object) -> Comparison:
    comparison = comparison_of(table, PSNR, **choices)  # type: ignore[arg-type]
    assert comparison is not None
    return comparison


def results(
    scores: Mapping[str, Mapping[tuple[str, int], float]], output: str = "final", protocol: str = LUMA
) -> pd.DataFrame:
    """A table of results of one experiment from the PSNR of each method on each image and seed."""
    return pd.DataFrame(
        [
            {
                "experiment": "made up",
                "image": image,
                "seed": seed,
                "method": method,
                "output": output,
                "psnr": psnr,
                "ssim": psnr / 40,
                "status": "done",
                "message": "",
                "protocol": protocol,
                "run": f"{method}-{image}-{seed}",
                "measurement": f"{image}-{seed}",
                "device": "cpu",
            }
            for method, numbers in scores.items()
            for (image, seed), psnr in numbers.items()
        ]
    )


def released(table: str, dataset: str, method: str, protocol: str = "") -> dict[tuple[str, int], float]:
    """The PSNR of what the authors released, recomputed, by image; the seed is 0."""
    numbers = [number for number in numbers_of(table, dataset, method) if number.status == "recomputed"]
    return {
        (number.image, 0): number.value
        for number in numbers
        if number.image != AVERAGE and number.protocol == (protocol or number.protocol)
    }
