"""The rows of a trace on the host, without making the device wait."""

import numpy as np
import torch
from torch import Tensor


class Arrivals:
    """Copies rows (n, columns) from the device as they are written; on a CPU they are there at once."""

    def __init__(self) -> None:
        self._known: list[np.ndarray] = []
        self._under_way: list[tuple[Tensor, torch.cuda.Event | None]] = []
        self._sent = 0  # rows

    def fetch(self, rows: Tensor, wait: bool) -> np.ndarray:
        """The rows that are on the host, as float32. Those of all `rows` that are new are sent there.

        On a GPU the answer is without the new ones, unless it is to `wait` for them. For those that were sent at the
        call before the host waits in any case, so call it more seldom than the host is ahead of the GPU.
        """
        self._take_in()
        if len(rows) > self._sent:
            self._send(rows[self._sent :])
        if wait or not rows.is_cuda:
            self._take_in()
        self._known = [np.concatenate([np.empty((0, rows.shape[1]), np.float32), *self._known])]
        return self._known[0]

    def _send(self, rows: Tensor) -> None:
        event = torch.cuda.Event() if rows.is_cuda else None
        chunk = torch.empty(rows.shape, pin_memory=rows.is_cuda).copy_(rows, non_blocking=True)
        if event:
            event.record()
        self._under_way.append((chunk, event))
        self._sent += len(rows)

    def _take_in(self) -> None:
        for chunk, event in self._under_way:
            if event:
                event.synchronize()
            self._known.append(chunk.numpy().copy())  # so that pinned memory is used again: new one makes a GPU wait
        self._under_way.clear()
