"""The baseline that detectors of overfitting must beat: the iteration to stop at, told by what is seen beforehand.

A line through the logarithms of the noise level, of the gradient energy of the measurement and of the size, fitted by
least squares to the peaks of the fits of other images, one image left out at a time. It looks at no trace of the image
that it stops; what it learnt from has a truth.
"""

from collections.abc import Mapping, Sequence
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
    fits = [fit for fit in fits if _has_picture(store, fit)]  # of what is no picture there is no gradient
    of_problem = {fit.result.run.measurement_key: fit for fit in fits}
    features = {key: _features(store, fit) for key, fit in of_problem.items()}
    rows = []
    for fit in fits:
        others = [other for other in fits if _alike(fit, other) and other.planned.image != fit.planned.image]
        if len({other.planned.image for other in others}) >= _FEWEST:
            rows.append(row_of(fit, NAME, _predicted(fit, others, features)))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _alike(fit: Fitted, other: Fitted) -> bool:
    tasks = (fit.result.run.task["name"], other.result.run.task["name"])
    return fit.planned.label == other.planned.label and tasks[0] == tasks[1]


def _predicted(fit: Fitted, others: Sequence[Fitted], features: Mapping[str, np.ndarray]) -> Nomination:
    peaks = np.log([1 + int(other.trace["psnr"].argmax()) for other in others])
    known = np.array([features[other.result.run.measurement_key] for other in others])
    varies = known.std(axis=0) > 1e-9  # of one noise level and size only the gradient energy tells images apart
    varies[0] = True
    coefficients = np.linalg.lstsq(known[:, varies], peaks, rcond=None)[0]
    at = int(np.exp(np.clip(features[fit.result.run.measurement_key][varies] @ coefficients, 0, 20))) - 1
    at = max(at, 0)
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
