"""What a prior must do beside what any method must."""

import io
from functools import partial

import torch
from torch import Tensor, nn

from dipbench.contract import Prior, Problem
from dipbench.errors import located
from dipbench.fit import begin, built
from dipbench.running.check.another_device import DEVICE, another_device
from dipbench.running.check.trial_runs import STEPS, began, ended, same
from dipbench.running.check.trying import Try, Untried, alike
from dipbench.streams import Streams

_ITERATIONS = 3
"""Of a fit on another device: as many as are computed plainly on a GPU, before a CUDA graph is made of the next."""


def checks(prior: Prior, problem: Problem) -> list[Try]:
    """Those on a problem that it takes."""
    return [
        ("its input is drawn from `rng`", partial(_draws_its_input, prior, problem)),
        ("it is fitted on any device", partial(follows_the_device, prior, problem)),
        ("it is fitted in double precision", partial(_follows_the_type, prior, problem)),
        ("it goes on from a checkpoint as if it had not stopped", partial(_resumes, prior, problem)),
    ]


def _built(prior: Prior, problem: Problem, elsewhere: int = 0) -> tuple[nn.Module, Tensor]:
    """What it builds; the global generators are those of another seed."""
    with Streams(elsewhere).seeded("weights"):
        return built(prior, problem, Streams(0))


def _draws_its_input(prior: Prior, problem: Problem) -> str:
    first, second = (_inputs(*_built(prior, problem, elsewhere)) for elsewhere in (1, 2))
    drawn = [name for name, tensor in first.items() if name in second and not alike(tensor, second[name])]
    if not drawn:
        return ""
    return (
        f"{drawn[0]} comes of torch's, NumPy's or Python's global generator, as the weights do: draw it from a stream "
        'of its own, by noise_input(channels, size, rng) or generator=rng.torch("input")'
    )


def _inputs(network: nn.Module, z: Tensor) -> dict[str, Tensor]:
    """The input, and what the network has of its size, as an input that is fitted too; no weights of a layer."""
    found = {"its input": z}
    for at, module in network.named_modules():
        if not hasattr(module, "reset_parameters"):  # by which a layer draws its weights
            own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
            names = {f"'{at}.{name}'" if at else f"'{name}'": tensor for name, tensor in own}
            found |= {
                f"its network's {name}, of the size of the input,": tensor.detach()
                for name, tensor in names.items()
                if tensor.shape == z.shape or tensor.shape[-2:] == z.shape[-2:] != (1, 1)
            }
    return found


def follows_the_device(prior: Prior, problem: Problem) -> str:
    """A fit of a few iterations on another device, with all that acts in it: estimate, loss, tricks and optimiser."""
    network, _ = _built(prior, problem)
    if any(isinstance(module, torch.jit.ScriptModule) for module in network.modules()):
        raise Untried("TorchScript runs its network, where the device of a tensor cannot be looked at")
    losses: list[Tensor | None] = []
    with another_device() as watched, Streams(0).seeded("global"):
        try:
            course = begin(prior, problem.to(DEVICE), watched.streams())
            while course.done < _ITERATIONS:
                watched.waits.clear()  # those of the last iteration count: the first may prepare what stays
                if not course.advance(lambda step: losses.append(step.loss)):
                    break
        except Exception as error:  # whatever a plugin does: on the CPU it did not
            return (
                f"on another device, here '{DEVICE}', it fails: {located(error)}: make each tensor where the others "
                "are, with device=z.device, as a buffer of the network (register_buffer) or in the memory of a trick"
            )
    if any(loss is not None and loss.device != DEVICE for loss in losses):
        return "on another device its loss is on the CPU: leave it where the output is"
    waits = prior.waits or any(trick.waits for trick in prior.fit_settings(problem).tricks)
    if waits or course.done < 2 or not watched.waits:
        return ""
    return (
        f"an iteration waits for the device: {watched.waits[0]}: leave all of it there, and make what stays the same "
        "once, in build(); what cannot says waits = True"
    )


def _follows_the_type(prior: Prior, problem: Problem) -> str:
    network, z = _built(prior, problem)
    try:
        made = network.double()(z.double())
    except RuntimeError as error:
        return f"{located(error)}: make each tensor with dtype=z.dtype, or as a buffer of the network"
    if made.dtype == torch.float64:
        return ""
    return f"its output is of {made.dtype}: leave it in the type of the input, for the fit says the precision"


def _resumes(prior: Prior, problem: Problem) -> str:
    """Through a file, as a fit that was killed."""
    most = min(STEPS, prior.fit_settings(problem).iterations)
    if most < 2:
        return ""
    whole, again = began(prior, problem), began(prior, problem)
    whole.advance()
    file = io.BytesIO()
    torch.save(whole.state(), file)
    file.seek(0)
    again.load(torch.load(file, weights_only=True))
    first, second = ended(whole, most), ended(again, most)
    images = ([output.image for output in outcome.outputs] for outcome in (first, second))
    if first.trace["loss"].equals(second.trace["loss"]) and same(*images):
        return ""
    return (
        "after a checkpoint it goes on otherwise: it remembers something that no checkpoint has; keep it in a buffer "
        "of the network (register_buffer), in the memory of a trick, or in the `state` of an optimiser of its own"
    )
