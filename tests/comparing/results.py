"""Tables of results for comparisons: made up, and the released outputs of the Deep Image Prior paper."""

from collections.abc import Mapping

import pandas as pd

from dipbench.published import AVERAGE, numbers_of

LUMA = "peak:1|channels:luma|border:4+5|quantisation:none"


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
