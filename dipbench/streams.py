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
            torch.manual_seed(self.integer(name))
            yield

    def place(self, name: str) -> "Place":
        """The stream `name` for torch's own CPU generator, to go on from one block to the next."""
        return Place(torch.Generator().manual_seed(self.integer(name)).get_state())


class Place:
    """Where torch's own CPU generator goes on within `borrowed`; several of them may take turns."""

    def __init__(self, state: torch.Tensor):
        self.state = state

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Within the block torch's own CPU generator runs from here; after it, on as if nothing was drawn."""
        before = torch.get_rng_state()
        torch.set_rng_state(self.state)
        try:
            yield
        finally:
            self.state = torch.get_rng_state()
            torch.set_rng_state(before)
