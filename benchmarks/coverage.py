"""How often the intervals hold what they say, and how often a method is called better where none is: by simulation.

    python benchmarks/coverage.py

The gain of a method on an image is drawn with a spread over the images, and measured with that of the seeds: normal,
or skewed, as where a method fails on a few images. The true mean is 0. The intervals, tests and verdicts are those of
`dipbench compare`. What it finds is in docs/statistics.md.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from dipbench.comparing.intervals import Interval, over_images, over_seeds, resampled
from dipbench.comparing.significance import LEVEL, MOST_EXACT, fewest_images, holm, images_needed, paired_p
from dipbench.comparing.statistics import half_interval

OVER_IMAGES, OVER_SEEDS = 0.8, 0.15  # spreads, dB: of the released DIP - CBM3D, and usual of a fit
TESTS = (1, 11)  # methods against the baseline
GAIN = 0.8  # dB, where there is one to be found
RATIOS = (0.7, 0.8, 0.9, 1.0, 1.2)  # of the spread over the images to the gain
SPREADS = {"equal": 1.0, "one image 4 times the others": 4.0, "one image 10 times the others": 10.0}
SHAPES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda draw, size: draw.normal(size=size),
    "skewed": lambda draw, size: 1 - draw.exponential(size=size),
}
"""Of the gains over the images: with mean 0 and deviation 1."""


def main(
    images: Annotated[list[int] | None, typer.Option(help="How many images.")] = None,
    seeds: Annotated[list[int] | None, typer.Option(help="How many seeds.")] = None,
    draws: Annotated[int, typer.Option(help="Sets of images that are drawn.")] = 1000,
    out: Annotated[Path, typer.Option(help="Folder for the tables.")] = Path("results/reference/statistics"),
) -> None:
    """Writes coverage.csv, seeds.csv and power.csv."""
    rows = [
        _covered(shape, of_images, of_seeds, draws)
        for shape in SHAPES
        for of_images in images or (5, 6, 9, 12, 24, 40, 70, 100)
        for of_seeds in seeds or (1, 3)
    ]
    _write(pd.DataFrame(rows), out / "coverage.csv")
    _write(_over_seeds(draws), out / "seeds.csv")
    _write(_power(draws), out / "power.csv")


def _write(table: pd.DataFrame, path: Path) -> None:
    table.round(3).to_csv(path, index=False, lineterminator="\n")
    print(table.round(3).to_string(index=False), flush=True)


def _covered(shape: str, images: int, seeds: int, draws: int) -> dict[str, object]:
    """The shares of the intervals that hold the truth, and of the families in which a method is called better.

    The latter not where the test flips signs, which would take hours.
    """
    draw = np.random.default_rng([images, seeds])
    held = dict.fromkeys(("BCa", "Student's t", "other seeds"), 0)
    called = dict.fromkeys(TESTS, 0)
    for _ in range(draws):
        true, gains = _gains(draw, shape, (max(TESTS), images, seeds))
        means = gains.mean(axis=2)
        one, half = means[0], half_interval(means[0])
        held["BCa"] += _holds(resampled(one, "BCa"), 0)
        held["Student's t"] += abs(one.mean()) <= half
        if seeds > 1:
            held["other seeds"] += _holds(over_seeds(_scores(gains[0])), true[0].mean())
        p = [paired_p(of_method) for of_method in means] if images <= MOST_EXACT else []
        for tests in TESTS if p else ():
            called[tests] += any(_called(means[at], p) for at, p in enumerate(holm(p[:tests])))
    shares = {name: count / draws for name, count in held.items()}
    shares["other seeds"] = shares["other seeds"] if seeds > 1 else np.nan
    calls = {
        f"better or worse, {tests} tests": count / draws if images <= MOST_EXACT else np.nan
        for tests, count in called.items()
    }
    return {"shape": shape, "images": images, "seeds": seeds, "draws": draws, **shares, **calls}


def _gains(draw: np.random.Generator, shape: str, size: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The true gain of each method on each image, and what is measured with each seed, in dB."""
    true = OVER_IMAGES * SHAPES[shape](draw, size[:2])
    return true, true[..., None] + OVER_SEEDS * draw.normal(size=size)


def _scores(gains: np.ndarray) -> pd.Series:
    places = pd.MultiIndex.from_product([range(count) for count in gains.shape], names=["image", "seed"])
    return pd.Series(gains.ravel(), places)


def _holds(interval: Interval | None, value: float) -> bool:
    return interval is not None and interval.low <= value <= interval.high


def _called(means: np.ndarray, p: float) -> bool:
    """Whether the verdict is better or worse."""
    return p <= LEVEL and not _holds(over_images(list(means)), 0)


def _over_seeds(draws: int) -> pd.DataFrame:
    """How often the interval for other seeds holds the mean of nine images, where one spreads more than the others."""
    rows = []
    for spread, times in SPREADS.items():
        deviations = np.array([times] + [1.0] * 8)[:, None]
        for seeds in (2, 3, 5):
            draw = np.random.default_rng([9, seeds])
            held = sum(
                _holds(over_seeds(_scores(OVER_SEEDS * deviations * draw.normal(size=(9, seeds)))), 0)
                for _ in range(draws)
            )
            rows.append({"spread": spread, "images": 9, "seeds": seeds, "draws": draws, "other seeds": held / draws})
    return pd.DataFrame(rows)


def _power(draws: int) -> pd.DataFrame:
    """How often a gain is found with as many images as a verdict says it takes, in families of several sizes."""
    rows = []
    for tests in TESTS:
        for ratio in RATIOS:
            spread, images = ratio * GAIN, images_needed(ratio * GAIN, GAIN, tests)
            draw, found = np.random.default_rng([tests, images]), 0
            for _ in range(draws):
                means = spread * draw.normal(size=(tests, images))
                means[0] += GAIN
                found += _called(means[0], holm([paired_p(of_method) for of_method in means])[0])
            facts = {"gain": GAIN, "spread": spread, "tests": tests, "images": images}
            rows.append({**facts, "at least": fewest_images(tests), "draws": draws, "found": found / draws})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    typer.run(main)
