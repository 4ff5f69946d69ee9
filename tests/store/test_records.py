"""What a store holds is read once, also where an earlier version wrote it, and is written as it was read."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor
from typer.testing import CliRunner

from dipbench.cli.main import app
from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.store.reading import result_in
from dipbench.store.records import Plan, PlannedRun, Result
from dipbench.store.shared import Shared
from dipbench.store.store import Store, write_json
from dipbench.suites.run import key_of
from dipbench.suites.suite import Suite
from dipbench.text import plain_numbers

REFERENCE = Path(__file__).parents[2] / "results" / "reference"

RUN = {
    "dataset": "set5",
    "image": "baby",
    "pixels": "0123",
    "task": {"name": "denoising", "settings": {"sigma": 25.0}},
    "method": {"name": "nlm", "settings": {}},
    "protocol": "peak:1|channels:all|border:0+0|quantisation:none",
    "seed": 3,
}
OLD: dict[str, Any] = {
    "status": "done",
    "message": "",
    "mendable": False,
    "run": RUN | {"precision": "float32"},
    "environment": {"device": "cpu", "versions": {"torch": "2.7"}},
    "outputs": [
        {"output": "final", "iteration": 0, "psnr": float("inf"), "ssim": float("nan"), "picture": "final.png"}
    ],
}
KEY = key_of(OLD["run"])  # its name
ANOTHER = OLD | {"run": RUN | {"seed": 4}}
ROW = {"method": "Bicubic", "tolerance": 0.02, "reason": "draws nothing"}
SUITE = Suite.model_validate(
    {
        "name": "made up",
        "title": "Made up",
        "experiments": [
            {
                "name": "x4",
                "dataset": "set5",
                "task": "super_resolution[factor=4]",
                "methods": ["bicubic"],
                "published": {"table": "sr_x4", "dataset": "set5", "rows": {"bicubic": ROW}},
            },
            {"name": "later", "dataset": "set5", "task": "denoising", "methods": ["nlm"]},
        ],
    }
)


def stored(store: Store, key: str, content: Any, picture: bool = True) -> None:
    with store.new_folder("runs", key) as folder:
        write_json(folder / "result.json", content)
        if picture:
            (folder / "final.png").touch()


def test_what_an_earlier_version_wrote_is_read_and_written_again_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path)
    stored(store, KEY, OLD)
    result = store.result(KEY)
    assert result is not None
    assert (result.run.image, result.environment.threads, result.environment.commit) == ("baby", None, None)
    assert (result.seconds, result.peak_memory_bytes, result.at_once, result.engine) == (None, None, 1, "")
    assert json.dumps(result.content()) == json.dumps(OLD)


@pytest.mark.parametrize("path", sorted(REFERENCE.rglob("runs.jsonl")), ids=lambda path: path.parent.name)
def test_committed_results_are_written_as_they_were_read(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        content = json.loads(line)["result"]
        written = plain_numbers(Result.model_validate(content).content())
        assert json.dumps(written) == json.dumps(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "cannot be read (Input should be a valid dictionary"),
        ({key: value for key, value in OLD.items() if key != "outputs"}, "outputs: Field required"),
        (OLD | {"status": "over"}, "status: Input should be 'done', 'refused' or 'failed'"),
        (OLD | {"run": {"image": "baby"}}, "run.dataset: Field required"),
        (OLD | {"outputs": [{"output": "final"}]}, "outputs.0.iteration: Field required"),
    ],
)
def test_result_that_is_none_is_set_aside_with_its_reason(tmp_path: Path, content: Any, reason: str) -> None:
    store = Store(tmp_path)
    stored(store, "odd", content)
    assert store.result("odd") is None
    (warning,) = store.warnings
    assert reason in warning
    assert "set aside" in warning
    assert not (tmp_path / "runs" / "odd").exists()


def test_result_without_its_picture_is_set_aside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    stored(store, KEY, OLD, picture=False)
    assert store.result(KEY) is None
    assert "without final.png" in store.warnings[0]


@pytest.fixture
def plan() -> Plan:
    runs = [PlannedRun(key=key, label="bicubic", image="baby", seed=seed) for seed, key in enumerate([KEY, "none"])]
    return Plan.of(SUITE, {"x4": runs, "later": []}, "dipbench run made_up")


def test_plan_leaves_out_what_has_no_runs_and_is_read_as_it_was_written(tmp_path: Path, plan: Plan) -> None:
    store = Store(tmp_path)
    store.write_plan(plan)
    assert store.plan() == plan
    assert [experiment.name for experiment in plan.experiments] == ["x4"]
    assert plan.methods == {"bicubic": "bicubic", "nlm": "nlm"}
    (path,) = (tmp_path / "plans").iterdir()
    written = json.loads(path.read_text())
    assert list(written) == ["name", "title", "description", "command", "methods", "variants", "experiments"]
    assert list(written["experiments"][0]) == [
        "name",
        "dataset",
        "task",
        "scale",
        "baseline",
        "ranked",
        "grouped",
        "published",
        "runs",
    ]
    assert written["experiments"][0]["published"]["rows"]["bicubic"]["stochastic"] is False
    assert list(written["experiments"][0]["runs"][0]) == ["key", "label", "image", "seed", "measurement"]


def as_before(plan: Plan, **changed: Any) -> dict[str, Any]:
    """The plan as versions wrote it that kept only that of the last command."""
    experiments = [
        {name: value for name, value in experiment.items() if name != "scale"}
        for experiment in plan.model_dump()["experiments"]
    ]
    return {**plan.model_dump(exclude={"variants"}), "scale": "smoke", "experiments": experiments, **changed}


def test_plan_of_the_last_command_alone_is_read_as_an_earlier_version_wrote_it(tmp_path: Path, plan: Plan) -> None:
    store = Store(tmp_path)
    write_json(tmp_path / "plan.json", as_before(plan))
    assert store.plan().scale == store.plan().experiments[0].scale == "smoke"
    assert store.plan().runs == plan.runs
    content = as_before(plan)
    del content["scale"]
    write_json(tmp_path / "plan.json", content)
    assert store.plan() == plan, "it was of full scale"
    del content["methods"]
    write_json(tmp_path / "plan.json", content)
    with pytest.raises(UserError, match=r"plan\.json' was written by an earlier version"):
        store.plan()
    write_json(tmp_path / "plan.json", as_before(plan, scale="huge"))
    with pytest.raises(UserError, match=r"plan\.json' cannot be read \(experiments\.0\.scale: .*run the suite again"):
        store.plan()


def test_holdings_are_the_plan_and_what_there_is_of_it(tmp_path: Path, plan: Plan) -> None:
    store = Store(tmp_path)
    store.write_plan(plan)
    stored(store, KEY, OLD)
    stored(store, key_of(ANOTHER["run"]), ANOTHER)
    holdings = store.holdings()
    assert holdings.plan == plan
    assert list(holdings.results) == [KEY]


def test_a_result_is_read_again_where_another_took_its_place(tmp_path: Path) -> None:
    mine, other = Store(tmp_path), Store(tmp_path)
    stored(mine, KEY, OLD)
    first = mine.result(KEY)
    assert first is not None
    assert mine.result(KEY) is first
    write_json(tmp_path / "runs" / KEY / "result.json", OLD | {"wall_seconds": 7.0})
    second = mine.result(KEY)
    assert second is not None
    assert second.wall_seconds == 7
    with other.new_folder("runs", KEY) as folder:
        write_json(folder / "result.json", OLD | {"status": "failed", "outputs": []})
    third = mine.result(KEY)
    assert third is not None
    assert third.status == "failed"


def test_a_result_is_read_once_by_a_run_with_its_report(
    tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To see what is there and for all that is said of it; also where two experiments share the run."""
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    shared = f'dataset = "folder[path={tmp_path / "images"}]"\ntask = "denoising"\n'
    suite = tmp_path / "small.toml"
    suite.write_text(
        f'title = "Small"\n[[experiments]]\nname = "a"\n{shared}methods = ["degraded", "bicubic"]\n'
        f'[[experiments]]\nname = "b"\n{shared}methods = ["degraded", "nlm"]\n'
    )
    reads: Counter[str] = Counter()

    def counted(folder: Path, store: Path, shared: Shared) -> Result:
        reads[folder.name] += 1
        return result_in(folder, store, shared)

    monkeypatch.setattr("dipbench.store.store.result_in", counted)
    for _ in range(2):  # first nothing is there, then all of it
        reads.clear()
        arguments = ["run", str(suite), "--out", str(tmp_path / "out"), "--device", "cpu", "--jobs", "1"]
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert len(reads) == 3
        assert set(reads.values()) == {1}
