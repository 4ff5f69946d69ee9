"""Puts a method to work: the one place that tells a prior, which the harness fits, from a method that streams."""

from dipbench.contract import Method, Prior, Problem
from dipbench.fit.course import Course, Streaming
from dipbench.fit.engines.execution import REFERENCE, Execution
from dipbench.fit.ensemble import Ensemble
from dipbench.streams import Streams


def begin(method: Method, problem: Problem, rng: Streams, execution: Execution = REFERENCE) -> Course:
    """The course of a method on a problem that it does not refuse; by `execution` where it is fitted."""
    if isinstance(method, Prior):
        return Ensemble(method, problem, rng, execution)
    return Streaming(method, problem, rng)
