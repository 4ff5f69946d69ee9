"""What a run used, and what it ran on."""

import contextlib
import ctypes
import json
import os
import platform
import resource
import subprocess
import sys
from contextlib import AbstractContextManager
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import torch

from dipbench import processor
from dipbench.errors import UserError
from dipbench.version import __version__

PACKAGES = (
    *("torch", "torchvision", "numpy", "scipy", "pandas", "pyarrow", "scikit-image", "pywavelets"),
    *("pillow", "tifffile", "imagecodecs", "piq", "bm3d"),
    *("deepinv", "ptwt", "kornia"),  # of extras
)
"""The packages whose versions can change a number."""


def pick_device(wanted: str) -> torch.device:
    """The device of that name; `auto` is the first GPU, else the CPU. UserError if it is unknown or not available."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise UserError(f"unknown device '{wanted}': it takes auto, cpu, cuda, cuda:N or mps") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"device '{wanted}' is not available ({torch.cuda.device_count()} CUDA devices): take device 'cpu'"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("device 'mps' is not available: take device 'cpu'")
    if device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"device '{wanted}' cannot run fits: take auto, cpu, cuda, cuda:N or mps")
    return device


def on_stream(stream: torch.cuda.Stream | None) -> AbstractContextManager[object]:
    """Within the block CUDA works on that stream; None: there is none to ask for, as on machines without CUDA.

    `torch.cuda.stream(None)` asks for the current one of the accelerator, which a machine with MPS does not have.
    """
    return contextlib.nullcontext() if stream is None else torch.cuda.stream(stream)


def out_of_gpu_memory(error: BaseException) -> bool:
    """Whether a GPU had no memory left: cuDNN and cuBLAS say so by errors of their own."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    said = str(error)
    return isinstance(error, RuntimeError) and ("CUDA error: out of memory" in said or "_STATUS_ALLOC_FAILED" in said)


class DeviceLost(Exception):
    """A GPU that answers this process no more; a new process can use it."""


def answers(device: torch.device) -> bool:
    """Whether this process can still use the device: after some errors a GPU refuses it everything that comes later.

    So it is after an illegal access, and after the capture of a CUDA graph that failed. Waits for the device.
    """
    if device.type != "cuda":
        return True
    try:
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()  # refused while a capture counts as under way
    except RuntimeError:
        return False
    return True


def device_title(device: torch.device) -> str:
    """What a reader calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({_processor()}, {torch.get_num_threads()} threads)"


def _processor() -> str:
    return processor.model_of(processor.cpuinfo()) or platform.processor() or platform.machine()


def instruction_ceiling() -> str:
    """The set of instructions that the user allows oneDNN at most; empty where nothing is said, which allows all."""
    return os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""


def instruction_sets() -> list[str]:
    """Those of `processor.SETS` that the processor has, best first."""
    if processor.cpuinfo():
        return processor.sets_of(processor.flags_of(processor.cpuinfo()))
    return processor.sets_by_capability(torch.backends.cpu.get_cpu_capability())


def instructions() -> str:
    """The set of instructions by which a fit on the CPU is computed: one of `processor.SETS`, or `other`."""
    return processor.acting(instruction_sets(), instruction_ceiling())


def lacks_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is known to gain nothing: on a CPU whose units for it are absent or kept from oneDNN."""
    flags = processor.flags_of(processor.cpuinfo())
    return device.type == "cpu" and bool(flags) and not processor.multiplies_bfloat16(flags, instruction_ceiling())


_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of mallopt, from glibc's malloc.h


def keep_memory() -> bool:
    """Has this process keep the memory that it frees instead of handing it back to the system; False: it cannot.

    A fit frees and asks again for the same gigabytes at each iteration, and the system clears every page of them each
    time: 30 to 45% of the time of an iteration on a CPU. Only glibc (mallopt, malloc.h) can be told so; there what
    `MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=-1` in the environment would do.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    never = -1  # as an unsigned number the largest there is
    return bool(libc.mallopt(_M_MMAP_MAX, 0)) and bool(libc.mallopt(_M_TRIM_THRESHOLD, never))


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def versions() -> dict[str, str]:
    """The version of Python, of dipbench and of every package of `PACKAGES` that is installed."""
    found = {"python": platform.python_version(), "dipbench": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str | None:
    """The git commit that dipbench is of, with `+changes` if the checkout was edited; None: not known, as of a release.

    Of a checkout, or of a copy that pip installed from one (`pip install git+...`).
    """
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return _installed_commit()
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changes = subprocess.run(
            [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+changes" if changes else "")


def _installed_commit() -> str | None:
    """What pip wrote down of where the package came from (PEP 610)."""
    try:
        found = distribution("dipbench")
    except PackageNotFoundError:
        return None
    origin = found.read_text("direct_url.json")
    if origin is None or Path(str(found.locate_file("dipbench/__init__.py"))) != Path(__file__).with_name(
        "__init__.py"
    ):
        return None
    commit: str | None = json.loads(origin).get("vcs_info", {}).get("commit_id")
    return commit


class PeakMemory:
    """Measures the most memory in use since it was made: `peak`, in bytes, and at least `known`.

    On a GPU what torch reserved there, with the memory that a CUDA graph keeps for itself; else the resident memory of
    the process, with all that it has loaded: since then on Linux, without what earlier runs freed, and since the
    process began elsewhere. In both cases for all that the process does.
    """

    def __init__(self, device: torch.device):
        self._device = device
        self.known = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        elif sys.platform == "linux":
            _give_back()
            with contextlib.suppress(OSError):  # not allowed in some containers: the mark is then the process's
                Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark (man 5 proc)

    @property
    def peak(self) -> int:
        """Bytes."""
        return max(self.known, self._measured())

    def _measured(self) -> int:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_reserved(self._device)
        if sys.platform == "linux":
            return _status("VmHWM")
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def process_memory(device: torch.device) -> int:
    """Bytes that this process takes already and that `PeakMemory` counts on that device: none on a GPU."""
    if device.type == "cuda":
        return 0
    if sys.platform != "linux":
        return PeakMemory(device).peak
    _give_back()
    return _status("VmRSS")


def _give_back() -> None:
    """Hands the system what this process has freed and keeps: see `keep_memory`. Elsewhere than in glibc it stays."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _status(field: str) -> int:
    """Bytes, of a field of /proc/self/status (man 5 proc)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def environment(device: torch.device) -> dict[str, Any]:
    """What a result is recorded with: device, on a CPU the instructions that act, threads, versions, commit."""
    return {
        "device": device_title(device),
        **({"instructions": instructions()} if device.type == "cpu" else {}),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "versions": versions(),
        "commit": commit(),
    }
