"""A device beside the CPU on every machine: its tensors are on the CPU, say that they are elsewhere, and are looked at.

As on a GPU no operation takes tensors of both, but for a single number of the CPU's; and what is read from it, or
brought to it, is waited for. Torch's own device `meta` tells little of that: it has no numbers to read, and there
convolutions and products take tensors of both.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from dipbench.errors import place_in
from dipbench.streams import Streams

DEVICE = torch.device("meta")
"""What it is called: of torch's devices the one that is known to autograd without a driver."""

_aten = torch.ops.aten
_MOVES = (_aten._to_copy.default, _aten.copy_.default)
_INDEXING = (_aten.index.Tensor, _aten.index_put.default, _aten.index_put_.default)
_JOINS = (_aten.cat.default, _aten.stack.default)
_SOLVERS = (  # which ask the device how it went
    _aten._linalg_svd.default,
    _aten._linalg_eigh.default,
    _aten.linalg_eig.default,
    _aten._linalg_eigvals.default,
    _aten._linalg_check_errors.default,
)
_FOLLOWS_VALUES = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""Of an operation that gives a number to Python, or a tensor of a size that is known by the values alone."""


@contextmanager
def another_device() -> Iterator["Watched"]:
    """Within the block tensors can be made there and moved there. Gives what was seen of it.

    RuntimeError, in the block, where tensors of both devices come together or where the generator is of the other one.
    """
    watched = Watched()
    with _autocast_takes_it(), _Constants(), _Operations(watched):
        yield watched


@dataclass
class Watched:
    """What was seen of the device."""

    waits: list[str] = field(default_factory=list)  # what was waited for, in words with the line of code
    seeds: set[int] = field(default_factory=set)  # of the generators that are there

    def streams(self) -> Streams:
        """Streams whose generators can be there."""
        return _StreamsThere(0, seeds=self.seeds)

    def waited(self, what: str) -> None:
        frames = [frame for frame in traceback.extract_stack() if frame.filename != __file__]
        checks = [number for number, frame in enumerate(frames) if Path(frame.filename).parent == Path(__file__).parent]
        within = frames[max(checks, default=-1) + 1 :]  # the plugin, and what it calls
        self.waits.append(f"{what} ({place_in(traceback.StackSummary.from_list(within))})")


@dataclass(frozen=True)
class _StreamsThere(Streams):
    """Torch has no generator of such a device: one of the CPU stands for it, and is known by its seed."""

    seeds: set[int] = field(default_factory=set, compare=False)

    def torch(self, name: str, device: torch.device | str = "cpu") -> torch.Generator:
        if torch.device(device) != DEVICE:
            return super().torch(name, device)
        generator = super().torch(f"{name} on another device")
        self.seeds.add(generator.initial_seed())
        return generator


class _There(Tensor):
    """A tensor on that device. Its numbers are those of another one, on the CPU."""

    values_here: Tensor
    is_meta = False
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, inner: Tensor) -> "_There":
        dense = inner.layout in (torch.strided, torch.sparse_coo)
        made: _There = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride() if dense else None,
            storage_offset=inner.storage_offset() if inner.layout == torch.strided else None,
            dtype=inner.dtype,
            layout=inner.layout,
            device=DEVICE,
        )
        made.values_here = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        return _computed(func, args, kwargs or {}, Watched())  # after the block

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        """By this and the next torch takes it for one that `nn.Module.to` puts in the place of a parameter."""
        return ["values_here"], None

    @staticmethod
    def __tensor_unflatten__(tensors: dict[str, Tensor], _: None, *sizes: object) -> "_There":
        return _There(tensors["values_here"])

    @property
    def data(self) -> Tensor:
        return self.detach()

    @data.setter
    def data(self, other: Any) -> None:
        Tensor.data.__set__(self, other)  # type: ignore[attr-defined]
        self.values_here = other.values_here

    def new_tensor(self, data: Any, **given: Any) -> Tensor:  # type: ignore[override]
        return torch.tensor(data, **{"dtype": self.dtype, "device": self.device, **given})

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def __format__(self, spec: str) -> str:
        return self.cpu().__format__(spec)

    def numpy(self, **_: Any) -> Any:
        raise TypeError("NumPy takes no tensor of another device: it takes one of the CPU, by .cpu()")

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.numpy()


@contextmanager
def _autocast_takes_it() -> Iterator[None]:
    """Within the block `torch.autocast` of that device, which torch would refuse, casts nothing there."""
    before = torch.autocast.__init__

    def made(self: torch.autocast, device_type: str, *given: Any, **more: Any) -> None:
        before(self, "cpu" if device_type == DEVICE.type else device_type, *given, **more)

    torch.autocast.__init__ = made  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.autocast.__init__ = before  # type: ignore[method-assign]


class _Constants(TorchFunctionMode):
    """Has numbers of Python's made on the CPU and moved: torch would leave out the numbers on a device of that name."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        device = kwargs.get("device")
        if func in (torch.tensor, torch.as_tensor, torch.asarray) and device and torch.device(device) == DEVICE:
            return func(*args, **{**kwargs, "device": None}).to(DEVICE)
        return func(*args, **kwargs)


class _Operations(TorchDispatchMode):
    """Computes what has to do with the device."""

    def __init__(self, watched: Watched):
        super().__init__()  # type: ignore[no-untyped-call]
        self._watched = watched

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {}, self._watched)


def _computed(func: Any, args: Any, kwargs: dict[str, Any], watched: Watched) -> Any:
    """What an operation makes, there or on the CPU."""
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    device = kwargs.get("device")
    goes_there = device.type == DEVICE.type if device else any(isinstance(each, _There) for each in tensors)
    if func in _MOVES:
        came_there = isinstance(args[-1] if func is _aten.copy_.default else args[0], _There)
        goes_there = isinstance(args[0], _There) if func is _aten.copy_.default else goes_there
        if came_there != goes_there:
            watched.waited("a tensor is brought to it" if goes_there else "a tensor is brought from it to the CPU")
    elif any(isinstance(each, _There) for each in tensors):
        _refuse_both(func, args, kwargs, tensors)
        if _reads_values(func, args):
            watched.waited(f"{func.overloadpacket.__name__} reads from it")
    if goes_there and (generator := kwargs.get("generator")) and generator.initial_seed() not in watched.seeds:
        raise RuntimeError("its generator is on the CPU: it takes one of the device of what is drawn")
    if torch.Tag.inplace_view in func.tags:
        with no_dispatch():  # the shape alone
            func(*args, **kwargs)
    if device:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    outer = {id(each.values_here): each for each in tensors if isinstance(each, _There)}
    made = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))
    return tree_map(lambda each: outer.get(id(each), _placed(each)) if goes_there else each, made)


def _placed(made: Any) -> Any:
    return _There(made) if isinstance(made, Tensor) else made


def _inner(given: Any) -> Any:
    if isinstance(given, _There):
        return given.values_here
    if isinstance(given, Tensor) and given.is_meta:  # of torch's own functions in Python: see `_Constants`
        return torch.zeros_like(given, device="cpu")
    return given


def _refuse_both(func: Any, args: Any, kwargs: Any, tensors: list[Tensor]) -> None:
    """RuntimeError where a tensor of the CPU is among them that a GPU would not take beside its own."""
    free: list[Tensor] = tree_leaves(args[1]) if func in _INDEXING else []
    written = [
        given
        for given, argument in zip(args, func._schema.arguments, strict=False)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    for each in tensors:
        here = not isinstance(each, _There) and not each.is_meta and all(each is not index for index in free)
        if here and (each.ndim or func in _JOINS or any(each is other for other in written)):
            raise RuntimeError(
                f"{func.overloadpacket.__name__} was given a tensor of shape {tuple(each.shape)} on the CPU beside "
                "those of another device"
            )


def _reads_values(func: Any, args: Any) -> bool:
    if func not in _INDEXING:
        return func in _SOLVERS or bool(_FOLLOWS_VALUES.intersection(func.tags))
    indices = [each for each in tree_leaves(args[1]) if isinstance(each, Tensor)]
    filled = len(args) > 2 and args[2].numel() == 1  # as masked_fill, which asks for no positions
    return any(not isinstance(each, _There) or (each.dtype == torch.bool and not filled) for each in indices)
