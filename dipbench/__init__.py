"""dipbench: the benchmark of Deep Image Prior and of every untrained image prior after it."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dipbench.version import __version__

if TYPE_CHECKING:
    from dipbench.api import check as check
    from dipbench.api import compare as compare
    from dipbench.api import leaderboard as leaderboard
    from dipbench.api import load as load
    from dipbench.api import method as method
    from dipbench.api import prior as prior
    from dipbench.api import restore as restore
    from dipbench.api import restore_to as restore_to
    from dipbench.api import run as run
    from dipbench.api import score as score
    from dipbench.api.benchmark import Benchmark as Benchmark

# In a checkout methods/ and datasets/ lie beside this package, in an installed copy inside it: what lies beside that is
# of other packages.
if not (Path(__file__).parent / "methods").is_dir():
    __path__.append(str(Path(__file__).parent.parent))

_PLACES = {
    **dict.fromkeys(
        ("check", "compare", "leaderboard", "load", "method", "prior", "restore", "restore_to", "run", "score"),
        "dipbench.api",
    ),
    "Benchmark": "dipbench.api.benchmark",
}
"""The module that each name is imported from when it is asked for: torch takes seconds to load."""

__all__ = ["__version__", *_PLACES]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'dipbench' has no attribute '{name}'")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
