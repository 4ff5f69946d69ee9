"""Priors and problems of tests, made of what a user writes."""

from dataclasses import replace
from typing import Any

from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Prior, Problem, Scene
from dipbench.streams import Streams


def prior(text: str) -> Any:
    return registry.build("method", text)


def tiny(name: str, **settings: Any) -> Any:
    return replace(registry.find("method", name).tiny(), **settings)


def posed(task: str, image: Tensor) -> Problem:
    return registry.build("task", task).degrade(Scene(image), Streams(0))


def built(method: Prior, problem: Problem) -> tuple[nn.Module, Tensor]:
    with Streams(0).seeded("weights"):
        return method.build(problem, Streams(0))


def parameters(net: nn.Module, fitted: bool = True) -> int:
    return sum(p.numel() for p in net.parameters() if p.requires_grad is fitted)


def outputs(method: Prior, problem: Problem) -> list[Tensor]:
    return [step.estimate.clone() for step in fit(method, problem, Streams(0))]
