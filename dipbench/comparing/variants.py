"""Whether what two stores call by one label is one method, and what each is called where it is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, eq=False)
class _Variant:
    """A method as an experiment of a store ran it."""

    store: str
    label: str
    spec: str
    code: str
    precision: str  # empty: of no fit
    settings: Mapping[str, str]  # by image and its pixels: settings may depend on the image, not on the seed
    rows: pd.Index

    def same(self, other: "_Variant") -> bool:
        """Whether both compute the same, as far as they ran on the same images; else, whether a suite wrote the same.

        By its label and what that stands for: a method without a source of its own is known by its name alone.
        """
        if self.code != other.code:
            return False
        shared = self.settings.keys() & other.settings.keys()
        if shared:
            return all(self.settings[place] == other.settings[place] for place in shared)
        return (self.label, self.spec) == (other.label, other.spec)


def told_apart(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a board with one label a method, each run once; and what must be said of that.

    `rows` are of `comparing.merging.merged`. A method that ran in several precisions is a method for each, and carries
    the precision in its label; others that share a label carry the name of their store.
    """
    methods = _methods(rows)
    names = _named(methods)
    renamed = rows.assign(method="")
    for name, variants in zip(names, methods, strict=True):
        for variant in variants:
            renamed.loc[variant.rows, "method"] = name
    once, said = _each_once(renamed)
    return once, [*_of_two_labels(methods, names), *_of_one_label(methods, names), *said]


def _methods(rows: pd.DataFrame) -> list[list[_Variant]]:
    """The variants of each method, the first of which names it."""
    found: list[list[_Variant]] = []
    for (store, _, label), own in rows.groupby(["store", "experiment", "method"], sort=False):
        for (spec, code), of_code in own.groupby(["spec", "code"], sort=False):
            places = of_code["image"] + "\n" + of_code["pixels"]
            settings = dict(zip(places, of_code["settings"], strict=True))
            precision = max(of_code["precision"])
            variant = _Variant(str(store), str(label), str(spec), str(code), precision, settings, of_code.index)
            home = next((method for method in found if all(variant.same(other) for other in method)), None)
            if home is None:
                found.append([variant])
            else:
                home.append(variant)
    return found


def _named(methods: Sequence[list[_Variant]]) -> list[str]:
    """The label of each method; with its precision, then its stores, then a number, as far as it takes."""
    firsts = [variants[0] for variants in methods]
    labels = [first.label for first in firsts]
    precisions = [_of_twins(labels, i, [first.precision for first in firsts]) for i in range(len(methods))]
    names = [f"{label} ({said})" if said else label for label, said in zip(labels, precisions, strict=True)]
    stores = [_of_twins(names, i, [first.store for first in firsts]) for i in range(len(methods))]
    named = [_with(name, said) for name, said in zip(names, stores, strict=True)]
    return [_with(name, str(named[:i].count(name) + 1)) if named.count(name) > 1 else name
            for i, name in enumerate(named)]  # fmt: skip


def _of_twins(names: Sequence[str], at: int, facts: Sequence[str]) -> str:
    """The fact of a method if those of its name differ in it."""
    twins = {fact for name, fact in zip(names, facts, strict=True) if name == names[at]}
    return facts[at] if len(twins) > 1 else ""


def _with(name: str, said: str) -> str:
    if not said:
        return name
    return f"{name[:-1]}, {said})" if name.endswith(")") else f"{name} ({said})"


def _of_one_label(methods: Sequence[list[_Variant]], names: Sequence[str]) -> list[str]:
    """A line a label that stands for several methods."""
    firsts = [variants[0] for variants in methods]
    said = []
    for label in dict.fromkeys(first.label for first in firsts):
        twins = [(first, name) for first, name in zip(firsts, names, strict=True) if first.label == label]
        if len(twins) < 2:
            continue
        if len({first.precision for first, _ in twins}) == len(twins):
            which = ", ".join(f"{name} of {first.store}" for first, name in twins)
            said.append(f"{label} is a method in each precision: {which}.")
        else:
            which = ", ".join(f"{name} is {first.spec} in {first.store}" for first, name in twins)
            said.append(f"{label} stands for {len(twins)} methods, of other settings, source or version: {which}.")
    return said


def _of_two_labels(methods: Sequence[list[_Variant]], names: Sequence[str]) -> list[str]:
    return [
        f"{variant.label} of {variant.store} is the same method as {name}, and goes by that name."
        for name, variants in zip(names, methods, strict=True)
        for variant in variants
        if variant.label != variants[0].label
    ]


def _each_once(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Each output of a run once, that which is done if one is; and by how much the PSNR of the others differs."""
    order = rows.assign(_undone=rows["status"] != "done").sort_values("_undone", kind="stable")
    once = order.drop_duplicates(["run", "output"]).drop(columns="_undone")
    done = set(once.loc[once["status"] == "done", "run"])
    once = once[(once["status"] == "done") | ~once["run"].isin(done)].sort_index()  # it failed elsewhere
    return once, said_of_twice(rows)


def said_of_twice(rows: pd.DataFrame) -> list[str]:
    """What to say of runs that several stores have: by how much their PSNR differs. `rows` have a column `store`."""
    scores = rows[rows["status"] == "done"].groupby(["run", "output"])["psnr"]
    twice = int((rows.groupby("run")["store"].nunique() > 1).sum())
    if not twice:
        return []
    most = float((scores.max() - scores.min()).max())
    runs = "1 run is" if twice == 1 else f"{twice} runs are"
    differ = f", though the PSNR differs by up to {most:.2g} dB" if most > 0 else ""
    return [f"{runs} in more than one store, and counted once, as in the first{differ}."]
