"""One method against another on the same measurements, in numbers and in words."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from dipbench.comparing.intervals import FEWEST_IMAGES, Interval, of_share, over_images
from dipbench.comparing.significance import DECIMALS, LEVEL, images_needed, paired_p
from dipbench.scoring import Metric


def tie_width(metric: Metric) -> float:
    """The difference up to which two methods are equal: ten steps of the last digit shown, 0.1 dB of a PSNR."""
    return float(10.0 ** (1 - metric.digits))


@dataclass(frozen=True, eq=False)
class Pair:
    """How a method differs from a baseline: by its gain, which is positive where it is better."""

    gains: pd.Series  # by image and seed, in the unit of the metric
    metric: Metric
    tie: float  # the largest gain, or loss, that is none

    @classmethod
    def of(cls, scores: pd.Series, baseline: pd.Series, metric: Metric, tie: float) -> "Pair":
        """Of two columns of scores with the same index: `image`, `seed`."""
        sign = 1 if metric.higher_is_better else -1
        return cls(sign * (scores - baseline), metric, tie)

    @cached_property
    def means(self) -> pd.Series:
        """The mean over the seeds of each image."""
        return self.gains.groupby("image", sort=False).mean()

    @property
    def p(self) -> float:
        """Of the test over the images, for this pair alone."""
        return paired_p(self.means)

    def row(self, p: float, p_corrected: float, tests: int) -> dict[str, Any]:
        """Its numbers and its verdict, where it is one of a family of so many tests and `p` is its own."""
        means = self.means
        interval = over_images(means)
        gains, of_image = self.gains.round(DECIMALS), means.round(DECIMALS)  # 24.1 - 24.0 is a little more than 0.1
        won = ((gains > 0) + 0.5 * (gains == 0)).groupby("image", sort=False).mean()
        share = of_share(won)
        std = float(means.std(ddof=1))
        return {
            "images": len(means),
            "pairs": len(self.gains),
            "gain": float(means.mean()),
            **ends("gain", interval),
            "interval": interval.kind if interval else "",
            "std": std,
            "won": float(won.mean()),
            **ends("won", share),
            "wins": int((of_image > self.tie).sum()),
            "ties": int((of_image.abs() <= self.tie).sum()),
            "losses": int((of_image < -self.tie).sum()),
            "p": p,
            "p_holm": p_corrected,
            "images_needed": images_needed(std, self.tie, tests) if len(means) > 1 and self.tie > 0 else None,
            "verdict": self._verdict(interval, std, p_corrected, tests),
        }

    def _verdict(self, interval: Interval | None, std: float, p: float, tests: int) -> str:
        if interval is None:
            return f"cannot tell: an interval takes {FEWEST_IMAGES} images, not {len(self.means)}"
        mean = float(self.means.mean())
        if interval.side > 0 and p <= LEVEL:
            return f"better by {self._with_interval(mean, interval)}"
        if interval.side < 0 and p <= LEVEL:
            return f"worse by {self._with_interval(-mean, interval.negative())}"
        if interval.within(self.tie):
            return f"equal within {self._with_unit(f'{self.tie:g}')}"
        return f"cannot tell: {self._lacking(abs(mean), std, tests) or f'interval and test do not agree, p = {p:.2g}'}"

    def _lacking(self, gain: float, std: float, tests: int) -> str:
        """How many more images it takes to see a gain as large as the tie, and one that is as large as that found."""
        if not self.tie and not round(gain, DECIMALS):
            return "the mean gain is 0, which no number of images shows"
        there, found = len(self.means), self._with_unit(self._digits(gain))
        more = images_needed(std, gain, tests) - there if round(gain, DECIMALS) > self.tie else 0
        if not self.tie:
            return f"{more} more images needed to see {found}" if more > 0 else ""
        lacking = images_needed(std, self.tie, tests) - there
        if lacking <= 0:
            return ""
        text = f"{lacking} more images needed to see {self._with_unit(f'{self.tie:g}')}"
        return f"{text}, {more} if it is {found}" if 0 < more < lacking else text

    def _with_interval(self, value: float, interval: Interval) -> str:
        return self._with_unit(f"{self._digits(value)} [{self._digits(interval.low)}, {self._digits(interval.high)}]")

    def _digits(self, value: float) -> str:
        return f"{value:.{self.metric.digits}f}"

    def _with_unit(self, text: str) -> str:
        return f"{text} {self.metric.unit}".rstrip()


def ends(name: str, interval: Interval | None) -> dict[str, float]:
    """The ends of an interval as two numbers; none are NaN."""
    low, high = (interval.low, interval.high) if interval else (float("nan"), float("nan"))
    return {f"{name}_low": low, f"{name}_high": high}
