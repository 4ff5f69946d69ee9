"""What of a plan is to be shown."""

from collections.abc import Sequence

from dipbench.errors import UserError
from dipbench.spec import parse
from dipbench.store.records import Plan, PlannedExperiment
from dipbench.suites.edits import added_up, matching, refuse_unknown


def narrowed(plan: Plan, only: Sequence[str]) -> Plan:
    """The part of a plan that words match, as `suites.edits.narrowed` does it; words of one kind add up.

    UserError where nothing is left.
    """
    named = _there(plan)
    refuse_unknown(only, named, "what was asked for")
    for pattern in added_up(only, named):
        parts = [_part(experiment, plan, pattern) for experiment in plan.experiments]
        kept = [part for part in parts if part.runs]
        if not kept:
            raise UserError(
                f"only '{pattern}' matches nothing in what was asked for: it takes the name of an experiment, a task, "
                "a data set, an image or a method, or several with | between them"
            )
        plan = plan.model_copy(update={"experiments": kept})
    commands = dict.fromkeys(plan.command_of(key) for key in plan.runs)
    return plan.model_copy(update={"command": "\n".join(commands)})


def _there(plan: Plan) -> dict[str, set[str]]:
    """What can be named in a plan, by its kind."""
    runs = plan.runs.values()
    return {
        "experiment": {name for experiment in plan.experiments for name in _names_of(experiment)},
        "task": {parse(experiment.task).name for experiment in plan.experiments},
        "data set": {parse(experiment.dataset).name for experiment in plan.experiments},
        "method": {name for label in {run.label for run in runs} for name in _names(plan, label)},
        "image": {run.image for run in runs},
    }


def _part(experiment: PlannedExperiment, plan: Plan, pattern: str) -> PlannedExperiment:
    matches = matching(pattern)
    if any(map(matches, (*_names_of(experiment), parse(experiment.task).name, parse(experiment.dataset).name))):
        return experiment
    images = {run.image for run in experiment.runs if matches(run.image)}
    labels = {run.label for run in experiment.runs if any(map(matches, _names(plan, run.label)))}
    runs = [
        run
        for run in experiment.runs
        if (images or labels) and (not images or run.image in images) and (not labels or run.label in labels)
    ]
    return experiment.model_copy(update={"runs": runs})


def _names_of(experiment: PlannedExperiment) -> tuple[str, str]:
    """Its name, and what that is where nothing is to be told apart: see `store.names`."""
    return experiment.name, experiment.name.partition(" (")[0]


def _names(plan: Plan, label: str) -> set[str]:
    """Those by which a user finds a method: see `Entrant.names`."""
    asked = plan.variant(label).label
    return {label, asked, asked.partition("[")[0], parse(plan.methods.get(label, asked)).name}
