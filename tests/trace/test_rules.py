"""Stopping rules: what each keeps to, and that a live one keeps the output that its replay names."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Rule, Scene
from dipbench.errors import UserError
from dipbench.operators import Identity
from dipbench.running.trial import Outcome, Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.arrivals import Arrivals
from dipbench.trace.recorder import Recorder
from dipbench.trace.rules.fixed import Fixed
from dipbench.trace.signals import Signal
from dipbench.trace.step import Step
from dipbench.trace.stopping import EVERY, replayed
from dipbench.trace.usual import USUAL

PROBLEM = Problem("denoising", torch.zeros(1, 2, 3), Identity(), (1, 2, 3))
NUMBERS = st.one_of(st.integers(-9, 9).map(float), st.floats(width=32, allow_nan=True))


@dataclass(frozen=True)
class LowestLoss(Rule):
    """The lowest loss, once none was lower for three iterations."""

    reads: ClassVar[tuple[str, ...]] = ("loss",)
    keeps: ClassVar[str] = "loss"

    def stop(self, trace: pd.DataFrame) -> int | None:
        lowest, at = float("inf"), -1
        for iteration, loss in zip(trace["iteration"], trace["loss"], strict=True):
            lowest, at = (loss, iteration) if loss < lowest else (lowest, at)
            if at >= 0 and iteration - at >= 3:
                return at
        return None


@dataclass(frozen=True)
class Oracle(LowestLoss):
    reads: ClassVar[tuple[str, ...]] = ("loss", "psnr")


@dataclass(frozen=True)
class Misspelt(LowestLoss):
    reads: ClassVar[tuple[str, ...]] = ("los",)


@dataclass(frozen=True)
class KeepsAnOracle(LowestLoss):
    keeps: ClassVar[str] = "psnr_ema"


@dataclass(frozen=True)
class Backward(LowestLoss):
    def stop(self, trace: pd.DataFrame) -> int | None:
        return 0


def columns_of(rule: Rule) -> list[str]:
    return sorted({*rule.reads, *filter(None, [rule.keeps])})


def is_causal(rule: Rule, trace: pd.DataFrame) -> bool:
    whole = rule.stop(trace)
    return all(rule.stop(trace[:length]) in (None, whole) for length in range(len(trace)))


def traces(columns: list[str]) -> st.SearchStrategy[pd.DataFrame]:
    """Of up to 30 iterations, with whatever numbers, NaN and infinite ones too."""
    rows = st.lists(st.tuples(*(NUMBERS for _ in columns)), max_size=30)
    return rows.map(
        lambda rows: pd.DataFrame(rows, columns=columns, dtype="float32").assign(iteration=np.arange(len(rows)))
    )


@pytest.mark.parametrize("name", registry.names("rule"))
@given(data=st.data())
def test_what_follows_changes_no_answer(name: str, data: st.DataObject) -> None:
    rule: Rule = registry.find("rule", name).tiny()
    trace = data.draw(traces(columns_of(rule)))
    assert is_causal(rule, trace)


@given(trace=traces(["variance"]))
def test_the_example_of_the_readme_is_causal(trace: pd.DataFrame, examples: tuple[Signal, Rule]) -> None:
    assert is_causal(examples[1], trace)


def test_the_least_so_far_is_not_causal() -> None:
    """The check finds a rule that takes the lowest of all and not that of the moment at which it would have stopped."""

    class Hindsight(LowestLoss):
        def stop(self, trace: pd.DataFrame) -> int | None:
            lowest = int(trace["loss"].argmin()) if len(trace) else 0
            return lowest if len(trace) - lowest > 3 else None

    losses = [3.0, 2.0, 3.0, 3.0, 3.0, 1.0, 2.0, 2.0, 2.0]
    trace = pd.DataFrame({"iteration": range(len(losses)), "loss": losses})
    assert is_causal(LowestLoss(), trace)
    assert not is_causal(Hindsight(), trace)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Oracle(), r"reads 'psnr', which looks at the truth: .* not, of these loss, psnr_measurement"),
        (KeepsAnOracle(), r"reads 'psnr_ema', which looks at the truth"),
        (Misspelt(), r"unknown signal of rule test_rules 'los': did you mean 'loss'\?"),
    ],
)
def test_a_rule_that_reads_an_oracle_or_what_is_not_there_is_refused(rule: Rule, message: str) -> None:
    trace = pd.DataFrame([[0, 1.0, 2.0, 3.0, 4.0]], columns=["iteration", *(signal.written() for signal in USUAL)])
    with pytest.raises(UserError, match=message):
        replayed(rule, trace)
    with pytest.raises(UserError, match=message):
        Recorder(PROBLEM, None, Protocol(), 1, rules=[rule])


def test_a_rule_is_shown_only_what_it_says_it_reads() -> None:
    class Looking(Fixed):
        def stop(self, trace: pd.DataFrame) -> int | None:
            assert list(trace) == ["iteration"]
            return super().stop(trace)

    trace = pd.DataFrame({"iteration": range(4), "loss": 1.0, "psnr": 20.0})
    assert replayed(Looking(iteration=2), trace) == 2
    assert replayed(Looking(iteration=4), trace) is None


class Late(Arrivals):
    """As on a GPU: without the rows that were sent last."""

    _before = 0

    def fetch(self, rows: Tensor, wait: bool) -> np.ndarray:
        known = super().fetch(rows, wait)
        arrived, self._before = len(known) if wait else self._before, len(known)
        return known[:arrived]


@pytest.mark.parametrize("arrivals", [Arrivals, Late])
@given(losses=st.lists(NUMBERS, min_size=1, max_size=40), data=st.data())
def test_a_live_rule_keeps_the_output_that_its_replay_names(
    arrivals: type[Arrivals], losses: list[float], data: st.DataObject
) -> None:
    """Also where the rows come late, and where a checkpoint lies between."""
    rules = [LowestLoss(), Fixed(iteration=data.draw(st.integers(0, len(losses))))]
    break_at = data.draw(st.integers(1, len(losses)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dipbench.trace.stopping.Arrivals", arrivals)
        recorder = Recorder(PROBLEM, None, Protocol(), len(losses), rules=rules)
        for number, loss in enumerate(losses):
            recorder.record(Step(torch.full((1, 2, 3), float(number)), loss=torch.tensor(loss)))
            if (number + 1) % EVERY == 0:
                recorder.ask(number + 1)
            if number + 1 == break_at:
                state = recorder.state()
                recorder = Recorder(PROBLEM, None, Protocol(), len(losses), rules=rules)
                recorder.load(state)
        outputs = {output.name: output for output in recorder.outputs()}
    for rule in rules:
        stop = replayed(rule, recorder.trace())
        if stop is None:
            assert rule.written() not in outputs
        else:
            kept = outputs[rule.written()]
            assert (kept.iteration, float(kept.image.mean())) == (stop, stop)


def test_any_iteration_can_be_named_where_rows_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dipbench.trace.stopping.Arrivals", Late)
    rules = [Fixed(iteration=number) for number in range(4 * EVERY + 2)]
    recorder = Recorder(PROBLEM, None, Protocol(), len(rules), rules=rules)
    for number in range(len(rules)):
        recorder.record(Step(torch.full((1, 2, 3), float(number))))
        if (number + 1) % EVERY == 0:
            recorder.ask(number + 1)
    _, *outputs = recorder.outputs()
    assert [(output.iteration, float(output.image.mean())) for output in outputs] == [(n, n) for n in range(len(rules))]


def test_a_rule_that_names_an_iteration_of_long_ago_is_told_what_to_name() -> None:
    recorder = Recorder(PROBLEM, None, Protocol(), 99, rules=[Backward()])
    for number in range(4 * EVERY):
        recorder.record(Step(torch.zeros(1, 2, 3), loss=torch.tensor(1.0 / (1 + number))))
    with pytest.raises(
        UserError, match=r"named iteration 0 when asked after 20: its stop\(\) must name the iteration at"
    ):
        recorder.ask(4 * EVERY)


def fitted(photo: Tensor, iterations: int, rules: list[Rule]) -> Outcome:
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    method = registry.build("method", f"dip[down=[8,8],iterations={iterations}]")
    trial = Trial(method, problem, photo, Protocol(), Streams(0), rules=rules)
    while trial.advance():
        pass
    return trial.outcome()


def test_a_fit_runs_on_and_the_output_is_that_of_a_fit_that_ended_there(photo: Tensor) -> None:
    long, short = fitted(photo, 12, [Fixed(iteration=6)]), fitted(photo, 7, [])
    assert len(long.trace) == 12
    kept = next(output for output in long.outputs if output.name == "fixed[iteration=6]")
    assert kept.iteration == short.outputs[0].iteration == 6
    assert torch.equal(kept.image, short.outputs[0].image)
    assert len(short.outputs) == len(long.outputs) - 1
