"""What a plugin may change of the whole process, put back, so that it reaches no other plugin."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from dipbench.rounding import put_rounding, rounding


class Process:
    """The process as a plugin has made it, from one block to the next; at first it is as the first block finds it."""

    def __init__(self) -> None:
        self._own: list[Any] | None = None
        self._infers = False  # whether it is in torch's inference mode, which nothing but a block sets

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Within the block the process is as the plugin left it; after it, as it was before.

        Gradients are kept within the first one, whoever asks for it.
        """
        with torch.inference_mode(self._infers):
            before = _now()
            if self._own is not None:
                _put(self._own, before)
            try:
                yield
            finally:
                self._own, self._infers = _now(), torch.is_inference_mode_enabled()
                _put(before, self._own)


@contextmanager
def apart() -> Iterator[None]:
    """After the block the process is as it was before."""
    with Process().entered():
        yield


def _now() -> list[Any]:
    return [get() for get, _ in _STATE]


def _put(wanted: list[Any], present: list[Any]) -> None:
    for (_, put), value, other in zip(_STATE, wanted, present, strict=True):
        if value != other:
            put(value)


def _flags() -> tuple[bool, ...]:
    cudnn = torch.backends.cudnn
    return cudnn.enabled, cudnn.benchmark, cudnn.deterministic


def _put_flags(flags: tuple[bool, ...]) -> None:
    torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = flags


def _casts() -> dict[str, tuple[bool, torch.dtype]]:
    return {kind: (torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in ("cpu", "cuda")}


def _put_casts(casts: dict[str, tuple[bool, torch.dtype]]) -> None:
    for kind, (enabled, dtype) in casts.items():
        torch.set_autocast_enabled(kind, enabled)
        torch.set_autocast_dtype(kind, dtype)


def _put_device(device: torch.device) -> None:
    # the default is no device, which says CPU; to set one would go through every call of torch from then on
    torch.set_default_device(None if device == torch.device("cpu") else device)


def _put_filters(filters: tuple[Any, ...]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def _put_folder(folder: str) -> None:
    if folder:
        os.chdir(folder)


def _put_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def _put_path(path: list[str]) -> None:
    sys.path[:] = path


_STATE: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_default_device, _put_device),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (_casts, _put_casts),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (rounding, put_rounding),
    (_flags, _put_flags),
    (np.geterr, lambda errors: np.seterr(**errors)),
    (lambda: tuple(warnings.filters), _put_filters),
    (_folder, _put_folder),
    (lambda: dict(os.environ), _put_environment),
    (lambda: list(sys.path), _put_path),
)
