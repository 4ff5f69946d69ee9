"""What a trick must do, in fits of a small network."""

import copy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, Fitting, Prior, Problem, Trick
from dipbench.fit import Fit
from dipbench.nets.inputs import noise_input
from dipbench.running.check.priors import follows_the_device
from dipbench.running.check.trial_runs import same
from dipbench.running.check.trying import Places, Try, Untried, problems
from dipbench.streams import Streams

_ITERATIONS, _BREAK = 24, 11  # of a fit, and after which a checkpoint lies


@dataclass(frozen=True)
class _Small(Prior):
    """Two convolutions."""

    trick: Trick

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(_ITERATIONS, tricks=(self.trick,))

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        first, last = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, channels, 1)
        net = nn.Sequential(first, nn.BatchNorm2d(8), nn.LeakyReLU(0.2), last, nn.Sigmoid())
        return net, noise_input(4, (height, width), rng)


def checks(trick: Trick) -> list[Try]:
    posed = list(problems((3, 32, 32)).items())
    problem = posed[0][1]
    return [
        *((f"{name}: the outputs of a fit are finite", partial(_is_finite, trick, each)) for name, each in posed),
        ("the same seed gives the same outputs", partial(_repeats, trick, problem)),
        ("its memory stays in place", partial(_keeps_its_places, trick, problem)),
        ("goes on from a checkpoint", partial(_resumes, trick, problem)),
        ("stays on the device, and waits for it only where it says so", partial(_stays_on_the_device, trick, problem)),
        ("what it draws acts, and only that changes with the seed", partial(_draws_what_acts, trick, problem)),
    ]


def _fit(trick: Trick, problem: Problem) -> Fit:
    return Fit(_Small(trick), problem, Streams(0))


def _outputs(fit: Fit, count: int = _ITERATIONS) -> list[Tensor]:
    found = []
    for _ in range(count):
        found.append(fit.output().estimate.clone())
        fit.step()
    return found


def _is_finite(trick: Trick, problem: Problem) -> str:
    wrong = [number for number, output in enumerate(_outputs(_fit(trick, problem))) if not output.isfinite().all()]
    return f"the output of iteration {wrong[0]} is not" if wrong else ""


def _repeats(trick: Trick, problem: Problem) -> str:
    runs = []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        runs.append(_outputs(_fit(trick, problem)))
    return "" if same(*runs) else "it draws from somewhere else than `rng`, or remembers outside of memory"


class _Watched(Trick):
    """Another trick, whose memory is looked at after each of its turns."""

    def __init__(self, trick: Trick):
        self.trick = trick
        self.complaint = ""

    def around(self, network: nn.Module, z: Tensor) -> nn.Module:
        return self.trick.around(network, z)

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        memory = self.trick.memory(fit)
        self.places = Places(memory)
        return memory

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        self.trick.before(fit, memory, rng)
        self.look()

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor | None:
        return self.trick.adds(output, fit, memory, rng)

    def after(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        self.trick.after(fit, memory, rng)
        self.look()

    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        self.trick.stepped(fit, memory, rng)
        self.look()

    def look(self) -> None:
        self.complaint = self.complaint or self.places.complaint()


def _keeps_its_places(trick: Trick, problem: Problem) -> str:
    watched = _Watched(trick)
    _outputs(_fit(watched, problem))
    return watched.complaint


def _resumes(trick: Trick, problem: Problem) -> str:
    """What a fit would have gone on with, and what another one does from its state."""
    fit = _fit(trick, problem)
    _outputs(fit, _BREAK)
    saved = copy.deepcopy(fit.state())
    whole = _outputs(fit, _ITERATIONS - _BREAK)
    again = _fit(trick, problem)
    again.load(saved)
    resumed = _outputs(again, _ITERATIONS - _BREAK)
    return "" if same(whole, resumed) else "other outputs after a checkpoint: what it remembers is not all in memory"


def _stays_on_the_device(trick: Trick, problem: Problem) -> str:
    return follows_the_device(_Small(trick), problem)


def _draws_what_acts(trick: Trick, problem: Problem) -> str:
    """Two fits that differ in nothing but the seed of what the trick draws."""
    first, other = _fit(trick, problem), _fit(trick, problem)
    for generator in other.generators:
        generator.manual_seed(1)
    before = [generator.get_state() for generator in first.generators]
    made = _outputs(first), _outputs(other)
    if not all(output.isfinite().all() for outputs in made for output in outputs):
        raise Untried("the outputs of a fit are not finite, and tell no seed from another")
    acts = not same(*made)
    drew = not same(before, [generator.get_state() for generator in first.generators])
    if drew == acts:
        return ""
    return "it draws, and nothing follows from it" if drew else "another seed changes the fit, and it drew nothing"
