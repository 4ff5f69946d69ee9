"""What is odd about the outputs of a run, in words that stand with its result."""

import pandas as pd

from dipbench.running.trial import Outcome
from dipbench.trace.diverged import diverged_from

_OF_OUTPUTS = ("psnr", "psnr_measurement")  # signals that are numbers where the output is, the first that is recorded


def doubts_of(outcome: Outcome) -> list[str]:
    """A line for each thing that is odd, with the outputs that it is true of."""
    doubts = []
    finite = {output.name: bool(output.image.isfinite().all()) for output in outcome.outputs}
    if gone := [name for name, whole in finite.items() if not whole]:
        at = _diverged_from(outcome.trace)
        since = "" if at is None else f", as of every output from iteration {at + 1} on"
        doubts.append(f"{', '.join(gone)}: some pixels are not finite{since}; the picture shows NaN as black")
    ends = {o.name: (float(o.image.min()), float(o.image.max())) for o in outcome.outputs if finite[o.name]}
    if wide := {name: (low, high) for name, (low, high) in ends.items() if low < -1 or high > 2}:
        low, high = min(low for low, _ in wide.values()), max(high for _, high in wide.values())
        doubts.append(f"{', '.join(wide)}: values from {low:.3g} to {high:.3g}, where black is 0 and white is 1")
    return doubts


def _diverged_from(trace: pd.DataFrame) -> int | None:
    """Unknown where nobody has a truth and nothing that is a picture was measured, and of a single estimate."""
    known = [name for name in _OF_OUTPUTS if name in trace and trace[name].notna().any()]
    return diverged_from(trace[known[0]].to_numpy()) if known else None
