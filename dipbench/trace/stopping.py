"""Asks rules when to stop: of a stored trace, and of one that is being written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Problem
from dipbench.errors import UserError, unknown
from dipbench.trace.arrivals import Arrivals
from dipbench.trace.kept import Output
from dipbench.trace.rules import Rule
from dipbench.trace.signals import Signal
from dipbench.trace.usual import USUAL

EVERY = 5  # iterations from one question to the next: more than a host is ahead of its GPU (trial.Lead)


def replayed(rule: Rule, trace: pd.DataFrame, signals: Sequence[Signal] = USUAL) -> int | None:
    """The iteration at which a rule stops on a stored trace of those signals; None: at none.

    UserError if it reads an oracle, or what is not in the trace.
    """
    refuse_what_it_may_not_read(rule, [signal for signal in signals if signal.written() in trace])
    return rule.stop(trace[["iteration", *_columns(rule)]])


def refuse_what_it_may_not_read(rule: Rule, signals: Sequence[Signal]) -> None:
    """UserError if a rule reads an oracle, or a signal that is not among `signals`."""
    oracles = {signal.written(): signal.oracle for signal in signals}
    for column in _columns(rule):
        if column not in oracles:
            raise unknown(f"signal of rule {rule.written()}", column, oracles)
        if oracles[column]:
            raise UserError(
                f"rule '{rule.written()}' reads '{column}', which looks at the truth: it may read only signals that do "
                f"not, of these {', '.join(name for name, oracle in oracles.items() if not oracle) or 'none'}"
            )


def _columns(rule: Rule) -> list[str]:
    """What a rule is shown of a trace beside `iteration`: an oracle is not in it, so that none is read by accident."""
    return list(dict.fromkeys([*rule.reads, *filter(None, [rule.keeps])]))


@dataclass(eq=False)
class _Held:
    """The output that a rule would have."""

    image: Tensor  # (C, H, W)
    iteration: int = -1  # -1: none
    stopped: bool = False  # whether the rule did, else the iteration is that of the lowest value so far


class Stopping:
    """Asks rules of the trace of a run as it is written, and keeps the raw outputs that they name.

    A rule is asked on the host, some iterations late. So the last outputs are kept on the device, for the one that it
    names to be among them; and with a rule that `keeps` a signal, the output of the lowest value that the host knows.
    """

    def __init__(self, rules: Sequence[Rule], signals: Sequence[Signal], problem: Problem):
        for rule in rules:
            refuse_what_it_may_not_read(rule, signals)
        self._rules = {rule.written(): rule for rule in rules}
        self._signals = [signal.written() for signal in signals]
        self._held = {name: _Held(torch.zeros(problem.shape, device=problem.device)) for name in self._rules}
        recent = 2 * EVERY if rules else 0  # since the last question, and as many whose rows were on their way
        self._recent = torch.zeros((recent, *problem.shape), device=problem.device)
        self._arrivals = Arrivals()
        self._begun = 0  # the first iteration since which the outputs were seen

    def see(self, estimate: Tensor, iteration: Tensor) -> None:
        """To be called with each estimate (C, H, W) and its number, a scalar on the device."""
        if self._rules:
            self._recent.index_copy_(0, (iteration % len(self._recent))[None], estimate[None])

    def ask(self, rows: Tensor, wait: bool = False) -> None:
        """Asks every rule that has not stopped; `rows` (n, signals) is the trace so far, on the device.

        To be called at least each EVERY iterations. The rules see what of the trace is on the host, or all if `wait`.
        """
        if not self._rules:
            return
        known = pd.DataFrame(self._arrivals.fetch(rows, wait), columns=self._signals)
        known.insert(0, "iteration", range(len(known)))
        for name, rule in self._rules.items():
            held = self._held[name]
            if not held.stopped and len(known):
                self._ask_one(rule, held, known[["iteration", *_columns(rule)]], len(rows))

    def _ask_one(self, rule: Rule, held: _Held, known: pd.DataFrame, written: int) -> None:
        stop = rule.stop(known)
        wanted = _lowest(known, rule.keeps) if stop is None else stop
        held.stopped = stop is not None
        if wanted is None or wanted == held.iteration:
            return
        if not max(self._begun, written - len(self._recent)) <= wanted < len(known):
            raise UserError(
                f"rule '{rule.written()}' named iteration {wanted} when asked after {len(known)}: its stop() must name "
                "the iteration at which it stops or, with `keeps`, the one of that signal's lowest value until then"
            )
        held.image.copy_(self._recent[wanted % len(self._recent)])
        held.iteration = wanted

    def outputs(self) -> list[Output]:
        """The output of each rule that has stopped, on the host, called as the rule is written."""
        held = self._held.items()
        return [Output(name, one.image.cpu(), one.iteration) for name, one in held if one.stopped]

    def state(self) -> dict[str, Any]:
        """What is held for each rule, once all that was recorded was asked about."""
        return {name: [held.image, held.iteration, held.stopped] for name, held in self._held.items()}

    def load(self, state: dict[str, Any], rows: Tensor) -> None:
        """Goes on where that of a run of the same rules gave `state`, after `rows` (n, signals)."""
        for name, held in self._held.items():
            image, held.iteration, held.stopped = state[name]
            held.image.copy_(image)
        self._arrivals = Arrivals()
        self._arrivals.fetch(rows, wait=True)
        self._begun = len(rows)


def _lowest(known: pd.DataFrame, signal: str) -> int | None:
    """The iteration at which a signal was lowest; None where it has no number yet, or there is no signal to keep."""
    if not signal or known[signal].isna().all():
        return None
    return int(np.nanargmin(known[signal]))
