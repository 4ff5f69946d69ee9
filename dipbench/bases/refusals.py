"""Why a method that does one thing cannot take a problem: what methods of a kind say alike."""

from collections.abc import Collection
from importlib.util import find_spec

from dipbench.contract import Problem
from dipbench.operators import Identity


def not_denoising(problem: Problem) -> str | None:
    """Why a method that removes noise cannot take it; None: it is an image of which every pixel was measured."""
    if not isinstance(problem.operator, Identity) or problem.known is not None or problem.counted is not None:
        return "it denoises: it takes an image with noise on it, of which every pixel was measured"
    if problem.task == "fitting":
        return "it denoises: the target of a fit has no noise"
    return None


def not_enlarging(problem: Problem, factors: Collection[int]) -> str | None:
    """Why a method that enlarges by one of `factors` cannot take it; None: it can."""
    if problem.factor == 1:
        return "nothing to enlarge"
    if problem.counted is not None:
        return "it enlarges an image of which every pixel was measured"
    takes = " or ".join(f"x{factor}" for factor in factors)
    if problem.factor not in factors:
        return f"its network enlarges {takes}, and this is x{problem.factor}"
    sides = tuple(side * problem.factor for side in problem.measurement.shape[-2:])
    if sides != problem.shape[1:]:
        return "it enlarges to {}x{}, and {}x{} is sought".format(*sides, *problem.shape[1:])
    return None


def not_guided(problem: Problem, radius: int) -> str | None:
    """Why a filter of kornia that looks at the guide cannot take it; None: it can.

    `radius` is how far its windows reach, in pixels.
    """
    if find_spec("kornia") is None:
        return "the package kornia is not installed: pip install 'dipbench[guided]'"
    if problem.guide is None:
        return "needs a second picture of the scene (a guide), and the task has none"
    if not isinstance(problem.operator, Identity):
        return "it filters images measured as they are"
    return None if min(problem.shape[1:]) > radius else f"needs sides of at least {radius + 1} pixels"
