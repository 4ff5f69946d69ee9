"""Stores, suites and files made by somebody who means harm: what was found by hand and by fuzzing, and what is said."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from forge import Forge
from watching import at_most, listing

from dipbench.data.download import read_member
from dipbench.errors import UserError
from dipbench.images.files import read_image, write_image
from dipbench.report import write_report
from dipbench.running.checkpoints import Checkpoints
from dipbench.running.conditions import Conditions
from dipbench.running.one_run import Work
from dipbench.running.progress import Terminal
from dipbench.spec import parse
from dipbench.store.leases import Lease
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.run import key_of
from dipbench.suites.suite import Suite, read_suite


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A store with a fit and a method beside it, in a folder with a picture that is nobody else's business."""
    forge = Forge(Store(tmp_path / "store"))
    forge.experiment("denoising", "denoising")
    psnrs = {"final": 27.0, "ema": 28.0, "best": 30.0, "best_ema": 31.0}
    forge.done("dip", "a", 0, psnrs, engine="lean")
    forge.done("bm3d", "a", 0, {"final": 29.0})
    forge.plan()
    (tmp_path / "mine").mkdir()
    write_image(tmp_path / "mine" / "private.png", torch.rand(3, 40, 40))
    return tmp_path / "store"


def edited(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def fit_in(store: Path) -> Path:
    (run,) = [path for path in (store / "runs").iterdir() if (path / "ema.png").exists()]
    return run


def warned(store: Path) -> str:
    opened = Store.existing(store)
    opened.holdings()
    return " ".join(opened.warnings)


PRIVATE = ("../../../mine/private.png", "{mine}/private.png")


@pytest.mark.parametrize("picture", PRIVATE)
def test_a_result_shows_no_picture_of_elsewhere(sent: Path, picture: str) -> None:
    picture = picture.format(mine=sent.parent / "mine")
    edited(fit_in(sent) / "result.json", lambda result: result["outputs"][0].update(picture=picture))
    assert "leads out of it" in warned(sent)


@pytest.mark.parametrize("file", ["final.png", "result.json"])
def test_a_file_of_a_run_that_is_a_link_to_elsewhere_is_not_shown(sent: Path, file: str) -> None:
    path = fit_in(sent) / "final.png"
    path.unlink()
    path.symlink_to(sent.parent / "mine" / "private.png")
    assert "without final.png" in warned(sent)


def test_a_measurement_that_is_a_link_to_elsewhere_is_not_shown(sent: Path) -> None:
    for problem in (sent / "problems").iterdir():
        (problem / "truth.png").unlink()
        (problem / "truth.png").symlink_to(sent.parent / "mine" / "private.png")
    store = Store.existing(sent)
    page = write_report(store, store.holdings(), one_file=True)
    private = (sent.parent / "mine" / "private.png").read_bytes()
    assert private not in [file.read_bytes() for file in page.parent.rglob("*") if file.is_file()]


@pytest.mark.parametrize("key", ["../../mine", "..", "", "a/b", "a\0b", "/tmp"])
def test_a_plan_moves_no_folder_of_elsewhere(sent: Path, key: str) -> None:
    (plan,) = (sent / "plans").iterdir()
    edited(plan, lambda content: content["experiments"][0]["runs"][0].update(key=key))
    before = listing(sent.parent / "mine")
    with pytest.raises(UserError, match=r"plans/.*names nothing in a folder of the store: it leads out of it"):
        Store.existing(sent).holdings()
    assert listing(sent.parent / "mine") == before


@pytest.mark.parametrize("folder", ["set_aside", "report", "runs"])
def test_a_store_with_a_link_out_of_it_is_refused(sent: Path, folder: str) -> None:
    if (sent / folder).exists():
        (sent / folder).rename(sent / "before")
    (sent / folder).symlink_to(sent.parent / "mine")
    with pytest.raises(UserError, match=f"store/{folder}' is a link out of the folder of results: put what it leads"):
        Store.existing(sent)


def test_a_link_in_a_report_stays_a_link(sent: Path) -> None:
    """What it leads to would else be in a report that is sent on."""
    (sent / "report" / "pictures").mkdir(parents=True)
    (sent / "report" / "notes.txt").symlink_to(sent.parent / "mine" / "private.png")
    store = Store.existing(sent)
    write_report(store, store.holdings())
    assert (sent / "report" / "notes.txt").is_symlink()


@pytest.mark.parametrize(
    "file", ["plans/a.json", "runs/KEY/result.json", "runs/KEY/trace.parquet", "runs/KEY/final.png"]
)
def test_a_pipe_is_not_waited_for(sent: Path, file: str) -> None:
    path = sent / file.replace("KEY", fit_in(sent).name)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    store = Store.existing(sent)
    with at_most(10, waiting=30):
        holdings = store.holdings()
        for key in holdings.plan.runs:
            store.status(key)
    assert path.name in " ".join(store.warnings)


def test_a_report_runs_nothing_that_a_store_names(sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a method, a task, a data set, a rule nor a signal by the path of a file that came with it."""
    monkeypatch.chdir(sent)
    (sent / "evil.py").write_text("open('ran', 'w').close()\n")
    (plan,) = (sent / "plans").iterdir()

    def evil(content: Any) -> None:
        content["methods"] = dict.fromkeys(content["methods"], "evil.py")
        content["experiments"][0] |= {"dataset": "./evil.py", "task": f'"{sent}/evil.py"[sigma=1]'}

    edited(plan, evil)
    rules = {"rule": "evil.py", "fired": 3}
    edited(fit_in(sent) / "result.json", lambda result: result["outputs"][0].update(rules))
    edited(fit_in(sent) / "result.json", lambda result: result["run"]["task"].update(name="evil.py"))
    fit = fit_in(sent)
    named = fit.with_name(key_of(json.loads((fit / "result.json").read_text())["run"]))
    plan.write_text(plan.read_text().replace(fit.name, named.name))
    fit.rename(named)
    trace = pd.read_parquet(named / "trace.parquet")
    trace.assign(**{"evil.py": 1.0, "./evil.py:Evil": 2.0}).to_parquet(named / "trace.parquet")
    store = Store.existing(sent)
    write_report(store, store.holdings())
    assert not (sent / "ran").exists()
    assert not store.warnings, "all of it was read"


ACTS = "\x1b]0;mine\a\x1b[2Jdip\r\x9b31m\u202e"
"""A label that names the window, empties the screen, goes back to the start of the line and turns the rest round."""


def test_no_name_in_a_store_does_a_thing_to_a_terminal(sent: Path) -> None:
    (plan,) = (sent / "plans").iterdir()
    plan.write_text(plan.read_text().replace('"dip"', json.dumps(ACTS)))
    for arguments in (["compare", "--suite"], ["replay"], ["leaderboard", "--out", sent.parent / "board"], ["status"]):
        command = [sys.executable, "-c", "from dipbench.cli.main import main; main()", *arguments, sent]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        printed = done.stdout + done.stderr
        assert not set(printed) & set("\x1b\a\r\x9b\u202e"), arguments
        assert arguments == ["status"] or r"\x1b]0;mine\x07\x1b[2Jdip\r\x9b31m\u202e" in printed, printed


def test_no_name_in_a_suite_does_so_while_it_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the bars, in the lines above them, and in what others print meanwhile."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    job: Any = SimpleNamespace(title=ACTS, run=SimpleNamespace(key="key"))
    with Terminal(Console(file=shown, force_terminal=True, width=200)) as display:
        display.begin([job], 0)
        display.step(job, 3, 5, 1.0)
        print("printed", ACTS, file=sys.stderr)
        display.warn(ACTS)
    assert sys.stderr is shown
    assert not any(act in shown.getvalue() for act in ("\x1b]0;", "\x9b", "\u202e"))
    assert shown.getvalue().count(r"\x1b]0;mine") >= 3


TRACES: dict[str, tuple[Callable[[], pa.Table], str]] = {
    "texts": (lambda: pa.table({"iteration": [0], "psnr": ["a"]}), "its column 'psnr' holds string: it takes numbers"),
    "no psnr": (lambda: pa.table({"iteration": [0]}), "it has no column psnr"),
    "no order": (lambda: pa.table({"iteration": [1, 0], "psnr": [1.0, 1.0]}), "not counted from 0 on"),
    "fractions": (lambda: pa.table({"iteration": [0.5], "psnr": [1.0]}), "its iterations are no whole numbers"),
    "lists": (lambda: pa.table({"iteration": [0], "psnr": [[1.0]]}), "holds list"),
    "bomb": (
        lambda: pa.table(
            {"iteration": pa.repeat(pa.scalar(0), 6 * 10**7), "psnr": pa.repeat(pa.scalar(0.0), 6 * 10**7)}
        ),
        "it says that it has 60000000 rows of 2 columns: it is damaged",
    ),
}


@pytest.mark.parametrize("what", TRACES)
def test_a_trace_is_a_table_of_numbers(sent: Path, what: str) -> None:
    make, words = TRACES[what]
    parquet.write_table(make(), fit_in(sent) / "trace.parquet")
    store = Store.existing(sent)
    assert store.status(fit_in(sent).name) is None
    assert words in store.warnings[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda result: result["run"]["method"].clear(), "its method has no name and settings"),
        (lambda result: result["run"].update(seed=2**70), "its seed is larger than any"),
        (lambda result: result["outputs"].clear(), "it is said to be done, and has no output"),
        (lambda result: result.update(wall_seconds=float("nan")), "its wall_seconds are nan"),
        (lambda result: result.update(processor_seconds=-1.0), "its processor_seconds are -1.0"),
        (lambda result: result["parameters"].update(a="\ud800"), "surrogates not allowed"),
    ],
)
def test_a_result_that_is_none_is_set_aside_with_the_reason(
    sent: Path, change: Callable[[Any], None], words: str
) -> None:
    edited(fit_in(sent) / "result.json", change)
    assert words in warned(sent)


@pytest.mark.parametrize("depth", [50, 100_000])
def test_json_that_is_too_deep_is_said_to_be(sent: Path, depth: int) -> None:
    (plan,) = (sent / "plans").iterdir()
    plan.write_text(f'{{"name": {"[" * depth}{"]" * depth}}}')
    with pytest.raises(UserError, match=r"holds lists or tables more than 40 deep in one another"):
        Store.existing(sent).holdings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"title = {'[' * 5000}{']' * 5000}", "more than 40 deep"),
        (f"{'a.' * 20_000}b = 1", "more than 40 deep"),
        (f"title = '{'a' * 10**6}'", "it takes at most 1000000"),
        ("title = 'a'\nmethods = 3\nexperiments = []", "methods must be a valid dictionary"),
        ("title = 'a'\nrules = ['plateau[window']\nexperiments = []", r"cannot read 'plateau\[window': it takes"),
    ],
)
def test_a_suite_of_absurd_depth_or_size_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"suite '{path}'.*{words}"):
        read_suite(str(path))


def test_a_spec_of_absurd_depth_or_length_is_refused() -> None:
    with pytest.raises(UserError, match="lists may stand 20 deep in one another"):
        parse(f"dip[a={'[' * 500}1{']' * 500}]")
    with pytest.raises(UserError, match="it is 30002 characters long, and may be 20000"):
        parse(f"a[{'b' * 29_999}]")


class Runs:
    def __reduce__(self) -> Any:
        return (exec, ("open('ran', 'w').close()",))


def test_a_checkpoint_runs_nothing_and_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    torch.save({"trial": Runs(), "at_once": 1, "resumed": [], "environment": {}}, folder / "00000001.pt")
    torch.save(torch.zeros(3), folder / "00000002.pt")
    saved = io.BytesIO()
    torch.save({"trial": torch.zeros(10**6), "at_once": 1, "resumed": [], "environment": {}}, saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(folder / "00000003.pt", "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, old.read(part))
    state, words = Checkpoints(folder).load()
    assert state is None
    assert not (tmp_path / "ran").exists()
    assert "its parts are compressed" in words[0]
    assert "it holds a Tensor, which is no state of a fit" in words[1]
    assert "00000001.pt' cannot be read" in words[2]


def test_a_picture_of_a_store_that_lies_about_its_size_is_named(sent: Path) -> None:
    path = fit_in(sent) / "ema.png"
    raw = bytearray(path.read_bytes())
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    path.write_bytes(raw)
    store = Store.existing(sent)
    with pytest.raises(UserError, match=r"picture '.*ema\.png' "):
        write_report(store, store.holdings())


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with at_most(10, waiting=30), pytest.raises(UserError, match=r"a\.png' is a pipe or a device: it takes a file"):
        read_image(tmp_path / "a.png")


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("a.png", b"content" * 100)
    raw = bytearray(path.read_bytes())
    raw[50] ^= 1
    path.write_bytes(raw)
    with pytest.raises(UserError, match=r"archive '.*data\.zip' is damaged \(Bad CRC-32.*\): fetch it again"):
        read_member(path, "a.png")


@pytest.mark.parametrize("wrong", [{"trial": []}, {"at_once": "many"}, {"resumed": [3]}, {"environment": None}])
def test_a_run_begins_anew_where_its_checkpoint_is_of_something_else(tmp_path: Path, wrong: dict[str, Any]) -> None:
    experiment = {"name": "e", "dataset": "photos[crop=64,side=40]", "images": ["astronaut"], "task": "denoising"}
    experiments = [experiment | {"methods": ["deep_decoder[iterations=3]"]}]
    suite = Suite.model_validate({"name": "s", "title": "S", "experiments": experiments})
    (job,) = jobs_of(suite, [0], "float32")
    store = Store(tmp_path / "store")
    state = {"trial": {}, "at_once": 1, "resumed": [], "environment": {}} | wrong
    Checkpoints(store.path / "checkpoints" / job.run.key).save(state, 2)
    lease = store.leases.take(job.run.key)
    assert isinstance(lease, Lease)
    work = Work(job, lease, store, Conditions.read("cpu", 1))
    while work.advance():
        pass
    finished = work.finish()
    assert finished.status == "done", finished.message
    result = store.result(job.run.key)
    assert result is not None
    assert "the checkpoint is of another fit" in result.warnings[0]
