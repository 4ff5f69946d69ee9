"""Computes one run and writes it down, whatever comes of it."""

import datetime
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Dataset, Method, Scene, Task
from dipbench.data.loading import load
from dipbench.disk.whole import CameSecond
from dipbench.errors import UserError
from dipbench.images.files import pixel_hash, write_image
from dipbench.metrics import scores
from dipbench.resources import environment, out_of_gpu_memory
from dipbench.rounding import rounded
from dipbench.running import interruption
from dipbench.running.checkpoints import Checkpoints
from dipbench.running.claims import put
from dipbench.running.conditions import Conditions
from dipbench.running.doubts import doubts_of
from dipbench.running.ended import LOST, Finished, failure
from dipbench.running.interruption import Stopped, held
from dipbench.running.recording import refusal
from dipbench.running.trial import Outcome, Progress, Reporter, Trial
from dipbench.store.leases import Lease
from dipbench.store.reading import FILES, UnreadableStore
from dipbench.store.records import NO_TRUTH, ScoredOutput, WrittenFile
from dipbench.store.store import Store, UnwritableStore, as_json
from dipbench.streams import Streams
from dipbench.suites.jobs import Job, pictures_of
from dipbench.suites.run import by_content, contents_of, sources_of
from dipbench.suites.watched import Watched
from dipbench.trace.usual import USUAL


class Work:
    """A run at work: an iteration each call of `advance`, and then `finish`, which puts it into the store.

    Several may take turns. A fit goes on from its last checkpoint, if there is one. What goes wrong ends the run as
    failed; out of `advance` and `finish` come only UnreadableStore, UnwritableStore, Stopped after a signal and, for
    others to be ended first, that a GPU has no memory left. A run that is dropped before its end must be closed. It is
    computed as long as its `lease` is held: where another process took it over, because this one stood still, that one
    has it.
    """

    def __init__(self, job: Job, lease: Lease, store: Store, conditions: Conditions, progress: Progress | None = None):
        self.job, self.lease = job, lease
        self.pixels = 0  # of the image; 0: it has not begun
        self._store, self._conditions = store, conditions
        self._started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._clock = time.perf_counter()
        self._checkpoints = Checkpoints(store.path / "checkpoints" / job.run.key, lease.mark)
        self._reporter = Reporter(progress)
        self._trial: Trial | None = None
        self._ended: Finished | None = None  # before its last iteration
        self._every = 0.0  # seconds between checkpoints; 0: none
        self._together = 1  # the most runs that took turns
        self._resumed: list[dict[str, Any]] = []  # where an earlier process stopped, and what that one ran on
        self._warnings: list[str] = []
        self._signals = ExitStack()  # while it is open they are only noted

    def advance(self, together: int = 1) -> bool:
        """One iteration, beside others of `together` in all; False: there are no more."""
        try:
            self._together = max(self._together, together)
            return (self._trial is not None or self._begin()) and self._iterate()
        except UnreadableStore:
            raise
        except UnwritableStore:
            if self.lease.is_held():
                raise
            self._ended = LOST  # by one that removed what was being written
            return False
        except (Exception, SystemExit) as error:  # whatever a plugin does: this run fails, the others go on
            if out_of_gpu_memory(error):
                raise
            self._ended = failure(error)
            return False

    def finish(self) -> Finished:
        """Scores what came out, and puts it into the store."""
        content: dict[str, Any] = {}
        outcome = None
        try:
            if self._ended is None:
                assert self._trial is not None
                with rounded(False):  # a task may have convolutions of its own
                    outcome = self._with_views(self._trial.outcome())
                    self._ended, content = self._scored(outcome)
        except (Exception, SystemExit) as error:
            if out_of_gpu_memory(error):
                raise
            self._ended, outcome = failure(error), None
        times = {"started": self._started, "wall_seconds": round(time.perf_counter() - self._clock, 3)}
        into = self.job, self._store, self._conditions, self.lease
        try:
            self._ended = put(*into, self._ended, {**times, **content}, outcome)
        except (ValueError, TypeError) as error:  # what a plugin says of itself is no text, or not to be written
            self._ended = put(*into, failure(error), times)
        if self._ended.status == "done":
            self._checkpoints.clear()
        if self._ended.status != "held":
            self.lease.end()
        self.close()
        return self._ended

    def close(self) -> None:
        """Signals end the program again, where it is the last that held them, and another may have the run."""
        self._signals.close()
        self.lease.release()

    def _begin(self) -> bool:
        """Poses the problem and goes to the last checkpoint; False: the method refuses it."""
        run, device = self.job.run, self._conditions.device
        self._task: Task = registry.build("task", self.job.task)
        self._method: Method = registry.build("method", self.job.method)
        self._dataset: Dataset = registry.build("dataset", self.job.dataset)
        whole = load(self._dataset, run.image, self._task.takes)
        self._check_planned(whole)
        scene = self._task.prepare(whole)
        self._truth = scene.image
        # a copy: neither a task, a noise nor a method can change the truth that outputs are scored against
        degraded = self._task.degrade(scene.each(torch.clone), Streams(run.seed, run.measurement_path))
        problem = replace(degraded, image_name=run.image, origin=scene.origin)
        self.pixels = problem.shape[1] * problem.shape[2]
        if not self._store.has_problem(run.measurement_key):
            with (
                suppress(CameSecond),  # it holds the same
                self._store.new_folder("problems", run.measurement_key, self.lease.mark) as folder,
            ):
                pictures = {"truth": self._truth, "degraded": self._task.shown(problem), "guide": problem.guide}
                for name, picture in pictures.items():
                    if picture is not None and len(picture) in (1, 3):
                        write_image(folder / f"{name}.png", picture)
                record = {name: file.model_dump() for name, file in WrittenFile.all_in(folder).items()}
                (folder / FILES).write_text(as_json(record), encoding="utf-8")
        reason = refusal(self._method, problem)
        if reason is not None and not isinstance(reason, str):
            raise UserError(f"{self._method.plugin_name()}'s refuses() gave {reason!r}: it must give a reason, or None")
        if reason:
            self._ended = Finished("refused", reason)
            return False
        self._problem = problem.to(device)
        self._trial = self._new_trial()
        if self._trial.course.resumes:
            self._every = self._conditions.checkpoint_seconds
        if self._every:
            self._signals.enter_context(held())
            self._resume()
        self._saved = time.perf_counter()
        return True

    def _check_planned(self, scene: Scene) -> None:
        """UserError where a file was edited since the run was named: its number would stand under another's name."""
        run, again = self.job.run, "since this command began: give it again, and what is edited is another run"
        for spec, plugin, planned in (
            (self.job.task, self._task, run.task),
            (self.job.method, self._method, run.method),
        ):
            present = by_content(plugin.identity())
            if not sources_of(present) <= sources_of(planned):
                raise UserError(f"the code of '{spec.name}' was edited {again}")
            if not contents_of(present) <= contents_of(planned):
                raise UserError(f"a file that '{spec.name}' takes was edited {again}")
        if pixel_hash(*pictures_of(scene, self._task)) != run.pixels:
            raise UserError(f"image '{run.image}' was changed {again}")

    def _new_trial(self) -> Trial:
        rng = Streams(self.job.run.seed, self.job.run.method_path)
        truth = None if self._truth is None else self._truth.to(self._conditions.device)
        watched = self.job.watched if self._method.overfits else Watched()
        return Trial(
            self._method,
            self._problem,
            truth,
            self.job.protocol,
            rng,
            self._conditions.execution,
            signals=[*USUAL, *(registry.build("signal", name) for name in watched.signals)],
            rules=[registry.build("rule", name) for name in watched.rules],
            snapshots=watched.snapshots,
        )

    def _resume(self) -> None:
        assert self._trial is not None
        try:
            state, self._warnings = self._checkpoints.load()
        except OSError as error:
            folder = self._store.path / "checkpoints" / self.job.run.key
            raise UnreadableStore.of(folder, error, "remove it to have the fit begin anew") from error
        if state is None:
            return
        try:
            self._trial.load(state["trial"])
            together = max(self._together, int(state["at_once"]))
            done = {"iteration": self._trial.course.done, **state["environment"]}
            self._resumed = [*map(dict, state["resumed"]), done]
        except Exception as error:  # a checkpoint may come from anybody
            if out_of_gpu_memory(error):
                raise  # the checkpoint is as good as before
            self._trial = self._new_trial()
            self._warnings.append(f"the checkpoint is of another fit ({error}): it was computed from the start")
            return
        self._together = together

    def _iterate(self) -> bool:
        assert self._trial is not None
        if not self._trial.advance():
            return False
        self._reporter.look(self._trial)
        told = interruption.received()
        if self._every and (told or time.perf_counter() - self._saved > self._every):
            if self.lease.is_held():
                self._save()
            elif not told:
                self._ended = LOST
                return False
        if told:
            raise Stopped(told)
        return True

    def _save(self) -> None:
        assert self._trial is not None
        state = {
            "trial": self._trial.state(),
            "at_once": self._together,
            "resumed": self._resumed,
            "environment": environment(self._conditions.device),
        }
        with self._store.writing():
            self._checkpoints.save(state, self._trial.course.done)
        self.lease.keep()
        self._saved = time.perf_counter()

    def _with_views(self, outcome: Outcome) -> Outcome:
        device = self._conditions.device
        views = {o.name: self._task.views(o.image.to(device), self._problem) for o in outcome.outputs}
        return replace(outcome, views=views)

    def _scored(self, outcome: Outcome) -> tuple[Finished, dict[str, Any]]:
        """How a run ended that came to its end, and what the store is to know of it."""
        outputs = [
            ScoredOutput(
                output=output.name,
                iteration=output.iteration,
                scores=self._scores(output.image),
                picture=f"{output.name}.png",
                views={name: f"{output.name}-{name}.png" for name in outcome.views[output.name]},
                rule=output.rule,
                fired=output.fired,
            )
            for output in outcome.outputs
        ]
        assert self._trial is not None
        execution, alone = self._trial.course.execution, self._together == 1
        content = {
            "outputs": outputs,
            "seconds": round(outcome.seconds, 4),
            **({"processor_seconds": round(busy, 4)} if (busy := outcome.processor_seconds) and alone else {}),
            "peak_memory_bytes": outcome.peak_memory if alone else None,  # else what all took together
            "parameters": self._method.resolved(self._problem),
            "licence": self._method.licence,
            **({"trained_on": learned} if (learned := self._method.learned_from()) else {}),
            "paper": self._method.paper,
            "papers": list(dict.fromkeys(p.paper for p in (self._method, self._dataset, self._task) if p.paper)),
            **({"engine": execution.engine, "precision": execution.precision} if execution else {}),
            **({"fitted": outcome.fitted} if outcome.fitted else {}),
            "at_once": self._together,
            "watched": list(self.job.watched.names),
            "left_out": self._trial.recording.all_left_out(outcome.outputs, len(outcome.trace)),
            "resumed": self._resumed,
            "warnings": [*self._warnings, *doubts_of(outcome)],
        }
        message = NO_TRUTH if self._truth is None else ""
        return Finished("done", message, psnr=outputs[0].psnr, seconds=outcome.seconds), content

    def _scores(self, image: Tensor) -> dict[str, float]:
        """By the name of the metric, with the task's own; where there is no truth, none that compares with it."""
        shown = self._task.shown(self._problem)
        measurement = None if shown is None else shown.to(image.device)
        own = self._task.scores(image, self._truth, self._problem)
        return {**scores(image, self._truth, self.job.protocol, self.job.metrics, measurement), **own}
