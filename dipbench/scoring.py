"""How a number is scored. A number without its protocol's signature is not comparable with any other."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

import torch
from torch import Tensor

Channels = Literal["all", "luma", "luma_or_grey"]
Quantisation = Literal["none", "round", "truncate", "round_both"]

_LUMA = (65.481, 128.553, 24.966)  # ITU-R BT.601, studio swing: Y in 16..235 of 255 for RGB in [0, 1]


def luma(image: Tensor) -> Tensor:
    """Luma Y (..., 1, H, W) in [16/255, 235/255] of an RGB or grey image (..., C, H, W) in [0, 1]. ITU-R BT.601."""
    weights = _luma_weights(image.dtype, image.device)
    if image.shape[-3] == 1:
        return (16 + weights.sum() * image) / 255
    return ((16 + torch.einsum("c,...chw->...hw", weights, image)) / 255).unsqueeze(-3)


@cache  # to copy them to a GPU at each call would make the host wait for it
def _luma_weights(dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(_LUMA, dtype=dtype, device=device)


def grey(image: Tensor) -> Tensor:
    """The grey image (..., 1, H, W) in [0, 1] that has the luma of an RGB image (..., 3, H, W). ITU-R BT.601."""
    return (luma(image) * 255 - 16) / sum(_LUMA)


_CHANNELS = {
    "all": "over all channels",
    "luma": "over luma (BT.601)",
    "luma_or_grey": "over luma (BT.601) of colour and over grey as it is",
}
_ROUNDING = {
    "none": "",
    "round": "estimate rounded to 8 bits",
    "truncate": "estimate truncated to 8 bits",
    "round_both": "estimate and truth rounded to 8 bits",
}
_SIGNATURE = re.compile(r"peak:1\|channels:(\w+)\|border:(\d+)\+(\d+)\|quantisation:(\w+)")


def _pixels(count: int) -> str:
    return f"{count} pixel" if count == 1 else f"{count} pixels"


def in_words(signature: str) -> str:
    """`Protocol.words` of the protocol with that signature; a signature that is of none stays as it is."""
    found = _SIGNATURE.fullmatch(signature)
    if not found or found[1] not in _CHANNELS or found[4] not in _ROUNDING:
        return signature
    channels, quantisation = cast(Channels, found[1]), cast(Quantisation, found[4])
    return Protocol(channels, (int(found[2]), int(found[3])), quantisation).words


@dataclass(frozen=True)
class Protocol:
    """What is compared with the truth: the channels, the pixels, and the rounding. The peak value is 1."""

    channels: Channels = "all"  # jointly; BT.601 luma in 16..235; that, but grey as it is
    border: tuple[int, int] = (0, 0)  # pixels left out at the start and at the end of each axis
    # To 8 bit: of the estimate; or, `round_both`, of estimate and truth, once the channels are chosen.
    quantisation: Quantisation = "none"

    @property
    def signature(self) -> str:
        """One short line that tells this protocol from every other."""
        start, end = self.border
        return f"peak:1|channels:{self.channels}|border:{start}+{end}|quantisation:{self.quantisation}"

    @property
    def words(self) -> str:
        """The signature as it stands in a caption: `over all channels, peak 1, no border cropped`."""
        rounding = _ROUNDING[self.quantisation]
        return ", ".join([_CHANNELS[self.channels], "peak 1", self._border, *([rounding] if rounding else [])])

    @property
    def _border(self) -> str:
        start, end = self.border
        if start != end:
            return f"{_pixels(start)} cropped at the top and left, {end} at the bottom and right"
        return f"{_pixels(start)} cropped at every edge" if start else "no border cropped"

    def compared(self, estimate: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """What a metric compares, of two images (C, H, W) in [0, 1]: channels, region and rounding as here."""
        return self._part(self._quantised(estimate)), self._part(truth)

    def _part(self, image: Tensor) -> Tensor:
        if self.channels == "luma" or (self.channels == "luma_or_grey" and image.shape[-3] == 3):
            image = luma(image)
        if self.quantisation == "round_both":
            image = (image.clamp(0, 1) * 255).round() / 255
        start, end = self.border
        height, width = image.shape[-2:]
        return image[..., start : height - end, start : width - end]

    def _quantised(self, estimate: Tensor) -> Tensor:
        if self.quantisation in ("none", "round_both"):
            return estimate
        levels = estimate.clamp(0, 1) * 255
        return (levels.round() if self.quantisation == "round" else levels.floor()) / 255

    def psnr(self, estimate: Tensor, truth: Tensor) -> Tensor:
        """Peak signal-to-noise ratio in dB of (C, H, W) images in [0, 1], as a scalar tensor on their device.

        Not clipped: an estimate outside [0, 1] pays for it. Infinite for an exact estimate.
        """
        ours, theirs = self.compared(estimate, truth)
        return -10 * torch.log10((ours - theirs).square().mean())

    def ssim(self, estimate: Tensor, truth: Tensor) -> Tensor:
        """Structural similarity in [-1, 1], a scalar. Gaussian window 11x11 of std 1.5 (doi:10.1109/TIP.2003.819861).

        NaN where the compared region is smaller than the window, or a pixel of it is NaN.
        """
        ours, theirs = (image.clamp(0, 1).unsqueeze(0) for image in self.compared(estimate, truth))
        if min(ours.shape[-2:]) < 11 or not ours.isfinite().all():
            return ours.new_full((), torch.nan)
        import piq  # of all that is imported the slowest but torch, and few commands score

        return cast(Tensor, piq.ssim(ours, theirs, data_range=1.0, downsample=False))


@dataclass(frozen=True)
class Quantity:
    """What a reader must know of a number."""

    name: str  # of its column
    title: str
    unit: str
    higher_is_better: bool
    digits: int

    @property
    def heading(self) -> str:
        """The title with the unit, if it has one."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True)
class Metric(Quantity):
    """A number that scores an output."""

    measure: Callable[[Tensor, Tensor, Protocol], float]
    """The score of an output (C, H, W), as its method made it, against what it is compared with; NaN where there is
    none."""

    smallest: int = 1  # side of what it compares, pixels; of less there is no score
    paper: str = ""
    lacks: Callable[[], str] = lambda: ""  # what this machine does not have of what it needs, and the mend
    against: Literal["truth", "measurement", "nothing"] = "truth"  # what it is compared with; nothing: itself


SECONDS = Quantity("seconds", "time", "s", higher_is_better=False, digits=1)
"""What a method took."""

_METRICS = (
    Metric("psnr", "PSNR", "dB", True, 2, lambda output, truth, protocol: float(protocol.psnr(output, truth))),
    Metric("ssim", "SSIM", "", True, 4, lambda output, truth, protocol: float(protocol.ssim(output, truth)), 11),
)

METRICS = {metric.name: metric for metric in _METRICS}
"""Every output is scored by each of these, and each has its column, its table and its average. The first one leads."""
