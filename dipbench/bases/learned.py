"""Methods that learned from other images: a network with the weights that others released, in one pass.

They are what the untrained priors are compared with. A file of such a method says whose the weights are, under which
terms, and which images they were trained on; a table marks it apart by that (`trained_on`).
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dipbench.contract import Method, Problem
from dipbench.data.weights import with_weights
from dipbench.images.resampling import resize
from dipbench.scoring import luma
from dipbench.streams import Streams

_SWING = 219 / 255  # of luma, from black to white


@dataclass(frozen=True)
class Learned(Method):
    """A network that is not fitted: its weights are a file of dipbench/data/weights.csv, which has to be here."""

    files: ClassVar[tuple[str, ...]]  # of weights, every one that some problem takes

    @abstractmethod
    def weights(self, problem: Problem) -> str:
        """Which of `files` takes a problem."""

    @abstractmethod
    def network(self, problem: Problem) -> nn.Module:
        """The network that these weights are of."""

    def restore(self, problem: Problem, network: nn.Module) -> Tensor:
        """The estimate (C, H, W): the network's output for the measurement."""
        return network(problem.measurement[None])[0]

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**super().resolved(problem), "weights": self.weights(problem)}

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        with torch.device("meta"):  # nothing is drawn for weights that are read
            network = self.network(problem)
        network = with_weights(network, self.weights(problem)).to(problem.device)
        with torch.no_grad():
            estimate = self.restore(problem, network)
        yield estimate


def levels(image: Tensor) -> Tensor:
    """What a network of one channel is given of an image (C, H, W): the luma of RGB, grey levels as they are."""
    return luma(image) if image.shape[0] == 3 else image


def with_levels(image: Tensor, changed: Tensor) -> Tensor:
    """The image (C, H, W) with these levels (1, H, W) and its own chroma."""
    return image + (changed - luma(image)) / _SWING if image.shape[0] == 3 else changed


def enlarged(problem: Problem) -> Tensor:
    """The measurement enlarged by MATLAB's bicubic kernel to the shape sought; it may leave [0, 1]."""
    return resize(problem.measurement, problem.shape[1:], "bicubic")
