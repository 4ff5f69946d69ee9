"""What fit_speed.py times, each in a process of its own, so that nothing one does to its memory helps another.

A process builds its fit, then does as many iterations as it is told and answers with the seconds that they took.
"""

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Prior, Problem, Scene
from dipbench.fit import Captured, Execution, Fit
from dipbench.resources import PeakMemory, keep_memory, on_stream
from dipbench.running.trial import Trial
from dipbench.streams import Streams
from dipbench.trace.step import Step

TASK, METHOD = "denoising[sigma=25]", "dip[preset=denoising]"


@dataclass(frozen=True)
class Contender:
    """Who is timed, on what."""

    who: str  # a name of CONTENDERS
    size: int  # side of the square image, pixels
    device: str
    threads: int
    execution: Execution
    official: Path | None = None  # a checkout of the official code
    keeps_memory: bool = True  # ours on a CPU: as `dipbench run` does
    at_once: int = 1  # fits that take turns


class Timer:
    """Answers the pipe: `tick` is to be called before each iteration, and returns when it may begin."""

    def __init__(self, pipe: Connection, device: torch.device, facts: Callable[[], dict[str, Any]]):
        self._pipe, self._device, self._facts = pipe, device, facts
        self._left = 0
        self._start = 0.0
        pipe.send("ready")

    def tick(self) -> bool:
        """False: it is over."""
        if self._left == 0:
            if self._start:
                self._wait()
                self._pipe.send(time.perf_counter() - self._start)
            wanted = self._pipe.recv()
            if wanted is None:
                self._pipe.send(self._facts())
                return False
            self._left = int(wanted)
            self._wait()
            self._start = time.perf_counter()
        self._left -= 1
        return True

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def serve(contender: Contender, pipe: Connection) -> None:
    """What the process does."""
    torch.set_num_threads(contender.threads)
    if contender.keeps_memory and contender.device == "cpu":
        keep_memory()
    CONTENDERS[contender.who](contender, pipe)


def photograph(size: int) -> Tensor:
    """A photograph (3, size, size): an embedded one, repeated where it is smaller."""
    image = registry.build("dataset", "photos").read("astronaut")
    times = -(-size // min(image.shape[1:]))
    return image.repeat(1, times, times)[:, :size, :size].contiguous()


def posed(contender: Contender) -> tuple[Prior, Problem, Tensor]:
    """The method, the problem and the truth."""
    truth = photograph(contender.size)
    problem = registry.build("task", TASK).degrade(Scene(truth), Streams(0))
    device = torch.device(contender.device)
    return registry.build("method", METHOD), problem.to(device), truth.to(device)


def with_recording(contender: Contender, pipe: Connection) -> None:
    """dipbench as it runs a suite: every signal at every iteration, on the device."""
    method, problem, truth = posed(contender)
    protocol, memory = registry.build("task", TASK).protocol(), PeakMemory(problem.device)
    trials = [
        Trial(method, problem, truth, protocol, Streams(seed), contender.execution) for seed in range(contender.at_once)
    ]
    facts = lambda: {"losses": trials[0].outcome().trace["loss"].tolist(), "peak_memory": memory.peak}  # noqa: E731
    timer = Timer(pipe, problem.device, facts)
    while timer.tick():
        for trial in trials:
            trial.advance()


def loss_of(step: Step) -> Tensor:
    """The loss, a scalar, of a step of a fit."""
    assert step.loss is not None
    return step.loss


class Bare:
    """A fit by itself, as its engine computes it: nothing is scored."""

    def __init__(self, problem: Problem, execution: Execution):
        on_gpu = problem.device.type == "cuda"
        self._stream = torch.cuda.Stream(problem.device) if on_gpu else None
        if self._stream:
            self._stream.wait_stream(torch.cuda.current_stream(problem.device))  # which made the problem
        with on_stream(self._stream):
            self._fit = Fit(registry.build("method", METHOD), problem, Streams(0), execution)
        self._captured = Captured(self._fit.generators) if execution.captures_on(problem.device) else None

    def advance(self) -> Tensor:
        """One iteration; its loss, a scalar."""
        with on_stream(self._stream):
            if self._captured:
                self._captured(self._iteration)
            else:
                self._iteration()
            return self._loss.clone()

    def _iteration(self) -> None:
        self._loss = loss_of(self._fit.output())
        self._fit.step()


def bare(contender: Contender, pipe: Connection) -> None:
    """dipbench's fit alone."""
    _, problem, _ = posed(contender)
    memory, fit = PeakMemory(problem.device), Bare(problem, contender.execution)
    losses: list[Tensor] = []
    timer = Timer(pipe, problem.device, lambda: {"losses": torch.stack(losses).tolist(), "peak_memory": memory.peak})
    while timer.tick():
        losses.append(fit.advance())


def official_notebook(contender: Contender, pipe: Connection) -> None:
    """The cells of denoising.ipynb as they are: three PSNRs and a copy of all weights on the host an iteration."""
    cells = official_cells(contender)
    memory = PeakMemory(torch.device(contender.device))
    timer = Timer(pipe, torch.device(contender.device), lambda: {"losses": [], "peak_memory": memory.peak})
    optimise = cells["optimize"]

    def timed(kind: str, parameters: Any, closure: Callable[[], Tensor], rate: float, iterations: int) -> None:
        def ticked() -> Tensor:
            if not timer.tick():
                raise _Over
            return closure()

        optimise(kind, parameters, ticked, rate, 10**9)

    cells["optimize"] = timed
    with contextlib.suppress(_Over), contextlib.redirect_stdout(io.StringIO()):
        exec(cells["loop"], cells)


def official_bare(contender: Contender, pipe: Connection) -> None:
    """The official network with Adam's step: no metrics, no average, no copies."""
    cells = official_cells(contender)
    device = torch.device(contender.device)
    network, z, y, loss = (cells[name] for name in ("net", "net_input", "img_noisy_torch", "mse"))
    adam, noise, memory = (
        torch.optim.Adam(network.parameters(), lr=cells["LR"]),
        torch.empty_like(z),
        PeakMemory(device),
    )
    timer = Timer(pipe, device, lambda: {"losses": [], "peak_memory": memory.peak})
    while timer.tick():
        adam.zero_grad()
        loss(network(z + noise.normal_() * cells["reg_noise_std"]), y).backward()
        adam.step()


class _Over(Exception):
    """The official loop is to end."""


def official_cells(contender: Contender) -> dict[str, Any]:
    """The namespace of denoising.ipynb after all but its loop, which is left in it as the code object `loop`.

    Unmodified but for what no longer runs or is not there: the notebook's magic, a name that skimage changed, the GPU
    where there is none, the plots, and the image, which is the one that the others have.
    """
    import skimage.measure
    from skimage.metrics import peak_signal_noise_ratio

    assert contender.official is not None
    os.environ["MPLBACKEND"] = "Agg"
    sys.path.insert(0, str(contender.official))
    psnr = partial(peak_signal_noise_ratio, data_range=1)
    skimage.measure.compare_psnr = psnr  # type: ignore[attr-defined]
    notebook = json.loads((contender.official / "denoising.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    imports = next(cell for cell in cells if "compare_psnr" in cell and "import" in cell)
    settings = next(cell for cell in cells if "reg_noise_std =" in cell)
    loop = next(cell for cell in cells if "def closure" in cell)
    space: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(imports.replace("%matplotlib inline", ""), "denoising.ipynb", "exec"), space)
        if contender.device == "cpu":
            space["dtype"] = torch.FloatTensor
        truth = photograph(contender.size)
        noisy = registry.build("task", TASK).degrade(Scene(truth), Streams(0)).measurement
        space |= {"PLOT": False, "fname": "data/denoising/F16_GT.png", "img_np": truth.numpy()}
        space |= {"img_noisy_np": noisy.numpy(), "img_pil": space["np_to_pil"](truth.numpy())}
        exec(compile(settings, "denoising.ipynb", "exec"), space)
    return space | {"loop": compile(loop, "denoising.ipynb", "exec")}


CONTENDERS: dict[str, Callable[[Contender, Connection], None]] = {
    "dipbench": with_recording,
    "dipbench, bare": bare,
    "official notebook": official_notebook,
    "official, bare": official_bare,
}
