"""What an iteration costs at least: operations, bytes, and what the device does of each in a second."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dipbench.contract import Prior, Problem
from dipbench.fit import Execution
from dipbench.streams import Streams


def operations(prior: Prior, problem: Problem) -> int:
    """Floating-point operations of a forward and a backward pass; a multiplication with its addition is two."""
    network, z = _built(prior, problem)
    with FlopCounterMode(display=False) as counter:
        network(z).square().mean().backward()
    return int(counter.get_total_flops())


def traffic(prior: Prior, problem: Problem) -> int:
    """Numbers that must be moved to or from memory in a forward and a backward pass, whatever is fused.

    Of each convolution: forward, its input is read and its output written; backward, the gradient of its output is read
    for each of the two other gradients, its input is read, and the gradient of its input is written. Batch norms,
    activations, padding and upsampling are taken to be fused into these, and the parameters not to count.
    """
    network, z = _built(prior, problem)
    moved = 0

    def add(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal moved
        moved += (inputs[0].numel() + output.numel()) + (2 * output.numel() + 2 * inputs[0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(add)
    with torch.no_grad():
        network(z)
    return moved


def _built(prior: Prior, problem: Problem) -> tuple[nn.Module, Tensor]:
    rng = Streams(0)
    with rng.seeded("weights"):
        network, z = prior.build(problem, rng)
    return network.to(problem.device), z.to(problem.device)


def peaks(device: torch.device, size: int, execution: Execution) -> dict[str, float]:
    """The most that the device does: matmul and convolution in FLOP/s, copying in bytes/s."""
    kind = execution.arithmetic.autocast or execution.arithmetic.dtype
    side = 8192 if device.type == "cuda" else 2048
    a, b = (torch.rand((side, side), device=device, dtype=kind) for _ in range(2))
    image = torch.rand((1, 128, size, size), device=device, dtype=kind)
    weights = torch.rand((128, 128, 3, 3), device=device, dtype=kind)
    image, weights = (t.to(memory_format=execution.layout(device)) for t in (image, weights))
    long = torch.rand(2**28 if device.type == "cuda" else 2**26, device=device)
    other = torch.empty_like(long)
    with execution.within(device), torch.no_grad():
        return {
            "matmul_flops": 2 * side**3 / fastest(lambda: a @ b, device),
            "convolution_flops": 2 * 128 * 128 * 9 * size**2
            / fastest(lambda: nn.functional.conv2d(image, weights, padding=1), device),
            "copy_bytes": 2 * 4 * long.numel() / fastest(lambda: other.copy_(long), device),
        }  # fmt: skip


def fastest(call: Callable[[], object], device: torch.device, times: int = 5) -> float:
    """Seconds of the fastest of several calls."""
    seconds = []
    for _ in range(times + 1):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
