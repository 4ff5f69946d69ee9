"""Untrained priors of other papers: their networks and settings, beside what their papers and code say of them."""

import copy
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Prior, Problem, Scene
from dipbench.errors import UserError
from dipbench.fit import Execution, Fit
from dipbench.fit.tricks import Backtracking, DecayingJitter, Dropout, FrozenNoise, Jitter, RateDecay
from dipbench.optimisers import Adam, AdamW
from dipbench.streams import Streams
from dipbench.trace.rules.least_loss import LeastLoss

DECODERS = ["deep_decoder", "conv_decoder", "encoder_decoder", "faster_dip"]
NAMES = [*DECODERS, "siren", "wire", "pip", "deep_random_projector", "mc_dropout"]


def prior(text: str) -> Any:
    return registry.build("method", text)


def tiny(name: str, **settings: Any) -> Any:
    return replace(registry.find("method", name).tiny(), **settings)


def posed(task: str, image: Tensor) -> Problem:
    return registry.build("task", task).degrade(Scene(image), Streams(0))


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return posed("denoising", photo[:, :32, :32])


def built(method: Prior, problem: Problem) -> tuple[nn.Module, Tensor]:
    with Streams(0).seeded("weights"):
        return method.build(problem, Streams(0))


def parameters(net: nn.Module, fitted: bool = True) -> int:
    return sum(p.numel() for p in net.parameters() if p.requires_grad is fitted)


def outputs(method: Prior, problem: Problem) -> list[Tensor]:
    return [step.estimate.clone() for step in fit(method, problem, Streams(0))]


@pytest.mark.parametrize(
    ("text", "task", "expected"),
    [
        ("deep_decoder[channels=32]", "denoising", 6_624),
        ("deep_decoder[channels=64]", "denoising", 25_536),
        ("deep_decoder", "denoising", 100_224),
        ("deep_decoder", "inpainting", 397_056),
        ("deep_decoder[channels=512]", "denoising", 1_580_544),
        ("conv_decoder", "denoising", 4_134_915),
        ("encoder_decoder[preset=inpainting_vase]", "denoising", 2_157_955),
        ("siren", "denoising", 198_915),
        ("pip", "denoising", 329_575),
        ("pip", "super_resolution", 329_575 + 8),
        ("mc_dropout", "denoising", 2_217_831 + 129),  # that of dip, and one channel more at its end
    ],
)
def test_network_has_as_many_parameters_as_that_of_the_code(photo: Tensor, text: str, task: str, expected: int) -> None:
    net, _ = built(prior(text), posed(task, photo))
    assert parameters(net) == expected


def test_conv_decoder_of_the_papers_experiments_has_as_many_as_they_print(photo: Tensor) -> None:
    """1,850,560 for 15 coils of two channels; 160 weights for each of the 27 channels that a photograph has not."""
    net, _ = built(prior("conv_decoder[channels=160,layers=8,bias=false]"), posed("denoising", photo))
    assert parameters(net) == 1_850_560 - 27 * 160


def test_wire_has_as_many_as_the_code_less_those_that_cannot_act(photo: Tensor) -> None:
    """66,979, complex ones counted once, or 133,409: among them six frequencies and scales, which are constants.

    And three imaginary parts of the last biases, of whose sum the real part is taken.
    """
    net, _ = built(prior("wire"), posed("denoising", photo))
    assert parameters(net) == 133_409 - 6 - 3


@pytest.mark.parametrize(
    ("task", "channels", "fitted", "frozen"),
    [
        ("denoising", 3, 3 * 64 * 64 + 662, 82_323),
        ("super_resolution", 3, 64 * 64 + 1_298, 317_963),
        ("inpainting", 1, 2 * 64 * 64 + 1_796, 462_081),
    ],
)
def test_deep_random_projector_fits_its_input_and_its_batch_norms(
    photo: Tensor, task: str, channels: int, fitted: int, frozen: int
) -> None:
    net, _ = built(prior("deep_random_projector"), posed(task, photo[:channels]))
    assert (parameters(net), parameters(net, fitted=False)) == (fitted, frozen)


@pytest.mark.parametrize(
    ("text", "task", "iterations", "optimiser", "tricks"),
    [
        ("deep_decoder", "denoising", 1900, Adam(0.01), ()),
        ("deep_decoder", "inpainting", 40_000, Adam(0.0025), (DecayingJitter(0.005, 0.7, 500),)),
        ("deep_decoder[jitter=0.015]", "denoising", 1900, Adam(0.01), (DecayingJitter(0.015, 0.7, 100_000),)),
        ("conv_decoder", "denoising", 2500, Adam(0.008), ()),
        ("encoder_decoder", "inpainting", 11_000, Adam(0.001), (Jitter(0.03), Backtracking(5.0))),
        ("faster_dip", "denoising", 3000, Adam(0.01), (Jitter(1 / 30),)),
        ("siren", "denoising", 10_000, Adam(1e-4), ()),
        ("wire", "denoising", 2000, Adam(5e-3), (RateDecay(0.1 ** (1 / 2000), every=1),)),
        ("pip", "denoising", 1800, Adam(0.01), (Backtracking(2.0, every=100),)),
        ("pip", "super_resolution", 2000, Adam(0.01), (Jitter(0.03),)),
        ("pip", "super_resolution[factor=8]", 4001, Adam(0.01), (Jitter(0.05),)),
        ("pip", "inpainting", 3000, Adam(0.01), (Jitter(0.03), Backtracking(1.0, every=50))),
        ("deep_random_projector", "denoising", 5001, Adam(0.1), ()),
        ("deep_random_projector", "super_resolution", 5001, Adam(0.5), ()),
        ("deep_random_projector", "inpainting", 5001, Adam(0.05), (FrozenNoise(1e-3, stays=True),)),
        ("mc_dropout", "denoising", 40_000, AdamW(3e-4, 1e-4), (Dropout(0.3), Jitter(0.1))),
    ],
)
def test_fit_is_that_of_the_official_code(
    photo: Tensor, text: str, task: str, iterations: int, optimiser: object, tricks: object
) -> None:
    settings = prior(text).fit_settings(posed(task, photo))
    assert (settings.iterations, settings.optimiser, settings.tricks) == (iterations, optimiser, tricks)


@pytest.mark.parametrize("name", ["deep_decoder", "pip", "deep_random_projector"])
def test_what_the_task_sets_is_in_the_name_of_a_run(photo: Tensor, name: str) -> None:
    """Nothing there is left blank, and another task's is another run's."""
    tasks = ("denoising", "inpainting")
    resolved = [prior(name).resolved(posed(task, photo)) for task in tasks]
    for each, task in zip(resolved, tasks, strict=True):
        assert None not in each.values()
        assert each["iterations"] == prior(name).fit_settings(posed(task, photo)).iterations
    assert resolved[0] != resolved[1]


@pytest.mark.parametrize("name", [*DECODERS, "pip", "deep_random_projector", "mc_dropout"])
def test_outputs_are_in_0_to_1_before_a_step_and_after_some(problem: Problem, name: str) -> None:
    method = tiny(name, iterations=20)
    assert not method.fit_settings(problem).clip
    for output in outputs(method, problem):
        assert 0 < float(output.min()) < float(output.max()) < 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["denoising", "inpainting"])
def test_engines_compute_the_same_prior(photo: Tensor, name: str, task: str) -> None:
    problem, method = posed(task, photo[:, :32, :32]), tiny(name)
    first, *_ = outputs(method, problem)
    lean, *_ = [step.estimate.clone() for step in fit(method, problem, Streams(0), Execution("lean"))]
    torch.testing.assert_close(lean, first, atol=1e-4, rtol=0)
    rough, *_ = [step.estimate.clone() for step in fit(method, problem, Streams(0), Execution("lean", "bf16"))]
    torch.testing.assert_close(rough, first, atol=0.1, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["denoising", "inpainting"])
def test_a_fit_goes_on_from_a_checkpoint(photo: Tensor, name: str, task: str) -> None:
    problem, method = posed(task, photo[:, :32, :32]), tiny(name)
    whole, resumed = Fit(method, problem, Streams(0)), Fit(method, problem, Streams(0))
    for _ in range(3):
        whole.output()
        whole.step()
    resumed.load(copy.deepcopy(whole.state()))
    for _ in range(2):
        assert torch.equal(whole.output().estimate, resumed.output().estimate)
        whole.step()
        resumed.step()


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


# siren and wire


def test_siren_starts_within_its_bounds_and_fills_them(photo: Tensor) -> None:
    net, z = built(prior("siren"), posed("denoising", photo))
    convolutions = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    bounds = [0.5, *[sqrt(6 / 256) / 30] * 4]
    assert len(convolutions) == len(bounds)
    for layer, bound in zip(convolutions, bounds, strict=True):
        assert 0.98 * bound < float(layer.weight.detach().abs().max()) <= bound
        assert float(layer.weight.detach().std()) == pytest.approx(bound / sqrt(3), rel=0.06)
    assert (float(z.min()), float(z.max())) == (-1, 1)


def test_siren_is_a_perceptron_of_sines(problem: Problem) -> None:
    net, z = built(prior("siren[width=8,hidden=1]"), problem)
    layers = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    weights = [(layer.weight.detach().flatten(1).numpy(), layer.bias.detach().numpy()) for layer in layers]
    x = np.array([-1 + 2 * 5 / 31, -1 + 2 * 9 / 31])  # of column 5 and row 9
    for matrix, bias in weights[:-1]:
        x = np.sin(30 * (matrix @ x + bias))
    matrix, bias = weights[-1]
    np.testing.assert_allclose(net(z)[0, :, 9, 5].detach().numpy(), (matrix @ x + bias + 1) / 2, atol=1e-4)


def test_wire_in_real_numbers_is_the_network_in_complex_ones(problem: Problem) -> None:
    """exp(i w u - |s u|^2) of complex linear maps, and the real part of the last."""
    net, z = built(prior("wire[width=8,hidden=2,frequency=3,scale=2]"), problem)
    first, _, *hidden, last = net
    u = z[0].flatten(1).T.double()
    x = (u @ first.weight.detach().flatten(1).double().T + first.bias.detach()).to(torch.complex128)
    x = torch.exp(3j * x - (2 * x).abs().square())
    for layer in hidden:
        weight = torch.complex(layer.real.detach().double(), layer.imaginary.detach().double())[..., 0, 0]
        bias = torch.complex(*layer.bias.detach().double().chunk(2))
        x = x @ weight.T + bias
        x = torch.exp(3j * x - (2 * x).abs().square())
    real, imaginary = last.weight.detach().double()[..., 0, 0].chunk(2, dim=1)
    made = (x @ torch.complex(real, -imaginary).T).real + last.bias.detach()
    torch.testing.assert_close(net(z)[0].flatten(1).T.detach().double(), made, atol=1e-5, rtol=1e-4)


def test_wire_starts_as_a_complex_layer_of_torch_does(photo: Tensor) -> None:
    net, _ = built(prior("wire"), posed("denoising", photo))
    _, _, layer, _, last = net
    torch.manual_seed(0)
    torchs = nn.Linear(181, 181, dtype=torch.cfloat)
    for ours, theirs in ((layer.real, torchs.weight.real), (layer.imaginary, torchs.weight.imag)):
        assert ours.shape[:2] == theirs.shape
        for number in (lambda t: t.std(), lambda t: t.abs().max()):
            assert float(number(ours.detach())) == pytest.approx(float(number(theirs.detach())), rel=0.02)
    assert float(last.weight.detach().abs().max()) == pytest.approx(1 / sqrt(181), rel=0.02)


def test_wire_goes_slower_for_more_pixels_than_its_batch_and_no_faster_for_fewer() -> None:
    task = registry.build("task", "denoising")
    rates = [prior("wire").fit_settings(task.pose(torch.zeros(3, n, n))).optimiser for n in (128, 256, 512)]
    assert rates == [Adam(5e-3), Adam(5e-3), Adam(5e-3 / 4)]


# pip


def test_pip_is_fed_waves_of_1_to_256_radians(photo: Tensor) -> None:
    """cos and sin of f x and of f y, x and y from 0 to 1, by NumPy."""
    _, z = built(prior("pip"), posed("denoising", photo))
    rates = 2 ** (8 / 7 * np.arange(8))
    assert (rates[0], rates[-1]) == (1, pytest.approx(256))
    y, x = np.meshgrid(np.arange(64) / 63, np.arange(64) / 63, indexing="ij")
    expected = [wave(f * axis) for axis in (x, y) for wave in (np.cos, np.sin) for f in rates]
    np.testing.assert_allclose(z[0].numpy(), np.stack(expected), atol=5e-5)


def test_pip_has_kernels_of_one_pixel(problem: Problem) -> None:
    net, _ = built(tiny("pip"), problem)
    assert {layer.kernel_size for layer in net.modules() if isinstance(layer, nn.Conv2d)} == {(1, 1)}


def test_pip_that_learns_begins_as_the_fixed_one_and_moves_its_frequencies(problem: Problem) -> None:
    fixed, learning = (Fit(tiny("pip", learned=learned), problem, Streams(0)) for learned in (False, True))
    torch.testing.assert_close(fixed.output().estimate, learning.output().estimate, atol=1e-5, rtol=0)
    before = learning.network.network.z.detach().clone()
    learning.step()
    moved = (learning.network.network.z.detach() - before).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 0.01), rtol=1e-2, atol=0)  # Adam's first step


def test_jitter_of_pip_is_on_the_frequencies_where_they_are_learned(problem: Problem) -> None:
    _, z = built(tiny("pip", learned=True), problem)
    assert z.shape == (1, 3, 1, 1)
    still, moving = (tiny("pip", learned=True, jitter=jitter) for jitter in (0.0, 0.03))
    first = [outputs(method, problem)[0] for method in (still, moving)]
    assert not torch.allclose(*first, atol=1e-4)


# deep_random_projector


def test_convolutions_of_the_projector_stay_and_all_else_moves(problem: Problem) -> None:
    running = Fit(tiny("deep_random_projector"), problem, Streams(0))
    before = {name: p.detach().clone() for name, p in running.network.named_parameters()}
    running.output()
    running.step()
    layers = dict(running.network.named_modules())
    for name, parameter in running.network.named_parameters():
        convolution = isinstance(layers[name.rpartition(".")[0]], nn.Conv2d)
        assert torch.equal(parameter, before[name]) is convolution, name


def test_projector_minimises_the_root_of_the_error_and_total_variation(photo: Tensor) -> None:
    """Of a ramp of 1/32 a pixel, 0.1 from the measurement: 31 of 32 columns have that difference."""
    ramp = (torch.arange(32) / 64).expand(1, 3, 32, 32)
    problem = registry.build("task", "denoising").pose(ramp[0] + 0.1)
    loss = prior("deep_random_projector[weight=2]").loss(ramp, problem)
    assert float(loss) == pytest.approx(0.1 + 2 * 31 / 32 / 64, rel=1e-4)


def test_noise_of_the_projector_walks_unless_it_is_taken_off(photo: Tensor) -> None:
    problem = posed("inpainting", photo[:, :32, :32])
    spread = []
    for stays in (True, False):
        running = Fit(tiny("deep_random_projector", width=32, noise_stays=stays), problem, Streams(0))
        kernels = [p for p in running.network.parameters() if p.ndim == 4 and not p.requires_grad]
        before = [p.detach().clone() for p in kernels]
        for _ in range(25):
            running.output()
            running.step()
        changes = [(p.detach() - old).flatten() for p, old in zip(kernels, before, strict=True)]
        spread.append(float(torch.cat(changes).std()))
    assert spread == [pytest.approx(5e-3, rel=0.05), 0]


# mc_dropout


def test_likelihood_is_that_of_the_official_code(photo: Tensor) -> None:
    """exp(s) (y - image)^2 - s, with s within 20; over the known pixels, for what a missing one is worth is nothing."""
    problem = posed("inpainting", photo[:, :8, :8])
    draw = torch.Generator().manual_seed(0)
    image, s = torch.rand((1, 3, 8, 8), generator=draw), 30 * torch.rand((1, 1, 8, 8), generator=draw) - 5
    output = torch.cat([image, s], dim=1).requires_grad_()
    loss = prior("mc_dropout").loss(output, problem)
    known = problem.known.expand(3, -1, -1).numpy()
    y, within = problem.measurement.numpy()[known], s[0].expand(3, -1, -1).clamp(-20, 20).double().numpy()[known]
    expected = np.mean(np.exp(within) * (y - image[0].numpy()[known]) ** 2 - within)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)
    loss.backward()
    assert not output.grad[0, :, ~problem.known[0]].any()
    assert torch.equal(prior("mc_dropout").estimate(output), output[:, :3])


def test_dropout_is_on_what_is_normalised_but_not_on_the_skip_branches(problem: Problem) -> None:
    running = Fit(tiny("mc_dropout"), problem, Streams(0))
    dropped = [name for name, module in running.network.named_modules() if type(module).__name__ == "KeptChannels"]
    assert len(dropped) == 2 * 4  # two of the encoder and two of the decoder, at each scale
    assert not [name for name in dropped if ".skip." in name]


def test_mc_dropout_starts_wide_and_refuses_what_it_has_no_precision_for(photo: Tensor) -> None:
    net, _ = built(prior("mc_dropout"), posed("denoising", photo))
    kernels = torch.cat([p.detach().flatten() for p in net.parameters() if p.ndim == 4])
    assert float(kernels.std()) == pytest.approx(0.1, rel=0.01)
    assert "each pixel measured" in prior("mc_dropout").refuses(posed("super_resolution", photo))
