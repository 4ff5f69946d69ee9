"""Methods that learn to denoise from the noisy image alone: their networks, what these see, what they gain."""

from importlib import import_module

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.nets.partial_unet import PartialConvolution, PartialUNet
from dipbench.running.check.methods import estimates
from dipbench.running.trial import attempt
from dipbench.scoring import Protocol
from dipbench.streams import Streams

NAMES = ["zs_n2n", "noise2fast", "noise2self", "self2self"]
zs_n2n, noise2fast, noise2self = (import_module(f"dipbench.methods.{name}") for name in NAMES[:3])


def size(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def noisy(image: Tensor, task: str = "denoising") -> Problem:
    return registry.build("task", task).degrade(Scene(image), Streams(0))


def blocks() -> Tensor:
    """A picture of four grey levels (1, 64, 64), of which every denoiser that works gains."""
    return torch.tensor([[0.2, 0.8], [0.6, 0.4]]).repeat_interleave(32, 0).repeat_interleave(32, 1)[None]


# What they take


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["inpainting", "super_resolution", "fitting"])
def test_what_is_no_noisy_image_is_refused(photo: Tensor, name: str, task: str) -> None:
    assert registry.build("method", name).refuses(noisy(photo, task)).startswith("it denoises: ")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("noise", ["poisson", "speckle", "gaussian"])
def test_no_noise_level_is_needed(photo: Tensor, name: str, noise: str) -> None:
    assert registry.build("method", name).refuses(noisy(photo, f"denoising[noise={noise}]")) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_level_grey_image_stays_finite(name: str) -> None:
    problem = registry.build("task", "denoising").pose(torch.full((1, 16, 16), 0.5))
    assert all(estimate.isfinite().all() for estimate in estimates(registry.find("method", name).tiny(), problem))


# Their networks, as large as those of the authors' code


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (lambda: zs_n2n.noise_network(3, 48), 22_275),
        (lambda: zs_n2n.noise_network(1, 48), 21_313),
        (lambda: noise2fast.network_of(1, 64), 259_201),
        (lambda: noise2self.network_of(1, 8, 64), 223_104),
        (lambda: PartialUNet(3, "code"), 991_203),
        (lambda: PartialUNet(3, "paper"), 991_203),
    ],
)
def test_network_has_as_many_parameters_as_that_of_the_code(network, parameters: int) -> None:
    assert size(network()) == parameters


# zs_n2n


def test_halves_average_to_the_mean_of_the_blocks_and_share_no_pixel(photo: Tensor) -> None:
    image = photo[:, :63, :33].clone().requires_grad_()
    first, second = zs_n2n.halves(image)
    torch.testing.assert_close((first + second) / 2, torch.nn.functional.avg_pool2d(image, 2))
    touched = [torch.autograd.grad(half.sum(), image, retain_graph=True)[0] > 0 for half in (first, second)]
    assert not (touched[0] & touched[1]).any()
    assert (touched[0] | touched[1])[:, :62, :32].all()


# noise2fast


def test_chequerboards_of_a_pair_have_every_pixel_once() -> None:
    numbers = torch.arange(6 * 8).view(1, 1, 6, 8)
    for seen, target in noise2fast.pairs(numbers):
        assert sorted([*seen.flatten().tolist(), *target.flatten().tolist()]) == list(range(48))
    rows, _, columns, _ = (seen[0, 0] for seen, _ in noise2fast.pairs(numbers))
    assert rows[0].tolist() == [0, 9, 2, 11, 4, 13, 6, 15]
    assert columns[:, 0].tolist() == [0, 9, 16, 25, 32, 41]


def test_noise2fast_ends_when_its_output_moves_away_and_averages_its_last_outputs() -> None:
    method = registry.build("method", "noise2fast[patience=5,averaged=4,channels=8]")
    problem = noisy(blocks())
    *outputs, result = estimates(method, problem)
    errors = [float((output - problem.measurement).square().mean()) for output in outputs]
    assert errors.index(min(errors)) == len(errors) - 7, "ends with the sixth step that is no better"
    torch.testing.assert_close(result, torch.stack(outputs[-4:]).mean(dim=0))


def test_noise2fast_does_not_depend_on_the_range_of_the_image() -> None:
    """Which it stretches: a darker image of less contrast is denoised to the same, so much darker."""
    method = registry.build("method", "noise2fast[iterations=3,channels=8]")
    task = registry.build("task", "denoising")
    image = noisy(blocks()).measurement
    bright, dark = (estimates(method, task.pose(each))[-1] for each in (image, 0.25 * image + 0.125))
    torch.testing.assert_close(dark, 0.25 * bright + 0.125, atol=1e-4, rtol=0)


# noise2self


def test_every_pixel_is_of_one_grid(photo: Tensor) -> None:
    masks = noise2self.grids(photo[:, :30, :41])
    assert torch.equal(masks.sum(dim=0), torch.ones(1, 1, 30, 41))


def test_prediction_of_a_hidden_pixel_does_not_depend_on_that_pixel(photo: Tensor) -> None:
    """Nor on any other of its grid; on those around it it does."""
    torch.manual_seed(0)
    network = noise2self.network_of(3, 8, 16).eval()
    grid = noise2self.grids(photo)[6]
    image = photo[None].clone().requires_grad_()
    predicted = network(noise2self.hidden(image, grid)) * grid
    (gradient,) = torch.autograd.grad(predicted.square().sum(), image)
    assert not (gradient * grid).any()
    assert (gradient * (1 - grid)).any()


def test_batch_norms_of_noise2self_start_at_1_or_uniformly(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.nn.Sequential] = []
    real = noise2self.network_of
    monkeypatch.setattr(noise2self, "network_of", lambda *sizes: made.append(real(*sizes)) or made[-1])
    problem = noisy(blocks()).measurement
    task = registry.build("task", "denoising")
    for text in ("noise2self", "noise2self[batch_norm_start=uniform]"):
        method = registry.build("method", text)
        next(method.run(task.pose(problem), Streams(0)))
    ones, uniform = (
        [layer.weight.detach() for layer in net if isinstance(layer, torch.nn.BatchNorm2d)] for net in made
    )
    assert all(float((scales - 1).abs().max()) < 0.02 for scales in ones), "but for a step of Adam"
    assert all(float(scales.std()) == pytest.approx(12**-0.5, abs=0.08) for scales in uniform)


def test_hidden_pixel_is_the_weighted_mean_of_its_neighbours() -> None:
    image = torch.arange(25.0).view(1, 1, 5, 5) / 25
    around = image[0, 0, 1:4, 1:4]
    grid = torch.zeros(1, 1, 5, 5)
    grid[..., 2, 2] = 1
    image_with_outlier = image.clone()
    image_with_outlier[..., 2, 2] = 9
    expected = (around[::2, ::2].sum() / 2 + around[1, 0] + around[1, 2] + around[0, 1] + around[2, 1]) / 6
    assert float(noise2self.hidden(image_with_outlier, grid)[0, 0, 2, 2]) == pytest.approx(float(expected))


def test_masked_inference_of_noise2self_depends_on_no_pixel_at_its_place() -> None:
    """As the paper has it; as the notebook has it, the network sees the pixel."""
    torch.manual_seed(0)
    network = noise2self.network_of(1, 3, 8).eval()
    image = noisy(blocks()[:, :8, :8]).measurement[None]
    for inference, blind in (("masked", True), ("whole", False)):
        method = registry.build("method", f"noise2self[inference={inference}]")
        jacobian = torch.autograd.functional.jacobian(lambda y, method=method: method._denoised(network, y), image)
        own = jacobian.view(64, 64).diagonal()
        assert bool((own == 0).all()) == blind


# self2self


def test_partial_convolution_with_all_known_is_a_convolution_and_sees_nothing_unknown(photo: Tensor) -> None:
    layer = PartialConvolution(3, 4, "paper")
    image = photo[None]
    known = torch.ones_like(image)
    padded = torch.nn.functional.pad(image, (1,) * 4, mode="replicate")
    expected = torch.nn.functional.conv2d(padded, layer.weight, layer.bias)
    torch.testing.assert_close(layer(image, known)[0], expected)
    known[..., 10:20, 10:20] = 0
    darkened = torch.where(known > 0, image, 0)
    assert torch.equal(layer(image, known)[0], layer(darkened, known)[0])
    assert not layer(image, known)[1][..., 11:19, 11:19].any()


def test_partial_convolution_with_equal_weights_is_the_mean_of_what_is_known(photo: Tensor) -> None:
    layer = PartialConvolution(3, 1, "paper")
    torch.nn.init.constant_(layer.weight, 1 / 27)
    known = (torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    output, any_known = layer(photo[None], known)
    window = known[..., 4:7, 20:23] > 0
    torch.testing.assert_close(output[0, 0, 5, 21], photo[None][..., 4:7, 20:23][window].mean())
    assert torch.equal(layer(torch.full((1, 3, 64, 64), 0.5), known)[0] > 0, any_known > 0)


def test_partial_convolution_of_the_code_grows_and_divides_by_the_channels(photo: Tensor) -> None:
    by_code, by_paper = PartialConvolution(3, 4, "code"), PartialConvolution(3, 4, "paper")
    by_paper.load_state_dict(by_code.state_dict())
    image, known = photo[None], torch.ones_like(photo[None])
    grown, kept = by_code(image, known)[0], by_paper(image, known)[0]
    assert grown.shape == (1, 4, 66, 66)
    torch.testing.assert_close(grown[..., 2:-2, 2:-2] * 3, kept[..., 1:-1, 1:-1])


@pytest.mark.parametrize("layers", ["code", "paper"])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 45), (5, 70)])
def test_partial_u_net_keeps_the_size(photo: Tensor, layers: str, height: int, width: int) -> None:
    image = photo[None, :, :height, :width]
    if (height, width) == (5, 70):
        image = photo.repeat(1, 1, 2)[None, :, :height, :width]
    network = PartialUNet(3, layers)  # type: ignore[arg-type]
    assert network(image, torch.ones_like(image), lambda x: x).shape == (1, 3, height, width)


def test_a_dropped_value_of_self2self_is_predicted_without_it(photo: Tensor) -> None:
    network = PartialUNet(3, "code")
    known = (torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) < 0.7).float()
    other = torch.where(known > 0, photo[None], torch.rand(1, 3, 64, 64))
    seen = [network(image * known, known, lambda x: x) for image in (photo[None], other)]
    assert torch.equal(*seen)


# What they gain


@pytest.mark.parametrize(
    ("method", "gain"),
    [
        ("zs_n2n[iterations=250]", 7),
        ("noise2fast[channels=16,iterations=250]", 7),
        ("noise2self[channels=16,iterations=150]", 5),
        ("self2self[iterations=60,passes=10,learning_rate=0.001]", 3),
    ],
)
def test_zero_shot_denoiser_gains_and_leaves_a_trace(method: str, gain: float) -> None:
    truth, problem = blocks(), noisy(blocks())
    outcome = attempt(registry.build("method", method), problem, truth, Protocol(), Streams(0))
    final, best = (next(o.image for o in outcome.outputs if o.name == name) for name in ("final", "best"))
    before, after, oracle = (float(Protocol().psnr(image, truth)) for image in (problem.measurement, final, best))
    assert after > before + gain
    assert oracle >= after - 1e-4
    assert len(outcome.trace) > 50
    assert outcome.trace["psnr"].iloc[-1] == pytest.approx(after, abs=1e-3)
