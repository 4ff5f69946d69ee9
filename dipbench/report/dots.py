"""The dots of a line of the main table: every image at its number, with the mean, all lines on one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dipbench.scoring import Metric

WIDTH, _MARGIN, _MIDDLE = 160, 6, 8


@dataclass(frozen=True)
class Dots:
    """What is drawn, in the units of an SVG that is WIDTH wide and 16 high."""

    path: str  # a point an image
    mean: float | None  # its place from the left
    said: str  # to whom does not see it


def dots_of(
    values: Sequence[float | None],
    mean: float | None,
    images: Sequence[str],
    span: tuple[float, float],
    metric: Metric,
) -> Dots | None:
    """The dots of the numbers of the images; `span` is what the width shows. None where no number can be drawn."""
    pairs = zip(values, images, strict=True)
    known = [(value, image) for value, image in pairs if value is not None and math.isfinite(value)]
    if not known:
        return None
    path = "".join(f"M{_place(value, span):g} {_MIDDLE}h0" for value, _ in known)
    lowest, highest = (f"{value:.{metric.digits}f} ({image})" for value, image in (min(known), max(known)))
    said = f"{metric.title} from {lowest} to {highest}" if len(known) > 1 else f"{metric.title} {lowest}"
    return Dots(path, None if mean is None or not math.isfinite(mean) else _place(mean, span), said)


def _place(value: float, span: tuple[float, float]) -> float:
    low, high = span
    return round(_MARGIN + (WIDTH - 2 * _MARGIN) * (value - low) / (high - low), 1)
