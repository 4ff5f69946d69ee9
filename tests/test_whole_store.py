"""Whatever commands filled a store, its page, its tables and what compares them show all of it."""

import re
from pathlib import Path

import pandas as pd
import pytest
from torch import Tensor
from typer.testing import CliRunner

import dipbench
from dipbench import api
from dipbench.cli.main import app
from dipbench.images.files import write_image
from dipbench.store.store import Store

SUITE = """
title = "Small"
[methods]
prior = "dip[down=[8,8],iterations=4]"
[[experiments]]
name = "a"
dataset = "folder[path={images}]"
task = "denoising"
methods = ["degraded", "nlm", "prior"]
"""


def images_of(results: pd.DataFrame) -> dict[str, set[str]]:
    """The images that each method has."""
    return {str(method): set(rows["image"]) for method, rows in results.groupby("method", sort=False)}


BOTH = {"one", "two"}
METHODS = ["degraded", "nlm", "prior", "prior[iterations=6]"]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, photo: Tensor) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "images").mkdir()
    write_image(folder / "images" / "one.png", photo[:, :32, :32])
    write_image(folder / "images" / "two.png", photo[:, 32:, :32])
    (folder / "small.toml").write_text(SUITE.format(images=folder / "images"))
    return folder / "small.toml"


@pytest.fixture(scope="module")
def filled(suite: Path) -> Path:
    """A store after three commands: all, the prior with another setting, and one method alone."""
    out = suite.parent / "out"
    dipbench.run(str(suite), out=out, device="cpu")
    dipbench.run(str(suite), out=out, device="cpu", settings=["prior.iterations=6"])
    dipbench.run(str(suite), out=out, device="cpu", only=["nlm", "one"])
    return out


def test_what_a_call_gives_is_what_it_asked_for(suite: Path, filled: Path) -> None:
    assert images_of(dipbench.run(str(suite), out=filled, device="cpu", only=["nlm", "one"])) == {"nlm": {"one"}}


def test_load_and_the_index_hold_the_rows_of_every_command(filled: Path) -> None:
    assert images_of(dipbench.load(filled).results) == dict.fromkeys(METHODS, BOTH)
    assert images_of(pd.read_parquet(filled / "index.parquet")) == dict.fromkeys(METHODS, BOTH)


def test_the_page_has_the_rows_side_by_side_and_names_every_command(filled: Path) -> None:
    page = CliRunner().invoke(app, ["report", str(filled)], catch_exceptions=False)
    assert page.exit_code == 0, page.output
    assert list(dict.fromkeys(pd.read_csv(filled / "report" / "numbers" / "a.csv")["method"])) == METHODS
    text = (filled / "report" / "index.html").read_text()
    (commands,) = re.findall(r'<pre class="command"><code>(.*?)</code>', text, re.DOTALL)
    assert len(commands.splitlines()) == 2, "the third asked for what was there"
    assert "settings=[&#39;prior.iterations=6&#39;]" in commands
    assert "not computed yet" not in text


def test_comparisons_rank_the_rows_of_every_command(filled: Path) -> None:
    ranked = dipbench.compare(suite=filled).ranking["method"]
    assert {label.partition(",")[0] for label in ranked} == set(METHODS)
    assert {label.partition(",")[0] for label in api.leaderboard([filled])["method"]} == set(METHODS)


def test_rules_are_replayed_on_the_fits_of_every_command(filled: Path) -> None:
    said = CliRunner().invoke(app, ["replay", str(filled)], catch_exceptions=False)
    assert {"a: prior", "a: prior[iterations=6]"} <= set(said.output.splitlines())


def test_rules_are_replayed_on_what_trains_by_itself_too(suite: Path) -> None:
    out = suite.parent / "trains by itself"
    method = "zs_n2n[iterations=4,channels=4]"
    dipbench.run(str(suite), out=out, device="cpu", methods=[method], only=["one", f"{method}|nlm"])
    said = CliRunner().invoke(app, ["replay", str(out)], catch_exceptions=False).output.splitlines()
    assert f"a: {method}" in said
    assert not [line for line in said if line.startswith("a: nlm")]


def test_a_run_that_no_plan_names_is_in_the_index_alone(suite: Path) -> None:
    """As of a store that an earlier version filled by several commands."""
    out = suite.parent / "of before"
    dipbench.run(str(suite), out=out, device="cpu", only=["nlm"])
    for path in (out / "plans").iterdir():
        path.unlink()
    dipbench.run(str(suite), out=out, device="cpu", only=["degraded"])
    index = pd.read_parquet(out / "index.parquet")
    assert index["method"].str.partition("[")[0].tolist() == ["degraded"] * 2 + ["nlm"] * 2
    assert index["experiment"].tolist() == ["a", "a", "", ""]
    assert "patch_size=" in index["method"].iloc[-1], "nobody knows what it was called, so it says what it was"
    assert images_of(dipbench.load(out).results) == {"degraded": BOTH}


def test_nothing_that_only_leaves_out_is_said_to_be_missing(suite: Path) -> None:
    out = suite.parent / "a part"
    command = ["run", str(suite), "--out", str(out), "--device", "cpu", "--jobs", "1", "--only", "one", "--only", "nlm"]
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert "not computed yet" not in (out / "report" / "index.html").read_text()
    assert len(Store.existing(out).plan().runs) == 1


def test_what_was_asked_for_and_interrupted_stays_missing_whatever_else_is_run(suite: Path) -> None:
    out = suite.parent / "interrupted"
    dipbench.run(str(suite), out=out, device="cpu", only=["degraded|nlm"])
    for result in dipbench.load(out).results.query("method == 'nlm' and image == 'two'")["run"]:
        (out / "runs" / result).rename(suite.parent / result)
    dipbench.run(str(suite), out=out, device="cpu", only=["degraded"], report=True)
    assert "1 more is not computed yet" in (out / "report" / "index.html").read_text()
    found = dipbench.compare(suite=out)
    assert re.match(r"1 of 2 runs of nlm are not computed: dipbench\.run\(.*only=.*\|nlm", found.remarks[0])
    assert found.each[0].remarks[-1].endswith("Lacking: nlm (1).")


def test_a_run_renders_where_something_changed_unless_it_is_told_not_to(suite: Path) -> None:
    out = suite.parent / "rendered"
    page = out / "report" / "index.html"

    def said(*options: str) -> str:
        command = ["run", str(suite), "--out", str(out), "--device", "cpu", "--jobs", "1", *options]
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout.splitlines()[-1]

    assert said("--only", "degraded", "--no-report").startswith("2 done; 0 ")
    assert not page.parent.exists()
    assert said("--only", "degraded") == f"report: {page}"
    before = page.stat().st_ino
    assert said("--only", "degraded") == f"report: {page} (nothing has changed: not rendered again)"
    assert page.stat().st_ino == before
    assert said("--only", "degraded|nlm") == f"report: {page}"
