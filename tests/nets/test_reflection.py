"""The convolution with reflection padding beside PyTorch's own."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from dipbench.nets.reflection import ReflectedConv2d, reflected


def results(layer: nn.Module, size: tuple[int, int], layout: torch.memory_format) -> Iterator[Tensor]:
    """The output and every gradient."""
    image = torch.randn(1, 8, *size, generator=torch.Generator().manual_seed(1)).to(memory_format=layout)
    output = layer(image.requires_grad_())
    output.sin().sum().backward()
    yield output
    for tensor in (image, *layer.parameters()):
        assert tensor.grad is not None
        yield tensor.grad


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("kernel", "size"), [(3, (40, 33)), (3, (4, 5)), (3, (2, 7)), (5, (17, 6)), (5, (3, 5))])
def test_equals_the_padding_of_pytorch_to_the_last_bit(
    kernel: int, size: tuple[int, int], stride: int, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    theirs = nn.Conv2d(8, 8, kernel, stride, padding=kernel // 2, padding_mode="reflect")
    ours = ReflectedConv2d(8, 8, kernel, stride)
    ours.load_state_dict(theirs.state_dict())
    pairs = zip(results(ours, size, layout), results(theirs, size, layout), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_unpadded_image_is_not_kept_for_the_backward_pass() -> None:
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        ReflectedConv2d(8, 8, 3)(torch.rand(1, 8, 16, 16, requires_grad=True))
    assert sorted(tuple(tensor.shape) for tensor in kept) == [(1, 8, 18, 18), (8, 8, 3, 3)]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_layout_stays_forward_and_backward(layout: torch.memory_format) -> None:
    image = torch.rand(1, 8, 16, 20).to(memory_format=layout).requires_grad_() * 1.0
    gradients: list[Tensor] = []
    image.register_hook(gradients.append)
    padded = reflected(image, 1)
    padded.backward(torch.rand_like(padded))
    assert padded.is_contiguous(memory_format=layout)
    assert gradients[0].is_contiguous(memory_format=layout)


def test_compiled_network_has_the_padding_of_pytorch_to_fuse() -> None:
    graphs: list[torch.fx.GraphModule] = []

    def keep(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    layer, image = ReflectedConv2d(3, 3, 3), torch.rand(1, 3, 8, 8)
    assert torch.equal(torch.compile(layer, backend=keep)(image), layer(image))
    calls = [node.target.__name__ for node in graphs[0].graph.nodes if node.op == "call_function"]
    assert calls == ["pad", "conv2d"]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(9, 8), (3, 4)])
def test_gradient_can_be_differentiated_in_its_turn(size: tuple[int, int], layout: torch.memory_format) -> None:
    image = torch.randn(1, 2, *size, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: reflected(x, 1).sin(), image)
