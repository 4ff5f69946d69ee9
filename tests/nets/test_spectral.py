"""The decoder with bounded layers, beside what its paper and its official code say of each part."""

import math

import pytest
import torch
from torch import nn

from dipbench.nets.spectral import (
    BoundedConv2d,
    GaussianUpsampling,
    MeanOnlyNorm,
    bounded_decoder,
    largest_singular_value,
)


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (4, 16, 3, 3), (3, 8, 1, 1)])
def test_largest_singular_value_is_that_of_a_full_decomposition(shape: tuple[int, ...]) -> None:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    expected = torch.linalg.svdvals(weight.flatten(1))[0]
    torch.testing.assert_close(largest_singular_value(weight), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize(("size", "share"), [(3.0, 1.4 / 3), (1.4, 1.0), (0.5, 1.0)])
def test_kernel_is_scaled_down_to_its_bound_and_never_up(size: float, share: float) -> None:
    torch.manual_seed(0)
    layer = BoundedConv2d(4, 8, bound=1.4)
    with torch.no_grad():
        layer.weight *= size / largest_singular_value(layer.weight)
    plain = nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect")
    plain.load_state_dict({"weight": share * layer.weight, "bias": layer.bias})
    x = torch.rand(1, 4, 9, 7)
    torch.testing.assert_close(layer(x), plain(x), rtol=1e-4, atol=1e-5)


def test_divisor_is_a_constant_to_the_gradient() -> None:
    """Of a sum of outputs the gradient is that of the plain convolution, over the divisor."""
    torch.manual_seed(0)
    layer = BoundedConv2d(2, 3, bound=0.1)
    plain = nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")
    x = torch.rand(1, 2, 6, 6)
    layer(x).sum().backward()
    plain(x).sum().backward()
    divisor = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0] / 0.1
    torch.testing.assert_close(layer.weight.grad, plain.weight.grad / divisor, rtol=1e-4, atol=1e-5)


def test_mean_only_norm_leaves_the_bias_as_the_mean_and_the_deviation_as_it_was() -> None:
    norm = MeanOnlyNorm(3)
    norm.bias.data = torch.tensor([1.0, -2.0, 0.0])
    x = torch.rand(1, 3, 8, 8) * torch.tensor([1.0, 5.0, 9.0]).view(1, 3, 1, 1)
    made = norm(x).detach()
    torch.testing.assert_close(made.mean(dim=(0, 2, 3)), norm.bias.detach(), atol=1e-5, rtol=0)
    torch.testing.assert_close(made.std(dim=(2, 3)), x.std(dim=(2, 3)))


def test_gaussian_upsampling_of_a_point_is_a_gaussian_that_sums_to_1() -> None:
    point = torch.zeros(1, 2, 7, 7)
    point[0, 0, 3, 3] = 1
    made = GaussianUpsampling(0.5)(point)
    assert made.shape == (1, 2, 14, 14)
    assert float(made.sum()) == pytest.approx(1)
    assert not made[0, 1].any()
    assert float(made[0, 0, 6, 7] / made[0, 0, 6, 6]) == pytest.approx(math.exp(-0.5))  # half a pixel, a deviation


@pytest.mark.parametrize("upsampling", ["bilinear", "gaussian"])
@pytest.mark.parametrize(("outputs", "expected"), [(3, 1_662_339), (1, 1_662_081)])
def test_decoder_has_the_parameters_of_the_official_one_and_starts_as_he(
    upsampling: str, outputs: int, expected: int
) -> None:
    network = bounded_decoder(32, outputs, bound=1.4, upsampling=upsampling)
    assert sum(p.numel() for p in network.parameters()) == expected
    weights = [p.detach() for p in network.parameters() if p.ndim == 4]
    assert len(weights) == 13
    for weight in weights:
        largest = math.sqrt(6 / weight[0].numel())
        assert float(weight.abs().max()) == pytest.approx(largest, rel=0.02)
        assert float(weight.abs().max()) <= largest
    with torch.no_grad():
        assert network(torch.rand(1, 32, 2, 3)).shape == (1, outputs, 64, 96)
