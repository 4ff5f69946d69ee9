"""Signals of what the output looks like, by pictures of which the number is known."""

import numpy as np
import pytest
import torch
from scipy.ndimage import generic_filter, uniform_filter, uniform_filter1d
from seeing import denoising, number
from skimage.color import rgb2gray
from torch import Tensor

from dipbench import registry
from dipbench.contract import Scene
from dipbench.streams import Streams
from dipbench.trace.signals.across_channels import AcrossChannels
from dipbench.trace.signals.band import Band
from dipbench.trace.signals.sharpness import Sharpness
from dipbench.trace.signals.sub_images import SubImages
from dipbench.trace.signals.total_variation import TotalVariation


def test_total_variation_of_a_step_and_of_a_ramp() -> None:
    step = torch.zeros(1, 4, 5)
    step[:, :, 3:] = 0.5
    assert number(TotalVariation(), step, denoising(step)) == pytest.approx(0.5 / 4)
    ramp = torch.linspace(0, 1, 5)[None, :, None].expand(3, 5, 6)
    assert number(TotalVariation(), ramp, denoising(ramp)) == pytest.approx(0.25)


@pytest.mark.parametrize("cycles", [3, 9, 16, 22, 31])
def test_a_band_holds_the_waves_of_its_frequency_alone(cycles: int) -> None:
    """Of 64 pixels: rings are 6.4 cycles wide. The output has a quarter of the wave, and all of the noise."""
    down = torch.arange(64) / 64
    noise = 0.01 * torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    wave = (2 * np.pi * cycles * down).cos()[:, None]
    problem = denoising((noise + wave)[None])
    output = (noise + 0.25 * wave)[None]
    found = [number(Band(ring=ring), output, problem) for ring in range(5)]
    theirs = int(cycles / 6.4)
    assert [share for ring, share in enumerate(found) if ring != theirs] == pytest.approx([1] * 4, abs=1e-4)
    frequency = np.fft.fftfreq(64) * 64
    radius = np.hypot(*np.meshgrid(frequency, frequency))
    ring = (radius <= 6.4 * (theirs + 1)) & ((radius > 6.4 * theirs) | (theirs == 0))
    spectra = [np.abs(np.fft.fft2(picture[0].double().numpy())) for picture in (output, problem.measurement)]
    assert found[theirs] == pytest.approx((spectra[0] / spectra[1])[ring].clip(0, 1).mean(), abs=1e-4)
    assert found[theirs] < 1 - 1e-3


def test_half_the_measurement_has_half_of_every_band(photo: Tensor) -> None:
    assert [number(Band(ring=ring), photo / 2, denoising(photo)) for ring in range(5)] == pytest.approx([0.5] * 5)


def test_a_band_takes_a_measurement_of_the_images_size_alone(photo: Tensor) -> None:
    smaller = registry.build("task", "super_resolution").degrade(Scene(photo), Streams(0))
    assert "it takes a task in which both are of one size" in (Band().refuses(smaller, None) or "")
    assert Band().refuses(denoising(photo), None) is None


def test_sharpness_is_what_scipy_makes_of_it(photo: Tensor) -> None:
    image = rgb2gray(photo.permute(1, 2, 0).double().numpy())
    kept = []
    for turned in (image, image.T):
        blurred = uniform_filter1d(turned, 9, axis=1)
        part = (slice(6, -5), slice(5, -5))  # where the blur sees no border, less a line as in the code
        sharp, soft = (np.abs(np.diff(picture, axis=1))[part] for picture in (turned, blurred))
        kept.append(1 - np.maximum(sharp - soft, 0).sum() / sharp.sum())
    steps = generic_filter(image, lambda around: np.delete(around - around[4], 4).max(), size=3)[1:-1, 1:-1]
    largest = np.sort(steps.ravel())[::-1][2:1001]
    sharpness = np.sqrt(np.mean((largest * np.exp(-0.01 * np.arange(2, 1001))) ** 2))
    assert number(Sharpness(), photo, denoising(photo)) == pytest.approx(max(kept) / sharpness, rel=1e-5)


def test_sharpness_falls_as_noise_comes_in_and_takes_no_stamp(photo: Tensor) -> None:
    noisy = photo + 0.1 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    assert number(Sharpness(), noisy, denoising(photo)) < number(Sharpness(), photo, denoising(photo))
    assert "it takes sides of at least 16" in (Sharpness().refuses(denoising(photo[:, :12]), None) or "")


def test_sub_images_are_the_diagonals_of_blocks() -> None:
    block = torch.tensor([[[0.1, 0.2], [0.5, 0.9]]])
    assert number(SubImages(), block, denoising(block)) == pytest.approx(0.15**2)
    odd = torch.nn.functional.pad(block.repeat(1, 3, 2), (0, 1, 0, 1), value=7.0)
    assert number(SubImages(), odd, denoising(odd)) == pytest.approx(0.15**2)
    flat = torch.full((3, 6, 6), 0.3)
    assert number(SubImages(), flat, denoising(flat)) == 0


def test_distance_across_channels_is_that_of_high_passes(photo: Tensor) -> None:
    output = (photo + 0.05 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))).double().numpy()
    y = photo.double().numpy()
    squares = []
    for channel in range(3):
        others = np.delete(y, channel, axis=0).mean(axis=0)
        ours, theirs = (image - uniform_filter(image, 3, mode="nearest") for image in (output[channel], others))
        squares.append((ours - theirs) ** 2)
    found = number(AcrossChannels(), torch.from_numpy(output).float(), denoising(photo))
    assert found == pytest.approx(np.mean(squares), rel=1e-5)


def test_distance_across_channels_takes_colour_and_its_noise(photo: Tensor) -> None:
    assert "it takes one of several channels" in (AcrossChannels().refuses(denoising(photo[:1]), None) or "")
    masked = registry.build("task", "inpainting").degrade(Scene(photo), Streams(0))
    assert "it takes a denoising problem" in (AcrossChannels().refuses(masked, None) or "")
    assert AcrossChannels().refuses(denoising(photo), None) is None
