"""Short runs of a method, as the harness makes them."""

import pickle
import random
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from dipbench.contract import Method, Prior, Problem
from dipbench.fit import begin, built
from dipbench.running.check.patience import Endless, at_most
from dipbench.running.check.trying import alike
from dipbench.running.trial import Outcome, Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams

STEPS = 4
"""Iterations after which a fit is not pulled further: what is wrong shows by then, whatever it is set to."""

_MUST_END = "it must end by itself, within most_seconds under the settings of tiny()"

_MOST_ESTIMATES = 1000
"""Of a method under the settings of its tiny(): one that yields more does not end, and they fill the memory."""


@dataclass(frozen=True)
class Drawn:
    """What a method yielded, and what became of the global generators."""

    made: list[Tensor]
    drew: bool  # whether it should depend on the seed
    places: tuple[bytes, ...]  # where the generators were in the end: elsewhere for another seed, unless one was seeded


@dataclass(frozen=True)
class Listening(Streams):
    """Streams that remember what was asked of them."""

    asked: list[tuple[int, str]] = field(default_factory=list, compare=False)  # the seed, and the name of a stream

    def integer(self, name: str) -> int:
        self.asked.append((self.seed, name))
        return super().integer(name)


def estimates(method: Method, problem: Problem, seed: int = 0) -> list[Tensor]:
    """All that a method yields."""
    return _pulled(method, problem, Streams(seed), None)[0]


def short(method: Method, problem: Problem, seed: int = 0) -> list[Tensor]:
    """All that a method yields; of a fit the first few."""
    return drawn(method, problem, seed).made


def drawn(method: Method, problem: Problem, seed: int) -> Drawn:
    """The same, and whether it should depend on the seed.

    A prior's should where anything is drawn for what it builds. Another method's where it draws from the global
    generators: what it asks of `rng` may be of no weight, as the start of a power iteration.
    """
    made, before, after = _pulled(method, problem, Streams(seed), STEPS if method.fitted else None)
    if not isinstance(method, Prior):
        return Drawn(made, after != before, after)
    rng = Listening(seed)
    with rng.seeded("weights"):
        rng.asked.clear()
        before = generators()
        built(method, problem, rng)
        then = generators()
    return Drawn(made, bool(rng.asked) or then != before, (*after, *then))


def _pulled(
    method: Method, problem: Problem, rng: Streams, most: int | None
) -> tuple[list[Tensor], tuple[bytes, ...], tuple[bytes, ...]]:
    """What a method yields, or the first so much, and where the global generators were before and after it.

    Endless where that does not end.
    """
    made = list[Tensor]()
    with rng.seeded("global"), at_most(2 * method.most_seconds, _MUST_END):
        before = generators()
        course = begin(method, problem, rng)
        while len(made) != most and course.advance(lambda step: made.append(step.estimate.clone())):
            if len(made) > _MOST_ESTIMATES:
                raise Endless(f"after {len(made)} estimates it goes on: {_MUST_END}")
        return made, before, generators()


def began(method: Method, problem: Problem, truth: Tensor | None = None) -> Trial:
    """A run as one of a suite, that was not advanced yet."""
    return Trial(method, problem, truth, Protocol(), Streams(0))


def ended(trial: Trial, most: int | None) -> Outcome:
    """What comes of it after so many iterations in all, or at its end."""
    while trial.course.done != most and trial.advance():
        pass
    return trial.outcome()


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    """Whether two lists of estimates are alike."""
    return len(first) == len(second) and all(map(alike, first, second))


def generators() -> tuple[bytes, ...]:
    """Where the global generators of torch, NumPy and Python are, to see whether they were drawn from."""
    return torch.get_rng_state().numpy().tobytes(), pickle.dumps(np.random.get_state()), pickle.dumps(random.getstate())
