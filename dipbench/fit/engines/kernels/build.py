"""Builds the C++ operators of this folder, once for a machine and a version of PyTorch, and loads them."""

import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch

from dipbench import processor
from dipbench.data.pinned import cache_folder
from dipbench.disk.whole import written

FOLDER = Path(__file__).parent
SOURCES = sorted(FOLDER.glob("*.cpp"))
FLAGS = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp"]


@cache
def kernels() -> Any:
    """The operators, as `torch.ops.dipbench`; None where they are not available, and `why_not` says why."""
    return None if why_not() else torch.ops.dipbench


@cache
def why_not() -> str | None:
    """Why the operators are not available, in words; None: they are, and loaded. The first call builds for 10 s."""
    if os.environ.get("DIPBENCH_KERNELS") == "0":
        return "DIPBENCH_KERNELS is 0"
    built = _cached()
    try:
        if built.is_file():
            torch.ops.load_library(built)
        else:
            _build(built)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else 'no message'}"
    return None


def _cached() -> Path:
    """Where the library of this source, these flags, this PyTorch and this processor is kept."""
    code = [file.read_text(encoding="utf-8") for file in (*SOURCES, *sorted(FOLDER.glob("*.h")))]
    processors = processor.flags_of(processor.cpuinfo()) or [platform.processor()]  # several may share a home folder
    made_of = [*code, *FLAGS, torch.__version__, platform.machine(), *sorted(processors)]
    name = hashlib.sha256("\x1f".join(made_of).encode()).hexdigest()[:16]
    return cache_folder() / "kernels" / f"{name}.so"


def _build(place: Path) -> None:
    """Compiles and loads the library, and keeps it in `place`, whole or not at all: several processes may do so."""
    folder = Path(tempfile.mkdtemp(prefix="dipbench-"))
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it warns where there is no CUDA
    from torch.utils import cpp_extension

    try:
        cpp_extension.load(
            "dipbench_kernels",
            [str(file) for file in SOURCES],
            extra_cflags=FLAGS,
            extra_ldflags=["-fopenmp"],
            build_directory=str(folder),
            is_python_module=False,
        )
        _keep(folder / "dipbench_kernels.so", place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep(library: Path, place: Path) -> None:
    """Copies the library to where the next process finds it; where that cannot be written to, each builds its own."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with written(place) as file:
            file.write_bytes(library.read_bytes())
    except OSError as error:
        logging.getLogger(__name__).debug("kernels are not kept in %s: %s", place, error)
