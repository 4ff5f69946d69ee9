"""DeepRED. Mataev, Elad and Milanfar, ICCV Workshops 2019: Deep Image Prior, regularised by a denoiser, by ADMM.

Beside the network's output f there are an image x and a dual u. In each iteration the network takes a step of Adam on
|f - y|^2 + m |f - (x - u)|^2, and then x <- (b D(x) + m (f + u)) / (b + m) and u <- u + f - x, where D is non-local
means of each channel. Each time that the data-fit PSNR passes a threshold, b and m grow by 0.03 and the threshold by
0.01 dB: so the denoiser takes over as the noise begins to be fitted. The network is that of `dip`; settings of the
official denoising notebook (GaryMataev/DeepRED); its super-resolution and deblurring are not here. Differs: there D
runs in a thread and is used when it is done, about 10 steps late; here it is always used 10 steps late, so that a seed
gives one result. There is no backtracking, though the row of `dip` has it. There the average of the outputs begins with
the measurement rounded to black and white, here with the first output. D is computed on the host, so that no CUDA
graph is made of a fit.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from dipbench.methods.dip import DeepImagePrior
from skimage.restoration import denoise_nl_means
from torch import Tensor

from dipbench.contract import FitSettings, Fitting, NonNegativeFloat, PositiveFloat, PositiveInt, Problem, Trick
from dipbench.images.arrays import from_array, to_array
from dipbench.operators import Identity

_GROWTH, _RISE = 0.03, 0.01  # of both weights, and of the threshold in dB, each time that it is passed


@dataclass(frozen=True)
class Denoised(Trick):
    """Pulls the output to an image that is denoised again and again, by ADMM."""

    waits: ClassVar[bool] = True  # for the image that the host denoises

    weight: float
    threshold: float
    every: int
    sigma: float

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        y = fit.problem.measurement[None]
        numbers = {"weight": self.weight, "threshold": self.threshold, "steps": 0.0}
        return {
            "image": y.clone(),
            "dual": torch.zeros_like(y),
            "denoised": y.clone(),  # what is used
            "next": y.clone(),  # what will be
            "output": torch.zeros_like(y),
            **{name: torch.full((), number, device=y.device) for name, number in numbers.items()},
        }

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor:
        memory["output"].copy_(output.detach())
        return memory["weight"] * (output - (memory["image"] - memory["dual"])).square().mean()

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        if int(memory["steps"]) % self.every == 0:
            memory["denoised"].copy_(memory["next"])
            memory["next"].copy_(self._denoise(memory["image"][0])[None])
        memory["steps"] += 1
        pulled = memory["denoised"] + memory["output"] + memory["dual"]  # b and m are equal at all times
        memory["image"].copy_((pulled / 2).clamp(0, 1))
        memory["dual"] += memory["output"] - memory["image"]
        passed = -10 * torch.log10(fit.misfit) > memory["threshold"]
        memory["weight"] += _GROWTH * passed
        memory["threshold"] += _RISE * passed

    def _denoise(self, image: Tensor) -> Tensor:
        settings = {"patch_size": 5, "patch_distance": 6, "h": 0.6 * self.sigma, "sigma": self.sigma}
        channels = [
            from_array(denoise_nl_means(to_array(channel)[..., 0], fast_mode=True, **settings), channel)
            for channel in image[:, None]
        ]
        return torch.cat(channels)


@dataclass(frozen=True)
class DeepRed(DeepImagePrior):
    """Deep Image Prior pulled to an image that non-local means denoise."""

    paper = "arXiv:1903.10176"

    iterations: PositiveInt | None = 6000  # steps of Adam
    learning_rate: PositiveFloat | None = 0.008  # of Adam
    jitter: NonNegativeFloat | None = 0.033  # std of the noise added afresh to the input at each iteration
    backtrack: PositiveFloat | Literal["never"] | None = "never"  # drop in dB that triggers a rollback; or never
    weight: NonNegativeFloat = 0.5  # of the pull at the beginning, and of the denoised image in x
    threshold: float = 20.0  # data-fit PSNR, dB, from which on the weights grow
    every: PositiveInt = 10  # steps from one denoised image to the next
    denoiser_sigma: PositiveFloat = 3.0  # noise level that non-local means are told, in 8-bit grey levels

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.operator, Identity) or problem.counted is not None:
            return "its denoiser begins with the image measured as it is, every pixel of it"
        return super().refuses(problem)

    def fit_settings(self, problem: Problem) -> FitSettings:
        settings = super().fit_settings(problem)
        pull = Denoised(self.weight, self.threshold, self.every, self.denoiser_sigma / 255)
        return replace(settings, tricks=(*settings.tricks, pull))

    def resolved(self, problem: Problem) -> dict[str, Any]:
        own = ("weight", "threshold", "every", "denoiser_sigma")
        return {**super().resolved(problem), **{name: getattr(self, name) for name in own}}
