"""A fit, step by step, for tests that look into it between an output and the optimiser's step."""

from collections.abc import Iterator

from dipbench.contract import Prior, Problem
from dipbench.fit import REFERENCE, Execution, Fit
from dipbench.streams import Streams
from dipbench.trace.step import Step


def fit(prior: Prior, problem: Problem, rng: Streams, execution: Execution = REFERENCE) -> Iterator[Step]:
    """One step an iteration, `prior.fit_settings(problem).iterations` in all."""
    fitted = Fit(prior, problem, rng, execution)
    for _ in range(prior.fit_settings(problem).iterations):
        yield fitted.output()
        fitted.step()
