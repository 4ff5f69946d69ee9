"""What goes wrong in a way the user can mend, and what the user is to know."""

import difflib
import multiprocessing
import re
import sysconfig
import traceback
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path


class UserError(Exception):
    """A mistake the user can mend; the message names the thing, what it got, what it takes and the mend.

    The command line prints it as one line and exits with status 2.
    """


def unknown(kind: str, name: str, known: Iterable[str], else_: str = "") -> UserError:
    """The error for a name that is not among the known ones, with the one that was meant where one is near.

    `else_` is the mend where none is; empty: the names that are known.
    """
    names = sorted(set(known))
    near = nearest(name, names) or nearest(name.partition("[")[0], names)
    others = else_ or f"known: {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} '{name}': " + (f"did you mean '{near}'?" if near else others))


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of them that was mistyped; empty: none, for noise2void is not noise2self. One letter of three may be.

    A path is also found by the name of what lies there: of `./pkg` and `my/file.py` that is `pkg` and `file`.
    """
    names = list(names)
    spellings = {_spelled(_without_path(each)): each for each in names} | {_spelled(each): each for each in names}
    found = difflib.get_close_matches(_spelled(name), spellings, n=1, cutoff=0.65 if len(name) < 5 else 0.7)
    return spellings[found[0]] if found else ""


def _without_path(name: str) -> str:
    """The path of a plugin without folders and suffix; another name as it is, for suites have slashes of their own."""
    if not re.match(r"\.{0,2}/", name) and not re.search(r"\.py(:\w+)?$", name):
        return name
    return re.sub(r"^.*/|\.py(?=:|$)", "", name)


def _spelled(name: str) -> str:
    """A name for comparison: neither case nor the kind of hyphen tells two apart."""
    return name.casefold().replace("-", "_").replace(" ", "_")


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
    if isinstance(error, UserError):
        return str(error)
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if not isinstance(error, ModuleNotFoundError) or not error.name or error.name.startswith("dipbench"):
        return words
    module, dot, _ = error.name.partition(".")
    if dot:  # Python names the first that is missing, so the package of that module was found
        return f"{words}; package '{module}' is there without it: mend the import, or take another version of it"
    return f"{words}; it needs that package: pip install {_PACKAGES.get(module, module)}"


def located(error: BaseException) -> str:
    """The same, with the last line on its way that no package brought: that is a plugin's, where one had a part in it.

    Of a UserError its words alone, which name what is wrong.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, UserError) or not frames:
        return described(error)
    return f"{described(error)} ({place_in(frames)})"


def is_of_packages(error: BaseException) -> bool:
    """Whether packages brought every line on the way of an error, so that none of them is a plugin's."""
    return not _own(traceback.extract_tb(error.__traceback__))


def place_in(frames: traceback.StackSummary) -> str:
    """The last line of these that no package brought, in words."""
    last = (_own(frames) or frames)[-1]
    return f"{last.name}, line {last.lineno} of {last.filename}"


def _own(frames: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """Those that no package brought, nor Python itself, as of its import."""
    brought = [Path(__file__).parent, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))]
    own = [frame for frame in frames if not any(Path(frame.filename).is_relative_to(folder) for folder in brought)]
    return [frame for frame in own if not frame.filename.startswith("<frozen ")]


@cache
def warn_once(words: str, category: type[Warning]) -> None:
    """Warns, but neither again nor in the processes that the program starts: images are read again and again there."""
    if multiprocessing.parent_process() is None:
        warnings.warn(words, category, stacklevel=3)
