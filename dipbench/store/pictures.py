"""The pictures of runs: each is the one that was written for its run, or it is not shown."""

from pathlib import Path

from dipbench.errors import UserError
from dipbench.store.records import Result, WrittenFile
from dipbench.store.store import Store


def picture_of(store: Store, key: str, result: Result, name: str) -> Path:
    """The file of a picture of the run `key`, by its path in the folder of that.

    UserError where it is another than was written, and the run is set aside. Earlier versions did not say what they
    wrote.
    """
    folder = store.path / "runs" / key
    was = result.files.get(name)
    try:
        if was is not None and WrittenFile.of(folder / name) != was:
            raise ValueError("it is another than was written")
    except (OSError, ValueError) as error:
        now = store.result(key)
        if now is not None and now.files != result.files:  # another process has put a new run in its place
            return picture_of(store, key, now, name)
        store.set_aside(folder, name, error)
        raise UserError(f"{store.warnings[-1]}: run its suite again") from error
    return folder / name
