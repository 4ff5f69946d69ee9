"""The baseline that detectors of overfitting must beat: the iteration to stop at, told by what is seen beforehand.

A line through the logarithms of the noise level, of the gradient energy of the measurement and of the size, fitted by
least squares to the peaks of the fits of other images, one image left out at a time. Of fewer images than three for
each of its coefficients it would go through the peaks and say little of another image: there the geometric mean of the
peaks stands in its place, of the other images of the same experiment. Neither looks at a trace of the image that it
stops; what they learnt from has a truth.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dipbench.comparing.stopping import COLUMNS, Fitted, row_of
from dipbench.contract import Nomination
from dipbench.contract.noise_level import sigma_estimated
from dipbench.images.files import read_image
from dipbench.store.store import Store

LINE, MEAN = "line (leave one image out)", "mean peak of other images"
_FEWEST = 3  # other images, for each coefficient


def line_stops(store: Store, fits: Sequence[Fitted]) -> pd.DataFrame:
    """What the line, or the mean, says of each fit, with the columns of a table of stops; of too few images nothing.

    The line is fitted to the fits of other images by the same method, of the same task whatever its settings: to every
    noise level that there is.
    """
    # of what is no picture there is no gradient, and of a fit that was ended no peak
    fits = [fit for fit in fits if not fit.cut and _has_picture(store, fit)]
    of_problem = {fit.result.run.measurement_key: fit for fit in fits}
    features = {key: _features(store, fit) for key, fit in of_problem.items()}
    alike: dict[tuple[str, str], list[Fitted]] = {}
    for fit in fits:
        alike.setdefault((fit.planned.label, fit.result.run.task["name"]), []).append(fit)
    rows = [row for of_method in alike.values() for row in _rows(of_method, features)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _rows(fits: Sequence[Fitted], features: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Of fits that are alike: by a line through all of them, or by the mean of those of each experiment."""
    known = np.array([features[fit.result.run.measurement_key] for fit in fits])
    varies = known.std(axis=0) > 1e-9  # of one noise level and size only the gradient energy tells images apart
    varies[0] = True
    if _others(fits) >= _FEWEST * varies.sum():
        return _left_out(fits, known[:, varies], LINE)
    experiments: dict[str, list[Fitted]] = {}
    for fit in fits:
        experiments.setdefault(fit.experiment, []).append(fit)
    enough = [of_one for of_one in experiments.values() if _others(of_one) >= _FEWEST]
    return [row for of_one in enough for row in _left_out(of_one, np.ones((len(of_one), 1)), MEAN)]


def _others(fits: Sequence[Fitted]) -> int:
    """How many images there are beside any of them."""
    return len({fit.planned.image for fit in fits}) - 1


def _left_out(fits: Sequence[Fitted], known: np.ndarray, name: str) -> list[dict[str, Any]]:
    """What least squares through the peaks of the other images say, of what is `known`: (fits, coefficients)."""
    images, peaks = np.array([fit.planned.image for fit in fits]), np.log([1 + fit.peak_at for fit in fits])
    coefficients = {
        image: np.linalg.lstsq(known[images != image], peaks[images != image], rcond=None)[0] for image in set(images)
    }
    said = [own @ coefficients[image] for own, image in zip(known, images, strict=True)]
    return [row_of(fit, name, _predicted(fit, log)) for fit, log in zip(fits, said, strict=True)]


def _predicted(fit: Fitted, log: float) -> Nomination:
    at = max(int(np.exp(np.clip(log, 0, 20))) - 1, 0)
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
