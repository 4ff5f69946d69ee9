"""dipbench: the benchmark of Deep Image Prior and of every untrained image prior after it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dipbench.version import __version__

if TYPE_CHECKING:
    from dipbench.api import check as check
    from dipbench.api import compare as compare
    from dipbench.api import leaderboard as leaderboard
    from dipbench.api import load as load
    from dipbench.api import prior as prior
    from dipbench.api import restore as restore
    from dipbench.api import run as run
    from dipbench.api import score as score

# In a checkout methods/ and datasets/ lie beside this package, in an installed copy inside it: look in both places.
if (Path(__file__).parent.parent / "methods").is_dir():
    __path__.append(str(Path(__file__).parent.parent))

__all__ = ["__version__", "check", "compare", "leaderboard", "load", "prior", "restore", "run", "score"]


def __getattr__(name: str) -> Any:
    """`dipbench.run` and the others, imported when asked for: torch takes seconds to load."""
    if name in __all__:
        from dipbench import api

        return getattr(api, name)
    raise AttributeError(f"module 'dipbench' has no attribute '{name}'")
