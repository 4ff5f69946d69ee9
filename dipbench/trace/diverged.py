"""When a fit diverged: from which iteration on none of its outputs is a number."""

import numpy as np


def diverged_from(psnr: np.ndarray) -> int | None:
    """The iteration, from 0, from which on no PSNR of a trace (iterations,) is a number; None: the last one is."""
    known = np.flatnonzero(psnr > -np.inf)  # which NaN is not either
    first = int(known[-1]) + 1 if len(known) else 0
    return first if first < len(psnr) else None
