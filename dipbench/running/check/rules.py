"""What a stopping rule must do."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from dipbench.contract import Nomination, Rule, Trace
from dipbench.running.check.trying import Try
from dipbench.running.recording import signals_of
from dipbench.trace.stopping import refuse_what_it_may_not_read

_LENGTH = 30  # iterations of a trace, within which `tiny()` can fire
_RANDOM = 10  # traces of each kind


def checks(rule: Rule) -> list[Try]:
    return [
        ("reads signals that there are, none of them an oracle", partial(_reads, rule)),
        ("stops on some trace, unless it says that it never does", partial(_stops, rule)),
        ("what follows changes no answer", partial(_is_causal, rule)),
        ("keeps to what it nominated, or nominates an iteration as it comes", partial(_nominates, rule)),
        ("depends on the trace alone, and leaves it as it was", partial(_is_pure, rule)),
    ]


def _reads(rule: Rule) -> str:
    refuse_what_it_may_not_read(rule, signals_of([rule]))  # says what is wrong
    return ""


def _traces(rule: Rule) -> Iterator[Trace]:
    """What a rule may meet: the same in every column, and then in each its own."""
    columns, draw, count = rule.reads, np.random.default_rng(0), np.arange(_LENGTH)
    middle, spike = abs(count - _LENGTH // 2), count == 9
    shapes = [count, -count, 0 * count, middle, -middle, (-1) ** count, spike, -1.0 * spike, 1 / (1 + count)]
    holes = [np.nan * count, np.where(count < 9, np.nan, -count), np.where(spike, np.inf, -count)]
    for shape in [*shapes, *holes]:
        yield _trace(dict.fromkeys(columns, shape))
    for _ in range(_RANDOM):
        scattered = {column: draw.normal(scale=10 ** draw.uniform(-3, 2), size=_LENGTH) for column in columns}
        yield _trace(scattered)
        yield _trace({column: values.cumsum() for column, values in scattered.items()})
        yield _trace({column: values.round() for column, values in scattered.items()})  # with many that are equal
        yield _trace({c: np.where(draw.uniform(size=_LENGTH) < 0.3, np.nan, v) for c, v in scattered.items()})


def _trace(values: dict[str, np.ndarray]) -> Trace:
    signals = {column: np.asarray(numbers, dtype=np.float32) for column, numbers in values.items()}
    return {"iteration": np.arange(_LENGTH), **signals}


def _cut(trace: Trace, length: int) -> Trace:
    return {name: numbers[:length].copy() for name, numbers in trace.items()}


def _answers(rule: Rule, trace: Trace) -> list[Nomination]:
    """Asked after one iteration, after two, and so on to the end."""
    return [rule.judge(_cut(trace, length)) for length in range(1, _LENGTH + 1)]


def _stops(rule: Rule) -> str:
    fired = any(rule.judge(trace).fired is not None for trace in _traces(rule))
    if fired == rule.fires:
        return ""
    if fired:
        return "it fires, and says that it never does: fires = False"
    return f"it fires on none: tiny() is to give settings under which it can within {_LENGTH} iterations"


def _is_causal(rule: Rule) -> str:
    for trace in _traces(rule):
        answers = _answers(rule, trace)
        first = next((n for n, answer in enumerate(answers) if answer.fired is not None), None)
        if first is None:
            continue
        if answers[first].fired != first:
            return (
                f"asked after {first + 1} iterations it says that it fired at {answers[first].fired}{_of(rule, trace)}"
            )
        for number, answer in enumerate(answers[first:], first):
            if answer != answers[first]:
                return (
                    f"asked after {first + 1} iterations it says {_said(answers[first])}, and after {number + 1} "
                    f"{_said(answer)}{_of(rule, trace)}"
                )
    return ""


def _nominates(rule: Rule) -> str:
    for trace in _traces(rule):
        before: int | None = None
        for number, answer in enumerate(_answers(rule, trace)):
            said = answer.iteration
            for named in (said, answer.fired):
                if named is not None and type(named) is not int:
                    return f"it names an iteration by a {type(named).__name__}: it takes int or None"
            if said not in (before, number):
                return (
                    f"asked after {number + 1} iterations it nominates {said}, and before that {before}: only "
                    f"iteration {number} can take its place{_of(rule, trace)}"
                )
            if answer.fired is not None and said is None:
                return f"it fires at {answer.fired} and nominates nothing{_of(rule, trace)}"
            before = said
    return ""


def _said(answer: Nomination) -> str:
    return f"{answer.iteration} (fired at {answer.fired})"


def _of(rule: Rule, trace: Trace) -> str:
    shown = "; ".join(f"{column} {', '.join(f'{v:g}' for v in trace[column])}" for column in rule.reads)
    return f" ({shown})" if shown else ""


def _is_pure(rule: Rule) -> str:
    for trace in _traces(rule):
        shown = _cut(trace, _LENGTH)
        first, second = rule.judge(shown), rule.judge(_cut(trace, _LENGTH))
        if not all(np.array_equal(shown[name], trace[name], equal_nan=True) for name in trace):
            return "it wrote to the trace"
        if first != second:
            return f"asked twice, it says {_said(first)} and {_said(second)}"
    return ""
