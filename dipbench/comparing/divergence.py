"""Which fits diverged: their last outputs are no numbers, so that nothing tells what they would have lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Divergence:
    """The fits of a method in an experiment that diverged."""

    experiment: str
    method: str
    at: tuple[int, ...]  # of each, the iteration from which on no output is a number, from 0
    fits: int  # of the method, those that did not diverge included

    def __str__(self) -> str:
        return said_of_divergence(len(self.at), self.fits, self.at)


def said_of_divergence(count: int, of: int, at: Sequence[int]) -> str:
    """`diverged in 1 of 3 fits (at iteration 2)`; `at` are iterations from 0, as far as they are known."""
    first, last = (min(at) + 1, max(at) + 1) if at else (0, 0)
    when = f"iteration {first}" if first == last else f"iterations {first} to {last}"
    return f"diverged in {count} of {of} {'fits' if at else 'runs'}" + (f" (at {when})" if at else "")


def with_last_finite(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """What to say of runs that are compared by their last finite output, a line a label: see `comparing.scores`."""
    gone = {label: of_one[of_one["diverged"]] for label, of_one in rows.items() if "diverged" in of_one}
    at = {label: runs["diverged_at"].dropna().astype(int).tolist() for label, runs in gone.items()}
    return [
        f"{label} {said_of_divergence(len(runs), len(rows[label]), at[label])}: there its last finite output counts."
        for label, runs in gone.items()
        if len(runs)
    ]
