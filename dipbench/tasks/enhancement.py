"""Enhancement of detail. Deep Image Prior, the journal version (IJCV 2020), which no official notebook has.

A network is fitted to a photograph and stopped before it shows the details: the coarse image c. With the photograph
x the details are x - c, and the enhanced photograph is x + gain (x - c). So what is restored is c, the measurement is
x itself, and `views` has the other two. Nobody has a truth of what is enhanced: PSNR says how far c has come to x.

From memory, for the text could not be read: the gain is 1, and c is the output at 500 iterations and at later ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import PositiveFloat, Problem, Scene, Task
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Enhancement(Task):
    """Parts a photograph into a coarse image and its details, which are then added once more."""

    paper = "arXiv:1711.10925"

    gain: PositiveFloat = 1.0  # how many times the details are added

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        return self.pose(self.image_of(scene))

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        return Problem("enhancement", measurement, Identity(), (channels, height, width))

    def shown(self, problem: Problem) -> Tensor | None:
        return None  # it is the image, which is shown as the truth

    def views(self, output: Tensor, problem: Problem) -> Mapping[str, Tensor]:
        detail = problem.measurement - output
        return {"detail": 0.5 + detail, "enhanced": problem.measurement + self.gain * detail}

    def protocol(self) -> Protocol:
        return Protocol()
