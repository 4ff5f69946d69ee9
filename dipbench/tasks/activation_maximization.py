"""Activation maximisation: the picture to which a channel or a class of a classifier answers most. Deep Image Prior.

Settings of the official activation_maximization.ipynb. Of a channel -5 times the sum over a window in the middle of its
map is minimised; of a class, which has no map, 5 times the distance of its number, before the softmax, to 300. There is
no photograph: nothing was measured, there is no truth. Differs: the classifiers are torchvision's; and a window that
is larger than the map is all of it, where the official one, in maps of 20 to 39 pixels, is what lies at their end.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from dipbench.classifiers.layers import check_size, layer_of
from dipbench.classifiers.operator import Seeing
from dipbench.classifiers.table import ClassifierName
from dipbench.contract import NonNegativeInt, PositiveFloat, PositiveInt, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class ActivationMaximization(Task):
    """Makes a picture that a channel or a class of a classifier answers to."""

    paper = "arXiv:1711.10925"
    invents: ClassVar[bool] = True

    classifier: ClassifierName = "squeezenet1_1"  # of dipbench/classifiers/classifiers.toml, which names their layers
    layer: str = "fire9"  # that the unit is of, such as conv4, or by torchvision's name, such as features.8
    unit: NonNegativeInt = 2  # the channel of a layer with maps, else the class
    side: PositiveInt = 227  # of the picture, pixels
    half_width: PositiveInt = 20  # of the window in the middle of the map in which a channel counts
    target: float = 300.0  # what the number of a class is driven to
    weight: PositiveFloat = 5.0  # of what is minimised

    @classmethod
    def tiny(cls) -> Self:
        return cls(side=32)

    def prepare(self, scene: Scene) -> Scene:
        """Nothing of it: the picture is of no scene."""
        return Scene(None)

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        check_size(self.classifier, self.side)
        layer = layer_of(self.classifier, self.layer)
        shape = (3, self.side, self.side)
        with torch.no_grad():
            answers = layer(torch.zeros((1, *shape)))
        if self.unit >= answers.shape[1]:
            raise UserError(
                f"unit must be below {answers.shape[1]}, of layer '{self.layer}' of {self.classifier}, got {self.unit}"
            )
        operator = Seeing(layer, self.unit, self.half_width)
        aim = operator(torch.zeros(shape))
        if answers.ndim == 2:  # a class
            name, aim, criterion = "activation_maximization_class", torch.full_like(aim, self.target), self._to_target
        else:
            name, aim, criterion = "activation_maximization", torch.zeros_like(aim), self._upwards
        return Problem(name, aim, operator, shape, criterion=criterion)

    def _upwards(self, activation: Tensor, aim: Tensor) -> Tensor:
        return -self.weight * (activation - aim).sum()

    def _to_target(self, activation: Tensor, aim: Tensor) -> Tensor:
        return self.weight * (aim - activation).abs().sum()

    def pose(self, measurement: Tensor) -> Problem:
        raise UserError(
            "activation_maximization takes no picture: dipbench run with the data set nothing, as in "
            "paper/activation_maximization"
        )

    def protocol(self) -> Protocol:
        return Protocol()

    @torch.no_grad()
    def scores(self, output: Tensor, truth: Tensor | None, problem: Problem) -> dict[str, float]:
        """How strongly the unit answers: the mean over the window, or the number of the class."""
        return {"activation": float(problem.operator(output.to(problem.device)).mean())}
