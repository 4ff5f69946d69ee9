"""What the choice of an iteration is worth, on the page: a line a way to choose, a column a method."""

from collections.abc import Mapping, Sequence

import pandas as pd

from dipbench.comparing.chosen import BEST, ORACLES, agreement, below_the_best, means_by_image
from dipbench.comparing.statistics import half_interval
from dipbench.report.formats import DASH
from dipbench.report.markup import markdown_table

NOTE = (
    "PSNR in dB, means over images and seeds. The best iterate and the best average are chosen with the ground truth: "
    "no method has them. What is fixed on other images is the iteration at which the mean curve of a method's fits of "
    "all other images is highest. How far a way is below the best iterate is a mean over images with its 95% interval "
    "(t); tau is Kendall's, of the methods' order by that way and by the best iterate, 1 where they agree, with an "
    "interval from 2000 draws of the images."
)


def table_of(choices: pd.DataFrame) -> list[list[str]]:
    """Heads and lines, a way to choose each, the best iterate first; none of one method or image.

    `choices` is the part of an experiment of the table of `comparing.chosen`.
    """
    methods = _methods(choices)
    if len(methods) < 2 or choices["image"].nunique() < 2:
        return []
    means = {str(way): means_by_image(choices, way) for way in choices["way"].unique()}
    below = {way: below_the_best(means[BEST], of_way) for way, of_way in means.items()}
    order = pd.Series({way: of_way.mean() for way, of_way in below.items()}).sort_values(kind="stable").index
    ways = [BEST, *(way for way in order if way != BEST)]
    heads = ["iteration", *methods, "below the best", "order as by the best, tau"]
    return [heads, *(_line(way, means, below[way], methods) for way in ways)]


def _methods(choices: pd.DataFrame) -> list[str]:
    return list(choices["method"].unique())


def _line(way: str, means: Mapping[str, pd.DataFrame], below: pd.Series, methods: Sequence[str]) -> list[str]:
    of_method = means[way].mean()
    told = [f"{of_method[method]:.2f}" if method in of_method else DASH for method in methods]
    if way == BEST:
        return [f"{way} (oracle)", *told, DASH, DASH]
    tau = agreement(means[BEST], means[way])
    order = f"{tau[0]:.2f} [{tau[1]:.2f}, {tau[2]:.2f}]" if tau else DASH
    name = f"{way} (oracle)" if way in ORACLES else way
    lost = f"{below.mean():.2f} ± {half_interval(below):.2f}" if below.notna().all() else DASH  # no method has all
    return [name, *told, lost, order]


def as_markdown(choices: pd.DataFrame) -> str:
    """The table with its note; empty where there is none."""
    if not (lines := table_of(choices)):
        return ""
    return "\n".join([*markdown_table(lines[0], lines[1:]), "", NOTE, ""])
