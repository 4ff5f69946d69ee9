"""Convolution with a kernel as an operator: beside scipy.ndimage, and as a fit and an engine take it."""

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch import Tensor

from dipbench.operators import Blur, Border

MODES: dict[Border, str] = {"circular": "wrap", "replicate": "nearest"}
SHAPES = [(1, 1), (5, 3), (1, 9), (9, 1), (9, 9), (15, 25)]


def uniform(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("border", MODES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(24, 37), (15, 25), (31, 29)])
def test_blur_is_the_convolution_of_scipy(border: Border, shape: tuple[int, int], size: tuple[int, int]) -> None:
    """Of kernels that are not symmetric, with as many pixels as the image at the most."""
    kernel, image = uniform(*shape), uniform(2, 3, *size, seed=1)
    blurred = Blur(kernel, border)(image)
    assert blurred.shape == image.shape
    for index in ((0, 0), (1, 2)):
        expected = convolve(image[index].numpy(), kernel.numpy(), mode=MODES[border])
        np.testing.assert_allclose(blurred[index].numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("border", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_adjoint_of_a_blur_satisfies_its_definition(border: Border, shape: tuple[int, int]) -> None:
    operator = Blur(uniform(*shape), border)
    x, y = uniform(3, 25, 37, seed=1), uniform(3, 25, 37, seed=2)
    assert float((operator(x) * y).sum()) == pytest.approx(float((x * operator.adjoint(y)).sum()), rel=1e-12)


@pytest.mark.parametrize("border", MODES)
def test_gradient_through_a_blur_is_its_adjoint_and_there_is_a_second_one(border: Border) -> None:
    operator = Blur(uniform(5, 3), border)
    x, y = uniform(1, 2, 8, 9, seed=1).requires_grad_(), uniform(1, 2, 8, 9, seed=2)
    (gradient,) = torch.autograd.grad((operator(x) * y).sum(), x)
    torch.testing.assert_close(gradient, operator.adjoint(y))
    assert torch.autograd.gradgradcheck(lambda image: operator(image).square(), x)


@pytest.mark.parametrize("border", MODES)
def test_kernel_of_one_pixel_changes_nothing(border: Border) -> None:
    image = uniform(3, 17, 19)
    kernel = torch.zeros(9, 5, dtype=torch.float64)
    kernel[4, 2] = 1
    torch.testing.assert_close(Blur(kernel, border)(image), image, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_blur_in_half_precision_is_that_of_the_same_numbers_rounded_once(dtype: torch.dtype) -> None:
    operator = Blur(uniform(7, 7) / 49, "replicate").to(torch.device("cpu"))
    image = uniform(3, 20, 21, seed=1).to(dtype)
    for half, single in (
        (operator(image), operator(image.float())),
        (operator.adjoint(image), operator.adjoint(image.float())),
    ):
        assert half.dtype == dtype
        assert torch.equal(half, single.to(dtype))


def test_blur_within_autocast_is_computed_in_single_precision() -> None:
    operator, image = Blur(uniform(7, 7) / 49), uniform(3, 20, 21, seed=1).float()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(operator(image), Blur(uniform(7, 7) / 49)(image))
    torch.testing.assert_close(operator(image), operator(image.double()).float(), rtol=0, atol=1e-6)
