"""Inpainting by the nearest known pixel: each missing pixel takes the value of the known one closest to it.

Among several at the same distance the Euclidean distance transform of SciPy chooses.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.streams import Streams


@dataclass(frozen=True)
class NearestNeighbor(Method):
    """Copies the nearest known pixel into each missing one."""

    def refuses(self, problem: Problem) -> str | None:
        return "no pixels are missing" if problem.known is None else None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        assert problem.known is not None, "refused"
        missing = ~problem.known[0].cpu().numpy()
        nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
        rows, columns = torch.from_numpy(nearest).long().to(problem.device)  # (H, W) each
        yield problem.measurement[:, rows, columns]
