"""An iteration as one CUDA graph, so that the host launches it whole."""

from collections.abc import Callable, Sequence

import torch

from dipbench.errors import UserError

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
        """
        if self._plain < _WARM_UP:
            self._plain += 1
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
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise UserError(
                f"the iteration cannot be captured as a CUDA graph ({str(error).splitlines()[0]}): something in the "
                "network or its penalty waits for the device; mend it, or take --engine eager"
            ) from error
        return graph
