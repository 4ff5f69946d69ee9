"""Stopping rules: what each keeps to, and that a live one keeps the output that its replay names."""

import operator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import PROBLEM, Scripted, signals, step, trace_of
from torch import Tensor

from dipbench import registry
from dipbench.contract import Nomination, Rule, Trace
from dipbench.errors import UserError
from dipbench.scoring import Protocol
from dipbench.trace.arrivals import Arrivals
from dipbench.trace.recorder import Recorder
from dipbench.trace.rules.fixed import Fixed
from dipbench.trace.rules.last import Last
from dipbench.trace.signals import Signal
from dipbench.trace.stopping import EVERY, replayed
from dipbench.trace.usual import USUAL

NUMBERS = st.one_of(st.integers(-9, 9).map(float), st.floats(width=32, allow_nan=True))
named = operator.methodcaller("plugin_name")
EVERY_RULE: list[Rule] = [registry.find("rule", name).tiny() for name in registry.names("rule")]


@dataclass(frozen=True)
class LowestLoss(Rule):
    """The lowest loss, once none was lower for three iterations."""

    @property
    def reads(self) -> tuple[str, ...]:
        return ("loss",)

    def judge(self, trace: Trace) -> Nomination:
        lowest, at = float("inf"), None
        for iteration, loss in enumerate(trace["loss"].tolist()):
            lowest, at = (loss, iteration) if loss < lowest else (lowest, at)
            if at is not None and iteration - at >= 3:
                return Nomination(at, fired=iteration)
        return Nomination(at)


@dataclass(frozen=True)
class Oracle(LowestLoss):
    @property
    def reads(self) -> tuple[str, ...]:
        return ("loss", "psnr")


@dataclass(frozen=True)
class Unrecorded(LowestLoss):
    @property
    def reads(self) -> tuple[str, ...]:
        return ("variance[window=50]",)


def prefixes(rule: Rule, trace: Trace) -> list[Nomination]:
    """What it says after no iteration, after one, and so on."""
    length = len(trace["iteration"])
    return [rule.judge({name: column[:end] for name, column in trace.items()}) for end in range(length + 1)]


def is_causal(rule: Rule, trace: Trace) -> bool:
    """Whether what follows neither changes what it said when it fired, nor takes it back to an output that is gone."""
    answers = prefixes(rule, trace)
    fired = next((number for number, answer in enumerate(answers) if answer.fired is not None), len(answers) - 1)
    steps = enumerate(pairwise(answers))
    kept = all(later.iteration in (before.iteration, number) for number, (before, later) in steps)
    at = answers[fired].fired
    return kept and answers[0] == Nomination() and at in (None, fired - 1) and set(answers[fired:]) == {answers[fired]}


def traces(columns: tuple[str, ...]) -> st.SearchStrategy[Trace]:
    """Of up to 30 iterations, with whatever numbers, NaN and infinite ones too."""
    rows = st.lists(st.tuples(*(NUMBERS for _ in columns)), max_size=30)
    return rows.map(lambda rows: {"iteration": np.arange(len(rows)), **_columns(columns, rows)})


def _columns(columns: tuple[str, ...], rows: list[tuple[float, ...]]) -> Trace:
    table = np.array(rows, dtype=np.float32).reshape(len(rows), len(columns))
    return dict(zip(columns, table.T, strict=True))


@pytest.mark.parametrize("rule", EVERY_RULE, ids=named)
@given(data=st.data())
def test_what_follows_changes_no_answer(rule: Rule, data: st.DataObject) -> None:
    assert is_causal(rule, data.draw(traces(rule.reads)))


@given(trace=traces(("scatter",)))
def test_the_example_of_the_readme_is_causal(trace: Trace, examples: tuple[Signal, Rule]) -> None:
    assert is_causal(examples[1], trace)


def test_the_least_of_all_is_not_causal() -> None:
    """The check finds a rule that takes the lowest of all and not that of the moment at which it would have stopped."""

    class Hindsight(LowestLoss):
        def judge(self, trace: Trace) -> Nomination:
            lowest = int(trace["loss"].argmin()) if len(trace["loss"]) else 0
            return Nomination(lowest, fired=lowest + 3) if len(trace["loss"]) - lowest > 3 else Nomination(lowest)

    losses = np.array([3.0, 2.0, 3.0, 3.0, 3.0, 1.0, 2.0, 2.0, 2.0])
    trace = {"iteration": np.arange(len(losses)), "loss": losses}
    assert is_causal(LowestLoss(), trace)
    assert not is_causal(Hindsight(), trace)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Oracle(), r"reads 'psnr', which looks at the truth: .* not, of these loss, psnr_measurement"),
        (
            Unrecorded(),
            r"rule 'test_rules:Unrecorded' reads signal 'variance\[window=50\]', which was not recorded; "
            r"recorded are loss, .*: "
            r"run with --record 'variance\[window=50\]'",
        ),
    ],
)
def test_a_rule_that_reads_an_oracle_or_what_is_not_there_is_refused(rule: Rule, message: str) -> None:
    trace = trace_of({signal.written(): [1.0] for signal in USUAL})
    with pytest.raises(UserError, match=message):
        replayed(rule, trace, USUAL)
    for asked in ({"rules": [rule]}, {"stop": rule}):
        with pytest.raises(UserError, match=message):
            Recorder(PROBLEM, None, Protocol(), 1, **asked)


def test_a_column_without_a_number_is_refused() -> None:
    """A signal that needs a validation, for example, in the trace of a method that has none."""
    trace = trace_of({"loss": [np.nan] * 4})
    with pytest.raises(UserError, match="rule 'test_rules:LowestLoss' reads 'loss', which has no number in this trace"):
        replayed(LowestLoss(), trace, USUAL)


def test_a_signal_that_is_no_column_of_the_trace_was_not_recorded() -> None:
    with pytest.raises(UserError, match="which was not recorded; recorded are none: run with --record 'loss'"):
        replayed(LowestLoss(), trace_of({}), USUAL)


def test_an_unknown_rule_is_told_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown rule 'wvm': did you mean 'wmv'"):
        registry.build("rule", "wvm")


@pytest.mark.parametrize("text", ["wmv[patience=0]", "wmv[margin=1.5]", "wmv[margin=0]", "discrepancy[error=-1]"])
def test_a_setting_out_of_its_range_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=text[text.index("[") + 1 : text.index("=")]):
        registry.build("rule", text)


def test_a_rule_is_shown_only_what_it_says_it_reads() -> None:
    class Looking(Fixed):
        def judge(self, trace: Trace) -> Nomination:
            assert list(trace) == ["iteration"]
            return super().judge(trace)

    trace = pd.DataFrame({"iteration": range(4), "loss": 1.0, "psnr": 20.0})
    assert replayed(Looking(iteration=2), trace, USUAL) == Nomination(2, fired=2)
    assert replayed(Looking(iteration=4), trace, USUAL) == Nomination(3)


class Late(Arrivals):
    """As on a GPU: without the rows that were sent last."""

    _before = 0

    def fetch(self, rows: Tensor, wait: bool) -> np.ndarray:
        known = super().fetch(rows, wait)
        arrived, self._before = len(known) if wait else self._before, len(known)
        return known[:arrived]


def some(numbers: list[float]) -> bool:
    return not np.isnan(numbers).all()


@pytest.mark.parametrize("arrivals", [Arrivals, Late])
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=40).filter(some), asks=st.integers(1, EVERY), data=st.data())
@settings(max_examples=60)
def test_live_rules_keep_the_outputs_that_their_replays_name(
    arrivals: type[Arrivals], numbers: list[float], asks: int, data: st.DataObject
) -> None:
    """However often they are asked, also where the rows come late, and where a checkpoint lies between."""
    rules = [*EVERY_RULE, LowestLoss(), Fixed(iteration=data.draw(st.integers(0, len(numbers))))]
    columns = list(dict.fromkeys(column for rule in rules for column in rule.reads))
    scripts = {column: np.roll(numbers, turn).tolist() for turn, column in enumerate(columns)}
    break_at = data.draw(st.integers(1, len(numbers)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dipbench.trace.stopping.Arrivals", arrivals)
        recorder = Recorder(PROBLEM, None, Protocol(), len(numbers), rules=rules, signals=signals(scripts))
        for iteration in range(len(numbers)):
            recorder.record(step(iteration))
            if (iteration + 1) % asks == 0:
                recorder.ask(iteration + 1)
            if iteration + 1 == break_at:
                state = recorder.state()
                recorder = Recorder(PROBLEM, None, Protocol(), len(numbers), rules=rules, signals=signals(scripts))
                recorder.load(state)
        outputs = {output.name: output for output in recorder.outputs()}
    assert recorder.trace().equals(trace_of(scripts).astype({"iteration": "int32"}))
    for rule in rules:
        said = replayed(rule, recorder.trace(), signals(scripts))
        if said.iteration is None:
            assert rule.written() not in outputs
            continue
        for name, offset in ((rule.written(), 0.0), (f"{rule.written()}_ema", 0.5)):
            kept = outputs[name]
            assert (kept.iteration, kept.fired, kept.rule) == (said.iteration, said.fired, rule.written())
            assert float(kept.image.mean()) == said.iteration + offset


@pytest.mark.parametrize("rule", EVERY_RULE, ids=named)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=40).filter(some), late=st.booleans())
@settings(max_examples=20)
def test_a_rule_that_ends_a_run_ends_it_where_its_replay_fires(rule: Rule, numbers: list[float], late: bool) -> None:
    scripts = dict.fromkeys(rule.reads or ("loss",), numbers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dipbench.trace.stopping.Arrivals", Late if late else Arrivals)
        recorder = Recorder(PROBLEM, None, Protocol(), len(numbers), stop=rule, signals=signals(scripts))
        for iteration in range(len(numbers)):
            recorder.record(step(iteration))
            if (iteration + 1) % EVERY == 0:
                recorder.ask(iteration + 1)
            if recorder.stopped:
                break
        final, ema = recorder.outputs()
    said = replayed(rule, trace_of(scripts), signals(scripts))
    assert len(recorder.trace()) == (len(numbers) if said.fired is None else said.fired + 1)
    assert final.iteration == ema.iteration == (len(numbers) - 1 if said.iteration is None else said.iteration)
    assert (float(final.image.mean()), float(ema.image.mean())) == (final.iteration, final.iteration + 0.5)
    assert (final.name, ema.name) == ("final", "ema")


def test_any_iteration_can_be_named_where_rows_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dipbench.trace.stopping.Arrivals", Late)
    rules = [Fixed(iteration=number) for number in range(4 * EVERY + 2)]
    recorder = Recorder(PROBLEM, None, Protocol(), len(rules), rules=rules)
    for number in range(len(rules)):
        recorder.record(replace(step(number), ema=None))
        if (number + 1) % EVERY == 0:
            recorder.ask(number + 1)
    _, *outputs = recorder.outputs()
    assert [(output.iteration, float(output.image.mean())) for output in outputs] == [(n, n) for n in range(len(rules))]


@dataclass(frozen=True)
class Backward(Rule):
    """Turns back to the first output when it fires."""

    def judge(self, trace: Trace) -> Nomination:
        last = len(trace["iteration"]) - 1
        return Nomination(0, fired=last) if last >= 3 * EVERY else Nomination(last)


@dataclass(frozen=True)
class Beyond(Rule):
    """Says that it fired at what it was not shown."""

    def judge(self, trace: Trace) -> Nomination:
        return Nomination(0, fired=len(trace["iteration"]))


@pytest.mark.parametrize(
    ("rule", "asked", "message"),
    [
        (
            Backward(),
            20,
            r"nominates iteration 0 when asked after 20, and before that 14: judge\(\) must keep to what it",
        ),
        (
            Beyond(),
            5,
            r"says that it fired at 5 for iteration 0 when asked after 5: judge\(\) must name two iterations",
        ),
    ],
)
def test_a_rule_that_names_what_cannot_be_had_is_told_what_to_name(rule: Rule, asked: int, message: str) -> None:
    recorder = Recorder(PROBLEM, None, Protocol(), 99, rules=[rule])
    for number in range(asked):
        recorder.record(step(number))
        if (number + 1) % EVERY == 0 and number + 1 < asked:
            recorder.ask(number + 1)
    with pytest.raises(UserError, match=message):
        recorder.ask(asked)


def test_the_last_iteration_is_the_final_output() -> None:
    recorder = Recorder(PROBLEM, None, Protocol(), 9, rules=[Last()], signals=[Scripted("loss", (1.0,) * 9)])
    for iteration in range(9):
        recorder.record(step(iteration))
    outputs = {output.name: output for output in recorder.outputs()}
    assert outputs["last"].iteration == outputs["final"].iteration == 8
    assert torch.equal(outputs["last_ema"].image, outputs["ema"].image)
    assert outputs["last"].fired is None
