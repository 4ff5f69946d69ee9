"""A benchmark of one's own in three lines: a task, images, and methods as a notebook has them."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from torch import nn

from dipbench import registry
from dipbench.api import executor_of
from dipbench.bases.of_function import makes_network, prior
from dipbench.bases.of_restorer import method
from dipbench.contract import Dataset, Method, Task
from dipbench.errors import UserError
from dipbench.report.loaded import Loaded
from dipbench.running.conditions import Conditions
from dipbench.running.progress import Terminal
from dipbench.running.runner import compute, plan_of
from dipbench.spec import Spec, parse
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.seeds import seeds_of
from dipbench.suites.suite import Suite


@dataclass(frozen=True)
class Benchmark:
    """Methods side by side on the same measurements of some images.

    `task` and `dataset` are written as everywhere, `denoising[sigma=25]`, `set5`, or objects of their classes; a folder
    of images is a data set too. `images` are names of it, all where none is given. `seeds` is their number, from 0 on,
    or a list. What was computed lies in the folder `out`, by default results/NAME, and is not computed again.
    """

    task: Task | str
    dataset: Dataset | Path | str
    images: Sequence[str] | str = ()
    seeds: Sequence[int] | int = 1
    name: str = "benchmark"
    out: Path | str | None = None
    record: Sequence[str] = ()
    rules: Sequence[str] = ()
    metrics: Sequence[str] = ()

    def run(
        self,
        methods: Mapping[str, Any] | Iterable[Any] | Callable[..., Any] | Method,
        *,
        baseline: str = "",
        device: str = "auto",
        engine: str = "auto",
        precision: str = "float32",
        jobs: int = 1,
        progress: bool = True,
    ) -> Loaded:
        """Computes what is not there yet, and gives the results, the traces, the pictures and the comparison.

        `methods` maps a name, by which tables and curves call it, to a method: as written (`dip[iterations=500]`), a
        `Method` or its class, the class of a network or a function that makes one (see `dipbench.prior`), or a
        function of the degraded image (see `dipbench.method`); one alone needs no list around it. `baseline` is the
        name that others are compared with. A method that fails does not stop the others: its rows say why. UserError
        for what is wrong in the arguments.
        """
        if isinstance(methods, (str, Method)) or callable(methods):
            methods = [methods]
        named = methods if isinstance(methods, Mapping) else _named(methods)
        texts = {name: registry.as_text("method", [_as_method(name, given)])[0] for name, given in named.items()}
        on = executor_of("processes", jobs, texts.values())
        conditions = Conditions.read(device, jobs, engine, precision)
        suite = self._suite(texts, baseline)
        wanted = jobs_of(suite, self._seeds, precision)
        store = Store(Path(self.out) if self.out else Path("results") / self.name)
        plan = plan_of(suite, wanted, f"dipbench.{self!r}.run([{', '.join(texts)}])")
        display = Terminal(Console()) if progress else None
        return Loaded(store, compute(wanted, store, plan, conditions, display, on).asked)

    @property
    def _seeds(self) -> list[int]:
        return seeds_of(None, self.seeds) or [0]

    def _suite(self, methods: Mapping[str, str], baseline: str) -> Suite:
        (task,) = registry.as_text("task", [self.task])
        experiment = {
            "name": task,
            "dataset": self._dataset(),
            "images": [self.images] if isinstance(self.images, str) else list(self.images),
            "task": task,
            "methods": list(methods),
            "baseline": baseline,
        }
        lists = {"record": list(self.record), "rules": list(self.rules), "metrics": list(self.metrics)}
        try:
            return Suite.model_validate(
                {"name": self.name, "title": self.name, "methods": dict(methods), "experiments": [experiment], **lists}
            )
        except ValidationError as error:
            raise UserError(f"Benchmark: {registry.first_problem(error)}") from error

    def _dataset(self) -> Spec | str:
        if isinstance(self.dataset, (str, Path)) and Path(self.dataset).is_dir():
            return Spec("folder", {"path": str(self.dataset)})
        (written,) = registry.as_text("dataset", [self.dataset])
        return written


def _named(methods: Iterable[Any]) -> dict[str, Any]:
    """By what each is called that was given without a name. UserError for two of one."""
    named: dict[str, Any] = {}
    for given in methods:
        name = _name_of(given)
        if name in named and given != name:
            raise UserError(f"two methods are called '{name}': give names, {{'one': ..., 'other': ...}}")
        named[name] = given
    return named


def _name_of(given: Any) -> str:
    if isinstance(given, Method):
        return str(Spec(type(given).__name__, parse(given.written()).settings))
    return given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)


def _as_method(name: str, given: Any) -> Method | type[Method] | str:
    """What stands for a method in the table of `Benchmark.run`, as one."""
    if isinstance(given, (str, Method)) or (isinstance(given, type) and issubclass(given, Method)):
        return given
    own = re.sub(r"\W+", "_", name).strip("_")
    own = own if own.isidentifier() else ""
    if isinstance(given, nn.Module) or (isinstance(given, type) and issubclass(given, nn.Module)):
        return prior(given, name=own)
    if not (inspect.isfunction(given) or callable(given)):
        raise UserError(
            f"'{name}' got {given!r}: it takes a method as text, a Method or its class, the class of a network, or a "
            "function"
        )
    return prior(given, name=own) if makes_network(given) else method(given, name=own)
