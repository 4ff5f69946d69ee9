"""Several fits from other starts on one measurement, whose outputs are averaged (Deep Image Prior, section 3)."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from dipbench.contract import Prior, Problem
from dipbench.fit.engines.execution import REFERENCE, Execution
from dipbench.fit.loop import Fit
from dipbench.streams import Streams
from dipbench.trace.step import Step


class Ensemble:
    """`prior.fit_settings(problem).starts` fits side by side, the first as it is alone. An iteration is one of each."""

    def __init__(self, prior: Prior, problem: Problem, rng: Streams, execution: Execution = REFERENCE):
        others = range(1, prior.fit_settings(problem).starts)
        starts = [rng] + [Streams(rng.seed, (*rng.path, f"start {number}")) for number in others]
        self._fits = [Fit(prior, problem, start, execution) for start in starts]

    @property
    def generators(self) -> list[torch.Generator]:
        """Those that an iteration draws from."""
        return [generator for fit in self._fits for generator in fit.generators]

    def output(self) -> Step:
        """The mean of the outputs and of the losses. The misfit is that of the mean output, for the recorder to take.

        Of a single fit its own step.
        """
        steps = [fit.output() for fit in self._fits]
        if len(steps) == 1:
            return steps[0]
        return Step(
            torch.stack([step.estimate for step in steps]).mean(dim=0),
            _mean_of([step.ema for step in steps]),
            _mean_of([step.loss for step in steps]),
            parameters=tuple(vector for step in steps for vector in step.parameters),
        )

    def step(self) -> None:
        """Backtracking and the step of Adam, of each by itself."""
        for fit in self._fits:
            fit.step()

    def state(self) -> list[dict[str, Any]]:
        """The state of each."""
        return [fit.state() for fit in self._fits]

    def load(self, states: Sequence[dict[str, Any]]) -> None:
        """Goes to where another ensemble gave `states`."""
        for fit, state in zip(self._fits, states, strict=True):
            fit.load(state)


def fit_all(prior: Prior, problem: Problem, rng: Streams, execution: Execution = REFERENCE) -> Iterator[Step]:
    """One step an iteration of the ensemble of `prior`."""
    ensemble = Ensemble(prior, problem, rng, execution)
    for _ in range(prior.fit_settings(problem).iterations):
        yield ensemble.output()
        ensemble.step()


def _mean_of(tensors: Sequence[Tensor | None]) -> Tensor | None:
    """The mean; None where there is nothing to take it of."""
    present = [tensor for tensor in tensors if tensor is not None]
    return torch.stack(present).mean(dim=0) if present else None
