"""What a suite amounts to: the list of its runs, each checked before the first is computed."""

from dataclasses import dataclass

from dipbench import registry
from dipbench.contract import Dataset, Method, Prior, Task
from dipbench.errors import UserError
from dipbench.images import pixel_hash
from dipbench.loading import load
from dipbench.runs import Run, identity
from dipbench.spec import Spec
from dipbench.suite import Experiment, Suite

Hashes = dict[tuple[Dataset, str], str]
"""Data set and name of an image -> the hash of its pixels."""


@dataclass(frozen=True)
class Job:
    """A run, with what it takes to compute it and where it stands in the suite."""

    experiment: str
    label: str  # what the suite calls the method
    run: Run
    dataset: Spec
    task: Spec
    method: Spec

    @property
    def title(self) -> str:
        """One line for a person."""
        return f"{self.label} on {self.run.image}, {self.task.name}, seed {self.run.seed}"


def image_names(experiment: Experiment) -> list[str]:
    """The images of an experiment."""
    return experiment.images or registry.build("dataset", experiment.dataset).names()


def jobs_of(suite: Suite, seeds: list[int], precision: str = "float32", hashes: Hashes | None = None) -> list[Job]:
    """The runs of a suite in its order. UserError for any name, setting or image in it that is wrong.

    `precision` is that of the fits; methods that are no priors compute as they do. An image is read once: `hashes`
    keeps what is known of it from one suite to the next.
    """
    hashes = {} if hashes is None else hashes
    return [job for experiment in suite.experiments for job in _jobs(experiment, seeds, precision, hashes)]


def _jobs(experiment: Experiment, seeds: list[int], precision: str, hashes: Hashes) -> list[Job]:
    dataset: Dataset = registry.build("dataset", experiment.dataset)
    task: Task = registry.build("task", experiment.task)
    methods: dict[str, tuple[Spec, Method]] = {
        entrant.label: (entrant.method, registry.build("method", entrant.method)) for entrant in experiment.methods
    }
    if not image_names(experiment):
        raise UserError(f"data set '{experiment.dataset}' holds no image")
    jobs = []
    for image in image_names(experiment):
        if (dataset, image) not in hashes:
            hashes[dataset, image] = pixel_hash(load(dataset, image))
        for seed in seeds:
            for label, (spec, method) in methods.items():
                run = Run(
                    dataset=dataset.plugin_name(),
                    image=image,
                    pixels=hashes[dataset, image],
                    task=identity(experiment.task, task),
                    method=identity(spec, method),
                    protocol=task.protocol().signature,
                    seed=seed,
                    precision=precision if isinstance(method, Prior) else "float32",
                )
                jobs.append(Job(experiment.name, label, run, experiment.dataset, experiment.task, spec))
    return jobs
