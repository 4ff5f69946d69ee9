"""What an object holds, as far as its own code goes: to find the picture that it should not have."""

import functools
import inspect
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dipbench.contract import Plugin

_SMALLEST = 32  # side of a picture, pixels
_NOTHING = 1e-3


def pictures_in_code(plugin: Plugin) -> list[str]:
    """Where the code of a plugin from outside dipbench holds a picture: in a global, what it closes over, an attribute.

    A picture is an array of 1 or 3 channels and at least 32x32 pixels, that varies more than the kernel of a blur.
    """
    if plugin.source() is None:
        return []
    found = {}
    for cls in type(plugin).__mro__:
        if not cls.__module__.startswith(("dipbench.fit", "dipbench.contract", "builtins", "abc")):
            for where, value in _around(cls, cls.__module__, set()):
                found.update({name: tensor for name, tensor in tensors_in(value, where) if _is_picture(tensor)})
    return [f"'{name}' of shape {tuple(tensor.shape)}" for name, tensor in found.items()]


def tensors_in(value: Any, name: str, depth: int = 6, seen: set[int] | None = None) -> Iterator[tuple[str, Tensor]]:
    """Every tensor and every array that an object leads to, with the way: attributes, items, what functions close over.

    Not through classes and modules, and no further than `depth` steps.
    """
    seen = set() if seen is None else seen
    if id(value) in seen or depth < 0 or isinstance(value, (type, types.ModuleType, str, bytes, int, float)):
        return
    seen.add(id(value))
    if isinstance(value, Tensor):
        yield name, value.detach()
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "fiub":
            yield name, torch.from_numpy(np.array(value))
    else:
        for step, inner in _steps(value):
            yield from tensors_in(inner, f"{name}{step}", depth - 1, seen)


def _steps(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", inner) for key, inner in list(value.items()))
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"[{number}]", inner) for number, inner in enumerate(value))
    elif isinstance(value, functools.partial):
        yield from ((".func", value.func), (".args", value.args), (".keywords", value.keywords))
    elif isinstance(value, types.MethodType):
        yield ".__self__", value.__self__
        yield "", value.__func__
    elif isinstance(value, types.FunctionType):
        yield from ((f" closing over {name}", inner) for name, inner in _closed_over(value))
    elif isinstance(value, nn.Module):
        yield from ((f".{name}", tensor) for name, tensor in value.state_dict().items())
    elif is_dataclass(value):
        yield from ((f".{field.name}", getattr(value, field.name)) for field in fields(value))
    elif hasattr(value, "__dict__"):
        yield from ((f".{name}", inner) for name, inner in list(vars(value).items()))


def _around(thing: Any, module: str, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    """What a class holds itself and what its functions take from around them; of its module also what these call."""
    function = inspect.unwrap(thing) if callable(thing) and not inspect.isclass(thing) else None
    if thing in seen or getattr(function or thing, "__module__", "") != module:
        return
    seen.add(thing)
    if isinstance(function, types.FunctionType):
        yield from _closed_over(function)
        inner = {
            name: function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__
        }
    else:
        own = {name: value for name, value in vars(thing).items() if name[:2] != "__" or name == "__init__"}
        inner = {name: getattr(value, "__func__", value) for name, value in own.items()}
    for name, value in inner.items():
        if isinstance(value, (type, types.FunctionType)) or hasattr(value, "__wrapped__"):
            yield from _around(value, module, seen)
        else:
            yield name, value


def _closed_over(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name != "__class__":
            yield name, cell.cell_contents


def _is_picture(tensor: Tensor) -> bool:
    """Whether it is (H, W), (C, H, W), (1, C, H, W) or (H, W, C), of 1 or 3 channels, and no kernel or matrix."""
    if tensor.ndim > 2 and tensor.shape[-1] in (1, 3):
        tensor = tensor.movedim(-1, -3)
    planes = tensor.double().nan_to_num().reshape(-1, *tensor.shape[-2:]) if tensor.ndim > 1 else tensor[None, None]
    if len(planes) not in (1, 3) or min(planes.shape[1:]) < _SMALLEST:
        return False
    if tensor.ndim == 2 and (planes.min() < 0 or planes.count_nonzero() < planes.numel() / 2):
        return False  # a matrix, as of a transform or of resampling
    return not all(_is_kernel(plane) for plane in planes)


def _is_kernel(plane: Tensor) -> bool:
    """Whether it sums up to 1, is a column times a row, or comes once out of nothing, as the kernel of a blur may."""
    size = plane.abs()
    top = divmod(int(size.argmax()), plane.shape[1])
    if not plane[top] or abs(float(plane.sum()) - 1) < _NOTHING:
        return True
    product = plane[:, top[1], None] * plane[None, top[0]] / plane[top]
    if (product - plane).norm() < _NOTHING * plane.norm():
        return True
    border = torch.cat([size[0], size[-1], size[:, 0], size[:, -1]])
    rises_once = size.diff(dim=-1).abs().sum() <= 3 * size.amax(dim=-1).sum()  # up and down again is 2
    is_line = plane.count_nonzero() < plane.numel() / 4
    return bool(border.max() < 0.02 * size[top] and (rises_once or is_line))
