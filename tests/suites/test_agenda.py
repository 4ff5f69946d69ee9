"""An agenda runs suites in turn, each into its own store, and a second call computes nothing."""

from pathlib import Path

import pandas as pd
import pytest

import dipbench
from dipbench.errors import UserError
from dipbench.store.store import Store
from dipbench.suites.agenda import parts_of, read_agenda
from dipbench.suites.edits import Choices, chosen
from dipbench.suites.preset_files import preset_content, preset_names

SUITE = """
title = "Small"
[[experiments]]
name = "a"
dataset = "photos[crop=64,side=32]"
images = ["astronaut", "camera"]
task = "denoising"
methods = ["nlm", "degraded"]
"""

AGENDA = """
title = "Twice the same suite"
[[agenda]]
suite = "{suite}"
only = ["camera", "nlm"]
why = "first things first"
[[agenda]]
suite = "{suite}"
only = ["degraded"]
seed = 1
seeds = 2
why = "another seed"
"""


@pytest.fixture
def agenda(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SUITE)
    path = tmp_path / "agenda.toml"
    path.write_text(AGENDA.format(suite=tmp_path / "small.toml"))
    return path


def test_runs_every_entry_into_the_store_of_its_suite(agenda: Path, tmp_path: Path) -> None:
    results = dipbench.run(str(agenda), out=tmp_path / "out", device="cpu")
    expected = {("camera", "nlm", 0)} | {(i, "degraded", s) for i in ("astronaut", "camera") for s in (1, 2)}
    assert set(zip(results["image"], results["method"], results["seed"], strict=True)) == expected
    store = Store.existing(tmp_path / "out" / "small")
    assert len(store.plan().experiments[0].runs) == 5, "the plan is not that of all entries"
    before = {path: path.stat().st_mtime_ns for path in store.path.glob("runs/*/result.json")}
    dipbench.run(str(agenda), out=tmp_path / "out", device="cpu")
    assert {path: path.stat().st_mtime_ns for path in store.path.glob("runs/*/result.json")} == before


def test_report_says_what_the_agenda_did_not_ask_for(agenda: Path, tmp_path: Path) -> None:
    """Of nlm it wants one image and one seed, of degraded two of each: nothing was interrupted."""
    dipbench.run(str(agenda), out=tmp_path / "out", device="cpu", report=True)
    table = (tmp_path / "out" / "small" / "report" / "tables" / "a.md").read_text()
    assert "not asked for" in table
    assert "interrupted" not in table


def test_what_the_suite_alone_computed_counts(agenda: Path, tmp_path: Path) -> None:
    alone = tmp_path / "out" / "small"
    dipbench.run(str(tmp_path / "small.toml"), out=alone, device="cpu")
    before = {path.parent.name for path in alone.glob("runs/*/result.json")}
    dipbench.run(str(agenda), only=["nlm"], out=tmp_path / "out", device="cpu")
    assert {path.parent.name for path in alone.glob("runs/*/result.json")} == before
    assert len(Store.existing(alone).plans()[-1].runs) == 1


def test_only_narrows_every_entry_and_leaves_out_those_without(agenda: Path) -> None:
    parts = parts_of(str(agenda), Choices(only=["astronaut"]), None, "float32")
    assert [{job.run.seed for job in part.jobs} for part in parts] == [{1, 2}]
    for only in (["nobody"], ["astronaut", "nlm|nobody"]):
        with pytest.raises(UserError, match="'nobody' matches nothing in agenda"):
            parts_of(str(agenda), Choices(only=only), None, "float32")


@pytest.mark.parametrize("name", [name for name in preset_names() if "agenda" in preset_content(name)])
def test_every_word_of_an_agenda_names_something(name: str) -> None:
    agenda = read_agenda(name)
    assert agenda is not None
    for entry in agenda.agenda:
        assert chosen(entry.suite, Choices(only=entry.only)).experiments


def test_what_is_wrong_in_an_entry_is_not_taken_for_nothing_to_do(agenda: Path, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SUITE.replace("photos[crop=64,side=32]", "folder[path=gone]"))
    with pytest.raises(UserError, match="'gone' does not exist"):
        parts_of(str(agenda), Choices(only=["nlm"]), None, "float32")


def test_words_of_one_kind_add_up_over_the_suites_of_an_agenda(tmp_path: Path) -> None:
    """Each suite has one of the two experiments."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(SUITE.replace('name = "a"', f'name = "{name}"'))
    entry = '[[agenda]]\nsuite = "{}"\nwhy = "it is there"\n'
    path = tmp_path / "both.toml"
    path.write_text('title = "Both"\n' + "".join(entry.format(tmp_path / f"{n}.toml") for n in ("one", "two")))
    parts = parts_of(str(path), Choices(only=["one", "two", "nlm"]), None, "float32")
    assert [{(job.experiment, job.label) for job in part.jobs} for part in parts] == [
        {("one", "nlm")},
        {("two", "nlm")},
    ]


FITTED = """
title = "With a short name"
[methods]
"dip (small)" = "dip[down=[8],skip=[2],iterations=3]"
[[experiments]]
name = "a"
dataset = "photos[crop=64,side=32]"
images = ["camera"]
task = "denoising"
methods = ["dip (small)", "degraded"]
"""


def test_a_setting_reaches_the_entries_that_use_its_plugin(tmp_path: Path) -> None:
    """Though it changes the label that the entry names, and though another entry has no such plugin."""
    (tmp_path / "small.toml").write_text(SUITE)
    (tmp_path / "fitted.toml").write_text(FITTED)
    entries = [("small", '["nlm"]'), ("fitted", '["dip (small)"]')]
    lines = [f'[[agenda]]\nsuite = "{tmp_path / name}.toml"\nonly = {only}\nwhy = "-"' for name, only in entries]
    path = tmp_path / "agenda.toml"
    path.write_text("\n".join(['title = "Two suites"', *lines]))
    results = dipbench.run(str(path), settings=["dip.iterations=2"], scale="smoke", out=tmp_path / "out", device="cpu")
    assert set(results["status"]) == {"done"}
    (trace,) = (tmp_path / "out" / "fitted-smoke").glob("runs/*/trace.parquet")
    assert len(pd.read_parquet(trace)) == 2
    with pytest.raises(UserError, match="unknown plugin of this suite 'bm3d'"):
        parts_of(str(path), Choices(settings=["bm3d.sigma=3"]), None, "float32")


def test_says_its_seeds_itself(agenda: Path) -> None:
    with pytest.raises(UserError, match="sets its own seeds"):
        parts_of(str(agenda), Choices(), [3], "float32")


def test_the_papers_headline_tables_come_first() -> None:
    agenda = read_agenda("paper/all")
    assert agenda is not None
    first = list(dict.fromkeys(entry.suite for entry in agenda.agenda))[:5]
    assert first == [f"paper/{name}" for name in ("denoising", "denoising_averaging", "inpainting", "sr_x4", "sr_x8")]


def test_a_single_suite_is_no_agenda() -> None:
    assert read_agenda("quickstart") is None
