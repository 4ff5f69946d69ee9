"""Priors whose fit feeds something back: aSeqDIP its output, self-guided DIP its input, DeepRED a denoised image."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dipbench.methods.deep_red import Denoised
from dipbench.methods.self_guided import Guide
from skimage.restoration import denoise_nl_means
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Fitting, Prior, Problem, Scene
from dipbench.fit import Fit
from dipbench.fit.tricks import Backtracking
from dipbench.images.files import centre_crop
from dipbench.operators import Identity
from dipbench.streams import Streams


def posed(photo: Tensor, task: str = "denoising", side: int = 40) -> Problem:
    return registry.build("task", task).degrade(Scene(photo[:, :side, :side]), Streams(0))


def prior(text: str) -> Prior:
    return registry.build("method", text)


# aSeqDIP


@pytest.mark.parametrize(("task", "expected"), [("denoising", 1_036_995), ("inpainting", 2_843_239)])
def test_networks_have_as_many_parameters_as_those_of_the_code(photo: Tensor, task: str, expected: int) -> None:
    net, _ = prior("aseqdip").build(posed(photo, task), Streams(0))
    assert sum(p.numel() for p in net.parameters()) == expected


def test_the_first_input_is_the_measurement_and_missing_pixels_are_grey(photo: Tensor) -> None:
    problem = posed(photo)
    _, z = prior("aseqdip").build(problem, Streams(0))
    assert torch.equal(z[0], problem.measurement)
    problem = posed(photo, "inpainting", 64)
    assert problem.known is not None
    _, z = prior("aseqdip").build(problem, Streams(0))
    assert z[0].masked_select(~problem.known).unique().tolist() == pytest.approx([0.4])
    assert torch.equal(z[0].masked_select(problem.known), problem.measurement.masked_select(problem.known))


def test_the_output_is_the_next_input_after_every_second_step(photo: Tensor) -> None:
    """Of 39 x 39 pixels, which are padded to 40: the input is the output with its border repeated."""
    fit = Fit(prior("aseqdip"), posed(photo, side=39), Streams(0))
    (memory,) = (played.memory for played in fit._tricks)
    start, outputs = memory["input"].clone(), []
    for iteration in range(4):
        step = fit.output()
        outputs.append(step.estimate.clone())
        fit.step()
        seen = centre_crop(memory["input"][0], 39, 39)
        if iteration == 0:
            assert torch.equal(memory["input"], start)
        else:
            fed = outputs[1] if iteration < 3 else outputs[3]
            torch.testing.assert_close(seen.clamp(0, 1), fed)


def test_of_inpainting_the_next_input_is_what_the_weights_make_after_the_step(photo: Tensor) -> None:
    fit = Fit(prior("aseqdip"), posed(photo, "inpainting", 64), Streams(0))
    (memory,) = (played.memory for played in fit._tricks)
    for iteration in range(4):
        start = memory["input"].clone()
        fit.output()
        fit.step()
        made = fit.network(start).detach()
        expected = made if iteration % 2 else start
        torch.testing.assert_close(memory["input"], expected)


def test_the_loss_holds_the_output_to_the_input(photo: Tensor) -> None:
    problem = posed(photo)
    step = Fit(prior("aseqdip[network=skip,weight=0.5]"), problem, Streams(0)).output()
    distance = (step.estimate - problem.measurement).square().mean()
    torch.testing.assert_close(step.loss, problem.misfit(step.estimate) + 0.5 * distance)


# self-guided


def guided(variant: str, problem: Problem) -> tuple[Fit, Guide]:
    fit = Fit(prior(f"self_guided[variant={variant},channels=8,scales=2]"), problem, Streams(0))
    (guide,) = (module for module in fit.network.modules() if isinstance(module, Guide))
    return fit, guide


@pytest.mark.parametrize(("variant", "rate", "of_input"), [("notebook", 3e-4, 0.1), ("handbook", 1e-4, 0.01)])
def test_network_and_input_are_fitted_at_rates_of_their_own(
    photo: Tensor, variant: str, rate: float, of_input: float
) -> None:
    """The first step of Adam is its rate, whatever the gradient."""
    fit, guide = guided(variant, posed(photo))
    start = {"z": guide.z.detach().clone(), "net": next(guide.network.parameters()).detach().clone()}
    fit.output()
    fit.step()
    moved = (guide.z.detach() - start["z"]).abs()
    assert float(moved.median()) == pytest.approx(of_input, rel=0.01)
    net = (next(guide.network.parameters()).detach() - start["net"]).abs()
    assert float(net.median()) == pytest.approx(rate, rel=0.01)


def test_the_notebook_begins_with_noise_and_the_handbook_with_the_degraded_image(photo: Tensor) -> None:
    problem = posed(photo)
    _, guide = guided("notebook", problem)
    assert 0.99 < float(guide.z.detach().max()) < 1, "as U(0, 1)"
    _, guide = guided("handbook", problem)
    torch.testing.assert_close(guide.z.detach()[0], problem.measurement)


def drawn(fit: Fit, guide: Guide, draws: int, amplitude: float) -> list[Tensor]:
    """The inputs of an iteration, drawn as the trick draws them, for a generator in the same state."""
    (played,) = fit._tricks
    state = played.rng.get_state()
    z = guide.z.detach().clone()
    noise = torch.rand((draws, *z.shape[1:]), generator=played.rng)
    played.rng.set_state(state)
    return [*(z + amplitude * z.max() * noise).split(1)]


def test_loss_of_the_notebook_is_of_norms_with_each_draw_normalised_by_itself(photo: Tensor) -> None:
    problem = posed(photo)
    fit, guide = guided("notebook", problem)
    z, inputs = guide.z.detach().clone(), drawn(fit, guide, 3, 0.5)
    image = torch.stack([guide.network(each)[0] for each in inputs]).mean(dim=0).detach()
    step = fit.output()
    torch.testing.assert_close(step.estimate, image)
    first, second = (torch.linalg.norm(image - other) for other in (problem.measurement, z[0]))
    torch.testing.assert_close(step.loss, first + 2 / 40 * second)
    coefficients = torch.fft.fft2(image - problem.measurement)  # beside which the notebook has its weight of 2
    torch.testing.assert_close(step.loss * 40, torch.linalg.norm(coefficients).real + 2 * second)


def test_loss_of_the_handbook_is_of_squares_with_each_of_its_draws_held_to_the_input(photo: Tensor) -> None:
    """As there: |mean - y|^2 + 0.01 * 4 * the sum over the draws of |f - z|^2; here per pixel."""
    problem = posed(photo)
    fit, guide = guided("handbook", problem)
    z, inputs = guide.z.detach().clone(), drawn(fit, guide, 4, 0.01)
    made = torch.cat([guide.network(each) for each in inputs]).detach()
    step = fit.output()
    torch.testing.assert_close(step.estimate, made.mean(dim=0))
    first = (made.mean(dim=0) - problem.measurement).square().sum()
    second = 4 * (made - z).square().sum()
    torch.testing.assert_close(step.loss * problem.measurement.numel(), first + 0.01 * second)


def test_pixels_that_are_kept_from_the_fit_do_not_count(photo: Tensor) -> None:
    problem = posed(photo)
    counted = torch.rand(1, 40, 40) < 0.9
    visible = replace(problem, measurement=problem.measurement * counted, counted=counted)
    for variant in ("notebook", "handbook"):
        method = prior(f"self_guided[variant={variant},channels=8,scales=2]")
        output = torch.rand(1, 3 * method.recipe(visible).draws, 40, 40)
        other = torch.where(counted, output, torch.rand_like(output))
        torch.testing.assert_close(method.loss(output, visible), method.loss(other, visible))


def test_an_output_without_noise_is_an_image_too(photo: Tensor) -> None:
    fit, guide = guided("notebook", posed(photo))
    torch.testing.assert_close(fit.still(), guide.network(guide.z)[0].detach())


# DeepRED


def test_images_and_weights_are_those_of_the_official_loop() -> None:
    """ADMM in NumPy with the outputs given, the denoised image ten steps late, for 25 steps."""
    rng = np.random.default_rng(0)
    y = rng.random((1, 16, 16))
    outputs = y + 0.1 * rng.standard_normal((25, 1, 16, 16))
    misfits = 10 ** (-np.linspace(15, 25, 25) / 10)
    x, u, used, ready, weight, threshold = y.copy(), 0 * y, y.copy(), y.copy(), 0.5, 20.0
    for step, (f, misfit) in enumerate(zip(outputs, misfits, strict=True)):
        if step % 10 == 0:
            used = ready
            ready = denoise_nl_means(
                x[0], patch_size=5, patch_distance=6, h=0.6 * 3 / 255, sigma=3 / 255, fast_mode=True
            )[None]
        x = np.clip((weight * used + weight * (f + u)) / (2 * weight), 0, 1)
        u = u + f - x
        if -10 * np.log10(misfit) > threshold:
            weight, threshold = weight + 0.03, threshold + 0.01
    problem = Problem("denoising", torch.from_numpy(y), Identity(), (1, 16, 16))
    net = nn.Identity()
    fit = Fitting(net, nn.Parameter(torch.zeros(1)), torch.zeros(1), torch.zeros(()), net, problem)
    trick, none = Denoised(0.5, 20.0, 10, 3 / 255), torch.Generator()
    memory = trick.memory(fit)
    for f, misfit in zip(outputs, misfits, strict=True):
        trick.adds(torch.from_numpy(f)[None], fit, memory, none)
        fit.misfit = torch.tensor(misfit)
        trick.stepped(fit, memory, none)
    torch.testing.assert_close(memory["image"][0], torch.from_numpy(x))
    torch.testing.assert_close(memory["dual"][0], torch.from_numpy(u))
    assert float(memory["weight"]) == pytest.approx(weight)
    assert weight > 0.7, "the threshold was passed many times"


def test_deep_red_is_pulled_to_the_measurement_and_from_the_tenth_step_on_to_it_denoised(photo: Tensor) -> None:
    problem = posed(photo, side=64)
    fit = Fit(prior("deep_red[down=[8,8],skip=[2,2],denoiser_sigma=50]"), problem, Streams(0))
    step = fit.output()
    torch.testing.assert_close(step.loss, 1.5 * step.misfit)  # x is the measurement and u nothing at the start
    for _ in range(11):  # until then what pulls is the measurement
        fit.step()
        step = fit.output()
    assert float(step.loss) != pytest.approx(1.5 * float(step.misfit), rel=1e-4)


def test_it_denoises_what_is_measured_as_it_is(photo: Tensor) -> None:
    assert "measured as it is" in str(prior("deep_red").refuses(posed(photo, "inpainting")))
    hidden = replace(posed(photo), counted=torch.ones(1, 40, 40, dtype=torch.bool))
    assert "every pixel" in str(prior("deep_red").refuses(hidden)), "it would be pulled to pixels that are black there"
    assert not any(isinstance(trick, Backtracking) for trick in prior("deep_red").fit_settings(posed(photo)).tricks)
    assert prior("aseqdip").refuses(posed(photo, "super_resolution", 64))
