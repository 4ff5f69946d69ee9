"""What a lean network leaves out and puts together, and that it stays the same network."""

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem, Scene
from dipbench.fit import Execution, Fit
from dipbench.fit.engines.kernels import Normalised, Projection, why_not
from dipbench.fit.engines.lean import SinglePrecision, drop_redundant_biases, end_in_single_precision, join_batch_norms
from dipbench.nets.resnet import res_net
from dipbench.nets.skip import skip_net
from dipbench.nets.unet import UNet
from dipbench.streams import Streams

needs_kernels = pytest.mark.skipif(why_not() is not None, reason=f"the operators are not available: {why_not()}")

TINY = "dip[down=[8,8],skip=[2,2],input_channels=4,iterations=4]"


def test_a_bias_before_batch_norm_changes_nothing() -> None:
    torch.manual_seed(0)
    net = skip_net(4, 3, down=(8, 8), up=(8, 8), skip=(2, 2)).double()
    z = torch.rand((1, 4, 32, 32), dtype=torch.float64)
    before, count = net(z), sum(p.numel() for p in net.parameters())
    dropped = drop_redundant_biases(net)
    assert dropped == 8 * 8 + 2 * 2  # four convolutions of 8 a scale, one of 2
    assert sum(p.numel() for p in net.parameters()) == count - dropped
    assert torch.allclose(net(z), before, atol=1e-12)
    assert net[1].bias is not None, "the last convolution has no batch norm behind it: its bias counts"


@pytest.mark.parametrize("norm", ["group", "instance"])
def test_a_bias_before_another_norm_stays(norm: str) -> None:
    """Before a group norm it counts: channels of a group that are moved against each other are another image."""
    net = skip(norm=norm)
    count = sum(p.numel() for p in net.parameters())
    assert (drop_redundant_biases(net), join_batch_norms(net)) == (0, 0)
    assert sum(p.numel() for p in net.parameters()) == count


def kinds(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(type(module) is kind for module in network.modules())


def skip(**options: Any) -> nn.Module:
    return skip_net(4, 3, down=(8, 8), up=(8, 8), skip=(2, 2), **options)


NETWORKS = {
    "skip": skip,
    "skip, nearest, zero padding": lambda: skip(upsampling="nearest", padding="zero"),
    "skip, kernels of 5, pooled": lambda: skip(down_kernels=5, up_kernels=5, downsampling="avg"),
    "skip, no branches": lambda: skip_net(4, 3, down=(8, 8), up=(8, 8), skip=(0, 0)),
    "resnet": lambda: res_net(4, 3, blocks=2, channels=8),
    "unet": lambda: UNet(4, 3, feature_scale=16, norm="batch", padding="reflection", upsampling="bilinear"),
}


@needs_kernels
@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
@pytest.mark.parametrize("name", NETWORKS)
def test_joined_network_has_the_output_and_the_gradients_of_the_plain_one(name: str, size: tuple[int, int]) -> None:
    """In single precision, to its rounding; every batch norm is joined and every parameter in its place."""
    torch.manual_seed(0)
    plain = NETWORKS[name]()
    joined, norms = copy.deepcopy(plain), kinds(plain, nn.BatchNorm2d)
    assert join_batch_norms(joined) == norms == kinds(joined, Normalised)
    end_in_single_precision(joined, quickly=True)
    x = torch.rand(1, 4, *size)
    expected, found = plain(x), joined.to(memory_format=torch.channels_last)(x)
    assert torch.allclose(found, expected, atol=1e-5)
    of_plain, of_joined = (
        torch.autograd.grad((output - 0.5).square().sum(), list(network.parameters()))
        for network, output in ((plain, expected), (joined, found))
    )
    largest = max(float(gradient.abs().max()) for gradient in of_plain)
    for mine, theirs in zip(of_joined, of_plain, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4 * largest)


def losses(settings: str, photo: Tensor, execution: Execution) -> list[float]:
    """Of the first iterations of the tiny network with these settings."""
    problem = registry.build("task", "denoising").degrade(Scene(photo[:, :32, :32]), Streams(0))
    prior = registry.build("method", f"{TINY[:-1]}{settings}]")
    return [float(step.loss) for step in fit(prior, problem, Streams(0), execution)]


@needs_kernels
def test_lean_fit_begins_as_the_eager_one(photo: Tensor) -> None:
    lean, eager = (losses("", photo, Execution(engine)) for engine in ("lean", "eager"))
    assert lean[0] == pytest.approx(eager[0], rel=1e-5)
    assert lean == pytest.approx(eager, rel=0.05)  # Adam's first steps amplify any rounding


@pytest.mark.parametrize("settings", ["norm=batch", "norm=group", "norm=instance", "norm=group,sigmoid=false"])
def test_lean_fit_is_the_eager_one_with_any_norm(photo: Tensor, settings: str) -> None:
    """The first output in single precision; the path in double, where Adam has less rounding to amplify."""
    settings = f",{settings}"
    single = [losses(settings, photo, Execution(engine))[0] for engine in ("lean", "eager")]
    assert single[0] == pytest.approx(single[1], rel=1e-5)
    double = [losses(settings, photo, Execution(engine, "float64")) for engine in ("lean", "eager")]
    assert double[0] == pytest.approx(double[1], rel=1e-6)


class OfCoordinates(nn.Module):
    """Neither its input nor its first kernel is laid out as an image is."""

    def __init__(self, shape: tuple[int, int, int]):
        super().__init__()
        self.shape = shape
        self.of_volumes, self.last = nn.Conv3d(1, 8, (1, 1, 2)), nn.Conv2d(8, shape[0], 1)

    def forward(self, places: Tensor) -> Tensor:
        hidden = self.of_volumes(places[:, None, None]).sin()  # (1, 8, 1, N, 1)
        return self.last(hidden.view(1, 8, *self.shape[1:])).sigmoid()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Coordinates(Prior):
    """A network of the coordinates (1, N, 2)."""

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        down, right = (torch.linspace(-1, 1, side) for side in problem.shape[1:])
        return OfCoordinates(problem.shape), torch.cartesian_prod(down, right)[None]

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(iterations=2)


@needs_kernels
def test_what_is_no_image_is_left_in_its_layout(photo: Tensor) -> None:
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    lean, eager = (
        [float(step.loss) for step in fit(Coordinates(), problem, Streams(0), Execution(engine))]
        for engine in ("lean", "eager")
    )
    assert lean == pytest.approx(eager, rel=1e-4)


@pytest.mark.parametrize("engine", ["eager", "lean"])
def test_output_in_bfloat16_is_not_rounded_to_its_steps(photo: Tensor, engine: str) -> None:
    """Above 1/2 bfloat16 has steps of 1/256: a measurement could not be fitted to 50 dB."""
    problem = registry.build("task", "denoising").degrade(Scene(photo[:, :32, :32]), Streams(0))
    fitted = Fit(registry.build("method", TINY), problem, Streams(0), Execution(engine, "bf16"))
    output = fitted.output().estimate
    above = output[output > 0.5]
    assert len(above) > 100
    assert float((above == above.bfloat16()).float().mean()) < 0.1


def test_last_convolution_alone_is_in_single_precision() -> None:
    network = skip()
    end_in_single_precision(network)
    assert type(network[1]) is SinglePrecision
    assert kinds(network, SinglePrecision) == 1
    seen: dict[str, torch.dtype] = {}
    network[0].register_forward_hook(lambda module, given, made: seen.update(inner=made.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(1, 4, 32, 32)).dtype == torch.float32
    assert seen == {"inner": torch.bfloat16}


@needs_kernels
def test_wider_last_convolution_is_left_to_pytorch() -> None:
    network = nn.Sequential(nn.Conv2d(4, 8, 1))
    end_in_single_precision(network, quickly=True)
    assert type(network[0]) is SinglePrecision
    network = nn.Sequential(nn.Conv2d(4, 3, 1))
    end_in_single_precision(network, quickly=True)
    assert type(network[0]) is Projection


def test_network_without_a_convolution_stays_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(4, 4))
    end_in_single_precision(network)
    assert type(network[0]) is nn.Linear


def test_network_that_is_a_convolution_itself_stays_as_it_is() -> None:
    network = nn.Conv2d(4, 3, 1)
    end_in_single_precision(network)
    assert type(network) is nn.Conv2d


class _Blurred:
    """The operator of a problem, which keeps what it was given."""

    def __init__(self, operator: Any):
        self.operator, self.seen = operator, []

    def __call__(self, image: Tensor) -> Tensor:
        made = self.operator(image)
        self.seen.append((image.detach().clone(), made.detach().clone()))
        return made


def test_forward_operator_is_outside_the_half_precision(photo: Tensor) -> None:
    """Within autocast the x4 down-sampling would be off by 58 dB: it is what it is in single precision, to the bit."""
    problem: Problem = registry.build("task", "super_resolution[factor=4]").degrade(Scene(photo), Streams(0))
    spy = _Blurred(problem.operator)
    object.__setattr__(problem, "operator", spy)
    Fit(registry.build("method", TINY), problem, Streams(0), Execution("eager", "bf16")).output()
    (image, made), *_ = spy.seen
    assert made.dtype == torch.float32
    assert torch.equal(made, spy.operator(image))
