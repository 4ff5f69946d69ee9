"""Rules on gradient descent in a linear model, whose every number has a closed form.

Heckel and Soltanolkotabi, arXiv:1910.14634: with eigenvalues l_i the fit of y is y_i (1 - (1 - l_i)^t) in mode i. An
image lies on the modes of large l, noise on all alike; the fit takes in the image first, and is best somewhere between.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Self

import numpy as np
import pytest
from scripted import judged

from dipbench import registry
from dipbench.contract import Nomination

MODES, SIGMA, WINDOW = 65536, 25 / 255, 100
SPECTRA = [(0.8, 1.0, 0.15), (1.0, 1.0, 0.6), (1.2, 1.2, 0.5)]
"""Eigenvalues step * i^-a, coefficients proportional to i^-b with a root mean square of 0.5: (a, b, step)."""


@dataclass(frozen=True)
class Course:
    """The modes of a fit of y, and what is to be known of it after each iteration, (n,)."""

    rates: np.ndarray
    x: np.ndarray
    y: np.ndarray
    other: np.ndarray  # what it is validated on

    @classmethod
    def of(cls, a: float, b: float, step: float) -> Self:
        index = np.arange(1.0, MODES + 1)
        x = index**-b
        x *= 0.5 * np.sqrt(MODES / np.square(x).sum())
        noise = np.random.default_rng(0).normal(scale=SIGMA, size=(2, MODES))
        return cls(step * index**-a, x, x + noise[0], x + noise[1])

    def split(self, a: float, error: float = 0.0) -> Self:
        """Of y alone, as `split_noise` makes two of it."""
        w = (1 + error) * np.random.default_rng(1).normal(scale=SIGMA, size=MODES)
        return replace(self, y=self.y + a * w, other=self.y - w / a)

    def signals(self, iterations: int) -> dict[str, np.ndarray]:
        """By the sums over the modes of g = (1 - l)^t and of g^2, with weights that do not change."""
        r = 1 - self.rates
        scatter = np.var(r ** np.arange(WINDOW)[:, None], axis=0)
        once = np.stack([np.ones(MODES), self.y * (self.y - self.x), self.y * (self.y - self.other)])
        twice = np.stack([self.y**2, self.y**2 * scatter])
        g, sums = np.ones(MODES), []
        for _ in range(iterations):
            sums.append(np.concatenate([once @ g, twice @ g**2]) / MODES)
            g *= r
        left, to_x, to_other, misfit, variance = np.array(sums).T
        return {
            "error": np.mean((self.y - self.x) ** 2) - 2 * to_x + misfit,
            "validation": np.mean((self.y - self.other) ** 2) - 2 * to_other + misfit,
            "residual": misfit / SIGMA**2,
            "sure": misfit - SIGMA**2 + 2 * SIGMA**2 * (1 - left),
            "variance": np.concatenate([np.full(WINDOW - 1, np.nan), variance])[:iterations],
        }


@cache
def fitted(spectrum: int) -> tuple[Course, dict[str, np.ndarray], int]:
    """The course, its signals, and the oracle: the iteration of least error."""
    course = Course.of(*SPECTRA[spectrum])
    signals = course.signals(2500)
    return course, signals, int(signals["error"].argmin())


def decibels(error: float) -> float:
    return -10 * float(np.log10(error))


def nominated(text: str, signals: dict[str, np.ndarray]) -> int:
    rule = registry.build("rule", text)
    said = judged(rule, signals[rule.reads[0].partition("[")[0]])
    assert said.iteration is not None
    return int(said.iteration)


def loss(text: str, spectrum: int) -> float:
    """How far below the oracle the output is that a rule nominates, dB."""
    _, signals, best = fitted(spectrum)
    return decibels(signals["error"][best]) - decibels(signals["error"][nominated(text, signals)])


def test_the_sums_are_those_of_the_modes() -> None:
    """Against the outputs themselves."""
    course = Course.of(*SPECTRA[0])
    signals = course.signals(WINDOW + 20)
    outputs = course.y * (1 - (1 - course.rates) ** np.arange(WINDOW + 20)[:, None])
    for name, target, scale in (
        ("error", course.x, 1),
        ("validation", course.other, 1),
        ("residual", course.y, SIGMA**2),
    ):
        assert signals[name][[0, 7, 60]] == pytest.approx(np.mean((outputs[[0, 7, 60]] - target) ** 2, axis=1) / scale)
    expected = [np.var(outputs[end - WINDOW : end], axis=0).mean() for end in (WINDOW, WINDOW + 11)]
    assert signals["variance"][[WINDOW - 1, WINDOW + 10]] == pytest.approx(expected)
    assert np.isnan(signals["variance"][: WINDOW - 1]).all()


@pytest.mark.parametrize("spectrum", range(len(SPECTRA)))
def test_risk_estimate_and_second_copy_find_the_oracle(spectrum: int) -> None:
    best = fitted(spectrum)[2]
    assert 300 < best < 1500, "the peak lies within the fit"
    assert 0 <= loss("sure", spectrum) < 0.05
    assert 0 <= loss("validation", spectrum) < 0.05


@pytest.mark.parametrize("spectrum", range(len(SPECTRA)))
def test_discrepancy_stops_too_early(spectrum: int) -> None:
    """The misfit is almost flat where the output is best, and by then below the energy of the noise."""
    _, signals, best = fitted(spectrum)
    assert 0.85 < signals["residual"][best] < 1
    assert nominated("discrepancy", signals) < best / 1.5
    assert 2 < loss("discrepancy", spectrum) < 3.5


@pytest.mark.parametrize("spectrum", range(len(SPECTRA)))
def test_windowed_variance_only_falls(spectrum: int) -> None:
    """Each mode's variance falls by the same factor each iteration: what ES-WMV finds in a fit is not linear."""
    variance = fitted(spectrum)[1]["variance"].astype(np.float32)
    assert (np.diff(variance[WINDOW - 1 :]) < 0).all()
    assert judged(registry.build("rule", "wmv"), variance) == Nomination(len(variance) - 1)


@pytest.mark.parametrize("spectrum", range(len(SPECTRA)))
@pytest.mark.parametrize(("a", "price"), [(0.2, 0.1), (0.3, 0.2)])
def test_split_noise_costs_little(spectrum: int, a: float, price: float) -> None:
    """The noise that is added, `price`, and the choice, against the oracle of the fit to all of the measurement."""
    course, signals, best = fitted(spectrum)
    split = course.split(a).signals(2500)
    assert decibels(signals["error"][best]) - decibels(split["error"].min()) == pytest.approx(price, abs=0.05)
    lost = decibels(signals["error"][best]) - decibels(split["error"][nominated("validation", split)])
    assert 0 < lost < 0.35 < loss("discrepancy", spectrum)


def test_split_noise_bears_a_noise_level_that_is_too_large() -> None:
    """10% too large: the discrepancy rule stops when it has hardly begun."""
    course, signals, best = fitted(1)
    split = course.split(0.3, error=0.1).signals(2500)
    at_split = decibels(signals["error"][best]) - decibels(split["error"][nominated("validation", split)])
    mistaken = {**signals, "residual": signals["residual"] / 1.1**2}
    early = nominated("discrepancy[error=0.1]", mistaken)
    assert at_split < 1
    assert decibels(signals["error"][best]) - decibels(signals["error"][early]) > 5
