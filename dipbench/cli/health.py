"""What `dipbench doctor` says: versions, devices, instructions, what a fit takes here, the data found, the disk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from dipbench import processor, registry
from dipbench.contract import Prior, Problem, Scene, Task
from dipbench.data.file_set import FileSet
from dipbench.data.weights import Weights
from dipbench.errors import UserError
from dipbench.fit.engines.kernels import why_not
from dipbench.resources import (
    commit,
    device_title,
    instruction_ceiling,
    instruction_sets,
    instructions,
    lacks_bfloat16,
    pick_device,
    usable_cores,
    versions,
)
from dipbench.running.cost import seconds_of
from dipbench.running.forecast import executions_of, side_of
from dipbench.spec import Spec
from dipbench.streams import Streams
from dipbench.suites.suite import read_suite
from dipbench.text import counted

TIMED = "paper/denoising"
"""The suite whose first fit is timed: the paper's network for denoising."""


def health(folder: Path) -> Iterator[str]:
    """Lines of a name and a fact, each as soon as it is known."""
    for name, fact in _facts(folder):
        yield f"{name:14} {fact}"


def _facts(folder: Path) -> Iterator[tuple[str, str]]:
    yield from versions().items()
    yield "commit", commit() or "not a checkout"
    yield from (("device", title) for title in _devices())
    yield "instructions", instructions_title()
    yield "kernels", why_not() or "built: engine lean computes by them"
    yield from (("fit", line) for line in fit_times(pick_device("auto")))
    yield from (("data", f"{name}: {_found(name)}") for name in registry.names("dataset"))
    yield "data", f"weights: {_here(Weights())}"
    yield "free disk", f"{shutil.disk_usage(folder).free / 2**30:.1f} GiB in this folder"


def _devices() -> Iterator[str]:
    yield f"{device_title(torch.device('cpu'))}, {counted(usable_cores(), 'core')} usable"
    for index in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        yield f"cuda:{index} ({device_title(torch.device('cuda', index))}, {memory:.0f} GiB)"
    if not torch.cuda.is_available():
        yield "no CUDA device: fits run on the CPU"


def instructions_title() -> str:
    """Which instructions of the processor act, which others it has, which it lacks, and whether bfloat16 gains."""
    found = instruction_sets()
    acts, ceiling = instructions(), instruction_ceiling()
    lacking = [name for name in processor.SETS if name not in found]
    parts = [f"{acts} acts" + (f" (ONEDNN_MAX_CPU_ISA is {ceiling})" if ceiling else "")]
    if others := [name for name in found if name != acts]:
        parts.append(f"there are also {', '.join(others)}")
    if lacking:
        parts.append(f"not {', '.join(lacking)}")
    if lacks_bfloat16(torch.device("cpu")):
        parts.append("no units for bfloat16 act: bf16 will not be faster")
    return "; ".join(parts)


def fit_times(device: torch.device) -> Iterator[str]:
    """What an iteration takes in each precision, measured now: seconds go by between the lines."""
    suite, side = read_suite(TIMED), side_of(device)
    methods = [entrant.method for entrant in suite.experiments[0].methods]
    spec = next(spec for spec in methods if registry.build("method", spec).fitted)
    prior: Prior = registry.build("method", spec)
    problem = _problem(suite.experiments[0].task, side).to(device)
    yield f"{spec} at {side}x{side} on {device}, measured now:"
    for execution in executions_of(device, "auto", "float32"):
        seconds = seconds_of(prior, problem, execution)
        yield f"  {execution.precision:8} {seconds:.3f} s an iteration (engine {execution.engine})"


def _problem(task: Spec, side: int) -> Problem:
    """On an image of noise, for no file need be here: what is in an image changes no time."""
    posed: Task = registry.build("task", task)
    scene = Scene(torch.rand((3, side, side), generator=Streams(0).torch("image")))
    return posed.degrade(posed.prepare(scene), Streams(0))


def _here(found: FileSet) -> str:
    count = len(found.files())
    return f"{count - found.places()['missing']} of {counted(count, 'file')} here, not verified"


def _found(name: str) -> str:
    try:
        dataset = registry.build("dataset", name)
        if isinstance(dataset, FileSet):
            return _here(dataset)
        return counted(len(dataset.names()), "image")
    except UserError as error:
        return str(error)
