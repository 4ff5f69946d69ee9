"""One colour for one method wherever a report draws it, and names that stay apart when they are short."""

import re
from collections.abc import Iterable, Sequence

MOST = 8
"""Methods that have a colour of their own: more cannot be told apart."""

GREY = "#8c8c8c"
"""Of every further method."""

_PALETTE = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#56b4e9", "#b23a48")
"""Seaborn's palette for the colour-blind without its grey and its yellow, which is faint on white, and a red."""

Colours = dict[str, str]
"""A method's label -> #rrggbb."""


def colours_of(methods: Iterable[str]) -> Colours:
    """The first methods get a colour each, the others are grey."""
    labels = list(dict.fromkeys(methods))
    return {label: _PALETTE[place] if place < MOST else GREY for place, label in enumerate(labels)}


def coloured(methods: Iterable[str], colours: Colours) -> list[str]:
    """Those of the methods that have a colour of their own."""
    return [method for method in methods if colours[method] != GREY]


def short_names(labels: Sequence[str], most: int = 24) -> dict[str, str]:
    """A name for each label, at most about `most` characters long, no two alike.

    Of `name[key=value,...]` the settings are left out that all labels of that name share.
    """
    shorter = {label: _told_apart(label, labels) for label in labels}
    for length in range(most, max(map(len, shorter.values()), default=0) + 1):
        cut = {label: within(name, length) for label, name in shorter.items()}
        if len(set(cut.values())) == len(set(labels)):
            return cut
    return shorter if len(set(shorter.values())) == len(set(labels)) else {label: label for label in labels}


def _told_apart(label: str, labels: Sequence[str]) -> str:
    """The name with those settings alone that tell it from its namesakes."""
    name, settings = _parted(label)
    namesakes = [_parted(other)[1] for other in labels if _parted(other)[0] == name]
    own = [setting for setting in settings if not all(setting in others for others in namesakes)]
    return f"{name} {', '.join(own)}" if own else name


def _parted(label: str) -> tuple[str, list[str]]:
    """`name[a=1,b=[2,3]]` as the name and its settings; any other label as it is."""
    name, bracket, rest = label.partition("[")
    if not bracket or not rest.endswith("]"):
        return label, []
    return name, re.split(r",(?=\w+=)", rest[:-1])


def within(name: str, most: int) -> str:
    """The name in at most so many characters: its beginning and its end."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[most // 2 + 1 - most :]}"
