"""What several methods share: of which measurements, on which images, whatever the order they come in."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from dipbench.comparing.shared import most_shared

Places = set[tuple[str, int]]  # of image and seed


def there(of_method: dict[str, Places]) -> pd.DataFrame:
    """The table of `scored` of methods that have a score of these."""
    places = sorted(set().union(*of_method.values()))
    index = pd.MultiIndex.from_tuples([(i, f"{i}-{seed}") for i, seed in places], names=["image", "measurement"])
    return pd.DataFrame({method: [place in own for place in places] for method, own in of_method.items()}, index)


def places(images: str, *seeds: int) -> Places:
    return {(image, seed) for image in images for seed in seeds}


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_the_order_of_the_methods_decides_nothing(order: tuple[str, ...]) -> None:
    """Any two share two images, and all three none: the first two by name."""
    of_method = {"a": places("xy", 0) | places("zw", 1), "b": places("xy", 0) | places("uv", 2)}
    of_method["c"] = places("zw", 1) | places("uv", 2)
    methods, measurements, images = most_shared(there({method: of_method[method] for method in order}))
    assert (sorted(methods), measurements, images) == (["a", "b"], ["x-0", "y-0"], ["x", "y"])


def test_of_as_many_images_more_seeds_count() -> None:
    of_method = {"a": places("xyz", 0), "b": places("xyz", 0), "c": places("xyz", 1, 2), "d": places("xyz", 1, 2)}
    methods, measurements, _ = most_shared(there(of_method))
    assert methods == ["c", "d"]
    assert len(measurements) == 6


def test_groups_with_seeds_of_their_own_are_not_mixed() -> None:
    even, odd = dict.fromkeys("ace", places("xyz", 0)), dict.fromkeys("bdf", places("xyzw", 1))
    assert most_shared(there({**even, **odd}))[0] == ["b", "d", "f"]


def test_where_no_two_share_anything_there_is_one() -> None:
    assert most_shared(there({"a": places("x", 0), "b": places("xy", 1)}))[0] == ["b"]
    assert most_shared(there({"a": places("x", 0)}).iloc[:0, :0]) == ([], [], [])


def test_images_times_methods_is_as_large_as_of_any_set_of_methods() -> None:
    """Of seven methods and six images with three seeds, of which runs failed by chance, against every set there is."""
    draw, missed = np.random.default_rng(0), 0
    for _ in range(100):
        every = sorted(places("uvwxyz", 0, 1, 2))
        kept = {method: {place for place in every if draw.random() > 0.2} for method in "abcdefg"}
        kept = {method: {(i, s) for i, s in own if s < 1 + draw.integers(3)} for method, own in kept.items()}
        table = there({method: own for method, own in kept.items() if own})
        sizes = [
            len(chosen) * table[list(chosen)].all(axis=1).groupby(level="image").any().sum()
            for count in range(2, table.shape[1] + 1)
            for chosen in combinations(table, count)
        ]
        methods, _, images = most_shared(table)
        missed += len(methods) * len(images) < max(sizes)
    assert missed <= 5, "one method after the other finds the largest nearly always"
