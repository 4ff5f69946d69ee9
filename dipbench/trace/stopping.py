"""Asks rules when to stop: of a stored trace, and of one that is being written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Nomination, Problem, Rule
from dipbench.errors import UserError
from dipbench.trace.arrivals import Arrivals
from dipbench.trace.kept import Output
from dipbench.trace.signals import Signal
from dipbench.trace.step import Step

EVERY = 5  # iterations from one question to the next: more than a host is ahead of its GPU (trial.Lead)


def replayed(rule: Rule, trace: pd.DataFrame, signals: Sequence[Signal]) -> Nomination:
    """What a rule says of a stored trace, which may have the columns of those signals.

    UserError if it reads an oracle, what is not in the trace, or what has no number there.
    """
    refuse_what_it_may_not_read(rule, [signal for signal in signals if signal.written() in trace])
    for column in rule.reads:
        if trace[column].isna().all():
            raise UserError(
                f"rule '{rule.written()}' reads '{column}', which has no number in this trace of {len(trace)} "
                "iterations: the fit may be shorter than the window"
            )
    return rule.judge({name: trace[name].to_numpy() for name in ("iteration", *rule.reads)})


def refuse_what_it_may_not_read(rule: Rule, signals: Sequence[Signal]) -> None:
    """UserError if a rule reads an oracle, or a signal that is not among `signals`."""
    oracles = {signal.written(): signal.oracle for signal in signals}
    for column in rule.reads:
        if column not in oracles:
            raise UserError(
                f"rule '{rule.written()}' reads signal '{column}', which was not recorded; recorded are "
                f"{', '.join(oracles) or 'none'}: run with --record '{column}'"
            )
        if oracles[column]:
            raise UserError(
                f"rule '{rule.written()}' reads '{column}', which looks at the truth: it may read only signals that do "
                f"not, of these {', '.join(name for name, oracle in oracles.items() if not oracle) or 'none'}"
            )


@dataclass(eq=False)
class _Held:
    """The outputs that a rule would have: of `said.iteration`, where that is not None."""

    images: dict[str, Tensor]  # raw and ema, (C, H, W)
    said: Nomination = field(default_factory=Nomination)


class Stopping:
    """Asks rules of the trace of a run as it is written, and keeps the outputs that they nominate.

    A rule is asked on the host, some iterations late. So the last outputs are kept on the device, for the one that it
    nominates to be among them. What comes after `stop` has fired, the rule that ends the run, no rule is asked about.
    """

    def __init__(self, rules: Sequence[Rule], signals: Sequence[Signal], problem: Problem, stop: Rule | None = None):
        rules = [*([stop] if stop else []), *rules]
        for rule in rules:
            refuse_what_it_may_not_read(rule, signals)
        self._rules = {rule.written(): rule for rule in rules}
        self._stop = stop
        self._columns = [signal.written() for signal in signals]
        self._held = {name: _Held(_images(problem, 1)) for name in self._rules}
        # since the last question, and as many whose rows were on their way
        self._recent = _images(problem, 2 * EVERY if rules else 0)
        self._has_ema = False
        self._arrivals = Arrivals()
        self.begun = 0  # the first iteration since which the outputs were seen

    def see(self, step: Step, iteration: Tensor) -> None:
        """To be called with each step and its number, a scalar on the device."""
        if not self._rules:
            return
        self._has_ema = step.ema is not None
        for name, image in (("raw", step.estimate), ("ema", step.ema)):
            if image is not None:
                recent = self._recent[name]
                recent.index_copy_(0, (iteration % len(recent))[None], image[None])

    @property
    def recent(self) -> int:
        """How many of the last outputs are here. When the first of them makes room, the run has not ended before it."""
        return len(self._recent["raw"])

    def step_of(self, iteration: Tensor) -> Step:
        """The outputs of a recent iteration, a scalar on the device."""
        at = (iteration % len(self._recent["raw"]))[None]
        raw, ema = (self._recent[name].index_select(0, at)[0] for name in ("raw", "ema"))
        return Step(raw, ema if self._has_ema else None)

    def ask(self, rows: Tensor, wait: bool = False) -> None:
        """Asks every rule that has not fired; `rows` (n, signals) is the trace so far, on the device.

        To be called at least each EVERY iterations. The rules see what of the trace is on the host, or all if `wait`.
        """
        if not self._rules:
            return
        known = self._arrivals.fetch(rows, wait)
        trace: dict[str, np.ndarray] = {"iteration": np.arange(len(known))}
        trace.update(zip(self._columns, known.T, strict=True))
        for name, rule in self._rules.items():  # that which ends the run first
            end = self.fired(self._stop) if self._stop else None
            count = len(known) if end is None else min(len(known), end + 1)
            if count and self._held[name].said.fired is None:
                shown = {column: trace[column][:count] for column in ("iteration", *rule.reads)}
                self._hold(rule, self._held[name], rule.judge(shown), count, len(rows))

    def _hold(self, rule: Rule, held: _Held, said: Nomination, known: int, written: int) -> None:
        wanted, before = said.iteration, held.said.iteration
        if said.fired is not None and not (type(said.fired) is int and 0 <= said.fired < known and wanted is not None):
            raise UserError(
                f"rule '{rule.written()}' says that it fired at {said.fired} for iteration {wanted} when asked after "
                f"{known}: judge() must name two iterations that it was shown"
            )
        if wanted is not None and wanted != before:
            if not max(self.begun, written - len(self._recent["raw"])) <= wanted < known:
                raise UserError(
                    f"rule '{rule.written()}' nominates iteration {wanted} when asked after {known}, and before that "
                    f"{before}: judge() must keep to what it nominated, or nominate an iteration as it comes"
                )
            for name, image in held.images.items():
                image.copy_(self._recent[name][wanted % len(self._recent[name])][None])
        held.said = said

    def fired(self, rule: Rule) -> int | None:
        """The iteration at which a rule fired, as far as is known."""
        return self._held[rule.written()].said.fired

    def outputs(self) -> list[Output]:
        """The output that each rule nominates, on the host, called as the rule is written; with `_ema` their average.

        None of a rule that nominates nothing.
        """
        found = [(name, held) for name, held in self._held.items() if held.said.iteration is not None]
        return [output for name, held in found for output in self._of(name, held)]

    def _of(self, name: str, held: _Held) -> list[Output]:
        kinds = {"": "raw", "_ema": "ema"} if self._has_ema else {"": "raw"}
        assert held.said.iteration is not None
        return [
            Output(name + end, held.images[kind][0].cpu(), held.said.iteration, name, held.said.fired)
            for end, kind in kinds.items()
        ]

    def state(self) -> dict[str, Any]:
        """What is held for each rule, once all that was recorded was asked about."""
        said = {name: (held.said.iteration, held.said.fired) for name, held in self._held.items()}
        return {name: [held.images, *said[name], self._has_ema] for name, held in self._held.items()}

    def load(self, state: dict[str, Any], rows: Tensor) -> None:
        """Goes on where that of a run of the same rules gave `state`, after `rows` (n, signals)."""
        for name, held in self._held.items():
            images, iteration, fired, self._has_ema = state[name]
            held.said = Nomination(iteration, fired)
            for kind, image in held.images.items():
                image.copy_(images[kind])
        self._arrivals = Arrivals()
        self._arrivals.fetch(rows, wait=True)
        self.begun = len(rows)


def _images(problem: Problem, count: int) -> dict[str, Tensor]:
    return {name: torch.zeros((count, *problem.shape), device=problem.device) for name in ("raw", "ema")}
