"""Scores a stream of estimates against the truth, on the device and without waiting for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Problem
from dipbench.scoring import Protocol
from dipbench.signals import SIGNALS, Step

_COLUMNS = list(SIGNALS)
_PSNR = _COLUMNS.index("psnr")


@dataclass(frozen=True, eq=False)
class Output:
    """One of the results of a run."""

    name: str  # see `outputs` of the recorder; a peak is an oracle: it is chosen with the truth
    image: Tensor  # (C, H, W)
    iteration: int


class _Peak:
    """Keeps the image of the highest PSNR so far, on the device."""

    def __init__(self, shape: tuple[int, int, int], device: torch.device):
        self.image = torch.zeros(shape, device=device)
        self.psnr = torch.full((), -torch.inf, device=device)
        self.iteration = torch.zeros((), dtype=torch.int64, device=device)

    def see(self, image: Tensor, psnr: Tensor, iteration: Tensor) -> None:
        better = psnr > self.psnr
        self.image.copy_(torch.where(better, image, self.image))
        self.psnr.copy_(torch.where(better, psnr, self.psnr))
        self.iteration.copy_(torch.where(better, iteration, self.iteration))


class _Kept:
    """Keeps the raw and the averaged image of one iteration, on the device."""

    def __init__(self, shape: tuple[int, int, int], device: torch.device, iteration: int):
        self.iteration = iteration  # as the trace counts, from 0
        self.images = {name: torch.full(shape, torch.nan, device=device) for name in ("last", "averaged")}

    def see(self, step: Step, iteration: Tensor) -> None:
        now = iteration == self.iteration
        for name, image in (("last", step.estimate), ("averaged", step.averaged)):
            if image is not None:
                self.images[name].copy_(torch.where(now, image, self.images[name]))


class Recorder:
    """Writes one row a step into a buffer on the device, and keeps the outputs that become results.

    `truth` is (C, H, W) on the problem's device; None where there is none, and then every PSNR to it is NaN.
    `capacity` is the number of rows to begin with. `keep` says after how many iterations the outputs are kept too.
    """

    def __init__(
        self,
        problem: Problem,
        truth: Tensor | None,
        protocol: Protocol,
        capacity: int,
        peaks: bool,
        keep: Sequence[int] = (),
    ):
        device = problem.device
        self._problem = problem
        self._truth = truth
        self._protocol = protocol
        self._rows = torch.full((capacity, len(_COLUMNS)), torch.nan, device=device)
        self._next = torch.zeros((), dtype=torch.int64, device=device)  # the row to write; here for a CUDA graph too
        self._called = 0  # how often `record` was, which a graph that is replayed does not do
        self._nan = torch.full((), torch.nan, device=device)
        names = ["peak", "averaged_peak"] if peaks and truth is not None else []
        self._peaks = {name: _Peak(problem.shape, device) for name in names}
        self._kept = {count: _Kept(problem.shape, device, count - 1) for count in keep}
        self._last: Step | None = None
        self._host_row = torch.empty(len(_COLUMNS) + 1, pin_memory=device.type == "cuda")
        self._copied: torch.cuda.Event | None = None
        self._seen = (0, float("nan"))

    @torch.no_grad()
    def record(self, step: Step) -> None:
        """Scores a step and writes its row."""
        if self._called == len(self._rows):
            self._rows = torch.cat([self._rows, torch.full_like(self._rows, torch.nan)])
        misfit = step.misfit
        if misfit is None:
            misfit = self._problem.misfit(step.estimate)
        psnr = self._psnr(step.estimate)
        psnr_averaged = self._psnr(step.averaged)
        loss = misfit if step.loss is None else step.loss
        row = torch.stack([loss.to(psnr), psnr, psnr_averaged, (-10 * torch.log10(misfit)).to(psnr)])
        self._rows.index_copy_(0, self._next[None], row[None])
        if self._peaks:
            self._peaks["peak"].see(step.estimate, psnr, self._next)
            if step.averaged is not None:
                self._peaks["averaged_peak"].see(step.averaged, psnr_averaged, self._next)
        for kept in self._kept.values():
            kept.see(step, self._next)
        self._last = step
        self._next += 1
        self._called += 1

    def _psnr(self, image: Tensor | None) -> Tensor:
        if image is None or self._truth is None:
            return self._nan
        return self._protocol.psnr(image, self._truth)

    def latest(self) -> tuple[int, float]:
        """The iteration and the PSNR that reached the host last. On a GPU that is some steps ago: it never waits."""
        if self._problem.device.type != "cuda":
            return int(self._next) - 1, float(self._rows[int(self._next) - 1, _PSNR])
        if self._copied is None or self._copied.query():
            if self._copied:
                self._seen = (int(self._host_row[-1]) - 1, float(self._host_row[_PSNR]))
            row = self._rows.index_select(0, self._next[None] - 1)[0]
            self._host_row.copy_(torch.cat([row, self._next[None].to(row)]), non_blocking=True)
            self._copied = torch.cuda.Event()
            self._copied.record()
        return self._seen

    def trace(self) -> pd.DataFrame:
        """One row an iteration: `iteration`, and the signals as float32."""
        count = int(self._next)
        rows = self._rows[:count].cpu().numpy()
        return pd.DataFrame({"iteration": range(count)}).astype("int32").join(pd.DataFrame(rows, columns=_COLUMNS))

    def outputs(self) -> list[Output]:
        """The results of the run, on the host: `last`, `averaged`, and the `peak` of each where they are kept.

        `last_at_N` and `averaged_at_N` are what `last` and `averaged` were after N iterations, where more followed.
        """
        assert self._last is not None, "no step was recorded"
        end = int(self._next) - 1
        latest = [Output("last", self._last.estimate.cpu(), end)]
        if self._last.averaged is not None:
            latest.append(Output("averaged", self._last.averaged.cpu(), end))
        outputs = list(latest)
        for count, kept in self._kept.items():
            if kept.iteration < end:
                outputs += [
                    Output(f"{output.name}_at_{count}", kept.images[output.name].cpu(), kept.iteration)
                    for output in latest
                ]
        for name, peak in self._peaks.items():
            if bool(torch.isfinite(peak.psnr)):
                outputs.append(Output(name, peak.image.cpu(), int(peak.iteration)))
        return outputs

    def state(self) -> dict[str, Any]:
        """What was recorded so far."""
        assert self._last is not None, "no step was recorded"
        return {
            "rows": self._rows[: int(self._next)],
            "last": [self._last.estimate, self._last.averaged],
            "peaks": {name: [peak.image, peak.psnr, peak.iteration] for name, peak in self._peaks.items()},
            "kept": {count: kept.images for count, kept in self._kept.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on where a recorder of the same run gave `state`."""
        rows, device = state["rows"], self._problem.device
        self._rows[: len(rows)].copy_(rows)
        self._next.fill_(len(rows))
        self._called = len(rows)
        estimate, averaged = state["last"]
        self._last = Step(estimate.to(device), None if averaged is None else averaged.to(device))
        for name, peak in self._peaks.items():
            for mine, theirs in zip((peak.image, peak.psnr, peak.iteration), state["peaks"][name], strict=True):
                mine.copy_(theirs)
        for count, kept in self._kept.items():
            for name, image in kept.images.items():
                image.copy_(state["kept"][count][name])
