"""What a task must do."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from dipbench.contract import Problem, Scene, Task
from dipbench.operators import LinearOperator
from dipbench.running.check.held import tensors_in
from dipbench.running.check.trial_runs import Listening, generators
from dipbench.running.check.trying import SIZES, Try, alike, scene
from dipbench.streams import Streams

_SEEDS = (7001, 7002)
"""Those tried: no setting holds a draw to one of them."""


def checks(task: Task) -> list[Try]:
    found: list[Try] = []
    for size in SIZES:
        found.append((f"{size[0]}x{size[1]}x{size[2]}: poses a problem", partial(_poses, task, size)))
    if "measured" in task.takes:
        found.append(("a scene without an image: poses a problem", partial(_poses_without_truth, task)))
    return [
        *found,
        ("the measurement depends on the seed alone", partial(_same_measurement, task)),
        ("another seed gives another measurement, where it draws", partial(_follows_the_seed, task)),
    ]


def _poses(task: Task, size: tuple[int, int, int]) -> str:
    prepared = task.prepare(scene(size))
    if task.invents:
        return _invents(task, prepared)
    if prepared.image is None:
        return "its prepare() lost the image"
    problem = task.degrade(prepared, Streams(0))
    if problem.shape != tuple(prepared.image.shape):
        return f"the shape sought is {problem.shape} and the truth's {tuple(prepared.image.shape)}"
    if not alike(task.image_of(task.prepare(scene(size))), prepared.image):
        return "it wrote to the image"
    if not task.protocol().signature:
        return "its protocol has no signature"
    return _complaint_about_problem(task, problem) or _shows_the_truth(problem, prepared.image)


def _invents(task: Task, prepared: Scene) -> str:
    if prepared.image is not None:
        return "it says that its picture is of no scene, and its prepare() keeps the image, which would score it"
    return _complaint_about_problem(task, task.degrade(prepared, Streams(0)))


def _shows_the_truth(problem: Problem, truth: Tensor) -> str:
    """By all that hangs on the problem but the measurement and the guide, which may be the truth itself."""
    given = {tensor.data_ptr() for tensor in (problem.measurement, problem.guide) if tensor is not None}
    for way, tensor in tensors_in(problem, "problem"):
        as_large = tensor.data_ptr() not in given and tensor.numel() == truth.numel()
        if as_large and torch.equal(tensor.flatten().to(truth), truth.flatten()):
            return f"{way} is the truth, and a method may read it: keep it out of the problem and of its operator"
    return ""


def _poses_without_truth(task: Task) -> str:
    prepared = task.prepare(replace(scene(SIZES[0]), image=None))
    return _complaint_about_problem(task, task.degrade(prepared, Streams(0)))


def _complaint_about_problem(task: Task, problem: Problem) -> str:
    if problem.operator(torch.zeros(problem.shape)).shape != problem.measurement.shape:
        return "its operator makes another shape than the measurement's"
    if problem.measurement.ndim not in (1, 3):
        return f"a measurement of shape {tuple(problem.measurement.shape)}: it takes (C, h, w), or (N,) for no picture"
    if problem.measurement.dtype != torch.float32 or not problem.measurement.isfinite().all():
        return "the measurement is not finite in torch.float32"
    shown = task.shown(problem)
    if shown is not None and (shown.ndim != 3 or shown.shape[0] not in (1, 3)):
        return f"it shows a picture of shape {tuple(shown.shape)}: it takes (C, H, W), C = 1 or 3, or None"
    for name, view in task.views(torch.zeros(problem.shape), problem).items():
        if view.ndim != 3 or view.shape[0] not in (1, 3) or not name.isalnum():
            return f"its view '{name}' has shape {tuple(view.shape)}: it takes (C, H, W), C = 1 or 3, and a plain name"
    return _adjoint(problem)


def _adjoint(problem: Problem) -> str:
    """By the definition: <A x, y> = <x, A* y>."""
    if not isinstance(problem.operator, LinearOperator):
        return ""
    x = torch.rand(problem.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.rand_like(problem.operator(x))
    forward, back = float((problem.operator(x) * y).sum()), float((x * problem.operator.adjoint(y)).sum())
    return "" if abs(forward - back) <= 1e-9 * abs(forward) else "its operator's adjoint is none: <A x, y> != <x, A* y>"


def _same_measurement(task: Task) -> str:
    prepared, measured = task.prepare(scene(SIZES[0])), []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        before = generators()
        measured.append(task.degrade(prepared, Streams(_SEEDS[0])).measurement)
        if generators() != before:
            return "it draws from somewhere else than `rng`: from the global generator of torch, NumPy or Python"
    return "" if alike(*measured) else "it draws from somewhere else than `rng`"


def _follows_the_seed(task: Task) -> str:
    prepared, posed = task.prepare(scene(SIZES[0])), []
    for seed in _SEEDS:
        rng = Listening(seed)
        posed.append(dict(tensors_in(task.degrade(prepared, rng), "problem")))
    drew = any(asked == rng.seed for asked, _ in rng.asked)  # of another seed is what a setting holds
    first, second = posed
    # by torch.equal, for which NaN is never the same: of what is not finite `_poses` complains
    unmoved = first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    return "it draws, and yet another seed gives the same problem: seed nothing" if drew and unmoved else ""
