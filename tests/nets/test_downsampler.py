"""The fixed down-sampling layer against the official one, and against the matrices of `dipbench.images.resampling`."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from dipbench.nets.downsampler import OfficialDownsampler, official_kernel
from dipbench.operators import downsampling

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "lanczos_downsampler.npz")
Kernel = Literal["lanczos2", "lanczos3"]
KERNELS: list[Kernel] = ["lanczos2", "lanczos3"]


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.from_numpy(np.random.default_rng(9).uniform(0, 1, (1, 3, 96, 144)))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_weights_and_output_are_the_official_ones(image: Tensor, kernel: Kernel, factor: int) -> None:
    expected = GOLDEN[f"{kernel}_x{factor}_kernel"], GOLDEN[f"{kernel}_x{factor}_output"]
    np.testing.assert_allclose(official_kernel(factor, kernel), expected[0], rtol=0, atol=1e-14)
    output = OfficialDownsampler(factor, kernel).double()(image)
    np.testing.assert_allclose(output, expected[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("factor", [2, 4, 8])
def test_matrices_of_super_resolution_are_the_layer_up_to_the_rounding_of_its_weights(
    image: Tensor, kernel: Kernel, factor: int
) -> None:
    matrices = downsampling((96, 144), factor, kernel)
    layer = OfficialDownsampler(factor, kernel).double()
    assert torch.allclose(matrices(image), layer(image), rtol=0, atol=5e-8)
    layer.weights = official_kernel(factor, kernel)[None, None]
    assert torch.allclose(matrices(image), layer(image), rtol=0, atol=1e-13)


def test_odd_factor_has_lost_its_last_sample_in_the_official_layer(image: Tensor) -> None:
    assert OfficialDownsampler(3).double()(image).shape == (1, 3, 31, 47)
    assert downsampling((96, 144), 3, "lanczos2")(image).shape == (1, 3, 32, 48)


def test_nothing_in_it_is_fitted() -> None:
    assert list(OfficialDownsampler(4).parameters()) == []
