"""What a run used, and what it ran on."""

import contextlib
import os
import platform
import resource
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

import dipbench
from dipbench.errors import UserError

PACKAGES = ("torch", "torchvision", "numpy", "scipy", "pandas", "pyarrow", "scikit-image", "pillow", "piq", "bm3d")
"""The packages whose versions can change a number."""


def pick_device(wanted: str) -> torch.device:
    """The device of that name; `auto` is the first GPU, else the CPU. UserError where it is absent or unknown."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise UserError(f"unknown device '{wanted}': it takes auto, cpu, cuda, cuda:N or mps") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"device '{wanted}' is not there ({torch.cuda.device_count()} CUDA devices): try --device cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("device 'mps' is not there: try --device cpu")
    if device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"device '{wanted}' is of no kind that fits run on: it takes auto, cpu, cuda, cuda:N or mps")
    return device


def device_title(device: torch.device) -> str:
    """What a reader calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({_processor()}, {torch.get_num_threads()} threads)"


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def versions() -> dict[str, str]:
    """The version of Python, of dipbench and of every package of `PACKAGES` that is installed."""
    found = {"python": platform.python_version(), "dipbench": dipbench.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str | None:
    """The git commit of the checkout that dipbench runs from, with `+changes` if it was edited; None: no checkout."""
    root = Path(dipbench.__file__).parent.parent
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changes = subprocess.run(
            [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+changes" if changes else "")


class PeakMemory:
    """Measures the most memory in use within the block: `peak`, in bytes.

    On a GPU what torch allocated there; else the resident memory of the process, of this block alone on Linux and
    since the process began elsewhere.
    """

    def __init__(self, device: torch.device):
        self._device = device
        self.peak = 0

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        elif sys.platform == "linux":
            with contextlib.suppress(OSError):  # not allowed in some containers: the mark is then the process's
                Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark (man 5 proc)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._device.type == "cuda":
            self.peak = torch.cuda.max_memory_allocated(self._device)
        elif sys.platform == "linux":
            status = Path("/proc/self/status").read_text().splitlines()
            self.peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
        else:
            self.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def environment(device: torch.device) -> dict[str, Any]:
    """What a result is recorded with: device, threads, versions, commit."""
    return {
        "device": device_title(device),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "versions": versions(),
        "commit": commit(),
    }
