"""Every built-in method on a GPU."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from dipbench import registry
from dipbench.contract import Prior, Problem
from dipbench.errors import UserError
from dipbench.fit import Execution
from dipbench.running.check.trying import problems
from dipbench.running.recording import refusal
from dipbench.running.trial import Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU on this machine")

ITERATIONS = 8  # a captured iteration is computed plainly at first


def losses(method: Any, problem: Problem, engine: str) -> list[float]:
    truth = torch.rand(problem.shape, generator=torch.Generator().manual_seed(0)).to(problem.device)
    trial = Trial(method, problem, truth, Protocol(), Streams(0), Execution(engine, "float64"))
    while trial.course.done < ITERATIONS and trial.advance():
        pass
    outcome = trial.outcome()
    assert all(output.image.isfinite().all() and output.image.shape == problem.shape for output in outcome.outputs)
    assert all(math.isfinite(value) for value in outcome.trace["psnr"])
    return outcome.trace["loss"].tolist() if isinstance(method, Prior) else []


@pytest.mark.parametrize("name", registry.names("method"))
def test_a_graph_computes_what_plain_iterations_do(name: str) -> None:
    """In double precision, where the rounding of another order of summation is not yet amplified."""
    method = registry.find("method", name).tiny()
    if hasattr(method, "iterations"):
        method = replace(method, iterations=ITERATIONS)
    problem = next((p for p in problems((3, 64, 64)).values() if refusal(method, p) is None), None)
    if problem is None:
        pytest.skip(f"{name} takes no problem that can be posed on this machine")
    on_gpu = problem.to(torch.device("cuda"))
    try:
        graph, eager = (losses(method, on_gpu, engine) for engine in ("graph", "eager"))
    except UserError as error:
        if "file of weights" not in str(error):
            raise
        pytest.skip(str(error))
    assert graph == pytest.approx(eager, rel=1e-6)
