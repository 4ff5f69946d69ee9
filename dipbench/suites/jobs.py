"""What a suite amounts to: the list of its runs, each checked before the first is computed."""

from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from dipbench import registry
from dipbench.contract import Belonging, Dataset, Method, Problem, Scene, Task
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.fit import FIT_VERSION
from dipbench.images.files import pixel_hash
from dipbench.metrics import asked_for
from dipbench.scoring import Protocol
from dipbench.spec import Spec
from dipbench.streams import Streams
from dipbench.suites.run import Run, identity_of_method, identity_of_task
from dipbench.suites.suite import Entrant, Experiment, Suite
from dipbench.suites.watched import Watched


@dataclass(frozen=True)
class Job:
    """A run, with what it takes to compute it and where it stands in the suite."""

    experiment: str
    label: str  # what the suite calls the method
    run: Run
    dataset: Spec
    task: Spec
    method: Spec
    watched: Watched
    metrics: tuple[str, ...]  # that score its outputs, beside those that always do
    protocol: Protocol  # of its run
    failed_before: str = ""  # the failure that is tried again; empty: none was in the store

    @property
    def title(self) -> str:
        """One line for a person."""
        return f"{self.label} on {self.run.image}, {self.task.name}, seed {self.run.seed}"


def image_names(experiment: Experiment) -> list[str]:
    """The images of an experiment."""
    return experiment.images or registry.build("dataset", experiment.dataset).names()


_Shapes = tuple[tuple[int, ...], ...]


class Images:
    """What is known of the images of a plan: each is read once, whatever experiments and suites want it."""

    def __init__(self) -> None:
        self._pixels: dict[tuple[Dataset, str, frozenset[Belonging]], tuple[str, _Shapes]] = {}
        self._problems: dict[tuple[Task, _Shapes], Problem] = {}

    def pixels(self, task: Task, dataset: Dataset, name: str) -> str:
        """The hash of the pixels of an image, and of the pictures beside it that the task takes."""
        return self._facts(task, dataset, name)[0]

    def problem(self, task: Task, dataset: Dataset, name: str) -> Problem:
        """One as the image poses, of its size, perhaps with the pixels of another: no setting depends on those."""
        _, shapes = self._facts(task, dataset, name)
        if (task, shapes) not in self._problems:
            scene = task.prepare(load(dataset, name, task.takes))
            self._problems[task, shapes] = task.degrade(scene, Streams(0, ("plan",)))
        return replace(self._problems[task, shapes], image_name=name)

    def _facts(self, task: Task, dataset: Dataset, name: str) -> tuple[str, _Shapes]:
        key = (dataset, name, frozenset(task.takes))
        if key not in self._pixels:
            pictures = pictures_of(load(dataset, name, task.takes), task)
            self._pixels[key] = (pixel_hash(*pictures), tuple(tuple(picture.shape) for picture in pictures))
        return self._pixels[key]


def pictures_of(scene: Scene, task: Task) -> list[Tensor]:
    """The image of a scene and what the task takes beside it, by whose pixels a run is named."""
    beside = (getattr(scene, belonging) for belonging in sorted(task.takes))
    return [picture for picture in (scene.image, *beside) if picture is not None]


def jobs_of(suite: Suite, seeds: list[int], precision: str = "float32", images: Images | None = None) -> list[Job]:
    """The runs of a suite in its order. UserError for any name, setting or image in it that is wrong.

    `precision` is that of the fits; methods that are no priors compute as they do. `images` keeps what is known of them
    from one suite to the next.
    """
    images = images or Images()
    watched = Watched.of(suite), asked_for(suite.metrics)
    return [job for experiment in suite.experiments for job in _jobs(experiment, seeds, precision, images, watched)]


def _jobs(
    experiment: Experiment, seeds: list[int], precision: str, images: Images, watched: tuple[Watched, tuple[str, ...]]
) -> list[Job]:
    dataset: Dataset = registry.build("dataset", experiment.dataset)
    task: Task = registry.build("task", experiment.task)
    methods: list[tuple[Entrant, Method]] = [(e, registry.build("method", e.method)) for e in experiment.methods]
    if not image_names(experiment):
        raise UserError(f"data set '{experiment.dataset}' holds no image")
    protocol = experiment.protocol.on(task.protocol())
    task_identity = identity_of_task(experiment.task, task)
    jobs = []
    for image in image_names(experiment):
        pose = partial(images.problem, task, dataset, image)
        identities = [identity_of_method(entrant.method, method, pose) for entrant, method in methods]
        for seed in seeds:
            for (entrant, method), identity in zip(methods, identities, strict=True):
                fitted, versions = method.fitted, {"task": task.version, "method": method.version}
                run = Run(
                    dataset=dataset.plugin_name(),
                    image=image,
                    pixels=images.pixels(task, dataset, image),
                    task=task_identity,
                    method=identity,
                    protocol=protocol.signature,
                    seed=seed,
                    precision=precision if fitted else "float32",
                    versions={**versions, "fit": FIT_VERSION} if fitted else versions,
                )
                specs = experiment.dataset, experiment.task, entrant.method
                jobs.append(Job(experiment.name, entrant.label, run, *specs, *watched, protocol))
    return jobs
