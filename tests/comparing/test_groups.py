"""Letters of a ranking: methods share one exactly where they cannot be told apart."""

import numpy as np
import pandas as pd
import pytest

from dipbench.comparing.groups import letters, pair_ps
from dipbench.comparing.significance import paired_p


def ps(pairs: dict[tuple[str, str], float], names: str) -> pd.DataFrame:
    """Of methods of one letter; a pair that is not given is alike."""
    matrix = pd.DataFrame(1.0, index=list(names), columns=list(names))
    for (one, other), p in pairs.items():
        matrix.loc[one, other] = matrix.loc[other, one] = p
    return matrix


def test_all_apart_and_all_alike() -> None:
    assert letters(ps({("A", "B"): 0.01, ("A", "C"): 0.01, ("B", "C"): 0.05}, "ABC")) == {"A": "a", "B": "b", "C": "c"}
    assert letters(ps({}, "ABC")) == {"A": "a", "B": "a", "C": "a"}


def test_the_middle_one_is_in_both_groups() -> None:
    assert letters(ps({("A", "C"): 0.01}, "ABC")) == {"A": "a", "B": "ab", "C": "b"}


def test_a_group_need_not_be_of_neighbours() -> None:
    found = letters(ps({("A", "B"): 0.01, ("B", "C"): 0.01}, "ABC"))
    assert found == {"A": "a", "B": "b", "C": "a"}


def random_means(seed: int, methods: int = 7) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(14, 1)) + 0.4 * draw.normal(size=(14, methods)) + 0.15 * np.arange(methods)[::-1]
    return pd.DataFrame(numbers, columns=list("ABCDEFG")[:methods])


@pytest.mark.parametrize("seed", range(6))
def test_two_methods_share_a_letter_where_their_pair_is_not_significant(seed: int) -> None:
    matrix = pair_ps(random_means(seed))
    found = letters(matrix)
    for one in matrix:
        for other in matrix:
            assert bool(set(found[one]) & set(found[other])) == (one == other or matrix.loc[one, other] > 0.05)


@pytest.mark.filterwarnings("ignore")  # of its own packages
@pytest.mark.parametrize("seed", range(6))
def test_pairs_and_groups_are_those_of_scikit_posthocs(seed: int) -> None:
    posthocs = pytest.importorskip("scikit_posthocs")
    means = random_means(seed)
    matrix = pair_ps(means)
    theirs = posthocs.posthoc_wilcoxon(means.melt(), "value", "variable", p_adjust="holm")
    assert matrix.to_numpy() == pytest.approx(theirs.loc[matrix.index, matrix.columns].to_numpy())
    alike = pd.DataFrame(1 - posthocs.sign_array(theirs, alpha=0.05), theirs.index, theirs.columns, dtype=bool)
    cliques = posthocs._plotting._find_maximal_cliques(alike)
    found = letters(matrix)
    ours = {frozenset(name for name in found if letter in found[name]) for letter in "".join(found.values())}
    assert ours == {frozenset(clique) for clique in cliques}


def test_a_pair_of_which_test_and_interval_point_to_two_sides_is_not_told_apart() -> None:
    """The first wins one image by 10 dB and loses eleven by 0.3 to 0.4: p is 0.034, the mean +0.51 of -1.4 to 2.4."""
    differences = np.array([10.0] + [-0.3 - 0.01 * i for i in range(11)])
    assert paired_p(differences) == pytest.approx(0.034, abs=0.001)
    matrix = pair_ps(pd.DataFrame({"A": 22.0 + differences, "B": 22.0}))
    assert matrix.loc["A", "B"] == 1
    assert letters(matrix) == {"A": "a", "B": "a"}
