"""One run: what is computed, frozen, and named by its content."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dipbench.contract import Method, Task
from dipbench.registry import file_hash
from dipbench.spec import Spec


@dataclass(frozen=True)
class Run:
    """(data set, image, task, method, settings, seed). Two runs are the same if and only if their names are."""

    dataset: str  # its name
    image: str  # its name in the data set
    pixels: str  # hash of the image, so that another image of that name is another run
    task: dict[str, Any]  # name, and every setting
    method: dict[str, Any]  # likewise
    protocol: str  # signature of the protocol that scores it
    seed: int
    precision: str = "float32"  # of the fit; the engine is not in it: engines agree within the precision

    @property
    def key(self) -> str:
        """The name of the run: 16 hex digits of the sha256 of its canonical JSON."""
        return hashlib.sha256(canonical(asdict(self)).encode()).hexdigest()[:16]

    @property
    def measurement_path(self) -> tuple[str, ...]:
        """What the streams of the measurement depend on beside the seed: not the method."""
        return ("measurement", self.dataset, self.image, canonical(self.task))

    @property
    def measurement_key(self) -> str:
        """The name of the problem, shared by all methods that restore it."""
        text = canonical([*self.measurement_path, self.pixels, self.seed])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def method_path(self) -> tuple[str, ...]:
        """What the streams of the method depend on beside the seed."""
        return ("method", self.dataset, self.image, canonical(self.task))


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def identity(spec: Spec, plugin: Task | Method) -> dict[str, Any]:
    """What tells one plugin with its settings from another. Files count by their content, not by where they lie."""
    settings = {key: _content(value) for key, value in plugin.settings().items()}
    if spec.name.endswith(".py"):
        return {"name": plugin.plugin_name(), "source": file_hash(Path(spec.name)), "settings": settings}
    return {"name": spec.name, "settings": settings}


def _content(value: Any) -> Any:
    if isinstance(value, Path):
        if value.is_dir():
            return {"files": {file.name: file_hash(file) for file in sorted(value.iterdir()) if file.is_file()}}
        return {"sha256": file_hash(value)} if value.is_file() else {"path": str(value)}
    return value
