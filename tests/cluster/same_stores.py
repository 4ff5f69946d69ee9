"""Whether two stores hold the same of the same runs."""

import json
from pathlib import Path

from dipbench.store.store import Store

# of result.json: on what it was computed, and how long it took
OF_THE_PROCESS = {"environment", "started", "wall_seconds", "seconds", "processor_seconds"}
OF_THE_PROCESS |= {"peak_memory_bytes", "resumed", "at_once"}


def content(store: Store) -> dict[str, object]:
    """Every file by its place in the store, as bytes; of a trace and a result all but how long it took."""
    found: dict[str, object] = {}
    for path in sorted(file for part in ("runs", "problems") for file in (store.path / part).rglob("*.*")):
        name = str(path.relative_to(store.path))
        if path.name == "result.json":
            found[name] = {k: v for k, v in json.loads(path.read_text()).items() if k not in OF_THE_PROCESS}
        elif path.name == "trace.parquet":
            trace = store.trace(path.parent.name)
            assert trace is not None
            found[name] = {column: trace[column].to_numpy().tobytes() for column in trace if column != "seconds"}
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def assert_same(made: Path | Store, expected: Store) -> None:
    """Bit for bit, and nothing of how they were made is left."""
    store = made if isinstance(made, Store) else Store(made)
    one, other = content(store), content(expected)
    differing = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    assert not differing, f"these differ: {sorted(differing)}"
    left = [path for part in ("leases", "checkpoints", "slurm") for path in (store.path / part).glob("*")]
    assert not left, f"these were left: {sorted(left)}"
