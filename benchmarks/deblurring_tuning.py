"""How far the settings of the deblurring methods are from the best of a grid, for several kernels and noise levels.

On the same photographs as `classical_tuning.py`, none of which is in a table, with a circular border, one seed.
"""

from itertools import product

import pandas as pd
from classical_tuning import mean_psnr

from dipbench import registry

KERNELS = ("gaussian", "disk", "motion,angle=30", "binomial")
SIGMAS = (0.5, 2, 8)
GRIDS = {
    "wiener": [f"wiener[balance={balance}]" for balance in (1e-4, 2e-4, 4e-4, 1e-3, 2e-3, 4e-3, 1e-2, 2e-2, 4e-2, 0.1)],
    "richardson_lucy": [f"richardson_lucy[iterations={count}]" for count in (5, 9, 14, 22, 35, 55, 90, 140, 220, 350)],
    "tv": [f"tv[strength={strength}]" for strength in (0.01, 0.02, 0.03, 0.06, 0.09, 0.12, 0.18, 0.25)],
}
"""The defaults stand beside them by their names alone."""


def rows() -> pd.DataFrame:
    """A row a method, kernel and noise level: the default's mean PSNR, and how much the best of the grid is above."""
    found = []
    for method, kernel, sigma in product(GRIDS, KERNELS, SIGMAS):
        task = registry.build("task", f"deblurring[kernel={kernel},sigma={sigma}]")
        grid = {setting: mean_psnr(task, setting) for setting in GRIDS[method]}
        best, default = max(grid, key=grid.__getitem__), mean_psnr(task, method)
        facts = {"method": method, "kernel": kernel, "sigma": sigma, "default": default, "best of the grid": grid[best]}
        found.append({**facts, "loses": max(0.0, grid[best] - default), "best setting": best})
    return pd.DataFrame(found).round(3)
