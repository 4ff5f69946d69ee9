"""What a stopping rule must do."""

import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from dipbench import registry
from dipbench.running.check.trying import Try
from dipbench.spec import Spec, parse
from dipbench.trace.rules import Rule
from dipbench.trace.signals import Signal
from dipbench.trace.stopping import refuse_what_it_may_not_read

_LENGTH = 30  # iterations of a trace, within which `tiny()` can stop
_RANDOM = 10  # traces of each kind


def checks(cls: type[Rule]) -> list[Try]:
    rule = cls.tiny()
    return [
        ("reads signals that there are, none of them an oracle", partial(_reads, rule)),
        ("stops on some trace", partial(_stops, rule)),
        ("what follows changes no answer", partial(_is_causal, rule)),
        ("names the last iteration, or the one of the lowest value that it keeps", partial(_names, rule)),
        ("depends on the trace alone, and leaves it as it was", partial(_is_pure, rule)),
    ]


def _columns(rule: Rule) -> list[str]:
    return list(dict.fromkeys([*rule.reads, *filter(None, [rule.keeps])]))


def _reads(rule: Rule) -> str:
    refuse_what_it_may_not_read(rule, [_signal(column, type(rule)) for column in _columns(rule)])  # says what is wrong
    return ""


def _signal(column: str, cls: type[Rule]) -> Signal:
    """The signal of that column; one that is not found by its name may lie beside the rule. UserError for none."""
    spec = parse(column)
    beside = Path(inspect.getfile(cls)).with_name(f"{spec.name}.py")
    named = spec.name not in registry.names("signal") and beside.is_file()
    found: Signal = registry.build("signal", Spec(str(beside), spec.settings) if named else spec)
    return found


def _traces(rule: Rule) -> Iterator[pd.DataFrame]:
    """What a rule may meet: the same in every column, and then in each its own."""
    columns, draw, count = _columns(rule), np.random.default_rng(0), np.arange(_LENGTH)
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


def _trace(values: dict[str, np.ndarray]) -> pd.DataFrame:
    signals = {column: np.asarray(numbers, dtype=np.float32) for column, numbers in values.items()}
    return pd.DataFrame({"iteration": np.arange(_LENGTH), **signals})


def _answers(rule: Rule, trace: pd.DataFrame) -> list[int | None]:
    """Asked after no iteration, after one, and so on to the end."""
    return [rule.stop(trace[:length].copy()) for length in range(len(trace) + 1)]


def _stops(rule: Rule) -> str:
    if any(rule.stop(trace) is not None for trace in _traces(rule)):
        return ""
    return f"it stops on none: tiny() is to give settings under which it can within {_LENGTH} iterations"


def _is_causal(rule: Rule) -> str:
    for trace in _traces(rule):
        given = [(length, answer) for length, answer in enumerate(_answers(rule, trace))]
        begun = [(length, answer) for length, answer in given if any(a is not None for _, a in given[: length + 1])]
        for length, answer in begun:
            if answer != begun[0][1]:
                return (
                    f"asked after {begun[0][0]} iterations it says {begun[0][1]}, and after {length} {answer}"
                    f"{_of(rule, trace)}"
                )
    return ""


def _names(rule: Rule) -> str:
    for trace in _traces(rule):
        found = next(((n, answer) for n, answer in enumerate(_answers(rule, trace)) if answer is not None), None)
        if found is None:
            continue
        length, answer = found
        if type(answer) is not int:
            return f"it names an iteration by a {type(answer).__name__}: it takes int or None"
        wanted = _lowest(trace[rule.keeps][:length]) if rule.keeps else length - 1
        if answer != wanted:
            return f"asked after {length} iterations it names {answer}, and it takes {wanted}{_of(rule, trace)}"
    return ""


def _lowest(values: "pd.Series[float]") -> int | None:
    return None if values.isna().all() else int(np.nanargmin(values))


def _of(rule: Rule, trace: pd.DataFrame) -> str:
    shown = "; ".join(f"{column} {', '.join(f'{v:g}' for v in trace[column])}" for column in _columns(rule))
    return f" ({shown})" if shown else ""


def _is_pure(rule: Rule) -> str:
    for trace in _traces(rule):
        shown = trace.copy()
        first, second = rule.stop(shown), rule.stop(trace.copy())
        if not shown.equals(trace):
            return "it wrote to the trace"
        if first != second:
            return f"asked twice, it says {first} and {second}"
    return ""
