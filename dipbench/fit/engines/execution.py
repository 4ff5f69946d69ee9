"""How a fit is computed: by which engine, in which precision. Neither changes what is fitted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

import torch

from dipbench.errors import UserError, unknown
from dipbench.rounding import rounded


@dataclass(frozen=True)
class Engine:
    """A way to have an iteration computed."""

    title: str
    lean: bool = False  # channels-last, fused Adam, and no bias that batch norm removes
    joins: bool = False  # on a CPU batch norm, LeakyReLU, concatenation and padding are one operator
    compiles: bool = False  # the network goes through torch.compile
    captures: bool = False  # a whole iteration is one CUDA graph: forward, backward, scoring, optimiser


ENGINES = {
    "eager": Engine("plain PyTorch, operation by operation: the reference"),
    "lean": Engine("channels-last, a batch norm and the layers around it in one pass", lean=True, joins=True),
    "graph": Engine("an iteration as one CUDA graph", lean=True, captures=True),
    "compiled": Engine("torch.compile, and on a GPU the iteration as one CUDA graph", lean=True, compiles=True),
}
"""Every engine by name."""


@dataclass(frozen=True)
class Precision:
    """The arithmetic of the network. Master weights, optimiser and scores stay in `dtype` or better."""

    title: str
    dtype: torch.dtype = torch.float32  # of the parameters and of the statistics of batch norm
    autocast: torch.dtype | None = None  # of convolutions and activations, where it is another
    tf32: bool = False  # whether the tensor cores of a GPU may round the factors of a product to 10 bits


PRECISIONS = {
    "float64": Precision("double", dtype=torch.float64),
    "float32": Precision("single: the official code's"),
    "tf32": Precision("single, products on tensor cores", tf32=True),
    "bf16": Precision("bfloat16 activations, single weights and statistics", autocast=torch.bfloat16),
}
"""Every precision by name."""


@dataclass(frozen=True)
class Execution:
    """An engine and a precision, by name."""

    engine: str = "eager"
    precision: str = "float32"

    @property
    def how(self) -> Engine:
        """The engine."""
        return ENGINES[self.engine]

    @property
    def arithmetic(self) -> Precision:
        """The precision."""
        return PRECISIONS[self.precision]

    def plain(self) -> Self:
        """The same without a CUDA graph: `graph` computes as `lean` but for that."""
        return replace(self, engine="lean") if self.how.captures else self

    def captures_on(self, device: torch.device) -> bool:
        """Whether a whole iteration is one CUDA graph there."""
        return self.how.captures or (self.how.compiles and device.type == "cuda")

    def layout(self, device: torch.device) -> torch.memory_format:
        """In which order the numbers of images and kernels lie in memory."""
        last = self.how.joins or (self.how.lean and device.type == "cuda")
        return torch.channels_last if last else torch.preserve_format

    @contextmanager
    def within(self, device: torch.device) -> Iterator[None]:
        """The arithmetic of the block, on every device: also float32 is only what it says where TF32 is off."""
        cast = self.arithmetic.autocast
        with (
            rounded(self.arithmetic.tf32),
            _searched_convolutions(self.how.lean),
            torch.autocast(device.type, cast, cast is not None),
        ):
            yield


REFERENCE = Execution()
"""Plain PyTorch in single precision, as the official code computes."""


def pick_execution(device: torch.device, engine: str = "auto", precision: str = "float32") -> Execution:
    """The execution of those names on that device.

    `auto` is `graph` on a CUDA GPU, on a CPU `lean` in bfloat16, else `eager`.

    UserError for an unknown name, and where the device cannot do it.
    """
    if engine == "auto":
        engine = "graph" if device.type == "cuda" else "lean" if _lean_pays(device, precision) else "eager"
    if engine not in ENGINES:
        raise unknown("engine", engine, ["auto", *ENGINES])
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    if ENGINES[engine].captures and device.type != "cuda":
        raise UserError(f"engine '{engine}' is for CUDA GPUs, and the device is '{device}': take engine 'eager'")
    if PRECISIONS[precision].tf32 and device.type != "cuda":
        raise UserError(f"precision '{precision}' is for CUDA GPUs, and the device is '{device}': take float32")
    if ENGINES[engine].compiles and PRECISIONS[precision].autocast and device.type == "cpu":
        raise UserError(
            f"engine '{engine}' in precision '{precision}' is refused on a CPU, where the gradient that torch.compile "
            "makes is not a number (reports/speed): take engine 'eager'"
        )
    if PRECISIONS[precision].dtype == torch.float64 and device.type == "mps":
        raise UserError(f"precision '{precision}' is not available on device '{device}': take float32, or device 'cpu'")
    return Execution(engine, precision)


def _lean_pays(device: torch.device, precision: str) -> bool:
    return device.type == "cpu" and precision == "bf16"


@contextmanager
def _searched_convolutions(searched: bool) -> Iterator[None]:
    """Sets whether cuDNN tries its algorithms at the first convolution of a size and takes the fastest from then on."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = searched
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
