"""What goes wrong in a way the user can mend."""

import difflib
from collections.abc import Iterable


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
