"""How a run ended, and how that is put into the store."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from dipbench.errors import UserError, located
from dipbench.images.files import write_image
from dipbench.resources import environment, out_of_gpu_memory
from dipbench.running.conditions import Conditions
from dipbench.running.trial import Outcome
from dipbench.store.records import Environment, Result, Status, WrittenFile
from dipbench.store.store import SNAPSHOTS, Store, as_json
from dipbench.store.tables import FILE as TRACE
from dipbench.store.tables import as_file
from dipbench.suites.jobs import Job


@dataclass(frozen=True)
class Finished:
    """How a run ended; `held`: not here, another process has it in work; `submitted`: it waits where it is computed."""

    status: Status | Literal["held", "submitted"]
    message: str = ""  # why it was refused or failed, or has no scores; who holds it; where it waits
    mendable: bool = False  # whether the user can mend it
    psnr: float = float("nan")  # dB, of the final output
    seconds: float = 0.0
    elsewhere: bool = False  # another process put it into the store
    dropped: bool = False  # and what was computed here with it is dropped


LOST = Finished("held", dropped=True)
"""Of a run that another process took over, because this one gave no sign of life."""


def write_down(
    job: Job,
    store: Store,
    conditions: Conditions,
    finished: Finished,
    content: dict[str, Any],
    outcome: Outcome | None = None,
    mark: str = "",
) -> None:
    """Puts into the store how a run ended; `content` is what else is known of it, by the fields of `Result`.

    `mark` is that of its lease. CameSecond where another process did so meanwhile.
    """
    known: dict[str, Any] = {"outputs": [], **({"mendable": True} if finished.mendable else {}), **content}
    here = Environment(**environment(conditions.device))
    assert finished.status != "held" and finished.status != "submitted"  # noqa: PT018  # for mypy
    with store.new_folder("runs", job.run.key, mark) as folder:
        if outcome:
            (folder / TRACE).write_bytes(as_file(outcome.trace, job.run.key))
            for output in outcome.outputs:
                write_image(folder / f"{output.name}.png", output.image)
                for name, view in outcome.views[output.name].items():
                    write_image(folder / f"{output.name}-{name}.png", view.cpu())
            _write_snapshots(outcome, folder / SNAPSHOTS)
            known["files"] = WrittenFile.all_in(folder)
        result = Result(status=finished.status, message=finished.message, run=job.run, environment=here, **known)
        for name, said in {"run.json": asdict(job.run), "result.json": result.content()}.items():
            (folder / name).write_text(as_json(said), encoding="utf-8")


def _write_snapshots(outcome: Outcome, folder: Path) -> None:
    if outcome.snapshots:
        folder.mkdir()
    for iteration, picture in outcome.snapshots.items():
        write_image(folder / f"{iteration:06}.png", picture)


def failure(error: Exception | SystemExit) -> Finished:
    """How a run ended that raised `error`."""
    if isinstance(error, UserError):
        return Finished("failed", str(error), mendable=True)
    if out_of_gpu_memory(error) or isinstance(error, MemoryError):
        reason = str(error).splitlines()[0] if str(error) else "the memory is full"
        return Finished("failed", f"out of memory ({reason}): take smaller images, or fewer processes", mendable=True)
    return Finished("failed", located(error))
