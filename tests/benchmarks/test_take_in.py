"""What is committed of runs is rendered again from what is committed: nothing is lost, and nothing changes."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dipbench
from dipbench.store.store import Store, write_json
from dipbench.suites.suite import read_suite
from dipbench.trace.usual import COLUMNS

ROOT = Path(__file__).parents[2]
REFERENCE = Path("results") / "reference"
KEPT = REFERENCE / "paper" / "switches"


def test_committed_runs_are_rendered_again_as_they_are(tmp_path: Path, paper_data: Path) -> None:
    with_rules, in_part = REFERENCE / "overfitting" / "spectrum", REFERENCE / "priors" / "crops"
    for kept in (KEPT, with_rules, in_part):
        shutil.copytree(ROOT / kept, tmp_path / kept)
    (tmp_path / KEPT / "note.md").write_text("**Of these runs.** One was cut short.\n")
    script = ROOT / "benchmarks" / "tools" / "take_in.py"
    done = subprocess.run(
        [sys.executable, str(script), "--root", str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for kept in (KEPT, with_rules, in_part):
        for name in ("numbers.csv", "runs.jsonl"):
            assert (tmp_path / kept / name).read_text() == (ROOT / kept / name).read_text()
        pd.testing.assert_frame_equal(*(pd.read_parquet(root / kept / "traces.parquet") for root in (tmp_path, ROOT)))
    report = (tmp_path / "reports" / "paper" / "switches" / "README.md").read_text()
    assert "butterfly" in report
    assert "\n\n**Of these runs.** One was cut short.\n\n## " in report
    assert "```sh\ndipbench run paper/switches --only butterfly --device cpu --jobs 1\npython " in report
    assert "26.41" in report  # all three settings of 2017: dB of the last output
    assert (tmp_path / with_rules / "stops.csv").read_text() == (ROOT / with_rules / "stops.csv").read_text()
    (figure,) = (tmp_path / "reports" / "overfitting" / "spectrum").glob("*-rules.png")
    assert f"![Gaps of each rule]({figure.name})" in (figure.parent / "README.md").read_text()
    report = (tmp_path / "reports" / "priors" / "crops" / "README.md").read_text()
    assert "## sigma 25 (fits in tf32)" in report
    assert "All that follows is of the 5 images with fits, of 9." in report
    assert "\n\n- **bm3d** has the best mean" in report or "\n\n- **bm3d** is best" in report
    assert "### Rise and fall" in report, "of the fits of a part of the experiment"
    assert "### Stopping rules" in report
    assert "A dot is a method of one estimate." in report, "of BM3D, whose trace is not kept"


def test_a_store_taken_in_twice_changes_nothing_the_second_time(
    tmp_path: Path, paper_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "tools"))
    import reference
    import take_in

    suite = read_suite("paper/switches")
    runs = list(reference.read(ROOT / KEPT)[0].values())[:1]
    iteration = np.arange(2000)
    wave = pd.DataFrame({name: 20 + np.sin(iteration / 7) for name in COLUMNS}, dtype="float32")
    whole = wave.assign(iteration=iteration.astype("int32"))
    store = reference.store_of(tmp_path / "store", runs, {runs[0].key: whole})
    result = runs[0].result.model_copy(update={"warnings": ["a file of this machine"]})
    write_json(store.path / "runs" / runs[0].key / "result.json", result.content())
    for output in result.outputs:
        (store.path / "runs" / runs[0].key / output.picture).touch()
    plan = reference.holdings_of(suite, runs).plan
    store.write_plan(plan.model_copy(update={"command": "dipbench run paper/switches --out a/folder"}))

    def committed() -> dict[str, bytes]:
        take_in.main([tmp_path / "store"], root=tmp_path / "root")
        files = (path for path in (tmp_path / "root").rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files}

    first, second = committed(), committed()
    assert {name for name in first if first[name] != second[name]} == set()
    assert len(first) == len(second) == 5  # numbers, runs, traces; the page and its figure
    assert not any(b"a file of this machine" in content for content in first.values())


def test_each_run_is_made_by_the_command_that_asked_for_it(
    tmp_path: Path, paper_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "tools"))
    import reference
    import take_in

    suite = read_suite("paper/switches")
    runs = list(reference.read(ROOT / KEPT)[0].values())
    assert len(runs) == 2
    store = reference.store_of(tmp_path / "store", runs, {})
    for run in runs:
        write_json(store.path / "runs" / run.key / "result.json", run.result.content())
        for output in run.result.outputs:
            (store.path / "runs" / run.key / output.picture).touch()
    for number, run in enumerate(runs):
        plan = reference.holdings_of(suite, [run]).plan
        store.write_plan(plan.model_copy(update={"command": f"dipbench run {number} --out a/folder"}))
    smoke = reference.holdings_of(suite.model_copy(update={"scale": "smoke"}), [runs[0]]).plan
    store.write_plan(smoke.model_copy(update={"name": "another"}))
    ((found, plan),) = take_in.stores_in(tmp_path)
    assert found.path == store.path
    kept = take_in.finished(store, plan, suite)
    assert [kept[run.key].command for run in runs] == ["dipbench run 0", "dipbench run 1"]


def test_commands_that_differ_in_processes_alone_are_one_and_what_is_not_computed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "tools"))
    import reference
    import reference_page

    runs = list(reference.read(ROOT / REFERENCE / "priors" / "thumbnails")[0].values())
    commands = reference_page.commands_of(runs)
    assert len(commands) == len(set(commands)) > 1
    assert not any("--no-report" in command for command in commands)
    again = [run.model_copy(update={"command": f"{run.command} --no-report --jobs 7"}) for run in runs]
    assert reference_page.commands_of([*runs, *again]) == commands
    suite = read_suite("priors/thumbnails")
    two = [run for run in runs if run.run.method["name"] in ("pip", "bm3d")]
    said = reference_page.not_computed(suite, "sigma 25 (fits in bf16)", two)
    lacking = [one.label for one in suite.experiments[0].methods if one.label not in ("pip", "bm3d")]
    assert said == f"Of the suite not computed: {', '.join(f'`{label}`' for label in lacking)}."
    one = [run for run in runs if run.run.image == "kodim01"]
    assert reference_page.not_computed(suite, "sigma 25", one).endswith(", 11 of the 12 images.")


def test_a_sheet_shows_the_problem_and_what_each_method_made_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "tools"))
    import reference_sheet
    from reference import Kept

    bench = dipbench.Benchmark("enhancement", "photos[crop=300,side=48]", ["chelsea"], out=tmp_path / "store")
    bench.run({"dip": "dip[down=[4],up=[4],skip=[2],iterations=3]", "degraded": "degraded"}, progress=False)
    store = Store.existing(tmp_path / "store")
    (experiment,) = store.plan().experiments
    runs = [
        Kept(key=run.key, named=[[experiment.name, run.label]], command="", result=store.result(run.key))
        for run in experiment.runs
    ]
    drawn = []
    monkeypatch.setattr(reference_sheet, "_show", lambda picture, *_: drawn.append(picture.title))
    reference_sheet.write_sheets(store, runs, "chelsea", tmp_path / "report")
    assert drawn == ["truth", "dip, final", "dip, final", "detail", "enhanced"]
    name = reference_sheet.sheet_of("enhancement (fits in bf16)", "chelsea")
    assert [path.name for path in (tmp_path / "report").iterdir()] == [name] == ["enhancement-pictures-chelsea.webp"]
