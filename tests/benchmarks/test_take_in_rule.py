"""What a rule says of fits that it ended is what it says of the committed ones, had they been asked."""

from pathlib import Path

import pandas as pd
import pytest

import dipbench
from dipbench.suites.suite import read_suite

ROOT = Path(__file__).parents[2]
SUITE = """
title = "Two fits"
rules = [RULES]
record = ["ssim"]

[methods]
dip = "dip[down=[8],up=[8],skip=[2],iterations=400]"
"jitter 0" = "dip[down=[8],up=[8],skip=[2],iterations=400,jitter=0]"

[[experiments]]
name = "denoising"
dataset = "photos[crop=200,side=24]"
images = ["astronaut"]
task = "denoising[sigma=50]"
methods = ["dip", "jitter 0"]
"""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> tuple[object, object]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "tools"))
    import take_in
    import take_in_rule

    return take_in, take_in_rule


def test_a_rule_that_came_later_says_what_it_had_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: tuple, capsys: pytest.CaptureFixture[str]
) -> None:
    import reference

    take_in, take_in_rule = tools
    file = tmp_path / "two.toml"
    for module in tools:
        monkeypatch.setattr(module, "read_suite", lambda _: read_suite(str(file)))

    def run(rules: str, out: str, **more: object) -> Path:
        file.write_text(SUITE.replace("RULES", rules))
        dipbench.run(str(file), out=tmp_path / out, device="cpu", **more)
        return tmp_path / out

    take_in.main([run('"wmv[window=20,patience=30]"', "before")], root=tmp_path / "later")
    both = '"wmv[window=20,patience=30]", "discrepancy"'
    ended = run(both, "ended", settings=["dip.stop=discrepancy"])
    take_in_rule.main([ended], root=tmp_path / "later")
    assert "two: 2 fits were asked; 0 were not" in capsys.readouterr().out
    take_in.main([run(both, "at_once")], root=tmp_path / "at_once")

    folders = [tmp_path / name / "results" / "reference" / "two" for name in ("later", "at_once")]
    (later, traces), (at_once, whole) = map(reference.read, folders)
    assert list(later) == list(at_once)
    for key, kept in later.items():
        expected = at_once[key].result
        assert kept.result.outputs == expected.outputs
        assert kept.result.watched == expected.watched
        (at,) = [output.fired for output in expected.outputs if output.output == "discrepancy"]
        assert at is not None
        shared = [trace[trace["iteration"] <= at].reset_index(drop=True) for trace in (traces[key], whole[key])]
        pd.testing.assert_frame_equal(shared[0][list(shared[1])], shared[1])
    numbers, lines = ([pd.read_csv(folder / name) for folder in folders] for name in ("numbers.csv", "stops.csv"))
    pd.testing.assert_frame_equal(*(frame.drop(columns=["seconds", "peak_memory_bytes"]) for frame in numbers))
    said = [table[~table["rule"].str.startswith("line")].sort_values(["run", "rule"]) for table in lines]
    said = [table.drop(columns="seconds_saved").reset_index(drop=True) for table in said]
    pd.testing.assert_frame_equal(*said, rtol=0, atol=1.5e-4)  # committed lines are rounded

    take_in_rule.main([ended], root=tmp_path / "later")  # once more changes nothing
    assert "two: 0 fits were asked; 0 were not" in capsys.readouterr().out


def test_a_fit_that_is_another_now_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: tuple, capsys: pytest.CaptureFixture[str]
) -> None:
    import reference

    take_in, take_in_rule = tools
    file = tmp_path / "two.toml"
    file.write_text(SUITE.replace("RULES", '"wmv[window=20,patience=30]", "discrepancy"'))
    for module in tools:
        monkeypatch.setattr(module, "read_suite", lambda _: read_suite(str(file)))
    dipbench.run(str(file), out=tmp_path / "ended", device="cpu", settings=["dip.stop=discrepancy"])
    file.write_text(SUITE.replace("RULES", '"wmv[window=20,patience=30]"'))
    dipbench.run(str(file), out=tmp_path / "before", device="cpu")
    take_in.main([tmp_path / "before"], root=tmp_path / "root")
    folder = tmp_path / "root" / "results" / "reference" / "two"
    table = pd.read_parquet(folder / "traces.parquet")
    table.loc[3, "loss"] *= 1 + 2**-22
    table.to_parquet(folder / "traces.parquet", index=False)
    take_in_rule.main([tmp_path / "ended"], root=tmp_path / "root")
    assert "two: 1 fits were asked; 1 were not" in capsys.readouterr().out
    runs, _ = reference.read(folder)
    asked = [any(output.rule == "discrepancy" for output in kept.result.outputs) for kept in runs.values()]
    assert sorted(asked) == [False, True]
