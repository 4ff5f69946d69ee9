"""Scores a stream of estimates against the truth, on the device and without waiting for it."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Problem
from dipbench.scoring import Protocol
from dipbench.signals import SIGNALS, Step

_COLUMNS = list(SIGNALS)
_PSNR, _PSNR_AVERAGED = _COLUMNS.index("psnr"), _COLUMNS.index("psnr_averaged")


@dataclass(frozen=True, eq=False)
class Output:
    """One of the results of a run."""

    name: str  # last, averaged, peak or averaged_peak; a peak is an oracle: it is chosen with the truth
    image: Tensor  # (C, H, W)
    iteration: int


class _Peak:
    """Keeps the image of the highest PSNR so far, on the device."""

    def __init__(self, like: Tensor):
        self.image = torch.zeros_like(like)
        self.psnr = torch.full((), -torch.inf, device=like.device)
        self.iteration = torch.zeros((), dtype=torch.int64, device=like.device)

    def see(self, image: Tensor, psnr: Tensor, iteration: int) -> None:
        better = psnr > self.psnr
        self.image = torch.where(better, image, self.image)
        self.psnr = torch.where(better, psnr, self.psnr)
        self.iteration = torch.where(better, iteration, self.iteration)


class Recorder:
    """Writes one row a step into a buffer on the device, and keeps the outputs that become results.

    `truth` is (C, H, W) on the problem's device; None where there is none, and then every PSNR to it is NaN.
    `capacity` is the number of rows to begin with.
    """

    def __init__(self, problem: Problem, truth: Tensor | None, protocol: Protocol, capacity: int, peaks: bool):
        self._problem = problem
        self._truth = truth
        self._protocol = protocol
        self._rows = torch.full((capacity, len(_COLUMNS)), torch.nan, device=problem.device)
        self._count = 0
        self._nan = torch.full((), torch.nan, device=problem.device)
        keep_peaks = peaks and truth is not None
        self._peak = _Peak(torch.empty(problem.shape, device=problem.device)) if keep_peaks else None
        self._averaged_peak = _Peak(torch.empty(problem.shape, device=problem.device)) if keep_peaks else None
        self._last: Step | None = None
        self._host_row = torch.empty(len(_COLUMNS), pin_memory=problem.device.type == "cuda")
        self._copied: tuple[torch.cuda.Event, int] | None = None

    @torch.no_grad()
    def record(self, step: Step) -> None:
        """Scores a step and writes its row."""
        if self._count == len(self._rows):
            self._rows = torch.cat([self._rows, torch.full_like(self._rows, torch.nan)])
        misfit = step.misfit
        if misfit is None:
            misfit = (self._problem.operator(step.estimate) - self._problem.measurement).square().mean()
        psnr = self._psnr(step.estimate)
        psnr_averaged = self._psnr(step.averaged)
        loss = misfit if step.loss is None else step.loss
        self._rows[self._count] = torch.stack([loss, psnr, psnr_averaged, -10 * torch.log10(misfit)])
        if self._peak:
            self._peak.see(step.estimate, psnr, self._count)
        if self._averaged_peak and step.averaged is not None:
            self._averaged_peak.see(step.averaged, psnr_averaged, self._count)
        self._last = step
        self._count += 1

    def _psnr(self, image: Tensor | None) -> Tensor:
        if image is None or self._truth is None:
            return self._nan
        return self._protocol.psnr(image, self._truth)

    def latest(self) -> tuple[int, float]:
        """The iteration and the PSNR that reached the host last. On a GPU that is some steps ago: it never waits."""
        if self._problem.device.type != "cuda":
            return self._count - 1, float(self._rows[self._count - 1, _PSNR])
        if self._copied is None or self._copied[0].query():
            seen = (self._copied[1], float(self._host_row[_PSNR])) if self._copied else (0, float("nan"))
            self._host_row.copy_(self._rows[self._count - 1], non_blocking=True)
            self._copied = (torch.cuda.Event(), self._count - 1)
            self._copied[0].record()
            self._seen = seen
        return self._seen

    def trace(self) -> pd.DataFrame:
        """One row an iteration: `iteration`, and the signals as float32."""
        rows = self._rows[: self._count].cpu().numpy()
        return (
            pd.DataFrame({"iteration": range(self._count)}).astype("int32").join(pd.DataFrame(rows, columns=_COLUMNS))
        )

    def outputs(self) -> list[Output]:
        """The results of the run, on the host: the last output, the averaged one, and the peaks where they are kept."""
        assert self._last is not None, "no step was recorded"
        end = self._count - 1
        outputs = [Output("last", self._last.estimate.cpu(), end)]
        if self._last.averaged is not None:
            outputs.append(Output("averaged", self._last.averaged.cpu(), end))
        for name, peak in (("peak", self._peak), ("averaged_peak", self._averaged_peak)):
            if peak and bool(torch.isfinite(peak.psnr)):
                outputs.append(Output(name, peak.image.cpu(), int(peak.iteration)))
        return outputs
