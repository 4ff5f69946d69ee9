"""What a method and a prior must do."""

import json
import pickle
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Method, Prior, Problem, Task
from dipbench.errors import described, located
from dipbench.resources import PeakMemory, process_memory
from dipbench.running.check import priors
from dipbench.running.check.held import pictures_in_code, tensors_in
from dipbench.running.check.trial_runs import STEPS, Drawn, began, drawn, ended, estimates, same, short
from dipbench.running.check.trying import SIZES, Try, Untried, alike, not_posed, picture, problems, scene
from dipbench.running.cost import memory_of_fit
from dipbench.running.recording import refusal
from dipbench.streams import Streams
from dipbench.text import plain_numbers

__all__ = ["checks", "complaint_about", "estimates"]

_BLACK_AND_WHITE = 16.0
"""Beyond it a value is no shade between 0 and 1 that a fit has on its way: it is one of 0 to 255."""

_TAKES = "refuses in words, or estimates the image"


def checks(method: Method) -> list[Try]:
    runs = _Runs(method)
    posed = {size: problems(size) for size in SIZES}
    found: list[Try] = [("takes a problem of some task", partial(_takes_some, method, posed[SIZES[0]]))]
    found += [(f"{name}: {_TAKES}", partial(_is_untried, reason)) for name, reason in not_posed().items()]
    for size in SIZES:
        for name, problem in posed[size].items():
            where = f"{name}, {problem.shape[0]}x{problem.shape[1]}x{problem.shape[2]}"
            found.append((f"{where}: {_TAKES}", partial(runs.try_on, problem, posed[SIZES[0]].get(name))))
    for name, problem in posed[SIZES[0]].items():
        found.append((f"{name}: the same seed gives the same estimates", partial(runs.repeats, problem)))
    taken = next(((name, p) for name, p in posed[SIZES[0]].items() if refusal(method, p) is None), None)
    return [*found, *(_on_one_problem(runs, *taken) if taken else ())]


def _on_one_problem(runs: "_Runs", task: str, problem: Problem) -> list[Try]:
    method = runs.method
    tries = [
        ("another seed gives other estimates, where it draws", partial(runs.follows_the_seed, problem)),
        ("two images after each other are restored as each alone", partial(runs.begins_anew, task, problem)),
        ("the truth is out of its reach", partial(runs.sees_no_truth, problem)),
        ("it takes the time and the memory that it declares", partial(_keeps_its_budget, method, problem)),
        ("it can be computed in other processes", partial(_travels, method, problem)),
    ]
    if isinstance(method, Prior):
        tries += [(what, partial(runs.if_alike, problem, check)) for what, check in priors.checks(method, problem)]
    return [(what, partial(runs.unless_broken, problem, check)) for what, check in tries]


def _is_untried(reason: str) -> str:
    raise Untried(reason)


def _takes_some(method: Method, posed: dict[str, Problem]) -> str:
    reasons = {name: refusal(method, problem) for name, problem in posed.items()}
    return "" if None in reasons.values() else "it refuses all: " + "; ".join(f"{n}: {r}" for n, r in reasons.items())


class _Runs:
    """A method, and what it yielded of each problem the first time, which later lines compare with."""

    def __init__(self, method: Method):
        self.method = method
        self._first: dict[int, list[Tensor]] = {}  # by the identity of the problem
        self._broken: set[int] = set()
        self._differing: set[int] = set()  # of which two runs were not alike, as a line said
        self._took_a_picture = False

    def try_on(self, problem: Problem, even: Problem | None) -> str:
        """`even` is the problem of the same task whose sides are even."""
        try:
            complaint, made = _tried_on(self.method, problem)
        except (Exception, SystemExit) as error:  # whatever a plugin does
            self._broken.add(id(problem))
            return f"{located(error)}: mend that, or have refuses() give a reason{self._hint(problem, even)}"
        self._first[id(problem)] = made
        self._took_a_picture |= problem.pictured and bool(made)
        return complaint

    def _hint(self, problem: Problem, even: Problem | None) -> str:
        """What else helps where it takes others, and fails on one as this."""
        if not problem.pictured and self._took_a_picture:
            return "; what takes a measurement that is a picture alone says only_pictures = True"
        if any(side % 2 for side in problem.shape[1:]) and self._first.get(id(even)):
            return "; what takes no odd side can pad it (dipbench.nets.padding)"
        return ""

    def unless_broken(self, problem: Problem, check: Any) -> str:
        if id(problem) in self._broken:
            raise Untried("the run on the first task fails")
        complaint: str = check()
        return complaint

    def if_alike(self, problem: Problem, check: Any) -> str:
        """For what compares runs, or fits what was built once more: what is kept from run to run shows in it too."""
        if id(problem) in self._differing:
            raise Untried("two runs of the same measurement differ already, as a line above says")
        complaint: str = check()
        return complaint

    def first(self, problem: Problem) -> list[Tensor]:
        if id(problem) not in self._first:
            self._first[id(problem)] = short(self.method, problem)
        return self._first[id(problem)]

    def repeats(self, problem: Problem) -> str:
        if refusal(self.method, problem) is not None:
            return ""
        if id(problem) in self._broken:
            raise Untried("the run on this task fails")
        before = self.first(problem)
        torch.manual_seed(1)
        if same(before, short(self.method, problem)):
            return ""
        self._differing.add(id(problem))
        return (
            "it draws from somewhere else than `rng`, or remembers from one run to the next: take "
            'rng.torch("name") or rng.numpy("name"), and keep nothing in globals or in the class'
        )

    def follows_the_seed(self, problem: Problem) -> str:
        first, second = (drawn(self.method, problem, seed) for seed in (0, 1))
        mend = 'take rng.torch("name") or rng.numpy("name"), and seed nothing'
        if any(place == other for place, other in zip(first.places, second.places, strict=True)):
            return (
                "it seeds torch's, NumPy's or Python's global generator, so that some of what is drawn, such as the "
                f"weights, is the same for every seed: {mend}"
            )
        return self.if_alike(problem, partial(_tells_seeds_apart, first, second, mend)) if second.drew else ""

    def sees_no_truth(self, problem: Problem) -> str:
        if held := pictures_in_code(self.method):
            return (
                f"its code holds a picture, {', '.join(held)}: what it knows of an image must come of the "
                "measurement; read it from problem, or make it in build() or run()"
            )
        return self.if_alike(problem, partial(_ignores_the_truth, self.method, problem))

    def begins_anew(self, task: str, problem: Problem) -> str:
        cls: Any = registry.find("task", task)
        posed: Task = cls.tiny()
        image = scene(SIZES[0]).each(lambda picture: picture.flip(-1))
        alone = self.first(problem)
        short(self.method, posed.degrade(posed.prepare(image), Streams(1)))
        if same(alone, short(self.method, problem)):
            return ""
        self._differing.add(id(problem))
        return (
            "after another image it restores this one otherwise: weights or other things are kept from run to run; "
            "make the network anew in build(), and keep nothing in globals, in the class or in a cache"
        )


def _tells_seeds_apart(first: Drawn, second: Drawn, mend: str) -> str:
    if not same(first.made, second.made):
        return ""
    if not all(estimate.isfinite().all() for estimate in first.made):
        raise Untried("its estimates are not finite, and tell no seed from another")
    return (
        "it draws, and yet another seed gives the same: it sets a seed of its own (torch.manual_seed, "
        f"default_rng(0), ...); {mend}"
    )


def complaint_about(method: Method, problem: Problem) -> str:
    """What is wrong with how a method takes a problem, in words; empty: nothing."""
    return _tried_on(method, problem)[0]


def _tried_on(method: Method, problem: Problem) -> tuple[str, list[Tensor]]:
    """The complaint, and what it yielded."""
    if (reason := refusal(method, problem)) is not None:
        if not isinstance(reason, str):
            return f"its refuses() gave {reason!r}: it must give a reason, or None", []
        return "" if reason.strip() else "it refuses without a word", []
    given = dict(tensors_in(problem, "problem"))
    before = {name: tensor.clone() for name, tensor in given.items()}
    made = short(method, problem)
    written = [name for name, tensor in before.items() if not alike(given[name], tensor)]
    for name in written:
        given[name].copy_(before[name])
    if written:
        return f"it wrote to {written[0]}, which is everybody's: take {written[0]}.clone()", made
    if not made:
        return "it yielded no estimate: run() must yield one at least", made
    complaints = (_complaint_about_estimate(estimate, method.fitted) for estimate in made)
    return next(filter(None, complaints), ""), made


def _complaint_about_estimate(estimate: Tensor, fitted: bool) -> str:
    """Of what it has in it, for a run takes no other type or shape. `fitted`: it may begin anywhere."""
    if not estimate.isfinite().all():
        return "an estimate that is not finite: it divides by nothing, or its steps are too large"
    if not fitted and (estimate < -0.1).float().mean() > 0.25:
        return f"an estimate with much below 0, down to {float(estimate.min()):.3g}: black is 0 and white is 1"
    if (largest := float(estimate.abs().max())) > _BLACK_AND_WHITE:
        return f"an estimate with values up to {largest:.3g}: black is 0 and white is 1; divide by 255"
    return ""


def _ignores_the_truth(method: Method, problem: Problem) -> str:
    """The same measurement in two worlds of another truth."""
    outcomes = []
    for truth in (picture(*problem.shape), picture(*problem.shape).flip(-2)):
        trial = began(method, problem, truth)
        outcomes.append([ended(trial, STEPS if method.fitted else None).outputs[0].image])
    if same(*outcomes):
        return ""
    return (
        "another truth behind the same measurement gives another estimate: it looks at the truth, in the harness "
        "or in memory; take what is in `problem`"
    )


def _keeps_its_budget(method: Method, problem: Problem) -> str:
    """Seconds of the processor, which no other program lengthens."""
    before, memory = process_memory(problem.device), PeakMemory(problem.device)
    began_at = time.process_time()
    short(method, problem)
    seconds = time.process_time() - began_at
    bytes_ = memory_of_fit(method, problem) if isinstance(method, Prior) else memory.peak - before
    where = "on {}x{}".format(*problem.shape[1:])
    if seconds > method.most_seconds:
        return (
            f"tiny() took {seconds:.3g} s {where}, and it declares {method.most_seconds:g}: make tiny() smaller, or "
            "declare most_seconds"
        )
    if bytes_ > method.most_gigabytes * 2**30:
        return (
            f"tiny() took {bytes_ / 2**30:.3g} GiB {where}, and it declares {method.most_gigabytes:g}: make tiny() "
            "smaller, or declare most_gigabytes"
        )
    return ""


def _travels(method: Method, problem: Problem) -> str:
    """A job is sent as text, and a run is named by it."""
    if registry.is_given("method", type(method).plugin_name()):
        return ""  # it is known to this process alone, and whoever asks for more is told
    try:
        here, there = (
            json.dumps(plain_numbers(each.resolved(problem)), default=_path)
            for each in (method, pickle.loads(pickle.dumps(method)))
        )
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        return f"{described(error)}: a setting must be a number, a text, a list of such or a plugin, not a function"
    return "" if there == here else "it is not the same when it comes from another process: compare its settings"


def _path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a setting is {value!r}")
