"""An agenda: suites one after another, each into the store of its own. A preset with `[[agenda]]` entries is one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dipbench import registry
from dipbench.contract import NonNegativeInt, PositiveInt
from dipbench.errors import UserError
from dipbench.suites.edits import (
    Choices,
    MatchesNothing,
    chosen,
    named_in,
    narrowed,
    patterns_of,
    refuse_unknown,
    with_setting,
)
from dipbench.suites.jobs import Images, Job, jobs_of
from dipbench.suites.preset_files import preset_content
from dipbench.suites.suite import Suite, SuiteName


@dataclass(frozen=True)
class Part:
    """A suite to be computed, and all that was asked of it beside."""

    suite: Suite
    jobs: list[Job]
    whole: Suite  # the suite before an agenda's entry narrowed it
    planned: list[Job]  # what its store is to keep of what was asked for
    of_agenda: bool = False

    def store(self, out: Path | None) -> Path:
        """Where its results go: `out`, by default results/SUITE; of an agenda the suite's folder in `out`."""
        name = self.suite.name + ("-smoke" if self.suite.scale == "smoke" else "")
        return (out or Path("results")) / name if self.of_agenda or not out else out


class Entry(BaseModel):
    """A suite, or a part of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    only: list[str] = Field(default=[], description="as --only")
    seed: NonNegativeInt = 0
    seeds: PositiveInt = 1
    why: str = Field(description="what a reader learns from it")


class Agenda(BaseModel):
    """Entries in the order in which they are to be computed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: SuiteName
    title: str
    description: str = ""
    agenda: list[Entry] = Field(min_length=1)


def read_agenda(wanted: str) -> Agenda | None:
    """The agenda of that name, or in the file of that path; None where it is a suite."""
    content = preset_content(wanted)
    if "agenda" not in content:
        return None
    try:
        return Agenda.model_validate({"name": Path(wanted).stem if wanted.endswith(".toml") else wanted, **content})
    except ValidationError as error:
        raise UserError(f"agenda '{wanted}': {registry.first_problem(error, Agenda)}") from error


def parts_of(wanted: str, choices: Choices, seeds: list[int] | None, precision: str) -> list[Part]:
    """What the suite or the agenda of that name comes to, in its order; `seeds` None: 0, or what the agenda says.

    UserError for what is wrong in the choices, and for seeds given to an agenda.
    """
    agenda = read_agenda(wanted)
    if agenda is None:
        suite = chosen(wanted, choices)
        jobs = jobs_of(suite, seeds or [0], precision)
        return [Part(suite, jobs, suite, jobs)]
    if seeds is not None:
        raise UserError(f"agenda '{wanted}' sets its own seeds: give none")
    images = Images()
    # settings come last: they change the labels that words are to find
    suites = [chosen(entry.suite, replace(choices, only=entry.only, settings=())) for entry in agenda.agenda]
    refuse_unknown(choices.only, named_in(suites), f"agenda '{wanted}'")
    only = patterns_of(choices.only, suites)
    entries = zip(agenda.agenda, suites, strict=True)
    parts = [part for entry, suite in entries if (part := _part(entry, suite, only, choices, precision, images))]
    if not parts:
        raise UserError(f"only '{', '.join(choices.only)}' matches nothing in agenda '{wanted}'")
    for assignment in choices.settings:
        _check_somewhere_taken(assignment, parts)
    return [replace(part, planned=_of_suite(part.suite.name, parts)) for part in parts]


def _part(
    entry: Entry, suite: Suite, only: Sequence[str], choices: Choices, precision: str, images: Images
) -> Part | None:
    """What the entry's part of a suite comes to; None where the user's --only match nothing in it."""
    try:
        for pattern in only:
            suite = narrowed(suite, pattern)
    except MatchesNothing:
        return None
    suite = _with_settings(suite, choices.settings)
    seeds = list(range(entry.seed, entry.seed + entry.seeds))
    whole = _with_settings(chosen(entry.suite, replace(choices, only=(), settings=())), choices.settings)
    jobs = jobs_of(suite, seeds, precision, images)
    return Part(suite, jobs, whole, jobs, of_agenda=True)


def _with_settings(suite: Suite, assignments: Sequence[str]) -> Suite:
    """The suite with those settings whose plugin it uses."""
    for assignment in assignments:
        with suppress(UserError):
            suite = with_setting(suite, assignment)
    return suite


def _check_somewhere_taken(assignment: str, parts: list[Part]) -> None:
    """UserError where no part takes the setting: with what the last one has."""
    for number, part in enumerate(parts, 1):
        try:
            with_setting(part.suite, assignment)
            return
        except UserError:
            if number == len(parts):
                raise


def _of_suite(name: str, parts: list[Part]) -> list[Job]:
    """All that an agenda wants of a suite, so that its store keeps more than the entry that came last."""
    jobs = [job for part in parts if part.suite.name == name for job in part.planned]
    return list({(job.experiment, job.label, job.run.key): job for job in jobs}.values())
