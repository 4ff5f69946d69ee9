"""What every plugin must do, as checks: `dipbench check NAME_OR_FILE` tries it, and the tests all that are found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Dataset, Method, Noise, Plugin, Problem, Scene, Task
from dipbench.data.loading import picture_of
from dipbench.errors import UserError
from dipbench.fit import begin
from dipbench.operators import LinearOperator
from dipbench.streams import Streams

_SIZES = ((3, 64, 64), (1, 96, 64), (3, 69, 70))  # of the pictures tried: colour, grey, and sides that nothing divides


@dataclass(frozen=True)
class Checked:
    """One thing that was tried."""

    what: str
    complaint: str = ""  # empty: it is as it should be

    def __str__(self) -> str:
        return f"{'WRONG' if self.complaint else 'right'}  {self.what}{': ' if self.complaint else ''}{self.complaint}"


def kind_of(name: str) -> str:
    """The kind of the plugin of that name, or in that file. UserError if there is none, or it is of several kinds."""
    found = []
    for kind in CHECKS:
        try:
            registry.find(kind, name)
            found.append(kind)
        except UserError as error:
            last = error
    if len(found) > 1:
        raise UserError(f"'{name}' is a {' and a '.join(found)}: give the path of its file")
    if not found:
        raise UserError(f"'{name}' is no plugin of {', '.join(CHECKS)}: {last}")
    return found[0]


def checked(kind: str, name: str) -> Iterator[Checked]:
    """Every check of a plugin, in turn. An error that a plugin raises is a complaint."""
    cls = registry.find(kind, name)
    tried: list[tuple[str, Callable[[], str]]] = [("says what it is", partial(_describes_itself, cls))]
    tried += CHECKS[kind](cls)
    for what, check in tried:
        try:
            yield Checked(what, check())
        except Exception as error:  # whatever a plugin does
            yield Checked(what, f"{type(error).__name__}: {error}")


def _describes_itself(cls: type[Plugin]) -> str:
    if not cls.summary().endswith("."):
        return "its docstring does not begin with a sentence"
    bare = [name for name, kind, _, comment in registry.describe(cls) if not kind or not comment]
    return f"settings without a type or a comment on their line: {', '.join(bare)}" if bare else ""


def _picture(channels: int, height: int, width: int) -> Tensor:
    """Waves and an edge, (C, H, W) in [0, 1]."""
    down, right = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = [0.5 + 0.3 * torch.sin(9 * (c + 1) * down + 5 * right) + 0.2 * (right > 0.6) for c in range(channels)]
    return torch.stack(waves).clamp(0, 1)


def _scene(size: tuple[int, int, int]) -> Scene:
    """Such a picture, which is what was measured too where a task takes that."""
    return Scene(_picture(*size), measured=_picture(*size))


def _problems(size: tuple[int, int, int]) -> dict[str, Problem]:
    """A problem of every task found that takes such a picture."""
    problems = {}
    for name in registry.names("task"):
        task: Task = registry.build("task", name)
        problems[name] = task.degrade(task.prepare(_scene(size)), Streams(0))
    return problems


def _of_method(cls: type[Method]) -> list[tuple[str, Callable[[], str]]]:
    method = cls.tiny()
    found: list[tuple[str, Callable[[], str]]] = [("takes a problem of some task", partial(_takes_some, method))]
    for size in _SIZES:
        for name, problem in _problems(size).items():
            where = f"{name}, {problem.shape[0]}x{problem.shape[1]}x{problem.shape[2]}"
            found.append(
                (f"{where}: refuses in words, or estimates the image", partial(complaint_about, method, problem))
            )
    for name, problem in _problems(_SIZES[0]).items():
        found.append((f"{name}: the same seed gives the same estimates", partial(_repeats, method, problem)))
    return found


def _takes_some(method: Method) -> str:
    reasons = {name: method.refuses(problem) for name, problem in _problems(_SIZES[0]).items()}
    return "" if None in reasons.values() else "it refuses all: " + "; ".join(f"{n}: {r}" for n, r in reasons.items())


def complaint_about(method: Method, problem: Problem) -> str:
    """What is wrong with how a method takes a problem, in words; empty: nothing."""
    if (reason := method.refuses(problem)) is not None:
        return "" if reason.strip() else "it refuses without a word"
    before = problem.measurement.clone()
    made = estimates(method, problem)
    if not made:
        return "it yielded no estimate"
    for estimate in made:
        if tuple(estimate.shape) != problem.shape:
            return f"an estimate of shape {tuple(estimate.shape)}: it takes {problem.shape}"
        if estimate.dtype != torch.float32:
            return f"an estimate of {estimate.dtype}: it takes torch.float32"
        if not estimate.isfinite().all():
            return "an estimate that is not finite"
    return "" if torch.equal(problem.measurement, before) else "it wrote to the measurement"


def _repeats(method: Method, problem: Problem) -> str:
    if method.refuses(problem) is not None:
        return ""
    runs = []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        runs.append(estimates(method, problem))
    same = len(runs[0]) == len(runs[1]) and all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
    return "" if same else "it draws from somewhere else than `rng`"


def estimates(method: Method, problem: Problem, seed: int = 0) -> list[Tensor]:
    """All that a method yields, as the harness runs it."""
    rng, made = Streams(seed), list[Tensor]()
    with rng.seeded("global"):
        course = begin(method, problem, rng)
        while course.advance(lambda step: made.append(step.estimate.clone())):
            pass
    return made


def _of_task(cls: type[Task]) -> list[tuple[str, Callable[[], str]]]:
    task = cls()
    found: list[tuple[str, Callable[[], str]]] = []
    for size in _SIZES:
        found.append((f"{size[0]}x{size[1]}x{size[2]}: poses a problem", partial(_poses, task, size)))
    if "measured" in task.takes:
        found.append(("a scene without an image: poses a problem", partial(_poses_without_truth, task)))
    return [*found, ("the measurement depends on the seed alone", partial(_same_measurement, task))]


def _poses(task: Task, size: tuple[int, int, int]) -> str:
    scene = task.prepare(_scene(size))
    if scene.image is None:
        return "its prepare() lost the image"
    problem = task.degrade(scene, Streams(0))
    if problem.shape != tuple(scene.image.shape):
        return f"the shape sought is {problem.shape} and the truth's {tuple(scene.image.shape)}"
    if not torch.equal(task.image_of(task.prepare(_scene(size))), scene.image):
        return "it wrote to the image"
    if not task.protocol().signature:
        return "its protocol has no signature"
    return _complaint_about_problem(task, problem)


def _poses_without_truth(task: Task) -> str:
    scene = task.prepare(Scene(None, measured=_picture(*_SIZES[0])))
    return _complaint_about_problem(task, task.degrade(scene, Streams(0)))


def _complaint_about_problem(task: Task, problem: Problem) -> str:
    if problem.operator(torch.zeros(problem.shape)).shape != problem.measurement.shape:
        return "its operator makes another shape than the measurement's"
    if problem.measurement.dtype != torch.float32 or not problem.measurement.isfinite().all():
        return "the measurement is not finite in torch.float32"
    shown = task.shown(problem)
    if shown is not None and (shown.ndim != 3 or shown.shape[0] not in (1, 3)):
        return f"it shows a picture of shape {tuple(shown.shape)}: it takes (C, H, W), C = 1 or 3, or None"
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
    scene, measured = task.prepare(_scene(_SIZES[0])), []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        measured.append(task.degrade(scene, Streams(7)).measurement)
    return "" if torch.equal(*measured) else "it draws from somewhere else than `rng`"


def _of_noise(cls: type[Noise]) -> list[tuple[str, Callable[[], str]]]:
    return [("keeps the shape and draws from `rng` alone", partial(_adds, cls()))]


def _adds(noise: Noise) -> str:
    clean, made = _picture(*_SIZES[0]), []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        made.append(noise.add(clean.clone(), Streams(7)))
    if made[0].shape != clean.shape or made[0].dtype != torch.float32:
        return f"it made {tuple(made[0].shape)} of {made[0].dtype} from {tuple(clean.shape)} of torch.float32"
    return "" if torch.equal(*made) else "it draws from somewhere else than `rng`"


def _of_dataset(cls: type[Dataset]) -> list[tuple[str, Callable[[], str]]]:
    return [("its first scene has an image in [0, 1], or what was measured instead", partial(_reads, cls()))]


def _reads(dataset: Dataset) -> str:
    if not dataset.names():
        return "it has no names"
    image = picture_of(dataset, dataset.names()[0])
    if image.ndim != 3 or image.shape[0] not in (1, 3) or image.dtype != torch.float32:
        return f"an image of shape {tuple(image.shape)} and {image.dtype}: it takes (C, H, W) of torch.float32"
    return "" if 0 <= float(image.min()) <= float(image.max()) <= 1 else "an image with values outside [0, 1]"


CHECKS: dict[str, Callable[..., list[tuple[str, Callable[[], str]]]]] = {
    "method": _of_method,
    "task": _of_task,
    "noise": _of_noise,
    "dataset": _of_dataset,
}
"""Kind of plugin -> the checks of a class of it, beside those of every plugin."""
