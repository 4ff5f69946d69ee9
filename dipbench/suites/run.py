"""One run: what is computed, frozen, and named by its content."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dipbench.code import file_hash, files_in
from dipbench.contract import Method, Plugin, Problem, Task
from dipbench.spec import Spec
from dipbench.text import plain_numbers


@dataclass(frozen=True)
class Run:
    """(data set, image, task, method, settings, seed). Two runs are the same if and only if their names are."""

    dataset: str  # its name
    image: str  # its name in the data set
    pixels: str  # hash of the image and of what the task takes beside it: other pixels of that name are another run
    task: dict[str, Any]  # name, and every setting
    method: dict[str, Any]  # name, and every setting that acts: what fills in for a blank, not the blank
    protocol: str  # signature of the protocol that scores it
    seed: int
    precision: str = "float32"  # of the fit; the engine is not in it: engines agree within the precision
    versions: dict[str, int] = field(default_factory=dict)  # of what task and method compute, and of the fit

    @cached_property
    def key(self) -> str:
        """The name of the run: 16 hex digits of the sha256 of its canonical JSON."""
        return key_of(asdict(self))

    @property
    def code(self) -> str:
        """By what source and version the method computes, whatever its settings."""
        method = {name: value for name, value in self.method.items() if name != "settings"}
        return canonical([method, {part: version for part, version in self.versions.items() if part != "task"}])

    @property
    def written_method(self) -> str:
        """The method with every setting that is set."""
        return written(self.method)

    @property
    def measurement_path(self) -> tuple[str, ...]:
        """What the streams of the measurement depend on beside the seed: not the method, and no version."""
        return ("measurement", self.dataset, self.image, canonical(self.task))

    @cached_property
    def measurement_key(self) -> str:
        """The name of the problem, shared by all methods that restore it."""
        text = canonical([*self.measurement_path, self.pixels, self.seed, self.versions.get("task")])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def method_path(self) -> tuple[str, ...]:
        """What the streams of the method depend on beside the seed."""
        return ("method", self.dataset, self.image, canonical(self.task))


def key_of(run: Mapping[str, Any]) -> str:
    """The name of a run by what is written of it, in a file too, whatever version wrote that."""
    return hashlib.sha256(canonical(run).encode()).hexdigest()[:16]


def written(plugin: Mapping[str, Any]) -> str:
    """A task or a method as a run has it: with its source, if that is not dipbench's, and every setting that is set."""
    source = f"@{plugin['source']}" if "source" in plugin else ""
    settings = {name: value for name, value in plugin["settings"].items() if value is not None}
    return str(Spec(f"{plugin['name']}{source}", settings))


def sources_of(identity: Any) -> set[str]:
    """The hashes of the code that a plugin is of, with those of the plugins among its settings."""
    source = identity.get("source") if isinstance(identity, Mapping) else None
    return ({source} if isinstance(source, str) else set()).union(*map(sources_of, _parts(identity)))


def by_content(value: Any) -> Any:
    """The settings of a plugin, of those among them too, with files by their content, not by where they lie."""
    if isinstance(value, Path):
        if value.is_dir():
            return {"files": {file.relative_to(value).as_posix(): file_hash(file) for file in files_in(value)}}
        return {"sha256": file_hash(value)} if value.is_file() else {"path": str(value)}
    if isinstance(value, Mapping):
        return {key: by_content(each) for key, each in value.items()}
    return [by_content(each) for each in value] if _names_files(value) else value


def contents_of(identity: Any) -> set[str]:
    """What stands for files and folders in settings that are `by_content`."""
    whole = isinstance(identity, Mapping) and identity.keys() in ({"sha256"}, {"files"})
    return ({canonical(identity)} if whole else set()).union(*map(contents_of, _parts(identity)))


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(plain_numbers(value), sort_keys=True, separators=(",", ":"), default=str)


def identity_of_task(spec: Spec, task: Task) -> dict[str, Any]:
    """What tells one task with its settings from another."""
    return _identity(spec, task, task.settings())


def identity_of_method(spec: Spec, method: Method, pose: Callable[[], Problem]) -> dict[str, Any]:
    """What tells one method with the settings that act on the problem that `pose` gives from another."""
    paths = {name: value for name, value in method.settings().items() if _names_files(value)}
    return _identity(spec, method, {**_acting(method, pose), **paths})


def _acting(method: Method, pose: Callable[[], Problem]) -> dict[str, Any]:
    try:
        problem = pose()
        acting = method.settings() if method.refuses(problem) else method.resolved(problem)
        acting = {**acting, **method.of_the_harness()}
        canonical(acting)
        return acting
    except Exception:  # whatever a plugin does: the run will fail likewise, and say so
        return method.settings()


def _identity(spec: Spec, plugin: Plugin, settings: dict[str, Any]) -> dict[str, Any]:
    content = by_content(settings)
    if source := plugin.source():
        return {"name": plugin.plugin_name(), "source": source, "settings": content}
    return {"name": spec.name, "settings": content}


def _names_files(value: Any) -> bool:
    return isinstance(value, Path) or any(map(_names_files, _parts(value)))


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
