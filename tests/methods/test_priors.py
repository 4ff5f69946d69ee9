"""Untrained priors of other papers: their networks and settings, beside what their papers and code say of them."""

import copy

import numpy as np
import pytest
import torch
from making import built, outputs, parameters, posed, prior, tiny
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Problem
from dipbench.fit import Execution, Fit
from dipbench.fit.tricks import Backtracking, DecayingJitter, Dropout, FrozenNoise, Jitter, RateDecay
from dipbench.optimisers import Adam, AdamW
from dipbench.streams import Streams

DECODERS = ["deep_decoder", "conv_decoder", "encoder_decoder", "faster_dip"]
NAMES = [*DECODERS, "siren", "wire", "pip", "deep_random_projector", "mc_dropout"]


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
        ("encoder_decoder", "inpainting", 11_000, Adam(0.001), (Jitter(0.03), Backtracking(5.0, every=50))),
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
