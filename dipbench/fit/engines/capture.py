"""An iteration as one CUDA graph, so that the host launches it whole."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch

from dipbench.errors import UserError
from dipbench.resources import out_of_gpu_memory

_WARM_UP = 3  # iterations computed plainly first: they make Adam's moments, and cuDNN picks its algorithms


class Captured:
    """Computes an iteration plainly the first few times, then captures it and replays: each call is one, in both ways.

    To be made and called on one stream that is not the default one.
    """

    def __init__(self, generators: Sequence[torch.Generator]):
        self._generators = generators
        self._plain = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, iterate: Callable[[], None]) -> None:
        """One iteration, as `iterate` computes it; always the same one.

        It must write what it computes to memory that stays where it is, and draw from the generators alone. It is not
        kept: a fit that held itself in a circle would hold its memory until Python looks for circles.

        UserError if it cannot be captured.
        """
        if self._plain < _WARM_UP:
            self._plain += 1
            with _waiting_refused() if self._plain == _WARM_UP else nullcontext():
                iterate()
            return
        if self._graph is None:
            self._graph = self._capture(iterate)
        self._graph.replay()

    def _capture(self, iterate: Callable[[], None]) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
                iterate()
        except RuntimeError as error:
            # the end of a capture that failed raises too, and less to the point than what made it fail
            cause = error.__context__ if isinstance(error.__context__, RuntimeError) else error
            if out_of_gpu_memory(cause):
                raise cause from None
            raise _refusal(cause) from error
        return graph


@contextmanager
def _waiting_refused() -> Iterator[None]:
    """Within the block what waits for the device is an error: a plain iteration then tells what a capture would not do.

    And leaves the device as it was, which a capture that failed does not.
    """
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype feature")  # once a process
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    except RuntimeError as error:
        if _WAITED in str(error):
            raise _refusal(error) from error
        raise
    finally:
        torch.cuda.set_sync_debug_mode(before)


_WAITED = "called a synchronizing CUDA operation"  # c10/cuda/CUDAFunctions.cpp


def _refusal(cause: BaseException) -> UserError:
    return UserError(
        f"the iteration cannot be captured as a CUDA graph ({str(cause).splitlines()[0]}): something in the network or "
        "the loss waits for the device, or draws from a generator of its own; mend it, or have the prior or trick say "
        "waits = True, or take engine 'eager'"
    )
