"""Forward operators by the definition of their adjoint, and resampling beside Pillow."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dipbench.images.resampling import KERNELS, resampling_matrix, resize
from dipbench.operators import Identity, LinearOperator, Mask, downsampling

KNOWN = torch.rand((1, 24, 48), generator=torch.Generator().manual_seed(0)) > 0.5
OPERATORS: dict[str, LinearOperator] = {
    "identity": Identity(),
    "mask of 0 and 1": Mask(KNOWN.float()),
    "mask of booleans": Mask(KNOWN),
    **{f"{kernel} x{f}": downsampling((24, 48), f, kernel) for kernel in ("lanczos2", "bicubic") for f in (2, 3, 4, 8)},
}


def uniform(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", OPERATORS)
def test_adjoint_satisfies_its_definition(name: str) -> None:
    """<A x, y> = <x, A* y>, on random images in float64."""
    operator = OPERATORS[name]
    x = uniform(3, 24, 48)
    y = uniform(*operator(x).shape, seed=1)
    assert float((operator(x) * y).sum()) == pytest.approx(float((x * operator.adjoint(y)).sum()), rel=1e-12)
    assert operator.adjoint(y).dtype == torch.float64


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_keeps_precision_and_takes_batches(name: str) -> None:
    operator = OPERATORS[name].to(torch.device("cpu"))
    batch = uniform(2, 3, 24, 48).float()
    assert operator(batch).dtype == torch.float32
    assert torch.allclose(operator(batch)[1], operator(batch[1]))


def test_mask_blackens_the_missing_pixels_and_only_those() -> None:
    image = uniform(3, 24, 48) + 0.1
    measured = Mask(KNOWN.float())(image)
    assert torch.equal(measured == 0, ~KNOWN.expand(3, -1, -1))
    assert torch.equal(measured[:, KNOWN[0]], image[:, KNOWN[0]])


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_downsampling_divides_each_side_by_the_factor(factor: int) -> None:
    assert downsampling((24, 48), factor, "lanczos2")(uniform(3, 24, 48)).shape == (3, 24 // factor, 48 // factor)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("length", "new_length"), [(24, 6), (24, 8), (6, 24), (7, 21), (5, 5), (3, 24), (37, 10)])
def test_weights_of_every_resampled_pixel_sum_to_one(kernel: str, length: int, new_length: int) -> None:
    matrix = resampling_matrix(length, new_length, kernel)
    assert matrix.shape == (new_length, length)
    assert torch.allclose(matrix.sum(dim=1), torch.ones(new_length, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_resampling_to_the_same_length_changes_nothing(kernel: str) -> None:
    assert torch.allclose(resampling_matrix(9, 9, kernel), torch.eye(9, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "pillows", "support"),
    [
        ("bilinear", Image.Resampling.BILINEAR, 1),
        ("bicubic", Image.Resampling.BICUBIC, 2),
        ("lanczos3", Image.Resampling.LANCZOS, 3),
    ],
)
@pytest.mark.parametrize("factor", [2, 3, 4, 1 / 2, 1 / 4])
def test_resizing_equals_pillow_away_from_the_border(
    photo: Tensor, kernel: str, pillows: Image.Resampling, support: int, factor: float
) -> None:
    """Pillow's float mode has the same centres, kernels and antialiasing; at the border it drops what lies beyond."""
    grey = photo[0, :48, :40]
    height, width = int(48 * factor), int(40 * factor)
    expected = np.array(Image.fromarray(grey.numpy()).resize((width, height), pillows))
    margin = int(np.ceil((support + 1) * max(factor, 1)))
    inside = (slice(margin, height - margin), slice(margin, width - margin))
    resized = resize(grey[None].double(), (height, width), kernel)[0].numpy()
    assert expected[inside].size
    np.testing.assert_allclose(resized[inside], expected[inside], atol=2e-6)


def test_nearest_repeats_each_pixel(photo: Tensor) -> None:
    repeated = photo.repeat_interleave(3, dim=1).repeat_interleave(3, dim=2)
    assert torch.equal(resize(photo, (192, 192), "nearest"), repeated)
