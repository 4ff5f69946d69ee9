"""Decoders and networks of the Deep Image Prior's kin: their layers, in the order of their papers and code."""

import pytest
import torch
from making import built, outputs, posed, prior, tiny
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Problem
from dipbench.errors import UserError
from dipbench.fit import Fit
from dipbench.streams import Streams
from dipbench.trace.rules.least_loss import LeastLoss

# deep_decoder and conv_decoder


def test_deep_decoder_mixes_upsamples_rectifies_and_normalises_in_this_order(problem: Problem) -> None:
    net, z = built(prior("deep_decoder[channels=8,scales=2]"), problem)
    kinds = [type(layer) for layer in net.network]
    block = [nn.Conv2d, nn.Upsample, nn.ReLU, nn.BatchNorm2d]
    assert kinds == [*block, *block, nn.Conv2d, nn.ReLU, nn.BatchNorm2d, nn.Conv2d, nn.Sigmoid]
    assert z.shape == (1, 8, 8, 8)
    assert 0 <= float(z.min()) < float(z.max()) < 0.1
    net, _ = built(prior("deep_decoder[channels=8,scales=2,upsample_first=true]"), problem)
    kinds = [type(layer) for layer in net.network]
    block = [nn.Upsample, nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
    assert kinds == [*block[1:], *block, *block, nn.Conv2d, nn.Sigmoid]


def test_corners_of_the_deep_decoder_are_aligned_where_asked(problem: Problem) -> None:
    for text, aligned in (("deep_decoder[scales=2]", False), ("deep_decoder[scales=2,align_corners=true]", True)):
        net, _ = built(prior(text), problem)
        assert [layer.align_corners for layer in net.network if isinstance(layer, nn.Upsample)] == [aligned] * 2


def test_batch_norms_of_the_deep_decoder_start_at_1_or_uniformly(problem: Problem) -> None:
    ones, uniform = prior("deep_decoder[scales=2]"), prior("deep_decoder[scales=2,batch_norm_start=uniform]")
    pairs = zip(*(built(each, problem)[0].network for each in (ones, uniform)), strict=True)
    for one, other in pairs:
        if isinstance(one, nn.BatchNorm2d):
            assert (one.weight == 1).all()
            assert ((other.weight >= 0) & (other.weight < 1)).all()
            assert other.weight.unique().numel() == other.weight.numel()
        elif isinstance(one, nn.Conv2d):
            assert torch.equal(one.weight, other.weight)
    assert "batch_norm_start" not in ones.resolved(problem), "runs of before there was the setting keep their names"
    assert uniform.resolved(problem)["batch_norm_start"] == "uniform"


def test_few_channels_take_an_image_sooner_than_noise(photo: Tensor) -> None:
    """What makes it a prior: fitted to each as long, much more is left of noise of the image's own variance."""
    image = photo[:, :32, :32]
    noise = image.mean() + image.std() * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    left = []
    for target in (image, noise):
        task = registry.build("task", "denoising")
        *_, step = fit(tiny("deep_decoder", channels=16, iterations=300), task.pose(target), Streams(0))
        left.append(float(step.misfit) / float(target.var()))
    assert left[0] < 0.3 * left[1]


def test_decoders_say_which_output_their_code_returns(problem: Problem) -> None:
    for name in ("deep_decoder", "conv_decoder"):
        assert prior(name).stop == LeastLoss()
        assert prior(f"{name}[stop=last]").stop != LeastLoss()


def test_sizes_of_conv_decoder_are_those_of_the_demonstration(photo: Tensor) -> None:
    """8 doubles six times to 512, and 4 grows by the sixth root of 128, rounded up."""
    tall = torch.zeros(3, 512, 512)
    net, z = built(prior("conv_decoder[channels=1]"), registry.build("task", "denoising").pose(tall))
    grown = [layer.size for layer in net if isinstance(layer, nn.Upsample)]
    assert grown == [(16, 9), (32, 21), (64, 46), (128, 102), (256, 229), (512, 512)]
    assert z.shape == (1, 1, 8, 4)


def test_conv_decoder_without_a_sigmoid_is_clipped_but_not_in_the_loss(problem: Problem) -> None:
    method = tiny("conv_decoder", sigmoid=False)
    assert method.fit_settings(problem).clip
    step = Fit(method, problem, Streams(0)).output()
    assert float(step.estimate.min()) == 0
    assert not torch.isclose(step.loss, (step.estimate - problem.measurement).square().mean(), rtol=1e-3)


# encoder_decoder and faster_dip


def test_encoder_decoder_is_dip_without_its_branches(photo: Tensor, problem: Problem) -> None:
    dip = tiny("dip", skip=(0, 0), iterations=4)
    same = zip(outputs(dip, problem), outputs(tiny("encoder_decoder", iterations=4), problem), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    for preset in ("denoising", "inpainting_text", "jpeg"):
        net, _ = built(prior(f"encoder_decoder[preset={preset}]"), posed("denoising", photo))
        assert not [name for name, _ in net.named_parameters() if ".skip." in name]


def test_encoder_decoder_takes_no_branches() -> None:
    with pytest.raises(UserError, match="skip"):
        prior("encoder_decoder[skip=[4,4,4,4,4]]")


def test_faster_dip_has_two_scales_of_rectified_layers_padded_with_zeros(problem: Problem) -> None:
    net, z = built(prior("faster_dip[width=16]"), problem)
    assert z.shape == (1, 16, 32, 32)
    slopes = [layer.negative_slope for layer in net.modules() if isinstance(layer, nn.LeakyReLU)]
    assert slopes == [0] * 8
    strides = [layer.stride[0] for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    assert strides.count(2) == 2
    assert {
        layer.padding[0] for layer in net.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] == 3
    } == {1}
