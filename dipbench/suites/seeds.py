"""The seeds that are asked for: a number of them, or a list."""

from collections.abc import Sequence

from dipbench.errors import UserError


def seeds_of(first: int | None, wanted: Sequence[int] | int | str | None) -> list[int] | None:
    """The seeds that are meant; None where neither is given.

    `wanted` is how many there are from `first` on, or each of them, `0,7,42` as a text. UserError for anything else,
    for a seed below 0, and where a list has no seed, one twice, or a first one beside it.
    """
    wanted = _read(wanted) if isinstance(wanted, str) else wanted
    if first is not None and first < 0:
        raise UserError(f"seed must be a number from 0 on, got {first}")
    if wanted is None:
        return None if first is None else [first]
    if isinstance(wanted, int):
        if wanted < 1:
            raise UserError(f"seeds must be a list, as 0,7,42, or their number, at least 1, got {wanted}")
        return list(range(first or 0, (first or 0) + wanted))
    seeds = list(wanted)
    if first is not None:
        raise UserError(f"seed must be left out where seeds are a list, got {first} beside {_shown(seeds)}")
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise UserError(f"seeds must be different numbers from 0 on, at least one, got {_shown(seeds) or 'none'}")
    return seeds


def _read(text: str) -> list[int] | int:
    """`3` is a number of seeds, `0,7,42` a list; so is `7,`."""
    words = [word.strip() for word in text.removesuffix(",").split(",")]
    if not all(word.removeprefix("-").isdecimal() for word in words):
        raise UserError(f"seeds must be how many there are, as 3, or a list, as 0,7,42, got '{text}'")
    return [int(word) for word in words] if "," in text else int(words[0])


def _shown(seeds: Sequence[int]) -> str:
    return ",".join(map(str, seeds))
