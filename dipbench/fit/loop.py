"""Fits an untrained prior to a measurement: min over theta of ||A f_theta(z) - y||^2 (Deep Image Prior, eq. 2)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dipbench.contract import Prior, Problem
from dipbench.fit.backtracking import Backtracking
from dipbench.fit.flat import FlatParameters
from dipbench.fit.weight_noise import WeightNoise
from dipbench.signals import Step
from dipbench.streams import Streams


def fit(prior: Prior, problem: Problem, rng: Streams) -> Iterator[Step]:
    """One step an iteration, `prior.fit(problem).iterations` in all. Nothing in an iteration waits for the device.

    The order within an iteration is the official one: weight noise, jitter, forward, backward, average, backtracking,
    Adam.
    """
    settings = prior.fit(problem)
    with rng.seeded("weights"):
        network, z = prior.build(problem, rng)
    network, z = network.to(problem.device), z.to(problem.device)
    jitter = rng.torch("jitter", problem.device)
    parameters = FlatParameters(network)
    adam = torch.optim.Adam([parameters.values], lr=settings.learning_rate)
    backtracking = Backtracking(parameters.values, settings.backtrack) if settings.backtrack else None
    weight_noise = None
    if settings.weight_noise:
        weight_noise = WeightNoise(network, settings.weight_noise, rng.torch("weight_noise", problem.device))
    averaged: Tensor | None = None
    noise = torch.empty_like(z)
    for _ in range(settings.iterations):
        if weight_noise:
            weight_noise.add()
        jittered = z + settings.jitter * noise.normal_(generator=jitter) if settings.jitter else z
        parameters.zero_gradient()
        output = network(jittered)
        misfit = (problem.operator(output) - problem.measurement).square().mean()
        penalty = prior.penalty(output)
        loss = misfit if penalty is None else misfit + penalty
        loss.backward()
        estimate, misfit = output.detach()[0], misfit.detach()
        if settings.average:  # begins with the first output, without bias correction, as the official code does
            averaged = estimate.clone() if averaged is None else averaged.lerp_(estimate, 1 - settings.average)
        yield Step(estimate, averaged, loss.detach(), misfit)
        if backtracking:
            backtracking.check(-10 * torch.log10(misfit))
        adam.step()
