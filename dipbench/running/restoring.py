"""Restores an image that came degraded: what is known of its noise, where its fit stops, and what there is by then."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Method, Prior, Problem, Rule, Task
from dipbench.contract.noise_level import sigma_estimated
from dipbench.contract.prior import UNSETTLED, first_share
from dipbench.errors import UserError
from dipbench.fit import built
from dipbench.images.files import as_tensor, read_picture
from dipbench.images.writing import Samples
from dipbench.operators import Identity
from dipbench.running.recording import rule_refused
from dipbench.running.trial import Progress, attempt, check_taken
from dipbench.scoring import Protocol
from dipbench.spec import Spec, parse
from dipbench.streams import Streams
from dipbench.trace.kept import Output

DEFAULT_STOP = "discrepancy"
"""The rule that ends a fit where the noise level is known: see reports/overfitting."""


Known = Literal["given", "estimated", "assumed"]
"""How a noise level is known; `given` also where a task has none."""


class NoiseLevelNotGiven(UserWarning):
    """The noise level of an image that came degraded was estimated or assumed."""


class Diverged(UserError):
    """Pixels of what came out are not finite: there is no picture of it."""


@dataclass(frozen=True, eq=False)
class Restoration:
    """An image that is to be restored and that the method takes; nothing is computed yet."""

    problem: Problem
    method: Method
    protocol: Protocol
    output: str  # which one is wanted; empty: the average where it has settled, else the last
    task: str  # its name
    samples: Samples  # how its file has its levels, and what is made of it is written
    doubt: str = ""  # about the noise level, in words; empty: it was given, or the task has none
    chosen: str = ""  # the rule that ends the fit, where nobody asked for it

    @classmethod
    def of(
        cls,
        image: Path,
        task: str,
        method: str,
        output: str | None,
        stop: str | None,
        device: torch.device,
        peak: int | None = None,
    ) -> "Restoration":
        """`peak` is the level of the file that is white: see `read_image`.

        UserError for what cannot be read, that the method refuses, or that has no such output.
        """
        spec = parse(task)
        picture = read_picture(image, peak)
        measurement = as_tensor(picture)
        posed, known, doubt = _with_sigma(spec, measurement)
        problem = posed.pose(measurement).to(device)
        restorer, chosen = _stopping(registry.build("method", method), problem, stop, known)
        check_taken(restorer, problem)
        _check_built(restorer, problem)
        expected = ["final", "ema"] if restorer.averages(problem) else ["final"]
        if output and output not in expected:
            raise UserError(f"method '{method}' has no output '{output}': it has {', '.join(expected)}")
        samples = Samples.of(picture, peak)
        return cls(problem, restorer, posed.protocol(), output or "", spec.name, samples, doubt, chosen)


def restored(wanted: Restoration, seed: int, progress: Progress | None = None) -> Output:
    """The output; what there is by then where a signal is received meanwhile: see `interruption.handled`.

    Diverged where that is no picture.
    """
    rng = Streams(seed, ("restore", wanted.task))
    outcome = attempt(wanted.method, wanted.problem, None, wanted.protocol, rng, progress)
    there = {output.name: output for output in outcome.outputs}
    name = wanted.output or ("ema" if "ema" in there and _has_settled(there["ema"], wanted) else "final")
    if not there[name].image.isfinite().all():
        raise Diverged(_why_no_picture(wanted.method, there[name], outcome.trace["loss"].to_numpy()))
    return there[name]


def _why_no_picture(method: Method, output: Output, losses: np.ndarray) -> str:
    """What went wrong, and when; a loss that is not finite comes before the outputs that it spoils."""
    if not method.fitted:
        return f"method '{method.plugin_name()}' gave pixels that are not finite: 'dipbench check' tries a method"
    lost = np.flatnonzero(~np.isfinite(losses))
    at = lost[0] if len(lost) else output.iteration
    return (
        f"the fit of '{method.plugin_name()}' diverged at iteration {at + 1}: pixels of its output '{output.name}' are "
        "not finite, so that there is no picture of it; take fewer iterations or smaller steps, or mend its loss"
    )


def _has_settled(average: Output, wanted: Restoration) -> bool:
    """Whether an average is of the fit rather than of the first output, as where a rule stopped soon."""
    assert isinstance(wanted.method, Prior), "only fits are averaged"
    weight = wanted.method.fit_settings(wanted.problem).average
    return first_share(weight, average.iteration) <= UNSETTLED


def _check_built(method: Method, problem: Problem) -> None:
    """UserError where a network cannot be built for a problem, as of an image that is too small."""
    if isinstance(method, Prior):
        rng = Streams(0)
        with rng.seeded("weights"):
            built(method, problem, rng)


def _with_sigma(spec: Spec, measurement: Tensor) -> tuple[Task, Known, str]:
    """The task with a noise level: the one given, else one that is estimated or assumed, and words about that."""
    task: Task = registry.build("task", spec)
    assumed = getattr(task, "sigma", None)
    sigma = task.pose(measurement).sigma
    if "sigma" in spec.settings or assumed is None or sigma is None or sigma != assumed / 255:
        return task, "given", ""
    mend = f"give it if you know it, as in --task '{spec.with_settings({'sigma': 25})}'"
    if found := estimated_sigma(measurement):
        told = registry.build("task", spec.with_settings({"sigma": found}))
        return told, "estimated", f"sigma is estimated from the image as {found:g} of 255: {mend}"
    return task, "assumed", f"sigma {assumed:g} of 255 is assumed, for no noise was found in the image: {mend}"


def estimated_sigma(measurement: Tensor) -> float:
    """The standard deviation of white noise in an image (C, H, W), in 8-bit levels to a tenth, by its finest wavelets.

    0: none was found.
    """
    sigma = sigma_estimated(measurement)
    return round(255 * sigma, 1) if np.isfinite(sigma) else 0.0


def _stopping(method: Method, problem: Problem, stop: str | None, known: Known) -> tuple[Method, str]:
    """The method with the rule that ends its fit, and that rule where it is one that nobody asked for."""
    if not isinstance(method, Prior):
        if stop:
            raise UserError(f"stop '{stop}' ends a fit, and '{method.plugin_name()}' is not fitted: leave it out")
        return method, ""
    if stop:
        return replace(method, stop=registry.build("rule", stop)), ""
    rule = _by_noise_level(problem, known) if method.stop is None else None
    if rule is None or rule_refused(rule, problem, method.validation):
        return method, ""
    return replace(method, stop=rule), rule.written()


def _by_noise_level(problem: Problem, known: Known) -> Rule | None:
    """The rule that a noise level gives. What an estimate is of is what clipping left: it is not reduced again."""
    if problem.sigma is None or problem.noise is not None or known == "assumed":
        return None
    estimated = known == "estimated" and isinstance(problem.operator, Identity)
    rule: Rule = registry.build("rule", DEFAULT_STOP + ("[energy=estimated]" if estimated else ""))
    return rule
