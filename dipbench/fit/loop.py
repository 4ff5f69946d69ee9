"""Fits an untrained prior to a measurement: min over theta of ||A f_theta(z) - y||^2 (Deep Image Prior, eq. 2)."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, Prior, Problem
from dipbench.fit.adam import UncorrectedAdam
from dipbench.fit.backtracking import Backtracking
from dipbench.fit.compiled import compiled
from dipbench.fit.execution import REFERENCE, Engine, Execution
from dipbench.fit.flat import FlatParameters
from dipbench.fit.lean import drop_redundant_biases, end_in_single_precision, join_batch_norms
from dipbench.fit.weight_noise import WeightNoise
from dipbench.signals import Step
from dipbench.streams import Streams

FIT_VERSION = 1
"""Of what a fit computes: to be raised with every change of that, for it is in the name of a run. No engine is."""


class Fit:
    """The fit of one network. An iteration is `output()` and then `step()`; nothing in it waits for the device.

    The order within an iteration is the official one: weight noise, jitter, forward, backward, average, backtracking,
    Adam. What a step holds is in memory that stays where it is, for a CUDA graph to write to.
    """

    def __init__(self, prior: Prior, problem: Problem, rng: Streams, execution: Execution = REFERENCE):
        self._prior, self._problem, self._execution = prior, problem, execution
        self._settings = settings = prior.fit_settings(problem)
        engine, device = execution.how, problem.device
        with rng.seeded("weights"):
            network, z = prior.build(problem, rng)
        self._layout = execution.layout(device)
        if engine.lean:
            drop_redundant_biases(network)
        joins = engine.joins and device.type == "cpu" and execution.arithmetic.dtype == torch.float32
        if joins:
            join_batch_norms(network)
        if joins or execution.arithmetic.autocast:
            end_in_single_precision(network, quickly=joins)
        self.network = network.to(device, execution.arithmetic.dtype).to(memory_format=self._layout)
        self._z = z.to(device, execution.arithmetic.dtype)
        self._parameters = FlatParameters(self.network)
        self._call = compiled(self.network) if engine.compiles else self.network
        self._adam = _adam(self._parameters.values, settings, engine)
        self._noise = torch.empty_like(z, device=device)
        self._jitter = rng.torch("jitter", device)
        self._weight_generator = rng.torch("weight_noise", device)
        self._weight_noise = (
            WeightNoise(self.network, settings.weight_noise, self._weight_generator) if settings.weight_noise else None
        )
        self._backtracking = Backtracking(self._parameters.values, settings.backtrack) if settings.backtrack else None
        self._averaged: Tensor | None = None
        self._misfit = torch.zeros((), device=device)

    @property
    def generators(self) -> list[torch.Generator]:
        """Those that an iteration draws from."""
        return [self._jitter, self._weight_generator]

    def output(self) -> Step:
        """The network's output for the parameters as they are, and their gradient."""
        settings = self._settings
        if self._weight_noise:
            self._weight_noise.add()
        self._parameters.zero_gradient()
        with self._execution.within(self._problem.device):
            made = self._call(self._input())
        # from here on in the precision of the parameters: half of it would blur the measurement by what it rounds
        output = made.detach().to(self._z.dtype).requires_grad_()
        loss = self._prior.loss(output, self._problem)
        loss.backward()
        with self._execution.within(self._problem.device):
            made.backward(output.grad)
        estimate, self._misfit = output.detach()[0].float(), self._misfit_of(output.detach(), loss.detach())
        if settings.clip:
            estimate = estimate.clamp(0, 1)
        if settings.average:  # begins with the first output, without bias correction, as the official code does
            if self._averaged is None:
                self._averaged = estimate.clone()
            else:
                self._averaged.lerp_(estimate, 1 - settings.average)
        return Step(estimate, self._averaged, loss.detach(), self._misfit)

    def _misfit_of(self, output: Tensor, loss: Tensor) -> Tensor:
        """The loss itself, where the prior adds nothing."""
        return loss if type(self._prior).loss is Prior.loss else self._problem.misfit(output)

    def _input(self) -> Tensor:
        """z with its jitter, as the first layer takes it. Drawn in one order and precision, whatever the fit's are."""
        z = self._z
        if self._settings.jitter:
            z = z + self._settings.jitter * self._noise.normal_(generator=self._jitter)
        return z.to(self._execution.arithmetic.autocast or z.dtype, memory_format=self._layout)

    def step(self) -> None:
        """Backtracking, and the step of Adam."""
        if self._backtracking:
            self._backtracking.check(-10 * torch.log10(self._misfit))
        self._adam.step()

    def state(self) -> dict[str, Any]:
        """All that the next iterations depend on beside what the prior builds anew.

        What is of the parameters' size is by their names, in no engine's layout. But an engine may leave some out, so
        it is named.
        """
        flat = self._parameters
        return {
            "engine": self._execution.engine,
            "parameters": flat.by_name({"values": flat.values}),
            "buffers": dict(self.network.named_buffers()),
            "adam": flat.by_name(self._adam.state[flat.values]),
            "averaged": self._averaged,
            "backtracking": self._backtracking and flat.by_name(self._backtracking.state()),
            "generators": [generator.get_state() for generator in self.generators],
        }

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        """Goes to where another fit of the same prior, problem, seed and engine was when it gave `state`.

        ValueError if it was of another engine or has other parameters.
        """
        if state["engine"] != self._execution.engine:
            raise ValueError(f"by engine '{state['engine']}', and this one is by engine '{self._execution.engine}'")
        flat = self._parameters
        flat.values.copy_(flat.as_vectors(state["parameters"])["values"])
        for name, buffer in self.network.named_buffers():
            buffer.copy_(state["buffers"][name])
        settings = self._adam.state_dict()["param_groups"]  # its own: how Adam is computed is not part of its state
        self._adam.load_state_dict({"state": {0: flat.as_vectors(state["adam"])}, "param_groups": settings})
        self._averaged = None if state["averaged"] is None else state["averaged"].to(self._problem.device)
        if self._backtracking:
            self._backtracking.load(flat.as_vectors(state["backtracking"]))
        for generator, place in zip(self.generators, state["generators"], strict=True):
            generator.set_state(place)


def _adam(parameters: nn.Parameter, settings: FitSettings, engine: Engine) -> torch.optim.Optimizer:
    if settings.adam_epsilon == "uncorrected":
        return UncorrectedAdam([parameters], settings.learning_rate)
    return torch.optim.Adam([parameters], settings.learning_rate, fused=engine.lean or None, capturable=engine.lean)


def fit(prior: Prior, problem: Problem, rng: Streams, execution: Execution = REFERENCE) -> Iterator[Step]:
    """One step an iteration, `prior.fit_settings(problem).iterations` in all."""
    fitted = Fit(prior, problem, rng, execution)
    for _ in range(prior.fit_settings(problem).iterations):
        yield fitted.output()
        fitted.step()
