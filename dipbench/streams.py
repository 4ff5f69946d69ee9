"""Independent random streams, each with a name of its own and derived from the seed of the run.

Whoever draws one number more from one stream shifts no other: the noise on the measurement does not depend on the
method, nor the weights of a network on whether its input jitters.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch


@dataclass(frozen=True)
class Streams:
    """A family of streams: the seed, and the path that tells this family from others of the same seed."""

    seed: int
    path: tuple[str, ...] = ()
    held: tuple[str, ...] = ()  # streams that are those of seed 0, whatever the seed

    def integer(self, name: str) -> int:
        """The 63-bit seed of the stream `name`."""
        seed = 0 if name in self.held else self.seed
        text = "\x1f".join([str(seed), *self.path, name])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def numpy(self, name: str) -> np.random.Generator:
        """A NumPy generator at the start of the stream `name`."""
        return np.random.default_rng(self.integer(name))

    def torch(self, name: str, device: torch.device | str = "cpu") -> torch.Generator:
        """A torch generator on `device` at the start of the stream `name`."""
        return torch.Generator(device).manual_seed(self.integer(name))

    @contextmanager
    def seeded(self, name: str) -> Iterator[None]:
        """Within the block the host's global generators run on the stream `name`; after it, on as if nothing was drawn.

        For code that takes no generator, such as the initialisation of torch's layers.
        """
        before = _Host.now()
        _Host.at_start(self, name).put()
        try:
            yield
        finally:
            before.put()


@dataclass(frozen=True, eq=False)
class _Host:
    """Where the global generators of torch on the CPU, of NumPy and of Python are.

    NumPy's is exchanged as a whole, which takes no time; what it keeps of a pair of normal numbers is lost with that.
    """

    torch: torch.Tensor
    numpy: Any  # its bit generator, which goes on as it is drawn from
    python: tuple[Any, ...]

    @classmethod
    def now(cls) -> Self:
        numpy = np.random.get_bit_generator()  # type: ignore[attr-defined]  # not among those that NumPy names
        return cls(torch.get_rng_state(), numpy, random.getstate())

    @classmethod
    def at_start(cls, rng: Streams, name: str) -> Self:
        seed = rng.integer(name)
        numpy = np.random.MT19937(np.random.SeedSequence(seed))
        return cls(rng.torch(name).get_state(), numpy, random.Random(seed).getstate())

    def put(self) -> None:
        torch.set_rng_state(self.torch)
        np.random.set_bit_generator(self.numpy)  # type: ignore[attr-defined]
        random.setstate(self.python)

    def state(self) -> list[Any]:
        """As tensors, numbers and texts alone, which a checkpoint takes."""
        inner = self.numpy.state["state"]
        version, words, gauss = self.python
        return [self.torch, torch.from_numpy(inner["key"].astype(np.int64)), inner["pos"], version, [*words], gauss]

    @classmethod
    def of(cls, state: list[Any]) -> Self:
        tensor, key, position, version, words, gauss = state
        numpy = np.random.MT19937()
        numpy.state = {**numpy.state, "state": {"key": key.numpy().astype(np.uint32), "pos": position}}
        return cls(tensor, numpy, (version, tuple(words), gauss))


class Place:
    """A stream for the global generators, of the host and of `device`, to go on from one block to the next.

    Those of the host are torch's, NumPy's and Python's. For code that takes no generator, such as dropout; several
    places may take turns.
    """

    def __init__(self, rng: Streams, name: str, device: torch.device | str = "cpu"):
        self._host = _Host.at_start(rng, name)
        self._gpu = rng.torch(name, device) if torch.device(device).type == "cuda" else None

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Within the block the global generators run from here; after it, on as if nothing was drawn."""
        before = _Host.now()
        self._host.put()
        try:
            with self._borrowed_of_gpu():
                yield
        finally:
            self._host = _Host.now()
            before.put()

    @contextmanager
    def _borrowed_of_gpu(self) -> Iterator[None]:
        if self._gpu is None:
            yield
            return
        index = self._gpu.device.index
        own = torch.cuda.default_generators[torch.cuda.current_device() if index is None else index]
        before = own.graphsafe_get_state()
        own.graphsafe_set_state(self._gpu)  # shares the state, as does a graph that is captured within the block
        try:
            yield
        finally:
            own.graphsafe_set_state(before)

    def state(self) -> list[Any]:
        """The place, for `load`."""
        return [self._host.state(), *([self._gpu.get_state()] if self._gpu else [])]

    def load(self, state: list[Any]) -> None:
        """Goes to where another place of the same device was when it gave `state`."""
        host, *gpu = state
        self._host = _Host.of(host)
        if self._gpu:
            self._gpu.set_state(*gpu)
