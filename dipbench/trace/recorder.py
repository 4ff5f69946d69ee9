"""Measures a stream of estimates, against the truth too, on the device and without waiting for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Problem, Rule
from dipbench.errors import UserError
from dipbench.scoring import Protocol
from dipbench.trace.kept import AtExtreme, AtIteration, Extreme, Kept, Output
from dipbench.trace.signals import Seen, Signal
from dipbench.trace.step import Step
from dipbench.trace.stopping import Stopping
from dipbench.trace.usual import USUAL


class Recorder:
    """Writes one row a step into a buffer on the device, and keeps the outputs that become results.

    `truth` is (C, H, W) on the problem's device; None where there is none, and then every PSNR to it is NaN.
    `capacity` is the number of rows to begin with. A row has a number of each of the `signals`, whose memory is here.
    Kept is the final output; with `keep` those after so many iterations; with `extremes` those where a signal was
    highest or lowest; with `rules` those that a rule nominates, for which `ask` is to be called now and then. Where the
    rule `stop` fired, the run ends: what it nominates is the final output. `apart` is what a fit is not shown.
    """

    def __init__(
        self,
        problem: Problem,
        truth: Tensor | None,
        protocol: Protocol,
        capacity: int,
        *,
        signals: Sequence[Signal] = USUAL,
        extremes: Sequence[Extreme] = (),
        keep: Sequence[int] = (),
        rules: Sequence[Rule] = (),
        stop: Rule | None = None,
        apart: Problem | None = None,
    ):
        device = problem.device
        self._problem, self._apart = problem, apart
        self._truth = truth
        self._protocol = protocol
        self._signals = _by_column(signals)
        self._columns = list(self._signals)
        self._versions = [signal.version for signal in self._signals.values()]
        self._occasional = [name for name, signal in self._signals.items() if signal.every > 1 or signal.needs_still]
        self._memory = {name: signal.memory(problem) for name, signal in self._signals.items()}
        self._rows = torch.full((capacity, len(signals)), torch.nan, device=device)
        self._next = torch.zeros((), dtype=torch.int64, device=device)  # the row to write; here for a CUDA graph too
        self._called = 0  # how often `record` was, which a graph that is replayed does not do
        self._nan = torch.full((), torch.nan, device=device)
        self._kept: list[Kept] = [AtIteration(count, ema, problem) for count in keep for ema in (False, True)]
        self._extremes: list[Kept] = [AtExtreme(wish, self._columns, problem) for wish in extremes]
        self._stop = stop
        self._stopping = Stopping(rules, signals, problem, stop)
        self._rules = {rule.written() for rule in rules}
        self._last: Step | None = None
        self._host_row = torch.empty(len(signals) + 1, pin_memory=device.type == "cuda")
        self._copied: torch.cuda.Event | None = None
        self._seen = (0, float("nan"))

    @torch.no_grad()
    def record(self, step: Step) -> None:
        """Measures a step and writes its row. UserError if a signal is none."""
        if self._called == len(self._rows):
            self._rows = torch.cat([self._rows, torch.full_like(self._rows, torch.nan)])
        seen = self._seen_of(step)
        row = torch.stack(
            [self._nan if name in self._occasional else self._measured(name, seen) for name in self._signals]
        )
        self._rows.index_copy_(0, self._next[None], row[None])
        for kept in self._kept if self._stop else [*self._kept, *self._extremes]:
            kept.see(step, row, self._next)
        if self._stop and self._extremes:  # what comes after the end is not to replace what was extreme before it
            self._see_extremes(self._next - self._stopping.recent)
        self._stopping.see(step, self._next)
        self._last = step
        self._next += 1
        self._called += 1

    def _see_extremes(self, iteration: Tensor) -> None:
        """Of a recent iteration, a scalar on the device, whose outputs `_stopping` has; of a negative one nothing."""
        row = self._rows.index_select(0, iteration.clamp(min=0)[None])[0]
        step = self._stopping.step_of(iteration)
        for kept in self._extremes:
            kept.see(step, torch.where(iteration < 0, self._nan, row), iteration)

    @torch.no_grad()
    def _settle_extremes(self, end: int) -> None:
        """Sees the rest of a run that ended there, or goes on; to see an iteration again changes nothing."""
        if self._stop and self._extremes:
            for iteration in range(max(self._stopping.begun, int(self._next) - self._stopping.recent), end + 1):
                self._see_extremes(torch.tensor(iteration, device=self._next.device))

    def due(self, iteration: int) -> bool:
        """Whether a signal is due at that iteration that looks at the output without tricks: see `look`."""
        due = (self._signals[name] for name in self._occasional)
        return any(signal.needs_still and iteration % signal.every == 0 for signal in due)

    @torch.no_grad()
    def look(self, iteration: int, still: Tensor | None = None) -> None:
        """Measures the signals that are not taken at each iteration; to be called after each, outside of any graph.

        `still` is the output without tricks, where one is `due`.
        """
        for name in self._occasional:
            if iteration % self._signals[name].every == 0:
                assert self._last is not None, "no step was recorded"
                seen = replace(self._seen_of(self._last), still=still)
                self._rows[iteration, self._columns.index(name)] = self._measured(name, seen)

    def _seen_of(self, step: Step) -> Seen:
        misfit = self._problem.misfit(step.estimate) if step.misfit is None else step.misfit
        return Seen(
            step.estimate,
            step.ema,
            misfit if step.loss is None else step.loss,
            misfit,
            step.parameters,
            self._problem,
            self._psnr,
            self._ssim,
            self._apart,
            step.twin,
        )

    def _measured(self, name: str, seen: Seen) -> Tensor:
        """The number of a signal, a float32 scalar."""
        signal = self._signals[name]
        if not signal.oracle:
            seen = replace(seen, psnr=_refusal(name), ssim=_refusal(name))
        number = signal.measure(seen, self._memory[name])
        if number.shape != ():
            raise UserError(
                f"signal '{name}' gave a tensor of shape {tuple(number.shape)}: its measure() takes a scalar"
            )
        return number.float()

    def _psnr(self, image: Tensor | None) -> Tensor:
        if image is None or self._truth is None:
            return self._nan
        return self._protocol.psnr(image, self._truth)

    def _ssim(self, image: Tensor | None) -> Tensor:
        if image is None or self._truth is None:
            return self._nan
        return self._protocol.ssim(image, self._truth)

    def ask(self, done: int) -> None:
        """Asks the rules after `done` iterations, at least each `stopping.EVERY`; the device does not wait."""
        self._stopping.ask(self._rows[:done])

    @property
    def last(self) -> Tensor:
        """The raw output (C, H, W) of the last step; the next one may overwrite it."""
        assert self._last is not None, "no step was recorded"
        return self._last.estimate

    @property
    def stopped(self) -> bool:
        """Whether the rule that ends the run has fired, as far as is known."""
        return self._stop is not None and self._stopping.fired(self._stop) is not None

    def latest(self) -> tuple[int, float]:
        """The iteration and the PSNR that reached the host last. On a GPU that is some steps ago: it never waits.

        NaN where no signal `psnr` is recorded.
        """
        if self._problem.device.type != "cuda":
            return int(self._next) - 1, self._psnr_in(self._rows[int(self._next) - 1])
        if self._copied is None or self._copied.query():
            if self._copied:
                self._seen = (int(self._host_row[-1]) - 1, self._psnr_in(self._host_row))
            row = self._rows.index_select(0, self._next[None] - 1)[0]
            self._host_row.copy_(torch.cat([row, self._next[None].to(row)]), non_blocking=True)
            self._copied = torch.cuda.Event()
            self._copied.record()
        return self._seen

    def _psnr_in(self, row: Tensor) -> float:
        return float(row[self._columns.index("psnr")]) if "psnr" in self._columns else float("nan")

    def trace(self) -> pd.DataFrame:
        """One row an iteration: `iteration`, and the signals as float32. It ends where the rule `stop` fired."""
        count = self._end() + 1
        rows = self._rows[:count].cpu().numpy()
        return pd.DataFrame({"iteration": range(count)}).astype("int32").join(pd.DataFrame(rows, columns=self._columns))

    def outputs(self) -> list[Output]:
        """The results of the run, on the host: `final`, `ema`, those of `extremes` and those that rules nominate.

        `final_at_N` and `ema_at_N` are what `final` and `ema` were after N iterations, where more followed.
        """
        assert self._last is not None, "no step was recorded"
        end = self._end()
        self._settle_extremes(end)
        nominated = {output.name: output for output in self._stopping.outputs()}
        last = [Output("final", self._last.estimate.cpu(), end)]
        if self._last.ema is not None:
            last.append(Output("ema", self._last.ema.cpu(), end))
        if self._stop is not None and self._stop.written() in nominated:
            name = self._stop.written()
            pairs = (("final", name), ("ema", f"{name}_ema"))
            last = [replace(nominated[theirs], name=ours) for ours, theirs in pairs if theirs in nominated]
        every = [*self._kept, *self._extremes]
        kept = [kept.output(end) for kept in every if not kept.ema or self._last.ema is not None]
        of_rules = [output for output in nominated.values() if output.rule in self._rules]
        return last + [output for output in kept if output is not None] + of_rules

    def _end(self) -> int:
        """The last iteration that counts, once the rules were asked about all of them."""
        written = int(self._next)
        self._stopping.ask(self._rows[:written], wait=True)
        fired = self._stopping.fired(self._stop) if self._stop else None
        return written - 1 if fired is None else fired

    def state(self) -> dict[str, Any]:
        """What was recorded so far."""
        assert self._last is not None, "no step was recorded"
        self._settle_extremes(self._end())
        rows = self._rows[: int(self._next)]
        return {
            "columns": self._columns,
            "versions": self._versions,
            "rows": rows,
            "last": [self._last.estimate, self._last.ema],
            "signals": self._memory,
            "kept": {kept.name: kept.memory for kept in [*self._kept, *self._extremes]},
            "rules": self._stopping.state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on where a recorder of the same run gave `state`. ValueError if it was of other signals."""
        if state["columns"] != self._columns:
            raise ValueError(
                f"of the signals {', '.join(state['columns'])}, and this one of {', '.join(self._columns)}"
            )
        if state.get("versions", [1] * len(self._columns)) != self._versions:
            raise ValueError(f"of other versions of the signals {', '.join(self._columns)}")
        rows, device = state["rows"], self._problem.device
        self._rows[: len(rows)].copy_(rows)
        self._next.fill_(len(rows))
        self._called = len(rows)
        estimate, ema = state["last"]
        self._last = Step(estimate.to(device), None if ema is None else ema.to(device))
        for name, memory in self._memory.items():
            _restore(memory, state["signals"][name])
        for kept in [*self._kept, *self._extremes]:
            _restore(kept.memory, state["kept"][kept.name])
        self._stopping.load(state["rules"], self._rows[: len(rows)])


def _by_column(signals: Sequence[Signal]) -> dict[str, Signal]:
    """Each by the name of its column. UserError where two have the same."""
    named = {signal.written(): signal for signal in signals}
    if len(named) < len(signals):
        raise UserError(f"signals must be different, got {', '.join(s.written() for s in signals)}")
    return named


def _refusal(name: str) -> Callable[[Tensor | None], Tensor]:
    """In place of a score against the truth, for a signal that does not say that it looks there."""

    def refuse(image: Tensor | None) -> Tensor:
        raise UserError(
            f"signal '{name}' asks for a score against the truth: one that looks at the truth says oracle = True"
        )

    return refuse


def _restore(memory: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    """In place, where a CUDA graph will write."""
    for name, tensor in memory.items():
        tensor.copy_(saved[name])
