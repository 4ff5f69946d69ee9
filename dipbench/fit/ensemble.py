"""Several fits from other starts on one measurement, whose outputs are averaged (Deep Image Prior, section 3)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from dipbench.contract import FitSettings, Prior, Problem
from dipbench.errors import unknown
from dipbench.fit.course import Course
from dipbench.fit.engines.capture import Captured
from dipbench.fit.engines.execution import REFERENCE, Execution
from dipbench.fit.loop import Fit
from dipbench.streams import Streams
from dipbench.trace.step import Step


class Ensemble(Course):
    """The course of a prior: `starts` fits side by side, the first as it is alone. An iteration is one of each.

    A `validation` of the prior says what each fit is shown, and whether there is a twin of each beside it.
    """

    resumes: ClassVar[bool] = True

    def __init__(self, prior: Prior, problem: Problem, rng: Streams, execution: Execution = REFERENCE):
        settings = prior.fit_settings(problem)
        waits = prior.waits or any(trick.waits for trick in settings.tricks)
        self.execution = execution = execution.plain() if waits else execution
        self.iterations, self.keep = settings.iterations, settings.keep
        rng = replace(rng, held=_held(prior, settings))
        starts = [rng] + [replace(rng, path=(*rng.path, f"start {number}")) for number in range(1, settings.starts)]
        self.problem = problem
        if prior.validation:
            self.problem, self.apart = prior.validation.apart(problem, rng)
        self._fits = [Fit(prior, self.problem, start, execution) for start in starts]
        self.fitted = self._fits[0].fitted
        twin = self.apart if prior.validation and prior.validation.gives == "twin" else None
        self._twins = [Fit(prior, twin, start, execution) for start in starts] if twin else []
        generators = [generator for fit in [*self._fits, *self._twins] for generator in fit.generators]
        captures = execution.captures_on(problem.device) and not waits
        self._captured = Captured(generators) if captures else None

    def advance(self, record: Callable[[Step], None]) -> bool:
        if self.done == self.iterations:
            return False
        if self._captured:
            self._captured(partial(self.iterate, record))
        else:
            self.iterate(record)
        self.done += 1
        return True

    def iterate(self, record: Callable[[Step], None]) -> None:
        """One iteration, operation by operation: outputs, what `record` makes of them, and the optimisers' steps."""
        record(self._output())
        for fit in [*self._fits, *self._twins]:
            fit.step()

    def _output(self) -> Step:
        """The mean of the outputs and of the losses. The misfit is that of the mean output, for the recorder to take.

        Of a single fit its own step.
        """
        steps, twin = [fit.output() for fit in self._fits], _mean_of([fit.output().estimate for fit in self._twins])
        if len(steps) == 1:
            return replace(steps[0], twin=twin)
        return Step(
            torch.stack([step.estimate for step in steps]).mean(dim=0),
            _mean_of([step.ema for step in steps]),
            _mean_of([step.loss for step in steps]),
            parameters=tuple(vector for step in steps for vector in step.parameters),
            twin=twin,
        )

    def still(self) -> Tensor:
        return torch.stack([fit.still() for fit in self._fits]).mean(dim=0)

    def state(self) -> list[dict[str, Any]]:
        """The state of each fit."""
        return [fit.state() for fit in [*self._fits, *self._twins]]

    def load(self, state: Sequence[dict[str, Any]], done: int) -> None:
        for fit, of_fit in zip([*self._fits, *self._twins], state, strict=True):
            fit.load(of_fit)
        self.done = done


def _held(prior: Prior, settings: FitSettings) -> tuple[str, ...]:
    """The streams that a prior holds. UserError for one that no fit of it draws from."""
    known = ["weights", "input", "batch_norm", *(trick.plugin_name() for trick in settings.tricks)]
    for name in prior.held:
        if name not in known:
            raise unknown("stream to hold", name, known)
    return prior.held


def _mean_of(tensors: Sequence[Tensor | None]) -> Tensor | None:
    """The mean; None where there is nothing to take it of."""
    present = [tensor for tensor in tensors if tensor is not None]
    return torch.stack(present).mean(dim=0) if present else None
