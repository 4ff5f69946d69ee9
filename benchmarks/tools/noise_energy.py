"""The noise energy that is on a picture beside the one that is told, and what the discrepancy rule makes of either.

    python benchmarks/tools/noise_energy.py overfitting/stop_rules overfitting/full_size priors/thumbnails

Of the committed fits whose rule was told the energy. Their traces are thinned to every tenth iteration: in between,
misfit and PSNR are taken on a line, for both energies alike. Writes results/reference/overfitting/noise_energy.csv.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from reference import Kept, read

from dipbench import registry
from dipbench.contract import Problem, Scene, Task
from dipbench.contract.noise_level import noise_energy, sigma_left
from dipbench.data.loading import load
from dipbench.spec import Spec
from dipbench.streams import Streams
from dipbench.trace.patience import trailing_mean

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "results" / "reference" / "overfitting" / "noise_energy.csv"
TOLD = "residual[energy=told]"
MEAN_OF = 20  # iterations, as the rule has it


def posed(kept: Kept) -> tuple[Scene, Problem]:
    """The scene and the problem of a run, with the noise that it had."""
    run = kept.run
    task: Task = registry.build("task", Spec(run.task["name"], run.task["settings"]))
    scene = task.prepare(load(registry.build("dataset", run.dataset), run.image, task.takes))
    return scene, task.degrade(scene, Streams(run.seed, run.measurement_path))


def stop_of(trace: pd.DataFrame, ratio: float) -> tuple[int, float]:
    """Where the rule stops if the energy is so many times the one told, and how far the raw output is from its peak."""
    each = np.arange(int(trace["iteration"].iloc[-1]) + 1)
    residual, psnr = (np.interp(each, trace["iteration"], trace[name]) for name in (TOLD, "psnr"))
    below = np.flatnonzero(trailing_mean(residual, MEAN_OF) <= ratio)
    at = int(below[0]) if len(below) else len(each) - 1
    return at, float(trace["psnr"].max() - psnr[at])


def rows_of(suite: str) -> Iterator[dict[str, Any]]:
    """A row a fit of a prior."""
    runs, traces = read(ROOT / "results" / "reference" / suite)
    energies: dict[str, tuple[float, float, float]] = {}
    for key, kept in runs.items():
        trace = traces.get(key)
        of_all = "validation" not in kept.run.method["settings"]  # else the fit is not to all of the data
        if not kept.fitted or trace is None or TOLD not in trace or trace[TOLD].isna().all() or not of_all:
            continue
        measured = kept.run.measurement_key
        if measured not in energies:
            scene, problem = posed(kept)
            energy, sigma = noise_energy(problem), sigma_left(problem)
            assert scene.image is not None, "there is a truth"
            assert energy is not None, "the noise level is told"
            assert sigma is not None, "the noise level is told"
            energies[measured] = float((problem.measurement - scene.image).square().mean()), float(energy), sigma**2
        there, present, told = energies[measured]
        trace = trace.sort_values("iteration").dropna(subset=[TOLD, "psnr"])
        by_told, by_present = stop_of(trace, 1.0), stop_of(trace, present / told)
        yield {
            "suite": suite,
            "experiment": kept.named[0][0],
            "image": kept.run.image,
            "method": kept.named[0][1],
            "seed": kept.run.seed,
            "told": round(told / there, 4),
            "present": round(present / there, 4),
            "peak_at": int(trace["iteration"].to_numpy()[trace["psnr"].argmax()]),
            "at_told": by_told[0],
            "at_present": by_present[0],
            "gap_told": round(by_told[1], 3),
            "gap_present": round(by_present[1], 3),
        }


def main(suites: list[str]) -> None:
    """Writes the file, and prints the medians."""
    table = pd.DataFrame([row for suite in suites for row in rows_of(suite)])
    table.to_csv(OUT, index=False, lineterminator="\n")
    groups = table.groupby(["suite", "experiment"])
    print(groups[["told", "present", "gap_told", "gap_present"]].agg(["median", "min", "max"]).round(2).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])
