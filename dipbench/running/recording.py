"""What is recorded of a run: which signals, and which rules are asked; and what of it that run does not have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from dipbench import registry
from dipbench.contract import Method, Prior, Problem, Rule, Validation
from dipbench.trace.kept import Output
from dipbench.trace.signals import Signal


@dataclass(frozen=True)
class Recording:
    """The signals and the rules of a run, and why others that were asked for are not among them."""

    signals: Sequence[Signal]
    rules: Sequence[Rule]
    left_out: Sequence[str]

    @classmethod
    def of(
        cls,
        signals: Sequence[Signal],
        rules: Sequence[Rule],
        stop: Rule | None,
        problem: Problem,
        validation: Validation | None,
    ) -> Self:
        """What of `signals` and `rules`, with the signals that they and `stop` read, can be had of a problem."""
        refused = {rule: rule_refused(rule, problem, validation) for rule in rules}
        asked = [rule for rule, reason in refused.items() if not reason]
        wanted = {s.written(): s for s in (*signals, *signals_of([*asked, *([stop] if stop else [])]))}
        reasons = {name: signal.refuses(problem, validation) for name, signal in wanted.items()}
        return cls(
            [signal for name, signal in wanted.items() if not reasons[name]],
            asked,
            [
                *(f"signal '{name}' is not recorded: {reason}" for name, reason in reasons.items() if reason),
                *(reason for reason in refused.values() if reason),
            ],
        )

    def all_left_out(self, outputs: Sequence[Output], count: int) -> list[str]:
        """With the rules of which there is none among the outputs of a run of so many iterations: they named none."""
        named = {output.rule for output in outputs}
        silent = [rule.written() for rule in self.rules if rule.written() not in named]
        why = f"named no output: the fit, of {count} iterations, may be shorter than its window"
        return [*self.left_out, *(f"rule '{rule}' {why}" for rule in silent)]


def refusal(method: Method, problem: Problem) -> str | None:
    """Why a method cannot take a problem, or its `validation` or the signals of its `stop` cannot; None: it can."""
    if method.only_pictures and not problem.pictured:
        return "what was measured is no picture"
    if (reason := method.refuses(problem)) or not isinstance(method, Prior):
        return reason
    if method.validation and not problem.pictured:
        return f"validation '{method.validation.written()}' takes a measurement that is a picture"
    if method.validation and (reason := method.validation.refuses(problem)):
        return reason
    if method.stop is None:
        return None
    return rule_refused(method.stop, problem, method.validation)


def rule_refused(rule: Rule, problem: Problem, validation: Validation | None) -> str | None:
    """Why a signal that a rule reads cannot be recorded, in words for the table; None: all can."""
    for signal in signals_of([rule]):
        if reason := signal.refuses(problem, validation):
            return f"rule '{rule.written()}' reads signal '{signal.written()}', which cannot be recorded: {reason}"
    return None


def signals_of(rules: Iterable[Rule]) -> list[Signal]:
    """The signals that rules read, each once. UserError for one that there is not."""
    wanted = {column: type(rule) for rule in rules for column in rule.reads}
    return [registry.build_beside("signal", column, plugin) for column, plugin in wanted.items()]
