"""Whether CUDA rounds the factors of products and convolutions to TF32, which PyTorch has settings of two kinds for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

_NEWER: Any = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn)  # type: ignore[attr-defined]

Rounding = tuple[str | None, bool | None, tuple[str, ...]]
"""The older settings, of products and of convolutions, and the newer ones; None: PyTorch does not tell it."""


def rounding() -> Rounding:
    """How it is set now. PyTorch refuses to tell an older setting where only a newer one was made."""
    convolutions = _told(lambda: torch.backends.cudnn.allow_tf32)
    return _told(torch.get_float32_matmul_precision), convolutions, tuple(place.fp32_precision for place in _NEWER)


def put_rounding(wanted: Rounding) -> None:
    """Sets it as it was when `rounding` told it: the newer settings last, for the older ones write to them."""
    products, convolutions, newer = wanted
    if products is not None:
        torch.set_float32_matmul_precision(products)
    if convolutions is not None:
        torch.backends.cudnn.allow_tf32 = convolutions
    for place, value in zip(_NEWER, newer, strict=True):
        place.fp32_precision = value


@contextmanager
def rounded(tf32: bool) -> Iterator[None]:
    """Within the block CUDA rounds the factors, or does not; by default it does those of convolutions alone.

    By both kinds of settings: where they differ, torch.compile refuses to read them (github:pytorch/pytorch#166387).
    """
    before = rounding()
    put_rounding(("high" if tf32 else "highest", tf32, ("tf32" if tf32 else "ieee",) * len(_NEWER)))
    try:
        yield
    finally:
        put_rounding(before)


def _told(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except RuntimeError:
        return None
