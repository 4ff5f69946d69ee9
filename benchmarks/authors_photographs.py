"""Priors on their authors' own photographs, beside the PSNR that the authors' notebooks printed.

    python benchmarks/authors_photographs.py astronaut.png "deep_decoder[channels=32]" "deep_decoder[channels=64]"
    python benchmarks/authors_photographs.py camera.png noise2self "noise2self[batch_norm_start=uniform]"

Each with the noise and the length of its notebook; of the deep decoder the output of the lowest loss is scored, of
Noise2Self that of the lowest error at the pixels that it keeps apart, as there. It writes
results/reference/priors/authors_photographs.csv.

astronaut.png is that of test_data in github.com/reinhardh/supplement_deep_decoder at 9031ea9: another part of the
portrait than scikit-image's image of that name, on which k = 32 gets 4 dB less. camera.png is skimage/data/camera.png
of scikit-image 0.15: later releases have another photograph under that name.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import typer

from dipbench import registry
from dipbench.contract import Method, Prior, Trace
from dipbench.fit import Execution, begin
from dipbench.images.files import read_image
from dipbench.resources import keep_memory
from dipbench.spec import parse
from dipbench.streams import Streams

FILE = Path(__file__).parent.parent / "results" / "reference" / "priors" / "authors_photographs.csv"
_RUN = ["method", "seed", "precision"]


def one_for_all_channels(shape: torch.Size, seed: int) -> torch.Tensor:
    """Noise of sigma 25 as in the deep decoder's denoising.ipynb, which sets no seed."""
    return 25 / 255 * torch.from_numpy(Streams(seed).numpy("noise").standard_normal((1, *shape[1:]))).float()


def of_numpy_seed_3(shape: torch.Size, seed: int) -> torch.Tensor:
    """Noise of variance 0.01 as in "Single-Shot Denoising", whose seed is 3: always the same."""
    return torch.from_numpy(np.random.RandomState(3).normal(0, 0.1, shape)).float()


@dataclass(frozen=True)
class Printed:
    """What a notebook printed, in dB."""

    noise: Callable[[torch.Size, int], torch.Tensor]
    psnr: float
    noisy: float | None = None  # of the noisy image, where it says that


PRINTED = {
    ("deep_decoder", 32): Printed(one_for_all_channels, 27.00, noisy=20.58),
    ("deep_decoder", 64): Printed(one_for_all_channels, 29.15, noisy=20.58),
    ("deep_decoder", 128): Printed(one_for_all_channels, 29.22, noisy=20.58),
    ("noise2self", 64): Printed(of_numpy_seed_3, 30.29),
}
"""By method and channels; whether the batch norms start at 1 or uniformly, as PyTorch's did then, is open to try."""


def printed_of(name: str) -> Printed:
    """What was printed of a method with settings. BadParameter where nothing was."""
    place = parse(name).name, registry.build("method", name).settings().get("channels")
    if place not in PRINTED:
        raise typer.BadParameter(f"a method must have one of {list(PRINTED)} as its name and channels, got '{name}'")
    return PRINTED[place]


def psnr(image: torch.Tensor, truth: torch.Tensor) -> float:
    """Of an image in [0, 1], in dB."""
    return float(-10 * torch.log10((image - truth).square().mean()))


def line(truth: torch.Tensor, name: str, seed: int, execution: Execution) -> dict[str, Any]:
    """A line of the table: one method on its authors' photograph (C, H, W)."""
    printed, method = printed_of(name), registry.build("method", name)
    noisy = (truth + printed.noise(truth.shape, seed)).clamp(0, 1)
    problem = registry.build("task", "denoising").pose(noisy)
    course, start = begin(method, problem, Streams(seed), execution), time.process_time()
    rows: list[tuple[float, float]] = []
    while course.advance(lambda step: rows.append((_loss(step.loss), psnr(step.estimate, truth)))):
        if len(rows) % 100 == 0:
            print(name, len(rows), f"{rows[-1][1]:.2f} dB", flush=True)
    kept = _kept(method, [loss for loss, _ in rows])
    fitted = isinstance(method, Prior)
    return {
        "method": name, "seed": seed, "engine": execution.engine if fitted else "",
        "precision": execution.precision if fitted else "", "noisy": psnr(noisy, truth),
        "noisy_printed": printed.noisy, "psnr": rows[kept][1], "psnr_printed": printed.psnr, "iteration": kept,
        "best": max(value for _, value in rows), "seconds": time.process_time() - start,
    }  # fmt: skip


def _loss(loss: torch.Tensor | None) -> float:
    return float("nan") if loss is None else float(loss)


def _kept(method: Method, losses: list[float]) -> int:
    """The iteration whose output the method would give: by its own rule, or the last."""
    if not isinstance(method, Prior) or method.stop is None:
        return len(losses) - 1
    trace: Trace = {"iteration": np.arange(len(losses)), "loss": np.array(losses, dtype=np.float32)}
    kept = method.stop.judge(trace).iteration
    assert kept is not None
    return kept


def main(photograph: Path, methods: list[str], seed: int = 0, precision: str = "float32", threads: int = 1) -> None:
    """Runs the methods and writes the table, a line a method; lines of others stay."""
    torch.set_num_threads(threads)
    keep_memory()
    truth = read_image(photograph)[:3]
    for name in methods:
        found = pd.DataFrame([line(truth, name, seed, Execution("lean", precision))])
        if FILE.exists():
            before = pd.read_csv(FILE).fillna({"engine": "", "precision": ""})
            found = pd.concat([before, found]).drop_duplicates(_RUN, keep="last")
        FILE.parent.mkdir(parents=True, exist_ok=True)
        found.round(4).to_csv(FILE, index=False, lineterminator="\n")
        print(found.to_string(index=False), flush=True)


if __name__ == "__main__":
    typer.run(main)
