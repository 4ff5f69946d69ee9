"""Several fits from other starts on one measurement, whose outputs are averaged (Deep Image Prior, section 3)."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from dipbench.contract import Prior, Problem
from dipbench.fit.loop import fit
from dipbench.signals import Step
from dipbench.streams import Streams


def fit_all(prior: Prior, problem: Problem, rng: Streams) -> Iterator[Step]:
    """One step an iteration: the mean of `prior.fit(problem).runs` fits side by side, the first as it is alone."""
    runs = prior.fit(problem).runs
    if runs == 1:
        return fit(prior, problem, rng)
    starts = [rng] + [Streams(rng.seed, (*rng.path, f"start {number}")) for number in range(1, runs)]
    return (_mean(steps) for steps in zip(*(fit(prior, problem, start) for start in starts), strict=True))


def _mean(steps: tuple[Step, ...]) -> Step:
    """The mean of the outputs and of the losses. The misfit is that of the mean output, for the recorder to take."""
    return Step(
        torch.stack([step.estimate for step in steps]).mean(dim=0),
        _mean_of([step.averaged for step in steps]),
        _mean_of([step.loss for step in steps]),
    )


def _mean_of(tensors: Sequence[Tensor | None]) -> Tensor | None:
    """The mean; None where there is nothing to take it of."""
    present = [tensor for tensor in tensors if tensor is not None]
    return torch.stack(present).mean(dim=0) if present else None
