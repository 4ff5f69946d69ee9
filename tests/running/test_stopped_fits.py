"""A fit that its rule ends: it has what the same fit without it would have had of that rule."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

import dipbench
from dipbench import registry
from dipbench.contract import Rule, Scene
from dipbench.errors import UserError
from dipbench.running.trial import Outcome, Trial
from dipbench.scoring import Protocol
from dipbench.store.store import Store
from dipbench.streams import Streams
from dipbench.trace.kept import Output
from dipbench.trace.stopping import EVERY


def fitted(photo: Tensor, settings: str, rules: tuple[str, ...] = (), task: str = "denoising") -> Outcome:
    problem = registry.build("task", task).degrade(Scene(photo), Streams(0))
    asked: list[Rule] = [registry.build("rule", rule) for rule in rules]
    trial = Trial(
        registry.build("method", f"dip[down=[8,8],{settings}]"), problem, photo, Protocol(), Streams(0), rules=asked
    )
    while trial.advance():
        pass
    return trial.outcome()


def outputs(outcome: Outcome) -> dict[str, Output]:
    return {output.name: output for output in outcome.outputs}


def test_a_fit_runs_on_and_the_output_is_that_of_a_fit_that_ended_there(photo: Tensor) -> None:
    long, short = fitted(photo, "iterations=12", ("fixed[iteration=6]",)), fitted(photo, "iterations=7")
    assert len(long.trace) == 12
    kept, ended = outputs(long), outputs(short)
    for name, of_rule in (("final", "fixed[iteration=6]"), ("ema", "fixed[iteration=6]_ema")):
        assert kept[of_rule].iteration == ended[name].iteration == 6
        assert torch.equal(kept[of_rule].image, ended[name].image)
    assert {output.rule for output in long.outputs} == {"", "fixed[iteration=6]"}


def test_what_comes_after_a_rule_has_ended_the_fit_is_no_output(photo: Tensor) -> None:
    """The rules are asked each fifth iteration; the fit runs on until then, and gets better."""
    rules = ("last", "fixed[iteration=23]", "least_loss")
    cut = fitted(photo, "iterations=60,stop=fixed[iteration=21]", rules)
    assert len(cut.trace) == 22
    kept = outputs(cut)
    assert {kept[name].iteration for name in ("final", "ema", "last", "fixed[iteration=23]")} == {21}
    assert all(output.iteration <= 21 for output in cut.outputs)
    assert kept["least_loss"].iteration == cut.trace["loss"].argmin()
    assert kept["best"].iteration == cut.trace["psnr"].argmax(), "on a CPU it ends where the rule fires"
    assert kept["fixed[iteration=23]"].fired is None


@pytest.mark.parametrize("resumed_at", [None, 9, 20, 23])
@pytest.mark.parametrize("end", [3, 12, 21])
def test_on_a_gpu_what_comes_after_the_end_does_not_replace_the_best(
    photo: Tensor, end: int, resumed_at: int | None
) -> None:
    """There a rule is asked some iterations late, and what was best before is to be kept until then."""
    settings = f"iterations=60,stop=fixed[iteration={end}]"
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    prior = registry.build("method", f"dip[down=[8,8],{settings}]")

    def late() -> Trial:
        trial = Trial(prior, problem, photo, Protocol(), Streams(0))
        trial._asked_every = EVERY
        ask = trial._recorder.ask  # the rows since the last question are on their way
        trial._recorder.ask = lambda done: ask(done - EVERY) if done > EVERY else None  # type: ignore[method-assign]
        return trial

    trial = late()
    while trial.course.done != resumed_at and trial.advance():
        pass
    if trial.course.done == resumed_at:
        state, trial = trial.state(), late()
        trial.load(state)
        while trial.advance():
            pass
    assert trial.course.done > end + 1, "it is to be seen running on"
    there, here = outputs(trial.outcome()), outputs(fitted(photo, settings))
    for name in ("best", "best_ema"):
        assert there[name].iteration == here[name].iteration <= end
        assert torch.equal(there[name].image, here[name].image)


@pytest.mark.parametrize(
    ("rule", "nominated", "fired"),
    [
        ("fixed[iteration=6]", 6, 6),
        ("wmv[window=3,patience=2]", None, None),
        ("discrepancy[tau=6.0,mean_of=2]", None, None),
        ("emv[patience=2,warm_up=1]", None, None),
    ],
)
@pytest.mark.parametrize("starts", [1, 2])
def test_a_rule_that_ends_a_fit_gives_what_it_nominates_beside_others(
    photo: Tensor, rule: str, nominated: int | None, fired: int | None, starts: int
) -> None:
    """The trace is that of the longer fit up to where the rule fired."""
    size = f"iterations=40,starts={starts}"
    whole, cut = fitted(photo, size, (rule,)), fitted(photo, f"{size},stop={rule}")
    beside = outputs(whole)
    assert beside[rule].fired is not None, "it is to be seen firing"
    assert fired in (None, beside[rule].fired)
    assert nominated in (None, beside[rule].iteration)
    pd.testing.assert_frame_equal(cut.trace, whole.trace[: beside[rule].fired + 1][list(cut.trace)], check_exact=True)
    ended = outputs(cut)
    for name, of_rule in (("final", rule), ("ema", f"{rule}_ema")):
        assert ended[name].iteration == beside[of_rule].iteration
        assert ended[name].fired == beside[rule].fired
        assert torch.equal(ended[name].image, beside[of_rule].image)
    assert rule not in ended


@pytest.mark.parametrize(
    ("validation", "rule"), [("holdout", "validation"), ("split_noise", "validation"), ("twin", "sure")]
)
def test_a_rule_reads_what_the_validation_gives(photo: Tensor, validation: str, rule: str) -> None:
    """No `--record`: what the rule reads is recorded where it is asked."""
    short = f"{rule}[mean_of=2,patience=4]"
    cut = fitted(photo, f"iterations=30,validation={validation},stop={short}")
    assert cut.trace[rule].notna().all()
    assert outputs(cut)["final"].rule == short


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "stop=validation",
            r"refuses denoising: rule 'validation' reads signal 'validation', which cannot be recorded: the fit keeps "
            r"no data apart: set its validation, as in dip\[validation=holdout\]",
        ),
        ("stop=sure,validation=holdout", r"rule 'sure' reads signal 'sure', .* a second fit beside the first"),
        ("stop=pure,validation=twin", r"rule 'pure' reads signal 'pure', .* the noise is not Poisson's"),
        ("stop=orthogonality", r"rule 'orthogonality' reads .* as in dip\[validation=pseudo_noise\]"),
    ],
)
def test_a_rule_without_what_it_reads_is_refused(photo: Tensor, settings: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        fitted(photo, settings)


def test_where_the_noise_level_is_not_told_discrepancy_is_refused_or_left_out(photo: Tensor) -> None:
    with pytest.raises(
        UserError, match=r"rule 'discrepancy' reads signal 'residual', which cannot be recorded: the task does not tell"
    ):
        fitted(photo, "iterations=3,stop=discrepancy", task="inpainting")
    beside = fitted(photo, "iterations=3", ("discrepancy",), task="inpainting")
    assert "discrepancy" not in outputs(beside)


def test_a_rule_that_nominates_nothing_leaves_the_last_output(photo: Tensor) -> None:
    """Of a window that is longer than the fit."""
    cut = fitted(photo, "iterations=5,stop=wmv[window=9]")
    final = outputs(cut)["final"]
    assert (final.iteration, final.rule, len(cut.trace)) == (4, "", 5)


def test_a_rule_that_named_nothing_is_said(tmp_path: Path) -> None:
    asked = {"only": ["denoising", "dip", "coffee"], "rules": ["wmv"], "settings": ["dip.iterations=30"]}
    results = dipbench.run("quickstart", **asked, device="cpu", out=tmp_path)  # type: ignore[arg-type]
    result = Store.existing(tmp_path).result(results["run"].iloc[0])
    assert result is not None
    assert result.watched == ["discrepancy v2", "wmv"]
    assert result.left_out == ["rule 'wmv' named no output: the fit, of 30 iterations, may be shorter than its window"]
