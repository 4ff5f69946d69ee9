"""The pictures of runs: each is the one that was written for its run, or it is not shown."""

from pathlib import Path

from dipbench.errors import UserError
from dipbench.store.records import Result, WrittenFile
from dipbench.store.store import Store


def picture_of(store: Store, key: str, result: Result, name: str) -> Path:
    """The file of a picture of the run `key`, by its path in the folder of that.

    UserError where it is another than was written, and the run is set aside, or where that has been set aside meanwhile
    for another of its files. Earlier versions did not say what they wrote.
    """
    folder = store.path / "runs" / key
    path, was = folder / name, result.files.get(name)
    try:
        if was is None:
            path.stat()
        elif WrittenFile.of(path) != was:
            raise ValueError("it is another than was written")
    except (OSError, ValueError) as error:
        now = store.result(key)
        if now is not None and now.files != result.files:  # another process has put a new run in its place
            return picture_of(store, key, now, name)
        if not (said := _said_of(folder, store)):
            store.set_aside(folder, name, error)
        raise UserError(f"{said or store.warnings[-1]}: run its suite again") from error
    return path


def _said_of(folder: Path, store: Store) -> str:
    """What was warned of about a run; empty: nothing."""
    return next((words for words in store.warnings if words.startswith(f"'{folder}/")), "")
