"""What a task must do."""

from functools import partial

import torch

from dipbench.contract import Problem, Scene, Task
from dipbench.operators import LinearOperator
from dipbench.running.check.trying import SIZES, Try, picture
from dipbench.streams import Streams


def checks(cls: type[Task]) -> list[Try]:
    task = cls()
    found: list[Try] = []
    for size in SIZES:
        found.append((f"{size[0]}x{size[1]}x{size[2]}: poses a problem", partial(_poses, task, size)))
    return [*found, ("the measurement depends on the seed alone", partial(_same_measurement, task))]


def _poses(task: Task, size: tuple[int, int, int]) -> str:
    shown = picture(*size)
    scene = task.prepare(Scene(shown.clone()))
    problem = task.degrade(scene, Streams(0))
    if problem.shape != tuple(scene.image.shape):
        return f"the shape sought is {problem.shape} and the truth's {tuple(scene.image.shape)}"
    if problem.operator(scene.image).shape != problem.measurement.shape:
        return "its operator makes another shape than the measurement's"
    if problem.measurement.dtype != torch.float32 or not problem.measurement.isfinite().all():
        return "the measurement is not finite in torch.float32"
    if not torch.equal(task.prepare(Scene(shown)).image, scene.image):
        return "it wrote to the image"
    return _adjoint(problem) or ("" if task.protocol().signature else "its protocol has no signature")


def _adjoint(problem: Problem) -> str:
    """By the definition: <A x, y> = <x, A* y>."""
    if not isinstance(problem.operator, LinearOperator):
        return ""
    x = torch.rand(problem.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.rand_like(problem.operator(x))
    forward, back = float((problem.operator(x) * y).sum()), float((x * problem.operator.adjoint(y)).sum())
    return "" if abs(forward - back) <= 1e-9 * abs(forward) else "its operator's adjoint is none: <A x, y> != <x, A* y>"


def _same_measurement(task: Task) -> str:
    scene, measured = task.prepare(Scene(picture(*SIZES[0]))), []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        measured.append(task.degrade(scene, Streams(7)).measurement)
    return "" if torch.equal(*measured) else "it draws from somewhere else than `rng`"
