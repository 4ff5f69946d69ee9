"""The baseline that detectors of overfitting must beat: the iteration to stop at, told by what is seen beforehand.

A line through the logarithms of the noise level, of the gradient energy of the measurement and of the size, fitted by
least squares to the peaks of the fits of other images, one image left out at a time. It looks at no trace of the image
that it stops; what it learnt from has a truth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dipbench.comparing.stopping import COLUMNS, Fitted, row_of
from dipbench.contract import Nomination
from dipbench.contract.noise_level import sigma_estimated
from dipbench.images.files import read_image
from dipbench.store.store import Store

NAME = "line (leave one image out)"
_FEWEST = 3  # other images, below which a line is not fitted


def line_stops(store: Store, fits: Sequence[Fitted]) -> pd.DataFrame:
    """What the line says of each fit, with the columns of a table of stops; nothing where too few images are known.

    It is fitted to the fits of other images by the same method, of the same task whatever its settings: to every noise
    level that there is.
    """
    # of what is no picture there is no gradient, and of a fit that was ended no peak
    fits = [fit for fit in fits if not fit.cut and _has_picture(store, fit)]
    of_problem = {fit.result.run.measurement_key: fit for fit in fits}
    features = {key: _features(store, fit) for key, fit in of_problem.items()}
    alike: dict[tuple[str, str], list[Fitted]] = {}
    for fit in fits:
        alike.setdefault((fit.planned.label, fit.result.run.task["name"]), []).append(fit)
    fitted = {name: _Lines(of_method, features) for name, of_method in alike.items()}
    rows = []
    for fit in fits:
        line = fitted[fit.planned.label, fit.result.run.task["name"]].without(fit.planned.image)
        if line is not None:
            rows.append(row_of(fit, NAME, _predicted(fit, line, features)))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


@dataclass(frozen=True)
class _Line:
    """Its coefficients, of the features that vary."""

    varies: np.ndarray
    coefficients: np.ndarray


class _Lines:
    """The lines through the peaks of fits that are alike, each without an image."""

    def __init__(self, fits: Sequence[Fitted], features: Mapping[str, np.ndarray]):
        self._images = np.array([fit.planned.image for fit in fits])
        self._peaks = np.log([1 + fit.peak_at for fit in fits])
        self._features = np.array([features[fit.result.run.measurement_key] for fit in fits])
        self._known: dict[str, _Line | None] = {}

    def without(self, image: str) -> _Line | None:
        """None where too few other images are known."""
        if image not in self._known:
            others = self._images != image
            enough = len(set(self._images[others])) >= _FEWEST
            self._known[image] = _line(self._features[others], self._peaks[others]) if enough else None
        return self._known[image]


def _line(known: np.ndarray, peaks: np.ndarray) -> _Line:
    varies = known.std(axis=0) > 1e-9  # of one noise level and size only the gradient energy tells images apart
    varies[0] = True
    return _Line(varies, np.linalg.lstsq(known[:, varies], peaks, rcond=None)[0])


def _predicted(fit: Fitted, line: _Line, features: Mapping[str, np.ndarray]) -> Nomination:
    own = features[fit.result.run.measurement_key][line.varies]
    at = max(int(np.exp(np.clip(own @ line.coefficients, 0, 20))) - 1, 0)
    return Nomination(at, fired=at) if at < len(fit.trace) else Nomination(len(fit.trace) - 1)


def _has_picture(store: Store, fit: Fitted) -> bool:
    return store.has_problem(fit.result.run.measurement_key) and _picture(store, fit).exists()


def _picture(store: Store, fit: Fitted) -> Path:
    return store.path / "problems" / fit.result.run.measurement_key / "degraded.png"


def _features(store: Store, fit: Fitted) -> np.ndarray:
    """1 and the logarithms of the noise level, estimated, of the mean squared gradient, and of the number of pixels."""
    picture = read_image(_picture(store, fit))
    image, sigma = picture.double().numpy(), sigma_estimated(picture)
    energy = float(np.mean(np.diff(image, axis=1) ** 2) + np.mean(np.diff(image, axis=2) ** 2))
    return np.log([np.e, max(sigma, 1e-4), max(energy, 1e-8), image[0].size])
