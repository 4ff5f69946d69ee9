"""The operators in C++ beside the layers of PyTorch that they stand for, computed in double precision."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dipbench.fit.engines.kernels import Normalised, Projection, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"the operators are not available: {why_not()}")

ROUNDING = {torch.float32: 2**-20, torch.bfloat16: 2**-8}  # of the largest number of a tensor


def images(dtype: torch.dtype, *channels: int, size: tuple[int, int], count: int = 1) -> list[Tensor]:
    """With a mean that is large beside the deviation in some channels, where sums of squares lose their digits."""
    draw = torch.Generator().manual_seed(1)
    made = [
        torch.randn(count, c, *size, generator=draw) + 3 * torch.randn(1, c, 1, 1, generator=draw) for c in channels
    ]
    return [image.to(dtype).to(memory_format=torch.channels_last).requires_grad_() for image in made]


def batch_norm(channels: int) -> nn.BatchNorm2d:
    norm, draw = nn.BatchNorm2d(channels), torch.Generator().manual_seed(2)
    with torch.no_grad():
        norm.weight.normal_(generator=draw)
        norm.bias.normal_(generator=draw)
    return norm


def plain(norm: nn.BatchNorm2d, several: list[Tensor], slope: float, border: int) -> Tensor:
    """Concatenation, batch norm, LeakyReLU, padding: as PyTorch computes them, in double precision."""
    x = torch.cat([image.double() for image in several], dim=1)
    y = functional.batch_norm(x, None, None, norm.weight.double(), norm.bias.double(), True, eps=norm.eps)
    y = functional.leaky_relu(y, slope)
    return functional.pad(y, (border,) * 4, mode="reflect") if border else y


def gradients(output: Tensor, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(3)).bfloat16()  # exact in each type
    return torch.autograd.grad(output, inputs, weights.to(output.dtype))


def assert_near(found: Tensor, expected: Tensor, rounding: float) -> None:
    assert found.shape == expected.shape
    error, largest = (found.double() - expected.double()).detach().abs().max(), expected.detach().abs().max()
    assert float(error) <= rounding * float(largest)


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize(("slope", "border"), [(1.0, 0), (0.2, 0), (0.0, 1), (0.2, 1), (0.2, 2)])
@pytest.mark.parametrize(("channels", "size"), [((20,), (9, 12)), ((4, 33), (9, 12)), ((3,), (3, 3)), ((1, 1), (5, 4))])
def test_batch_norm_with_its_neighbours(
    channels: tuple[int, ...], size: tuple[int, int], slope: float, border: int, dtype: torch.dtype
) -> None:
    norm, several = batch_norm(sum(channels)), images(dtype, *channels, size=size, count=2)
    inputs = [*several, norm.weight, norm.bias]
    expected = plain(norm, several, slope, border)
    found = Normalised(norm, slope, border)(several)
    assert found.dtype == dtype
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert_near(found, expected, ROUNDING[dtype])
    of_found, of_expected = gradients(found, inputs), gradients(expected, inputs)
    for mine, theirs in zip(of_found, of_expected, strict=True):
        assert_near(mine, theirs, 4 * ROUNDING[dtype])


def test_gradient_of_both_sides_of_a_narrow_image() -> None:
    """Three pixels a side and a border of two: the pixel in the middle is shown three times in each direction."""
    norm, (image,) = batch_norm(2), images(torch.float32, 2, size=(3, 3))
    found = gradients(Normalised(norm, 0.2, 2)(image), [image])
    assert_near(found[0], gradients(plain(norm, [image], 0.2, 2), [image])[0], 4 * ROUNDING[torch.float32])


def test_not_a_number_stays_one() -> None:
    norm, (image,) = batch_norm(4), images(torch.bfloat16, 4, size=(8, 8))
    with torch.no_grad():
        image[0, 1, 2, 3] = torch.nan
    made = Normalised(norm, 0.2, 1)(image)
    assert torch.isnan(made[0, 1]).all()
    assert not torch.isnan(made[0, [0, 2, 3]]).any()


def test_number_of_threads_changes_no_bit() -> None:
    norm, several = batch_norm(24), images(torch.bfloat16, 4, 20, size=(40, 31))
    before, made = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            output = Normalised(norm, 0.2, 1)(several)
            made.append([output, *gradients(output, [*several, norm.weight, norm.bias])])
    finally:
        torch.set_num_threads(before)
    for other in made[1:]:
        assert all(torch.equal(a, b) for a, b in zip(made[0], other, strict=True))


def test_rounds_to_bfloat16_as_pytorch_does() -> None:
    """Halves to even, and the largest numbers to infinity: through a batch norm that changes nothing."""
    bits = torch.arange(0, 2**16, 7, dtype=torch.int32) * 2**16 + 0x8000  # halfway between two numbers
    values = bits.view(torch.float32)
    values = values[torch.isfinite(values)]
    layer = nn.Conv2d(1, 1, 1)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.zero_()
    image = torch.zeros(1, 1, 1, len(values), dtype=torch.bfloat16, requires_grad=True)
    (gradient,) = torch.autograd.grad(Projection(layer)(image), image, values[None, None, None])
    assert torch.equal(gradient.flatten(), values.bfloat16())


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("outputs", [1, 3, 4])
def test_convolution_to_a_few_channels(outputs: int, dtype: torch.dtype) -> None:
    layer, (image,) = nn.Conv2d(37, outputs, 1), images(dtype, 37, size=(9, 12), count=2)
    inputs = [image, layer.weight, layer.bias]
    expected = functional.conv2d(image.double(), layer.weight.double(), layer.bias.double())
    found = Projection(layer)(image)
    assert found.dtype == torch.float32  # whatever it is made of
    assert_near(found, expected, ROUNDING[torch.float32])
    for mine, theirs in zip(gradients(found, inputs), gradients(expected, inputs), strict=True):
        assert_near(mine, theirs, ROUNDING[mine.dtype] * 2)


def test_other_types_are_refused_by_name() -> None:
    with pytest.raises(RuntimeError, match="it takes float32 or bfloat16"):
        Normalised(batch_norm(3))(torch.rand(1, 3, 4, 4).double())


@pytest.mark.parametrize(
    ("sizes", "border", "message"),
    [
        ([(4, 1)], 1, "to be mirrored by 1 pixels: it takes sides of more than that"),
        ([(2, 2)], 2, "to be mirrored by 2 pixels"),
        ([(4, 4), (4, 5)], 0, "it takes those of one size and type"),
    ],
)
def test_images_that_cannot_be_put_together_are_refused(
    sizes: list[tuple[int, int]], border: int, message: str
) -> None:
    several = [torch.rand(1, 3, *size) for size in sizes]
    with pytest.raises(RuntimeError, match=message):
        Normalised(batch_norm(3 * len(sizes)), 0.2, border)(several)
