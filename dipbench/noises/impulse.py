"""Impulse noise, salt and pepper: values are lost. Hendrycks and Dietterich, arXiv:1903.12261. Differs: nothing."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fraction, Noise
from dipbench.streams import Streams


@dataclass(frozen=True)
class Impulse(Noise):
    """A share of the values is black or white, each as likely; every channel of a pixel by itself."""

    paper = "arXiv:1903.12261"

    share: Fraction = 0.3  # of the values

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        drawn = torch.from_numpy(rng.numpy("noise").uniform(size=tuple(clean.shape)))
        peppered = clean.masked_fill(drawn < self.share / 2, 0.0)
        return peppered.masked_fill(drawn >= 1 - self.share / 2, 1.0)
