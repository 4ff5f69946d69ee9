"""Computes the figures that the released weights of learned methods are known to give.

    DIPBENCH_DATA=FOLDER python benchmarks/learned_rows.py

FOLDER has the data sets set5, set12, cbsd68 and released, and the weights; without it they are read from where
`dipbench data fetch` put them. It takes eight minutes on one core, writes results/reference/learned/figures.csv with a
row for each image, and renders reports/learned/README.md from it. Every figure is of the method as a suite runs it.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from classical_report import table

from dipbench import registry
from dipbench.contract import Dataset, Method, Problem, Scene, Task
from dipbench.data.weights import Weights
from dipbench.errors import UserError
from dipbench.scoring import Protocol
from dipbench.streams import Streams

ROOT = Path(__file__).parent.parent
NUMBERS = ROOT / "results" / "reference" / "learned" / "figures.csv"
REPORT = ROOT / "reports" / "learned" / "README.md"

DENOISING = "denoising[sigma=25,clip=false]"
X4, X8 = "super_resolution_matlab[factor=4]", "super_resolution[factor=8,downsampler=matlab,multiple=0]"


@dataclass(frozen=True)
class Figure:
    """The mean PSNR of a method that is known, in dB, and how near ours has to be."""

    method: str
    dataset: str
    task: str
    expected: float  # measured with the same weights by another program
    within: float
    protocol: Protocol
    every: int = 1  # of the images in the order of their names, from the first


ROUNDED = Protocol(quantisation="round")
"""That of the denoisers: the image in 8 bit."""

FIGURES = (
    Figure("dncnn", "set12", DENOISING, 30.42, 0.05, ROUNDED),
    Figure("ffdnet", "set12", DENOISING, 30.41, 0.05, ROUNDED),
    Figure("dncnn", "cbsd68", DENOISING, 30.57, 0.05, ROUNDED, every=11),
    Figure("ffdnet", "cbsd68", DENOISING, 30.48, 0.05, ROUNDED, every=11),
    *(
        Figure(method, "set5", X4, expected, 0.02, Protocol("luma", (4, 4)))
        for method, expected in (
            ("dncnn3", 31.40),
            ("vdsr", 31.44),
            ("lapsrn", 31.63),
            ("carn_m", 31.89),
            ("rfdn", 32.16),
        )
    ),
    Figure("lapsrn", "set5", X8, 26.14, 0.02, Protocol("luma", (8, 8))),
)


def rows(figure: Figure) -> Iterator[dict[str, object]]:
    """A row for each image."""
    dataset: Dataset = registry.build("dataset", figure.dataset)
    method: Method = registry.build("method", figure.method)
    for image in sorted(dataset.names())[:: figure.every]:
        problem, truth = posed(figure, dataset, image)
        began = time.perf_counter()
        estimate = next(method.run(problem, Streams(0)))
        yield {
            "method": figure.method,
            "dataset": figure.dataset,
            "task": figure.task,
            "image": image,
            "psnr": float(figure.protocol.psnr(estimate, truth)),
            "seconds": time.perf_counter() - began,
        }


def posed(figure: Figure, dataset: Dataset, image: str) -> tuple[Problem, torch.Tensor]:
    """The problem of an image, and its truth. At x4 the low-resolution image is the file of SelfExSR."""
    task: Task = registry.build("task", figure.task)
    scene = task.prepare(Scene(dataset.read(image)))
    assert scene.image is not None
    if figure.task == X4:
        small = registry.build("dataset", "released").read(f"sr_x4/{figure.dataset}/LR/{image}")
        return task.pose(small), scene.image
    return task.degrade(scene, Streams(0)), scene.image


def render(frame: pd.DataFrame) -> str:
    """The report on the numbers of every image."""
    lines = []
    for figure in FIGURES:
        of = (frame["method"] == figure.method) & (frame["dataset"] == figure.dataset) & (frame["task"] == figure.task)
        ours = frame.loc[of, "psnr"].mean()
        lines.append(
            {
                "method": figure.method,
                "data": f"{figure.dataset}, {of.sum()} images",
                "task": f"`{figure.task}`",
                "ours": ours,
                "expected": figure.expected,
                "within": f"{figure.within:g}",
                "right": "yes" if abs(ours - figure.expected) <= figure.within else "NO",
                "seconds an image": frame.loc[of, "seconds"].mean(),
            }
        )
    weights = [
        {"file": file.name, "parameters": file.parameters, "from": f"{file.repo} `{file.path}`", "terms": file.licence}
        for file in Weights().files()
        if file.parameters
    ]
    return HEAD.format(figures=table(pd.DataFrame(lines)), weights=table(pd.DataFrame(weights)))


HEAD = """# The learned rows, checked

`python benchmarks/learned_rows.py` made these numbers; every image is in
[results/reference/learned](../../results/reference/learned). Mean PSNR in dB of the methods as a suite runs them.
`expected` is what another program measured with the same weights.

{figures}

Denoising: noise of seed 0, not clipped, the result rounded to 8 bit; of CBSD68 every eleventh image in the order of
names. x4: the low-resolution files of SelfExSR (data set `released`), luma in floating point, 4 pixels left out at each
border. x8: MATLAB's reduction of the 8-bit image, 8 pixels left out. The seconds are those of one core that was shared.

## The weights

Which images each was trained on, the head of its file in `methods/` says.

{weights}
"""


def main() -> None:
    """Computes the figures and writes the numbers and the report."""
    torch.set_num_threads(1)
    frame = pd.DataFrame([row for figure in FIGURES for row in rows(figure)])
    for path in (NUMBERS, REPORT):
        path.parent.mkdir(parents=True, exist_ok=True)
    frame.round({"psnr": 4, "seconds": 2}).to_csv(NUMBERS, index=False, lineterminator="\n")
    REPORT.write_text(render(frame), encoding="utf-8")
    print(REPORT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"learned_rows: {error}")
