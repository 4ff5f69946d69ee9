"""Independent random streams, each with a name of its own and derived from the seed of the run.

Whoever draws one number more from one stream shifts no other: the noise on the measurement does not depend on the
method, nor the weights of a network on whether its input jitters.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Streams:
    """A family of streams: the seed, and the path that tells this family from others of the same seed."""

    seed: int
    path: tuple[str, ...] = ()

    def integer(self, name: str) -> int:
        """The 63-bit seed of the stream `name`."""
        text = "\x1f".join([str(self.seed), *self.path, name])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def numpy(self, name: str) -> np.random.Generator:
        """A NumPy generator at the start of the stream `name`."""
        return np.random.default_rng(self.integer(name))

    def torch(self, name: str, device: torch.device | str = "cpu") -> torch.Generator:
        """A torch generator on `device` at the start of the stream `name`."""
        return torch.Generator(device).manual_seed(self.integer(name))

    @contextmanager
    def seeded(self, name: str) -> Iterator[None]:
        """Within the block torch's own CPU generator runs on the stream `name`; after it, on as if nothing was drawn.

        For code that takes no generator, such as the initialisation of torch's layers.
        """
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.integer(name))  # torch.manual_seed would seed those of GPUs too
            yield


class Place:
    """A stream for torch's own generators, of the CPU and of `device`, to go on from one block to the next.

    For code that takes no generator, such as dropout; several places may take turns.
    """

    def __init__(self, rng: Streams, name: str, device: torch.device | str = "cpu"):
        self._host = rng.torch(name).get_state()
        self._gpu = rng.torch(name, device) if torch.device(device).type == "cuda" else None

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Within the block torch's own generators run from here; after it, on as if nothing was drawn."""
        before = torch.get_rng_state()
        torch.set_rng_state(self._host)
        try:
            with self._borrowed_of_gpu():
                yield
        finally:
            self._host = torch.get_rng_state()
            torch.set_rng_state(before)

    @contextmanager
    def _borrowed_of_gpu(self) -> Iterator[None]:
        if self._gpu is None:
            yield
            return
        own = torch.cuda.default_generators[self._gpu.device.index]
        before = own.graphsafe_get_state()
        own.graphsafe_set_state(self._gpu)  # shares the state, as does a graph that is captured within the block
        try:
            yield
        finally:
            own.graphsafe_set_state(before)

    def state(self) -> list[torch.Tensor]:
        """The place, for `load`."""
        return [self._host, *([self._gpu.get_state()] if self._gpu else [])]

    def load(self, state: list[torch.Tensor]) -> None:
        """Goes to where another place of the same device was when it gave `state`."""
        self._host, *gpu = state
        if self._gpu:
            self._gpu.set_state(*gpu)
