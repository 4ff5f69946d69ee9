"""Fits an untrained prior to a measurement: min over theta of ||A f_theta(z) - y||^2 (Deep Image Prior, eq. 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dipbench.contract import Fitting, Prior, Problem, Trick
from dipbench.errors import UserError
from dipbench.fit.course import estimate_of
from dipbench.fit.engines.compiled import compiled
from dipbench.fit.engines.execution import REFERENCE, Execution
from dipbench.fit.engines.flat import FlatParameters
from dipbench.fit.engines.lean import drop_redundant_biases, end_in_single_precision, join_batch_norms
from dipbench.fit.usable import check_kept, check_numbers, check_step
from dipbench.registry.process import apart
from dipbench.streams import Streams
from dipbench.trace.step import Step

FIT_VERSION = 1
"""Of what a fit computes: to be raised with every change of that, for it is in the name of a run. No engine is."""


def built(prior: Prior, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
    """A fresh network and its input, for a block in which the weights are seeded.

    What the prior sets of the process meanwhile, such as a default type, is put back. UserError where it gives
    something else.
    """
    with apart():
        made: Any = prior.build(problem, rng)
    match made:
        case (nn.Module() as network, Tensor() as z):
            check_numbers(prior.plugin_name(), network, z)
            return network, z
    raise UserError(
        f"{prior.plugin_name()}'s build() gave {type(made).__name__}: it must give the network and its input, a tensor "
        "(1, C, H, W)"
    )


class Fit:
    """The fit of one network. An iteration is `output()` and then `step()`; nothing in it waits for the device.

    The order within an iteration is the official one: tricks before the forward pass, forward, backward, average,
    tricks after the backward pass, the optimiser's step, tricks after that. What a step holds is in memory that stays
    where it is, for a CUDA graph to write to.
    """

    def __init__(self, prior: Prior, problem: Problem, rng: Streams, execution: Execution = REFERENCE):
        self._prior, self._problem, self._execution = prior, problem, execution
        self._settings = settings = prior.fit_settings(problem)
        engine, device = execution.how, problem.device
        with rng.seeded("weights"):
            network, z = built(prior, problem, rng)
            for trick in settings.tricks:
                network = trick.around(network, z)
        self.fitted = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
        if not self.fitted:
            raise UserError(f"{prior.plugin_name()}'s network has no parameter that is fitted: it takes one at least")
        if engine.lean:
            drop_redundant_biases(network)
        twice = any(trick.twice for trick in settings.tricks)
        joins = engine.joins and device.type == "cpu" and execution.arithmetic.dtype == torch.float32 and not twice
        if joins:
            join_batch_norms(network)
        if joins or execution.arithmetic.autocast:
            end_in_single_precision(network, quickly=joins)
        self.network = network.to(device, execution.arithmetic.dtype)
        for tensor in [*self.network.parameters(), *self.network.buffers()]:
            tensor.data = _laid_out(tensor.data, execution.layout(device))
        self._z = z.to(device, execution.arithmetic.dtype)
        self._parameters = FlatParameters(self.network)
        self._forward = _Forward(compiled(self.network) if engine.compiles else self.network, execution, device)
        self._optimiser = settings.optimiser.over(self._parameters.values, on_device=engine.lean)
        check_step(prior.plugin_name(), self._optimiser)
        nothing = torch.zeros((), device=device)
        self._now = Fitting(self.network, self._parameters.values, self._z, nothing, self._forward, problem)
        self._tricks = [_Played(trick, self._now, rng) for trick in settings.tricks]
        self._ema: Tensor | None = None
        self._stepped = False

    @property
    def generators(self) -> list[torch.Generator]:
        """Those that an iteration draws from."""
        return [played.rng for played in self._tricks]

    def output(self) -> Step:
        """The network's output for the parameters as they are, and their gradient."""
        settings, now = self._settings, self._now
        now.input = self._z
        for played in self._tricks:
            played.trick.before(now, played.memory, played.rng)
        self._parameters.zero_gradient()
        made = self._made(now.input)
        if not made.requires_grad:
            raise UserError(
                f"{self._prior.plugin_name()}'s network gave an output that does not depend on its parameters: it "
                "must, without detach(), torch.no_grad() or NumPy in between"
            )
        # from here on in the precision of the parameters: half of it would blur the measurement by what it rounds
        output = made.detach().to(self._z.dtype).requires_grad_()
        estimate = self._estimate_in(output.detach())
        loss = self._loss_of(output)
        now.misfit = self._misfit_of(output.detach(), loss.detach())
        loss = self._with_what_tricks_add(loss, output)
        if loss.requires_grad:
            loss.backward()
        if output.grad is None:
            raise self._refusal_of("a tensor that does not depend on the output")
        with self._execution.within(self._problem.device):
            made.backward(output.grad)
        if settings.average:  # begins with the first output, without bias correction, as the official code does
            if self._ema is None:
                self._ema = estimate.clone()
            else:
                self._ema.lerp_(estimate, 1 - settings.average)
        return Step(estimate, self._ema, loss.detach(), now.misfit, (self._parameters.values,))

    @torch.no_grad()
    def still(self) -> Tensor:
        """The output (C, H, W) for the input as it was built, without any trick; nothing of the fit changes by it."""
        buffers = list(self.network.buffers())  # the running means of batch norm, which no fit reads
        before = [buffer.clone() for buffer in buffers]
        output = self._made(self._z)
        for buffer, old in zip(buffers, before, strict=True):
            buffer.copy_(old)
        return self._estimate_in(output)

    def _made(self, z: Tensor) -> Tensor:
        """What the network makes of an input: a copy, for it may be a parameter itself, which a step changes in place.

        UserError where it is no tensor.
        """
        made = self._forward(z)
        if not isinstance(made, Tensor):
            raise UserError(
                f"{self._prior.plugin_name()}'s network gave {type(made).__name__}: it must give a tensor "
                "(1, C, H, W), several pictures as its channels, of which estimate() takes the image"
            )
        if made.is_complex():
            raise UserError(
                f"{self._prior.plugin_name()}'s network gave a tensor of {made.dtype}: it must be real, such as its "
                ".real or its .abs()"
            )
        return made.clone()

    def _loss_of(self, output: Tensor) -> Tensor:
        """What the prior minimises. UserError where it is no number that can be differentiated."""
        loss: Any = self._prior.loss(output, self._problem)
        if not isinstance(loss, Tensor):
            raise self._refusal_of(type(loss).__name__)
        if loss.numel() != 1:
            raise self._refusal_of(f"a tensor of shape {tuple(loss.shape)}")
        if not loss.is_floating_point():
            raise self._refusal_of(f"a tensor of {loss.dtype}")
        return loss.reshape(()) if loss.ndim else loss

    def _refusal_of(self, loss: str) -> UserError:
        own = type(self._prior).loss is not Prior.loss
        whose = f"{self._prior.plugin_name()}'s loss()" if own else f"the misfit of task '{self._problem.task}'"
        return UserError(f"{whose} gave {loss}: it must give a tensor of one number that depends on the output")

    def _estimate_in(self, output: Tensor) -> Tensor:
        """The image (C, H, W) in an output of the network. UserError where it is of another shape."""
        whose = f"{self._prior.plugin_name()}'s network, by estimate(),"
        estimate: Any = self._prior.estimate(output)
        if isinstance(estimate, Tensor) and (estimate.ndim != 4 or len(estimate) != 1):
            raise UserError(
                f"{whose} yielded a tensor of shape {tuple(estimate.shape)}: it must be {(1, *self._problem.shape)}, "
                "one image"
            )
        estimate = estimate_of(estimate[0] if isinstance(estimate, Tensor) else estimate, whose, self._problem)
        return estimate.clamp(0, 1) if self._settings.clip else estimate

    def _misfit_of(self, output: Tensor, loss: Tensor) -> Tensor:
        """The loss itself, where the prior adds nothing."""
        return loss if type(self._prior).loss is Prior.loss else self._problem.misfit(self._prior.estimate(output))

    def _with_what_tricks_add(self, loss: Tensor, output: Tensor) -> Tensor:
        for played in self._tricks:
            more = played.trick.adds(output, self._now, played.memory, played.rng)
            if isinstance(more, Tensor) and more.ndim:
                name = played.trick.plugin_name()
                raise UserError(
                    f"trick '{name}' adds a tensor of shape {tuple(more.shape)}: it must add a scalar, of ()"
                )
            loss = loss if more is None else loss + more
        return loss

    def step(self) -> None:
        """The optimiser's step, with the tricks around it."""
        for played in self._tricks:
            played.trick.after(self._now, played.memory, played.rng)
        self._optimiser.step()
        if not self._stepped:
            self._stepped = True
            check_kept(self._prior.plugin_name(), self._optimiser.state[self._parameters.values])
        for played in self._tricks:
            played.trick.stepped(self._now, played.memory, played.rng)

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
            "optimiser": flat.by_name(self._optimiser.state[flat.values]),
            "ema": self._ema,
            "tricks": [flat.by_name(played.memory) for played in self._tricks],
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
        settings = self._optimiser.state_dict()["param_groups"]  # its own: how it computes is not part of its state
        self._optimiser.load_state_dict({"state": {0: flat.as_vectors(state["optimiser"])}, "param_groups": settings})
        self._ema = None if state["ema"] is None else state["ema"].to(self._problem.device)
        for played, memory in zip(self._tricks, state["tricks"], strict=True):
            for name, tensor in flat.as_vectors(memory).items():
                played.memory[name].copy_(tensor)
        for generator, place in zip(self.generators, state["generators"], strict=True):
            generator.set_state(place)


@dataclass(frozen=True)
class _Forward:
    """A network as it is computed. No method of the fit: its tricks would hold the fit, and it them, in a circle."""

    network: Callable[[Tensor], Tensor]
    execution: Execution
    device: torch.device

    def __call__(self, z: Tensor) -> Tensor:
        """Its output for an input, which it is given in the layout and the precision that the first layer takes."""
        cast = z.to(self.execution.arithmetic.autocast or z.dtype)
        taken = _laid_out(cast, self.execution.layout(self.device))
        with self.execution.within(self.device):
            return self.network(taken)


def _laid_out(tensor: Tensor, layout: torch.memory_format) -> Tensor:
    """In that layout where it is one of images or their kernels; coordinates (1, N, 2) and kernels of volumes stay."""
    return tensor.to(memory_format=layout) if tensor.ndim == 4 else tensor


class _Played:
    """A trick in a fit."""

    def __init__(self, trick: Trick, fit: Fitting, rng: Streams):
        self.trick = trick
        self.memory = trick.memory(fit)
        self.rng = rng.torch(trick.plugin_name(), fit.input.device)
