"""What goes wrong in a way the user can mend, and what the user is to know."""

import difflib
import multiprocessing
import warnings
from collections.abc import Iterable
from functools import cache


class UserError(Exception):
    """A mistake the user can mend; the message names the thing, what it got, what it takes and the mend.

    The command line prints it as one line and exits with status 2.
    """


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a name that is not among the known ones, with the nearest that is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    mend = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} '{name}': {mend}")


_PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Module -> the package that brings it, where pip knows it by another name."""


def described(error: BaseException) -> str:
    """An error in one line, with how to install what is missing where that is it."""
    words = f"{type(error).__name__}: {error}"
    if not isinstance(error, ModuleNotFoundError) or not error.name or error.name.startswith("dipbench"):
        return words
    module = error.name.partition(".")[0]
    return f"{words}; it needs that package: pip install {_PACKAGES.get(module, module)}"


@cache
def warn_once(words: str, category: type[Warning]) -> None:
    """Warns, but neither again nor in the processes that the program starts: images are read again and again there."""
    if multiprocessing.parent_process() is None:
        warnings.warn(words, category, stacklevel=3)
