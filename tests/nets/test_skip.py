"""What the skip network does with sizes, branches and upsampling, beside equalling the official one."""

from typing import Any

import pytest
import torch
from torch import nn

from dipbench.nets.skip import convolution, normalisation, skip_net

SMALL: dict[str, Any] = {"down": (8, 8), "up": (8, 8), "skip": (2, 2)}


def made(**options: Any) -> nn.Module:
    torch.manual_seed(0)
    return skip_net(3, 3, **(SMALL | options))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (31, 40), (9, 10)])
@pytest.mark.parametrize("downsampling", ["stride", "avg"])
def test_size_of_the_output_where_every_scale_has_a_branch(height: int, width: int, downsampling: str) -> None:
    """Stride rounds an odd side up; pooling rounds it down, and the merge crops to that: to multiples of 4 here."""
    out = made(downsampling=downsampling)(torch.rand(1, 3, height, width))
    lost = (height % 4, width % 4) if downsampling == "avg" else (0, 0)
    assert out.shape == (1, 3, height - lost[0], width - lost[1])


def test_larger_branch_is_cropped_in_its_centre_at_the_merge() -> None:
    """A deeper branch of 34 against a skip branch of 33 loses its last row: the offset is rounded down."""
    net = made(pointwise=False)
    scale, seen = net[0], []
    scale.merge.register_forward_pre_hook(lambda module, given: seen.append(given[0].detach().clone()))
    x = torch.rand(1, 3, 33, 35)
    net(x)
    assert seen[0].shape == (1, 10, 33, 35)
    deep = scale.deeper(x)
    assert deep.shape[-2:] == (34, 36)
    assert torch.equal(seen[0][:, 2:], deep[:, :, 0:33, 0:35])


def test_without_a_branch_nothing_is_cropped() -> None:
    net = made(skip=(0, 0))
    assert net[0].skip is None
    assert net(torch.rand(1, 3, 30, 33)).shape == (1, 3, 32, 36)


def test_align_corners_changes_bilinear_upsampling_and_nothing_else() -> None:
    x = torch.rand(1, 3, 32, 32)
    assert not torch.equal(made(align_corners=True)(x), made()(x))
    nearest, switched = made(upsampling="nearest"), made(upsampling="nearest", align_corners=True)
    assert torch.equal(nearest(x), switched(x))


def test_align_corners_maps_corner_to_corner() -> None:
    """The 2x2 corners 0 and 1 become a ramp of thirds; without it the ends are repeated: 0, 1/4, 3/4, 1."""
    ramp = torch.tensor([[0.0, 1.0], [0.0, 1.0]])[None, None]
    rows = {}
    for aligned in (False, True):
        (up,) = (m for m in made(down=(8,), up=(8,), skip=(2,), align_corners=aligned).modules() if _is_upsampling(m))
        rows[aligned] = up(ramp)[0, 0, 0]
    assert torch.allclose(rows[True], torch.tensor([0, 1 / 3, 2 / 3, 1]))
    assert torch.allclose(rows[False], torch.tensor([0, 1 / 4, 3 / 4, 1]))


def _is_upsampling(module: nn.Module) -> bool:
    return isinstance(module, nn.Upsample)


def test_one_kernel_for_all_scales_or_one_for_each() -> None:
    shapes = [[tuple(p.shape) for p in net.parameters()] for net in (made(down_kernels=5), made(down_kernels=(5, 5)))]
    assert shapes[0] == shapes[1]
    mixed = made(down_kernels=(7, 5), up_kernels=(3, 5), skip_kernel=3)
    kernels = [p.shape[-1] for p in mixed.parameters() if p.ndim == 4]
    assert kernels == [
        3,
        7,
        7,
        3,
        5,
        5,
        5,
        1,
        3,
        1,
        1,
    ]  # skip, down twice, the next scale, up, 1x1; the last is the output
    assert mixed(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_output_lies_between_0_and_1() -> None:
    out = made()(100 * torch.randn(1, 3, 32, 32))
    assert 0 <= float(out.detach().min()) < float(out.detach().max()) <= 1


def test_one_scale_with_a_large_skip_kernel_has_the_count_of_the_first_release() -> None:
    """Its network for half the pixels missing, on a grey image: 186,449 parameters."""
    net = skip_net(32, 1, down=[4], up=[128], skip=[32], down_kernels=5, up_kernels=5, skip_kernel=7)
    assert sum(parameter.numel() for parameter in net.parameters()) == 186_449


def test_instance_norm_is_that_of_torch_without_scales() -> None:
    image = torch.rand((2, 6, 8, 5), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(normalisation(6, "instance")(image), nn.InstanceNorm2d(6)(image), atol=1e-12)


def test_batch_norm_of_one_image_is_instance_norm_before_its_scales_are_learned() -> None:
    image = torch.rand((1, 6, 8, 5), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(normalisation(6, "instance")(image), normalisation(6, "batch")(image), atol=1e-5)


def test_group_norm_has_mean_0_and_variance_1_in_each_group() -> None:
    image = torch.rand((1, 8, 32, 32), generator=torch.Generator().manual_seed(0))
    image *= torch.arange(1, 9).view(1, 8, 1, 1)
    groups = normalisation(8, "group")(image).view(4, -1)
    assert torch.allclose(groups.mean(dim=1), torch.zeros(4), atol=1e-5)
    assert torch.allclose(groups.var(dim=1, correction=0), torch.ones(4), atol=1e-3)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_strided_convolution_of_one_pixel_is_that_of_torch(layout: torch.memory_format) -> None:
    """And its gradient, in double precision, where PyTorch's own is right in every layout."""
    torch.manual_seed(0)
    ours, theirs = convolution(4, 6, 1, stride=2).double(), nn.Conv2d(4, 6, 1, stride=2).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand((1, 4, 9, 12), dtype=torch.float64)
    taken = [x.clone(memory_format=layout).requires_grad_(), x.clone().requires_grad_()]
    made = [layer(each) for layer, each in zip((ours, theirs), taken, strict=True)]
    torch.testing.assert_close(*made)
    for output in made:
        output.square().sum().backward()
    torch.testing.assert_close(taken[0].grad, taken[1].grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
