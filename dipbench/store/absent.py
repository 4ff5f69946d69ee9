"""What is said of a folder that is no store."""

from pathlib import Path

from dipbench.errors import UserError, nearest


def check_is_store(folder: Path) -> None:
    """UserError where no results lie there, of whatever version."""
    if not _is_store(folder):
        raise no_store(folder, near_store(folder))


def near_store(folder: Path) -> Path | None:
    """The store beside a folder whose name was mistyped; None: none was."""
    beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
    found = nearest(folder.name, sorted(each.name for each in beside if _is_store(each)))
    return folder.parent / found if found else None


def no_store(folder: Path, near: Path | None) -> UserError:
    """What is said of a folder; `near` is the one that was meant."""
    meant = f"did you mean '{near}'?" if near else "it takes one that 'dipbench run' wrote"
    return UserError(f"'{folder}' is not a results folder: {meant}")


def _is_store(folder: Path) -> bool:
    return (folder / "store.json").is_file()
