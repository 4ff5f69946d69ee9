"""What a fit cannot take of a prior, and the words in which it says so: its network, its loss, its optimiser."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Fitting, Prior, Problem, Scene, Trick
from dipbench.errors import UserError
from dipbench.fit import Fit
from dipbench.optimisers import Optimiser
from dipbench.streams import Streams

SETTINGS = FitSettings(iterations=2)


@dataclass(frozen=True)
class Given(Prior):
    """A prior of which the network, or the settings of the fit, are given; as it is all is right."""

    network: nn.Module | None = None
    settings_of_fit: FitSettings = SETTINGS

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        return self.network or nn.Conv2d(3, 3, 1), torch.rand((1, *problem.shape), generator=rng.torch("input"))

    def fit_settings(self, problem: Problem) -> FitSettings:
        return self.settings_of_fit


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo[:, :16, :20]), Streams(0))


LOSS = r"test_usable's loss\(\) gave {}: it must give a tensor of one number that depends on the output"


@pytest.mark.parametrize(
    ("loss", "got"),
    [
        (lambda output: None, "NoneType"),
        (lambda output: float(output.detach().mean()), "float"),
        (lambda output: output.square(), r"a tensor of shape \(1, 3, 16, 20\)"),
        (lambda output: output.mean() * 1j, r"a tensor of torch\.complex64"),
        (lambda output: output.detach().mean(), "a tensor that does not depend on the output"),
        (lambda output: nn.Parameter(torch.ones(())) * 2, "a tensor that does not depend on the output"),
    ],
)
def test_a_loss_that_cannot_be_minimised_is_refused_in_words(problem: Problem, loss: Any, got: str) -> None:
    class Lossy(Given):
        def loss(self, output: Tensor, problem: Problem) -> Tensor:
            made: Tensor = loss(output)
            return made

    with pytest.raises(UserError, match=LOSS.format(got)):
        Fit(Lossy(), problem, Streams(0)).output()


def test_a_loss_of_shape_1_is_the_number_in_it(problem: Problem) -> None:
    class One(Given):
        def loss(self, output: Tensor, problem: Problem) -> Tensor:
            return problem.misfit(output)[None]

    first, other = (next(fit(prior, problem, Streams(0))) for prior in (Given(), One()))
    assert other.loss.shape == ()
    assert other.loss == first.loss


def test_what_a_trick_adds_that_is_no_number_is_said_to_be_the_tricks(problem: Problem) -> None:
    class Pull(Trick):
        def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor:
            return output

    with pytest.raises(UserError, match=r"^trick 'test_usable' adds a tensor of shape \(1, 3, 16, 20\): it must add a"):
        Fit(Given(settings_of_fit=FitSettings(tricks=(Pull(),))), problem, Streams(0)).output()


def test_a_criterion_that_gives_no_number_is_the_tasks(problem: Problem) -> None:
    posed = replace(problem, criterion=lambda predicted, measurement: predicted - measurement)
    with pytest.raises(UserError, match=r"^the misfit of task 'denoising' gave a tensor of shape \(1, 3, 16, 20\)"):
        Fit(Given(), posed, Streams(0)).output()


@dataclass(frozen=True)
class Lbfgs(Optimiser):
    """It asks for the loss again within a step."""

    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        return torch.optim.LBFGS([parameters])


@dataclass(frozen=True)
class Nothing(Optimiser):
    """It forgot to return what it made."""

    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("optimiser", "got"),
    [(Lbfgs(), r"LBFGS, whose step\(\) asks for 'closure'"), (Nothing(), r"NoneType, which has no step\(\)")],
)
def test_an_optimiser_that_asks_for_the_loss_is_refused_in_words(
    problem: Problem, optimiser: Optimiser, got: str
) -> None:
    with pytest.raises(UserError, match=f"'s optimiser is {got}: it must step by the gradient alone; what computes"):
        Fit(Given(settings_of_fit=FitSettings(optimiser=optimiser)), problem, Streams(0))


class Phases(nn.Module):
    """Of complex numbers, as parameters or in a buffer."""

    def __init__(self, fitted: bool) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 3, 1)
        phases = torch.ones(1, dtype=torch.complex64)
        if fitted:
            self.phases = nn.Parameter(phases)
        else:
            self.register_buffer("phases", phases)

    def forward(self, z: Tensor) -> Tensor:
        made: Tensor = (self.body(z) * self.phases).real
        return made


class Through(nn.Conv2d):
    """A layer, and something after it."""

    def __init__(self, then: Any) -> None:
        super().__init__(3, 3, 1)
        self.then = then

    def forward(self, z: Tensor) -> Tensor:
        made: Tensor = self.then(super().forward(z))
        return made


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (nn.LazyConv2d(3, 1), "network has the parameter 'weight' without a shape, of a lazy layer: build"),
        (
            nn.Sequential(nn.Conv2d(3, 3, 1), nn.LazyBatchNorm2d(affine=False)),
            "network has the buffer '1.running_mean' without a shape, of a lazy layer: build",
        ),
        (Phases(fitted=True), r"network has the parameter 'phases' of torch\.complex64: it must be real, as two real"),
        (Phases(fitted=False), r"network has the buffer 'phases' of torch\.complex64: it must be real, as two real"),
        (Through(lambda made: made + 0j), r"network gave a tensor of torch\.complex64: it must be real, such as its"),
        (Through(lambda made: made.detach()), "network gave an output that does not depend on its parameters: it must"),
        (
            Through(lambda made: torch.cat([made, made])),
            r"network, by estimate\(\), yielded a tensor of shape \(2, 3, 16, 20\): it must be \(1, 3, 16, 20\), one",
        ),
        (
            Through(lambda made: made[0]),
            r"network, by estimate\(\), yielded a tensor of shape \(3, 16, 20\): it must be \(1, 3, 16, 20\), one",
        ),
    ],
)
def test_a_network_of_which_a_fit_would_take_a_part_is_refused_in_words(
    problem: Problem, network: nn.Module, words: str
) -> None:
    with pytest.raises(UserError, match=f"test_usable's {words}"):
        Fit(Given(network=network), problem, Streams(0)).output()


def test_a_lazy_network_that_build_has_called_is_fitted(problem: Problem) -> None:
    network = nn.LazyConv2d(3, 1)
    network(torch.zeros(1, *problem.shape))
    assert len(list(fit(Given(network), problem, Streams(0)))) == 2
