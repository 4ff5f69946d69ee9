"""Linear interpolation of scattered pixels: the known pixels are joined to Delaunay triangles, each of them a plane.

Delaunay 1934; SciPy's LinearNDInterpolator on Qhull. Differs: outside the convex hull of the known pixels, where no
triangle is, a missing pixel takes the value of the nearest known one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.images.arrays import from_array, to_array
from dipbench.streams import Streams


@dataclass(frozen=True)
class LinearScattered(Method):
    """Interpolates linearly between the known pixels around each missing one."""

    def refuses(self, problem: Problem) -> str | None:
        if problem.known is None:
            return "no pixels are missing"
        rows, columns = problem.known[0].nonzero().cpu().numpy().T  # (N,) each
        if len(rows) < 3 or np.linalg.matrix_rank(np.stack([rows - rows[0], columns - columns[0]])) < 2:
            return "needs three known pixels that are not on one line"
        return None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        assert problem.known is not None, "refused"
        known = problem.known[0].cpu().numpy()
        places, missing = np.argwhere(known), np.argwhere(~known)  # (N, 2): row, column
        filled = to_array(problem.measurement).copy()  # (H, W, C)
        values = LinearNDInterpolator(places, filled[known])(missing)  # (M, C), NaN outside the hull
        outside = np.isnan(values[:, 0])
        if outside.any():
            values[outside] = NearestNDInterpolator(places, filled[known])(missing[outside])
        filled[~known] = values
        yield from_array(filled, problem.measurement)
