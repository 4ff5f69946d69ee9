"""Any denoiser or reconstructor of the library deepinv (github.com/deepinv/deepinv).

`deepinv[model=DRUNet]` is the class of that name in `deepinv.models`, as it is by default, with its weights:
`pretrained` names their file where they are not to be downloaded. A denoiser is given the image and the noise level, a
reconstructor the measurement and the forward operator. Learned models are trained on photographs, perhaps those of a
benchmark: on which, deepinv's documentation says. Its `DeepImagePrior` and all else that takes a network to be made is
no model here.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from dipbench.contract import Method, Problem
from dipbench.errors import UserError, unknown
from dipbench.operators import Identity
from dipbench.streams import Streams

_SMALLEST = 16  # pixels a side: most models pad by some, or halve the image a few times


@dataclass(frozen=True)
class DeepInv(Method):
    """A model of deepinv, as it comes."""

    model: str = "MedianFilter"  # a class of deepinv.models that is a Denoiser or a Reconstructor
    pretrained: str = "download"  # where its weights come from, if it has any: download, or a file

    def refuses(self, problem: Problem) -> str | None:
        if find_spec("deepinv") is None:
            return "the package deepinv is not installed: pip install 'dipbench[deepinv]'"
        if min(problem.shape[1:]) < _SMALLEST:
            return f"needs sides of at least {_SMALLEST} pixels"
        if not issubclass(_class_of(self.model), _bases()[0]):
            return None
        if not isinstance(problem.operator, Identity):
            return f"{self.model} denoises images measured as they are"
        return "needs the noise level" if problem.sigma is None else None

    def learned_from(self) -> str:
        learns = (
            find_spec("deepinv") is not None and "pretrained" in inspect.signature(_class_of(self.model)).parameters
        )
        return f"see {self.model} in deepinv's documentation" if learns else ""

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        with rng.seeded("model"):
            model = self._made(problem).to(problem.device).eval()
            with torch.no_grad():
                if isinstance(model, _bases()[0]):
                    estimate = model(problem.measurement[None], problem.sigma)
                else:
                    estimate = model(problem.measurement[None], physics_of(problem))
        yield estimate[0]

    def _made(self, problem: Problem) -> nn.Module:
        cls, channels = _class_of(self.model), problem.shape[0]
        given: dict[str, Any] = {"device": problem.device, "pretrained": self.pretrained}
        given |= dict.fromkeys(("in_channels", "out_channels", "img_channels"), channels)
        known = inspect.signature(cls).parameters
        try:
            made: nn.Module = cls(**{name: value for name, value in given.items() if name in known})
        except TypeError as error:
            raise UserError(f"deepinv's {self.model} cannot be made by its name alone: {error}") from error
        except OSError as error:  # no such file, or no network
            raise UserError(
                f"deepinv's {self.model} has no weights: {error}; to give their file: "
                f"deepinv[model={self.model},pretrained=FILE]"
            ) from error
        return made


def physics_of(problem: Problem) -> Any:
    """The forward operator and the noise level as deepinv's `LinearPhysics`, of (1, C, H, W)."""
    from deepinv.physics import GaussianNoise, LinearPhysics

    noise = GaussianNoise(problem.sigma) if problem.sigma is not None else None
    operator: Any = problem.operator
    return LinearPhysics(A=lambda x, **_: operator(x), A_adjoint=lambda y, **_: operator.adjoint(y), noise_model=noise)


def _bases() -> tuple[type[nn.Module], type[nn.Module]]:
    """What deepinv's models are: denoisers, reconstructors."""
    from deepinv.models import Denoiser, Reconstructor

    return Denoiser, Reconstructor


def _class_of(name: str) -> type[nn.Module]:
    """UserError, with those that there are, for a name of none."""
    from deepinv import models

    there = {key: value for key, value in vars(models).items() if inspect.isclass(value)}
    known = {key: value for key, value in there.items() if issubclass(value, _bases()) and value not in _bases()}
    if name not in known:
        raise unknown("model of deepinv", name, known)
    return known[name]
