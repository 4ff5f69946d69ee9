"""Numbers whose means may stand side by side: of methods on the same images and seeds."""

from collections import defaultdict

import numpy as np
import pandas as pd

from dipbench.comparing.scores import compared_on
from dipbench.comparing.shared import most_shared, there_of


def side_by_side(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows of the methods and measurements that a leaderboard would take, and what to say of the others.

    Of rows of the table of results, each of which counts: see `most_shared`.
    """
    there = there_of(rows)
    methods, measurements, _ = most_shared(there)
    kept = rows[rows["method"].isin(methods) & rows["measurement"].isin(measurements)]
    remarks = []
    some = there.loc[there[methods].any(axis=1), methods]
    if len(measurements) < len(some):
        remarks.append(compared_on(len(measurements), len(some), dict((~some).sum()), defaultdict(str)))
    has = there[there.index.get_level_values("measurement").isin(measurements)].drop(columns=methods).sum()
    if len(has):
        said = ", ".join(f"{method} (has {count})" for method, count in has.items())
        remarks.append(
            f"Left out, because they lack some of the {len(measurements)} measurements (image and seed) that the "
            f"others share: {said}."
        )
    return kept, remarks


def means_by_image(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The mean PSNR in dB over the seeds, and how many those are; and what to say of what is not there.

    With the columns `method`, `output`, `image`, `psnr`, `seeds`. Every output of every method is of the same images
    and seeds. A run counts if each of its outputs has a PSNR that is finite; an output counts if each of these runs has
    it. Of rows of the table of results under one protocol.
    """
    finite = np.isfinite(rows["psnr"]).groupby([rows["method"], rows["run"]]).transform("all").astype(bool)
    kept, remarks = side_by_side(rows[finite])
    runs = kept.groupby(["method", "output"])["measurement"].transform("nunique")
    of_all = kept[runs == kept["measurement"].nunique()]
    by_image = of_all.groupby(["method", "output", "image"], sort=False)
    return by_image.agg(psnr=("psnr", "mean"), seeds=("seed", "nunique")).reset_index(), remarks
