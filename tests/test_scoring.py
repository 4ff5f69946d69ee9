"""Scores beside scikit-image and the numbers of the standard."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from dipbench.scoring import METRICS, SECONDS, Protocol, luma


@pytest.fixture
def noisy(photo: Tensor) -> Tensor:
    """Noise of standard deviation 0.1; some values leave [0, 1]."""
    return photo + 0.1 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))


def test_psnr_equals_scikit_image(photo: Tensor, noisy: Tensor) -> None:
    expected = peak_signal_noise_ratio(photo.numpy(), noisy.numpy(), data_range=1)
    assert float(Protocol().psnr(noisy, photo)) == pytest.approx(expected, abs=1e-4)


def test_psnr_is_taken_over_all_channels_jointly(photo: Tensor) -> None:
    """An error of 0.1 in one of three channels: 10 log10(3 / 0.01) dB, not the mean over channels."""
    wrong = photo.clone()
    wrong[1] += 0.1
    assert float(Protocol().psnr(wrong, photo)) == pytest.approx(10 * np.log10(300), abs=1e-3)


def test_psnr_of_an_exact_estimate_is_infinite(photo: Tensor) -> None:
    assert float(Protocol().psnr(photo, photo)) == float("inf")


def test_estimate_outside_the_range_pays_for_it() -> None:
    truth, estimate = torch.ones(1, 8, 8), torch.full((1, 8, 8), 1.1)
    assert float(Protocol().psnr(estimate, truth)) == pytest.approx(20, abs=1e-4)
    assert float(Protocol(quantisation="round").psnr(estimate, truth)) == float("inf")


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_equals_scikit_image(photo: Tensor, noisy: Tensor, channels: int) -> None:
    """Away from the border, where scikit-image pads and the original code does not."""
    truth, estimate = photo[:channels], noisy[:channels].clamp(0, 1)
    _, maps = structural_similarity(
        truth.double().numpy(), estimate.double().numpy(), data_range=1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, channel_axis=0, full=True,
    )  # fmt: skip
    assert Protocol().ssim(estimate, truth) == pytest.approx(maps[:, 5:-5, 5:-5].mean(), abs=1e-4)


def test_ssim_of_a_region_smaller_than_its_window_is_no_number(photo: Tensor) -> None:
    assert Protocol().ssim(photo[:, :10], photo[:, :10]).isnan()
    assert Protocol().ssim(photo[:, :11], photo[:, :11]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [  # ITU-R BT.601, 8 bit: black 16, white 235; the primaries to the nearest level
        ((0, 0, 0), 16), ((1, 1, 1), 235), ((1, 0, 0), 81), ((0, 1, 0), 145), ((0, 0, 1), 41),
        ((1, 1, 0), 210), ((0, 1, 1), 170), ((1, 0, 1), 106),
    ],
)  # fmt: skip
def test_luma_of_the_colour_bars_is_that_of_the_standard(rgb: tuple[int, int, int], expected: int) -> None:
    level = 255 * float(luma(torch.tensor(rgb).float().view(3, 1, 1)))
    assert round(level) == expected
    if sum(rgb) in (0, 3):
        assert level == pytest.approx(expected, abs=1e-3)


def test_luma_of_a_grey_image_equals_that_of_three_equal_channels(photo: Tensor) -> None:
    grey = photo.mean(dim=0, keepdim=True)
    assert luma(grey).shape == (1, 64, 64)
    assert torch.allclose(luma(grey), luma(grey.expand(3, -1, -1)), atol=1e-6)


def test_luma_takes_batches(photo: Tensor, noisy: Tensor) -> None:
    batch = luma(torch.stack([photo, noisy]))
    assert batch.shape == (2, 1, 64, 64)
    assert torch.allclose(batch[1], luma(noisy))


def test_luma_protocol_scores_luma(photo: Tensor, noisy: Tensor) -> None:
    expected = peak_signal_noise_ratio(luma(photo).numpy(), luma(noisy).numpy(), data_range=1)
    assert float(Protocol(channels="luma").psnr(noisy, photo)) == pytest.approx(expected, abs=1e-4)


def test_border_leaves_out_four_pixels_before_and_five_after(photo: Tensor) -> None:
    protocol = Protocol(border=(4, 5))
    inside = photo.clone()
    inside[:, 4:59, 4:59] += 0.1
    assert float(protocol.psnr(inside, photo)) == pytest.approx(20, abs=1e-4)
    outside = photo + 0.1
    outside[:, 4:59, 4:59] = photo[:, 4:59, 4:59]
    assert float(protocol.psnr(outside, photo)) == float("inf")


def test_quantisation_rounds_or_truncates_to_eight_bit() -> None:
    truth = torch.full((1, 8, 8), 100 / 255)
    estimate = torch.full((1, 8, 8), 100.7 / 255)
    one_level = 20 * np.log10(255)
    assert float(Protocol(quantisation="round").psnr(estimate, truth)) == pytest.approx(one_level, abs=1e-3)
    assert float(Protocol(quantisation="truncate").psnr(estimate, truth)) > 100
    assert float(Protocol().psnr(estimate, truth)) == pytest.approx(one_level - 20 * np.log10(0.7), abs=1e-3)


def test_rounding_of_both_sides_comes_after_the_channels_are_chosen() -> None:
    """As MATLAB's rgb2ycbcr of 8-bit images: the luma of red is 81.481 of 255 and counts as 81."""
    truth, estimate = torch.zeros(3, 8, 8), torch.zeros(3, 8, 8)
    truth[0], estimate[0] = 1, 0.8
    error = 81 - 68  # 16 + 0.8 * 65.481 is 68.385
    both = Protocol("luma", quantisation="round_both")
    assert float(both.psnr(estimate, truth)) == pytest.approx(20 * np.log10(255 / error), abs=1e-3)


def test_luma_or_grey_takes_the_levels_of_a_grey_image(photo: Tensor, noisy: Tensor) -> None:
    protocol = Protocol("luma_or_grey")
    assert torch.equal(protocol.psnr(noisy[:1], photo[:1]), Protocol().psnr(noisy[:1], photo[:1]))
    assert torch.equal(protocol.psnr(noisy, photo), Protocol("luma").psnr(noisy, photo))


def test_protocols_that_differ_have_signatures_that_differ() -> None:
    protocols = [
        Protocol(channels, border, quantisation)
        for channels in ("all", "luma", "luma_or_grey")
        for border in ((0, 0), (4, 5), (4, 4))
        for quantisation in ("none", "round", "truncate", "round_both")
    ]
    assert len({protocol.signature for protocol in protocols}) == len(protocols)
    assert Protocol("luma", (4, 5)).signature == "peak:1|channels:luma|border:4+5|quantisation:none"


def test_metrics_say_what_is_better() -> None:
    assert METRICS["psnr"].higher_is_better
    assert not SECONDS.higher_is_better
