"""Inverting a classifier: the natural pre-image of a layer's features. Deep Image Prior, section 3.

Settings of the official feature_inversion.ipynb: the misfit is the mean squared error between what the layer makes of
the picture sought and what it made of the photograph, before the ReLU that follows (the paper's figure is of AlexNet,
layer by layer up to fc8). The picture is of 224x224 pixels by a slip, which the release of November 2017 did not have
(`side=227`). Differs: the classifiers are torchvision's; the authors' were Caffe's, on a server of theirs.
"""

from dataclasses import dataclass
from typing import Self

import torch
from PIL import Image
from torch import Tensor

from dipbench.classifiers.layers import check_size, classes_of, layer_of
from dipbench.classifiers.operator import Seeing
from dipbench.classifiers.table import ClassifierName
from dipbench.contract import PositiveInt, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.images.files import centre_crop, from_pillow, to_pillow
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Inversion(Task):
    """Finds a picture that a layer of a classifier sees as it sees a photograph."""

    paper = "arXiv:1711.10925"

    classifier: ClassifierName = "squeezenet1_1"  # of dipbench/classifiers/classifiers.toml, which names their layers
    layer: str = "fire9"  # whose features are kept, such as fc6, or by torchvision's name, such as classifier.1
    side: PositiveInt = 224  # of the picture, pixels: the photograph is reduced, and its centre cut out

    @classmethod
    def tiny(cls) -> Self:
        return cls(side=32)

    def prepare(self, scene: Scene) -> Scene:
        """The photograph as the classifier is shown it."""
        check_size(self.classifier, self.side)
        image = self.image_of(scene)
        shorter = min(image.shape[-2:])
        if shorter < self.side:
            raise UserError(
                f"inversion: an image of {image.shape[-1]}x{image.shape[-2]} is smaller than the {self.side} pixels "
                f"that {self.classifier} is shown: take a larger image, or inversion[side={shorter}]"
            )
        if shorter > self.side:
            height, width = (round(side * self.side / shorter) for side in image.shape[-2:])
            image = from_pillow(to_pillow(image).resize((width, height), Image.Resampling.LANCZOS))
            scene = Scene(image)  # what was reduced is no part of the whole image
        return scene.each(lambda picture: centre_crop(picture, self.side, self.side))

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        image = self.image_of(scene)
        operator = Seeing(layer_of(self.classifier, self.layer))
        channels, height, width = image.shape
        return Problem("inversion", operator(image), operator, (channels, height, width))

    def pose(self, measurement: Tensor) -> Problem:
        raise UserError("inversion takes a photograph of a data set, whose features it keeps: dipbench run")

    def protocol(self) -> Protocol:
        return Protocol()

    @torch.no_grad()
    def scores(self, output: Tensor, truth: Tensor | None, problem: Problem) -> dict[str, float]:
        """The relative error of the features, and whether the classifier calls both pictures the same."""
        assert truth is not None, "see `degrade`"
        output = output.to(problem.device)
        error = (problem.operator(output) - problem.measurement).norm() / problem.measurement.norm()
        classes = classes_of(self.classifier)
        ours, theirs = (int(classes(picture[None].cpu()).argmax()) for picture in (output, truth))
        finite = bool(output.isfinite().all())
        return {"feature_error": float(error), "same_class": float(ours == theirs) if finite else torch.nan}
