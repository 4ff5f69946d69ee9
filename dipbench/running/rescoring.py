"""Scores what is in the store by metrics that it was not scored by, from its pictures: nothing is computed again."""

import math
from collections.abc import Iterable

from dipbench.errors import UserError
from dipbench.images.files import read_image
from dipbench.metrics import FURTHER
from dipbench.store.pictures import picture_of
from dipbench.store.records import NO_TRUTH, Result, ScoredOutput
from dipbench.store.store import Store
from dipbench.suites.jobs import Job


def rescore(jobs: Iterable[Job], store: Store) -> list[str]:
    """Adds the `metrics` of each job to its result, where that is in the store and lacks some; returns what it cannot.

    A metric of `FURTHER` scores pictures, so that the numbers are those that it would have had at once.
    """
    complaints = []
    for job in jobs:
        result = store.result(job.run.key) if job.metrics else None
        if result is None or result.status != "done" or not _lacking(job, result):
            continue
        try:
            scored = _with_scores(job, result, store)
        except UserError as error:  # a picture cannot be read
            complaints.append(f"{job.title} cannot be scored by {', '.join(_lacking(job, result))}: {error}")
            continue
        store.replace_result(scored)
    return complaints


def _lacking(job: Job, result: Result) -> list[str]:
    """The metrics that did not score it and can."""
    can = [name for name in job.metrics if result.message != NO_TRUTH or FURTHER[name].against != "truth"]
    return [name for name in can if any(name not in output.scores for output in result.outputs)]


def _with_scores(job: Job, result: Result, store: Store) -> Result:
    lacking = _lacking(job, result)
    problem = store.path / "problems" / job.run.measurement_key
    pictures = {"truth": problem / "truth.png", "measurement": problem / "degraded.png"}
    wanted = {FURTHER[name].against for name in lacking}
    if wanted & pictures.keys() and not store.has_problem(job.run.measurement_key):
        raise UserError(f"the pictures in '{problem}' are not those that were written there")
    others = {against: read_image(file) for against, file in pictures.items() if against in wanted}

    def scored(output: ScoredOutput) -> ScoredOutput:
        picture = read_image(picture_of(store, job.run.key, result, output.picture))
        black = math.isnan(output.scores.get("psnr", 0.0))  # what the picture shows of numbers that are none
        added = {
            name: math.nan if black else metric.measure(picture, others.get(metric.against, picture), job.protocol)
            for name, metric in ((name, FURTHER[name]) for name in lacking)
        }
        return output.model_copy(update={"scores": {**output.scores, **added}})

    return result.model_copy(update={"outputs": [scored(output) for output in result.outputs]})
