"""How far the settings of the classical denoisers are from the best of a grid, at every noise level.

On the central 160x160 pixels of six photographs that are in no table (data set `photos`), sigma 10 to 75 in 8-bit
levels, clipped to [0, 1] and not, one seed. A setting is judged by its mean PSNR over the six.
"""

from itertools import product

import pandas as pd

from dipbench import registry
from dipbench.contract import Task
from dipbench.data.loading import load
from dipbench.streams import Streams

SIGMAS = (10, 15, 25, 50, 75)
STRENGTHS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
GRIDS = {
    "nlm": [f"nlm[patch_size={patch},strength={strength}]" for patch, strength in product((3, 5, 7), STRENGTHS)],
    "tv": [f"tv[strength={strength}]" for strength in (*STRENGTHS, 1.0)],
    "wavelet": [
        f"wavelet[wavelet={name},levels={levels}]" for name, levels in product(("db1", "db2", "sym4"), (2, 3, 4, 5))
    ],
}
"""The defaults stand beside them by their names alone."""


def mean_psnr(task: Task, method: str) -> float:
    """Over the photographs, dB."""
    dataset = registry.build("dataset", "photos[crop=160]")
    psnrs = []
    for name in dataset.names():
        scene = task.prepare(load(dataset, name))
        problem = task.degrade(scene, Streams(0, ("tuning", name)))
        *_, last = registry.build("method", method).run(problem, Streams(0))
        psnrs.append(float(task.protocol().psnr(last, task.image_of(scene))))
    return sum(psnrs) / len(psnrs)


def rows() -> pd.DataFrame:
    """A row a method, noise level and clipping: the default's mean PSNR, and how much the best of the grid is above."""
    found = []
    for method, sigma, clip in product(GRIDS, SIGMAS, (True, False)):
        task = registry.build("task", f"denoising[sigma={sigma},clip={str(clip).lower()}]")
        grid = {setting: mean_psnr(task, setting) for setting in GRIDS[method]}
        best, default = max(grid, key=grid.__getitem__), mean_psnr(task, method)
        facts = {"method": method, "sigma": sigma, "clipped": clip, "default": default, "best of the grid": grid[best]}
        found.append({**facts, "loses": max(0.0, grid[best] - default), "best setting": best})
    return pd.DataFrame(found).round(3)
