"""The deep decoder on its authors' photograph, beside the PSNR that their notebook printed.

    python benchmarks/deep_decoder.py astronaut.png --channels 32 --channels 64

The photograph is test_data/astronaut.png of github.com/reinhardh/supplement_deep_decoder at 9031ea9: another part of
the portrait than scikit-image's image of that name, on which k = 32 gets 4 dB less. As in denoising.ipynb, sigma 25 and
one draw for all three channels, clipped; 1900 iterations; the output of the lowest loss. It writes
results/reference/priors/deep_decoder.csv.
"""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer

from dipbench import registry
from dipbench.fit import Execution, begin
from dipbench.images.files import read_image
from dipbench.streams import Streams

PRINTED = {32: 27.00, 64: 29.15, 128: 29.22}  # dB, denoising.ipynb; no seed was set
NOISY = 20.58  # dB, of the noisy image, likewise
_FIT = ["channels", "seed", "precision"]
FILE = Path(__file__).parent.parent / "results" / "reference" / "priors" / "deep_decoder.csv"


def psnr(image: torch.Tensor, truth: torch.Tensor) -> float:
    """Of an image in [0, 1], in dB."""
    return float(-10 * torch.log10((image - truth).square().mean()))


def restored(truth: torch.Tensor, channels: int, seed: int, execution: Execution) -> dict[str, object]:
    """A line of the table."""
    noise = 25 / 255 * torch.from_numpy(Streams(seed).numpy("noise").standard_normal((1, *truth.shape[1:]))).float()
    problem = registry.build("task", "denoising").pose((truth + noise).clamp(0, 1))
    method = registry.build("method", f"deep_decoder[channels={channels}]")
    rows: list[tuple[float, float]] = []
    course, start = begin(method, problem, Streams(seed), execution), time.process_time()
    while course.advance(lambda step: rows.append((float(step.loss), psnr(step.estimate, truth)))):
        if len(rows) % 100 == 0:
            print(channels, len(rows), f"{rows[-1][1]:.2f} dB", flush=True)
    losses = np.array([loss for loss, _ in rows], dtype=np.float32)
    kept = method.stop.judge({"iteration": np.arange(len(rows)), "loss": losses}).iteration
    return {
        "channels": channels, "seed": seed, "engine": execution.engine, "precision": execution.precision,
        "noisy": psnr(problem.measurement, truth), "noisy_printed": NOISY, "psnr": rows[kept][1],
        "psnr_printed": PRINTED[channels], "iteration": kept, "best": max(value for _, value in rows),
        "seconds": time.process_time() - start,
    }  # fmt: skip


def main(
    image: Path,
    channels: Annotated[list[int], typer.Option(help="k: 32, 64 or 128.")],
    seed: int = 0,
    precision: str = "float32",
) -> None:
    """Fits and writes the table, a line a number of channels; lines of others stay."""
    torch.set_num_threads(1)
    truth = read_image(image)[:3]
    for number in channels:
        line = restored(truth, number, seed, Execution("lean", precision))
        before = [pd.read_csv(FILE)] if FILE.exists() else []
        found = pd.concat([*before, pd.DataFrame([line])]).drop_duplicates(_FIT, keep="last")
        FILE.parent.mkdir(parents=True, exist_ok=True)
        found.sort_values(["channels", "seed"]).round(4).to_csv(FILE, index=False)
        print(line)


if __name__ == "__main__":
    typer.run(main)
