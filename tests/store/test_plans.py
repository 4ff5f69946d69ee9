"""What was asked for accumulates: the plans of several commands are one, in which nothing is mistaken for another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dipbench.errors import UserError
from dipbench.store.narrowing import narrowed
from dipbench.store.plans import merged, without_need
from dipbench.store.records import Plan, PlannedExperiment
from dipbench.store.store import Store, write_json

NOISE = "denoising[sigma=25]"


def experiment(
    methods: Sequence[str],
    images: Sequence[str] = ("a", "b"),
    seeds: Sequence[int] = (0,),
    of: str = "",
    pixels: str = "",
    **facts: Any,
) -> dict[str, Any]:
    """One that asks for every method on every image; `of` is what tells its runs from others of their places."""
    task = facts.get("task", NOISE)
    runs = [
        {"key": f"{label}-{image}-{seed}-{task}{of}{pixels}", "label": label, "image": image, "seed": seed,
         "measurement": f"{image}/{seed}/{task}{pixels}"}
        for image in images for seed in seeds for label in methods
    ]  # fmt: skip
    return {"name": "e", "dataset": "photos[crop=64]", "task": task, "runs": runs, **facts}


def plan(
    *experiments: dict[str, Any],
    command: str = "run",
    specs: Mapping[str, str] | None = None,
    code: str = "1",
    precision: str = "float32",
) -> Plan:
    labels = {run["label"] for one in experiments for run in one["runs"]}
    return Plan.model_validate(
        {
            "name": "test", "title": "Test", "description": "", "command": command,
            "methods": {label: (specs or {}).get(label, label) for label in labels},
            "variants": {label: {"label": label, "precision": precision, "code": code} for label in labels},
            "experiments": list(experiments),
        }
    )  # fmt: skip


def rows(one: PlannedExperiment) -> dict[str, list[tuple[str, int]]]:
    """The image and seed of each run, by label, in the order of the rows of a table."""
    found: dict[str, list[tuple[str, int]]] = {}
    for run in one.runs:
        found.setdefault(run.label, []).append((run.image, run.seed))
    return found


BOTH = [("a", 0), ("b", 0)]


def test_new_rows_stand_beside_the_first_ones() -> None:
    first = plan(experiment(["degraded", "dip", "nlm"]), command="run one")
    second = plan(experiment(["degraded", "dip[iterations=500]", "nlm"]), command="run two")
    whole = merged([first, second])
    (one,) = whole.experiments
    assert rows(one) == {"degraded": BOTH, "dip": BOTH, "dip[iterations=500]": BOTH, "nlm": BOTH}
    assert list(rows(one)) == ["degraded", "dip", "dip[iterations=500]", "nlm"]
    assert whole.command == "run one\nrun two"
    assert {run.label: whole.command_of(run.key) for run in one.runs} == {
        "degraded": "run one", "dip": "run one", "nlm": "run one", "dip[iterations=500]": "run two",
    }  # fmt: skip


def test_one_plan_alone_stays_as_it_is() -> None:
    alone = plan(experiment(["dip"]))
    assert merged([alone]) is alone


def test_what_is_asked_of_a_part_hides_nothing_and_asks_for_no_more() -> None:
    """`--only` of what is there already, and of what is not: the other images of bm3d nobody asked for."""
    whole = plan(experiment(["dip", "nlm"]), command="run")
    part = plan(experiment(["nlm"], images=["b"]), command="run --only nlm")
    other = plan(experiment(["bm3d"], images=["a"]), command="run --method bm3d --only bm3d")
    found = merged([whole, part, other])
    assert rows(found.experiments[0]) == {"dip": BOTH, "nlm": BOTH, "bm3d": [("a", 0)]}
    assert found.command == "run\nrun --method bm3d --only bm3d", "what asked for nothing new made nothing"


def test_seeds_and_images_add_up_in_order() -> None:
    found = merged([plan(experiment(["dip"], ["b"], [2])), plan(experiment(["dip"], ["b", "a"], [0, 1]))])
    assert rows(found.experiments[0]) == {"dip": [("b", 0), ("b", 1), ("b", 2), ("a", 0), ("a", 1)]}


@pytest.mark.parametrize(
    ("specs", "names"),
    [
        (("dip[lr=0.01,iterations=3000]", "dip[lr=0.01,iterations=500]"), ("x[iterations=3000]", "x[iterations=500]")),
        (("dip", "dip[iterations=500]"), ("x", "x[iterations=500]")),
        (("dip[a=1,b=2]", "dip[a=1,b=3,c=[4,none]]"), ("x[b=2]", "x[b=3,c=[4,none]]")),
        (("dip[a=1]", "nlm"), ("x (dip[a=1])", "x (nlm)")),
    ],
)
def test_a_label_of_two_settings_carries_those_that_differ(specs: tuple[str, str], names: tuple[str, str]) -> None:
    plans = [plan(experiment(["x"], of=spec), specs={"x": spec}, command=spec) for spec in specs]
    found = merged(plans)
    assert rows(found.experiments[0]) == dict.fromkeys(names, BOTH)
    assert tuple(found.methods[name] for name in names) == specs
    assert {found.labels[name] for name in names} == {"x"}


def test_the_same_settings_under_two_labels_of_which_one_had_to_be_told_apart_are_one_row() -> None:
    """`dip` of 3000 iterations, then with --set of 500, then of 500 in the file itself."""
    long, short = "dip[iterations=3000]", "dip[iterations=500]"
    asked = [("dip", long), (short, short), ("dip", short)]
    plans = []
    for label, spec in asked:
        one = experiment([label])
        for run in one["runs"]:
            run["key"] = f"{spec}-{run['image']}"
        plans.append(plan(one, specs={label: spec}))
    assert rows(merged(plans).experiments[0]) == {long: BOTH, short: BOTH}


def test_precisions_are_told_apart_and_what_is_no_fit_is_not() -> None:
    usual = plan(experiment(["dip", "nlm"]))
    half = plan(experiment(["dip"], of="bf16"), experiment(["nlm"]), precision="bf16")
    half = half.model_copy(update={"variants": half.variants | {"nlm": usual.variants["nlm"]}})
    assert rows(merged([usual, half]).experiments[0]) == {"dip": BOTH, "dip (bf16)": BOTH, "nlm": BOTH}


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"task": "denoising[sigma=50]"}, "e (denoising[sigma=50])"),
        ({"task": "inpainting"}, "e (inpainting)"),
        ({"dataset": "folder[path=mine]"}, "e (folder[path=mine])"),
        ({"scale": "smoke", "dataset": "photos[crop=32,side=16]"}, "e (smoke scale)"),
        ({"scale": "smoke", "dataset": "photos[crop=32]", "task": "inpainting"}, "e (inpainting, smoke scale)"),
    ],
)
def test_experiments_that_measure_otherwise_are_apart(facts: dict[str, Any], name: str) -> None:
    found = merged([plan(experiment(["dip"])), plan(experiment(["dip"], **facts))])
    assert [one.name for one in found.experiments] == ["e", name]
    assert [len(one.runs) for one in found.experiments] == [2, 2]
    assert found.scale == facts.get("scale", "full")


def test_a_row_is_of_one_version_also_where_a_part_of_it_was_asked_for_again() -> None:
    before = plan(experiment(["dip", "nlm"]), code="1")
    after = plan(experiment(["dip"], images=["b"], of=" of version 2"), code="2")
    (one,) = merged([before, after]).experiments
    assert rows(one) == {"dip": [("b", 0)], "nlm": BOTH}
    assert {run.key for run in one.runs if run.label == "dip"} == {f"dip-b-0-{NOISE} of version 2"}


def test_a_column_is_of_one_picture() -> None:
    """The file of an image was replaced: what was measured of the old one stands beside nothing of the new."""
    before = plan(experiment(["dip", "nlm"]))
    after = plan(experiment(["dip"], images=["b"], pixels=" others"))
    (one,) = merged([before, after]).experiments
    assert rows(one) == {"dip": BOTH, "nlm": [("a", 0)]}


def test_what_was_asked_before_codes_were_written_down_counts_unless_it_was_asked_again() -> None:
    before = plan(experiment(["dip", "nlm"])).model_dump(exclude={"variants"})
    for run in before["experiments"][0]["runs"]:
        del run["measurement"]
    same = merged([Plan.model_validate(before), plan(experiment(["dip"], images=["a"]))])
    assert rows(same.experiments[0]) == {"dip": BOTH, "nlm": BOTH}
    other = merged([Plan.model_validate(before), plan(experiment(["dip"], images=["a"], of="2"))])
    assert [run.key for run in other.experiments[0].runs if run.label == "dip"] == [
        f"dip-a-0-{NOISE}2", f"dip-b-0-{NOISE}",
    ]  # fmt: skip


def test_the_baseline_keeps_its_method_under_its_new_name() -> None:
    first = plan(experiment(["nlm", "x"], baseline="x"), specs={"x": "dip[a=1]"})
    second = plan(experiment(["nlm", "x"], of="2", baseline="nlm"), specs={"x": "dip[a=2]"})
    assert merged([first, second]).experiments[0].baseline == "x[a=1]"


def test_those_that_are_grouped_keep_their_methods_under_their_new_names() -> None:
    first = plan(experiment(["nlm", "x"], grouped=["x"]), specs={"x": "dip[a=1]"})
    second = plan(experiment(["nlm", "x"], of="2", grouped=["nlm", "x"]), specs={"x": "dip[a=2]"})
    third = plan(experiment(["tv"]))
    assert set(merged([first, second, third]).experiments[0].grouped) == {"x[a=1]", "x[a=2]", "nlm"}


def test_what_is_ranked_is_what_the_last_plan_that_says_so_asks_for() -> None:
    plans = [plan(experiment(["nlm"], ranked=ranked)) for ranked in (["ema"], ["wmv", "final"], [])]
    assert merged(plans).experiments[0].ranked == ["wmv", "final"]


def test_a_plan_of_which_another_asks_for_all_is_not_needed_unless_it_is_the_last() -> None:
    part, whole = plan(experiment(["nlm"], ["a"])), plan(experiment(["dip", "nlm"]))
    other = plan(experiment(["nlm"], ["a"], task="denoising[sigma=50]"))
    assert without_need({"1": part, "2": whole}) == ["1"]
    assert without_need({"1": whole, "2": part}) == []
    assert without_need({"1": whole, "2": part, "3": other}) == ["2"]
    assert without_need({"1": whole, "2": whole}) == ["1"], "the command typed last stays"
    assert without_need({"1": other, "2": whole}) == []


def test_a_store_keeps_what_every_command_asked_for(tmp_path: Path) -> None:
    whole, part = plan(experiment(["dip", "nlm"]), command="one"), plan(experiment(["nlm"]), command="two")
    more = plan(experiment(["bm3d"]), command="three")
    for asked in (whole, part, more):
        Store(tmp_path).write_plan(asked)
    assert Store(tmp_path).plans() == [whole, more], "the part is within the whole"
    assert Store(tmp_path).plan() == merged([whole, more])
    Store(tmp_path).write_plan(part)
    assert Store(tmp_path).plans()[-1] == part


def test_a_plan_as_earlier_versions_kept_it_comes_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before, after = plan(experiment(["dip"]), command="before"), plan(experiment(["nlm"]), command="after")
    write_json(tmp_path / "plan.json", before.model_dump())
    store.write_plan(after)
    assert store.plans() == [before, after]
    assert rows(store.plan().experiments[0]) == {"dip": BOTH, "nlm": BOTH}


def test_a_plan_that_cannot_be_read_is_left_out_with_a_word(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_plan(plan(experiment(["dip"])))
    (tmp_path / "plan.json").write_text("{")
    assert list(rows(store.plan().experiments[0])) == ["dip"]
    store.plan()
    (warning,) = store.warnings
    assert "plan.json' cannot be read" in warning
    assert warning.endswith("what it asked for is left out")


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["dip"], {"dip": BOTH, "dip[iterations=500]": BOTH}),
        (["dip[iterations=500]"], {"dip[iterations=500]": BOTH}),
        (["B"], {"dip": [("b", 0)], "dip[iterations=500]": [("b", 0)], "nlm": [("b", 0)]}),
        (["n*", "a"], {"nlm": [("a", 0)]}),
        (["nlm", "b", "dip[iterations=500]"], {"dip[iterations=500]": [("b", 0)], "nlm": [("b", 0)]}),
        (["denoising"], {"dip": BOTH, "dip[iterations=500]": BOTH, "nlm": BOTH}),
    ],
)
def test_only_narrows_a_plan_as_it_does_a_suite(only: list[str], expected: dict[str, Any]) -> None:
    more = plan(
        experiment(["dip[iterations=500]"]), experiment(["nlm"], name="other", task="inpainting"), command="two"
    )
    found = narrowed(merged([plan(experiment(["dip", "nlm"]), command="one"), more]), only)
    assert rows(found.experiments[0]) == expected


def test_only_finds_an_experiment_also_where_its_name_says_more() -> None:
    found = merged([plan(experiment(["dip"])), plan(experiment(["dip"], task="denoising[sigma=50]"))])
    assert len(narrowed(found, ["e"]).experiments) == 2
    assert len(narrowed(found, ["e (denoising[sigma=50])"]).experiments) == 1


def test_only_names_the_commands_of_what_it_leaves() -> None:
    plans = [plan(experiment(["dip"]), command="one"), plan(experiment(["nlm"]), command="two")]
    assert narrowed(merged(plans), ["nlm"]).command == "two"
    with pytest.raises(UserError, match="only 'nobody' matches nothing in what was asked for: it takes the name of"):
        narrowed(merged(plans), ["nobody"])
    with pytest.raises(UserError, match=r"only 'nlmm' matches nothing in what was asked for: did you mean 'nlm'\?"):
        narrowed(merged(plans), ["dip|nlmm"])


def test_the_last_plan_is_the_last_though_the_clock_was_set_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    store.write_plan(plan(experiment(["a"]), command="first"))
    (path,) = (store.path / "plans").iterdir()
    path.rename(path.with_name("20990101T000000999999-abcdef.json"))
    (store.path / "plans" / "99991231T235959999999-abcdef.json").write_text("a time after which there is none")
    store.write_plan(plan(experiment(["b"]), command="last"))
    assert [asked.command for asked in store.plans()] == ["first", "last"]
