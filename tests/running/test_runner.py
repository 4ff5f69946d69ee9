"""The runner and the store: nothing is computed twice, nothing computed is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from dipbench.errors import UserError
from dipbench.images.files import read_image, write_image
from dipbench.nets.skip import skip_net
from dipbench.processor import OTHER, SETS
from dipbench.running.conditions import Conditions
from dipbench.running.executors import processes
from dipbench.running.executors.processes import Processes, default_processes
from dipbench.running.runner import Silent, Summary, run_suite
from dipbench.store.store import Store, UnwritableStore
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite

CPU = torch.device("cpu")


def suite_of(folder: Path, methods: list[str], task: str = "denoising") -> Suite:
    return Suite.model_validate(
        {
            "name": "test",
            "title": "Test",
            "experiments": [{"name": "only", "dataset": f"folder[path={folder}]", "task": task, "methods": methods}],
        }
    )


@pytest.fixture
def folder(tmp_path: Path, photo: Tensor) -> Path:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    write_image(tmp_path / "images" / "two.png", photo[:, 32:, :32])
    return tmp_path / "images"


def go(suite: Suite, out: Path, jobs: int = 1, seeds: tuple[int, ...] = (0,)) -> tuple[Store, Summary]:
    store = Store(out)
    return store, run_suite(suite, store, seeds=list(seeds), conditions=Conditions(CPU, processes=jobs))


DIP = "dip[down=[8,8],iterations=6]"


def test_results_hold_every_output_with_its_facts(folder: Path, tmp_path: Path) -> None:
    store, summary = go(suite_of(folder, [DIP, "nlm"]), tmp_path / "out")
    assert summary.ended == {"done": 4}
    outputs = summary.results.groupby("method")["output"].agg(set)
    assert outputs[DIP] == {"final", "ema", "best", "best_ema"}
    assert outputs["nlm"] == {"final"}
    for key in summary.results["run"].unique():
        result = store.result(key)
        assert result is not None
        assert result.run.seed == 0
        assert result.seconds > 0
        assert result.peak_memory_bytes > 2**20
        assert {"torch", "numpy", "python", "dipbench"} <= set(result.environment.versions)
        assert result.environment.device.startswith("cpu")
        assert result.environment.instructions in (*SETS, OTHER)
        assert json.loads((store.path / "runs" / key / "run.json").read_text()) == asdict(result.run)
        network = skip_net(32, 3, down=(8, 8), up=(8, 8), skip=(4, 4))
        size = sum(parameter.numel() for parameter in network.parameters())
        assert result.fitted == (size if result.engine else None)


def test_psnr_of_the_results_is_that_of_the_pictures_and_of_the_trace(folder: Path, tmp_path: Path) -> None:
    store, summary = go(suite_of(folder, [DIP]), tmp_path / "out")
    for row in summary.results.itertuples():
        truth = read_image(store.path / "problems" / row.measurement / "truth.png")
        picture = read_image(store.path / "runs" / row.run / f"{row.output}.png")
        assert row.psnr == pytest.approx(
            peak_signal_noise_ratio(truth.numpy(), picture.numpy(), data_range=1),
            abs=0.02,  # the picture has 8 bits
        )
        column = "psnr_ema" if row.output.endswith("ema") else "psnr"
        trace = store.trace(row.run)
        assert trace is not None
        assert trace[column].iloc[row.iteration] == pytest.approx(row.psnr, abs=1e-4)
        if "best" in row.output:
            assert trace[column].idxmax() == row.iteration


def test_second_call_computes_nothing(folder: Path, tmp_path: Path) -> None:
    suite = suite_of(folder, [DIP, "nlm"])
    store, first = go(suite, tmp_path / "out")
    written = {path: path.stat().st_mtime_ns for path in store.path.glob("runs/*/*")}
    _, second = go(suite, tmp_path / "out")
    assert second.present == 4
    assert not second.ended
    assert written == {path: path.stat().st_mtime_ns for path in store.path.glob("runs/*/*")}
    pd.testing.assert_frame_equal(first.results, second.results)


def test_where_nothing_is_to_be_computed_no_process_is_started(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU too, where else every run is computed in a process of its own; none is here, so none is asked."""
    suite = suite_of(folder, ["nlm"])
    store, _ = go(suite, tmp_path / "out")
    started: list[object] = []
    monkeypatch.setattr(processes, "_start", lambda *got: started.append(got))
    for device in ("cpu", "cuda"):
        conditions = Conditions(torch.device(device), processes=2)
        assert run_suite(suite, store, seeds=[0], conditions=conditions).present == 2
    assert not started


def test_each_process_has_the_threads_that_are_asked_for(folder: Path, tmp_path: Path) -> None:
    """Also where one process is enough: this one keeps its own number."""
    store = Store(tmp_path / "out")
    on = Processes(threads=1)
    summary = run_suite(suite_of(folder, ["nlm"]), store, seeds=[0], conditions=Conditions(CPU, processes=1), on=on)
    results = [store.result(key) for key in summary.results["run"]]
    assert [result.environment.threads for result in results if result] == [1, 1]


def test_same_seed_gives_the_same_trace_and_parallel_processes_change_nothing(folder: Path, tmp_path: Path) -> None:
    """One thread in each process: the sums of a convolution depend on how many share it."""
    suite = suite_of(folder, [DIP, "nlm"])
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // 2) if hasattr(os, "sched_getaffinity") else 1)
    try:
        stores = [go(suite, tmp_path / "a")[0], go(suite, tmp_path / "b")[0], go(suite, tmp_path / "c", jobs=2)[0]]
    finally:
        torch.set_num_threads(threads)
    for job in jobs_of(suite, [0]):
        traces = [store.trace(job.run.key) for store in stores]
        for other in traces[1:]:
            pd.testing.assert_frame_equal(traces[0], other, check_exact=True)


def test_measurement_is_the_same_for_all_methods_and_another_for_another_seed(folder: Path, tmp_path: Path) -> None:
    store, summary = go(suite_of(folder, ["degraded", "nlm", DIP]), tmp_path / "out", seeds=(0, 1))
    per_seed = summary.results.groupby(["image", "seed"])["measurement"].nunique()
    assert (per_seed == 1).all()
    pictures = [p.read_bytes() for p in store.path.glob("problems/*/degraded.png")]
    assert len(pictures) == 4
    assert len(set(pictures)) == 4


def test_edited_image_of_the_same_name_is_another_run(folder: Path, tmp_path: Path, photo: Tensor) -> None:
    suite = suite_of(folder, ["nlm"])
    go(suite, tmp_path / "out")
    write_image(folder / "one.png", photo[:, :32, 32:])
    _, second = go(suite, tmp_path / "out")
    assert (second.present, second.ended["done"]) == (1, 1)


BROKEN = '''
"""A method that fails on one image."""
from dataclasses import dataclass
from dipbench.contract import Method

@dataclass(frozen=True)
class Broken(Method):
    """Fails on dark images."""
    def run(self, problem, rng):
        {body}
'''


def broken(tmp_path: Path, body: str) -> str:
    path = tmp_path / "broken.py"
    path.write_text(BROKEN.format(body=body))
    return str(path)


@pytest.mark.parametrize("jobs", [1, 2])
def test_failed_run_is_recorded_with_its_error_and_retried_and_the_others_go_on(
    folder: Path, tmp_path: Path, jobs: int
) -> None:
    method = broken(tmp_path, "raise ValueError('no luck')\n        yield")
    suite = suite_of(folder, [method, "nlm"])
    _, first = go(suite, tmp_path / "out", jobs=jobs)
    assert first.ended == {"failed": 2, "done": 2}
    failed = first.results[first.results["status"] == "failed"]
    assert failed["message"].str.contains("ValueError: no luck").all()
    _, second = go(suite, tmp_path / "out", jobs=jobs)
    assert (second.present, second.ended) == (2, {"failed": 2})
    broken(tmp_path, "yield problem.degraded()")
    _, third = go(suite, tmp_path / "out", jobs=jobs)
    assert (third.present, third.ended) == (2, {"done": 2})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("yield problem.degraded()[:, 1:]", "yielded an estimate of shape (3, 31, 32)"),
        ("return\n        yield", "yielded no estimate"),
        ("raise MemoryError\n        yield", "out of memory"),
        ("import sys\n        sys.exit(3)\n        yield", "SystemExit: 3"),
        ("import argparse\n        argparse.ArgumentParser().parse_args(['--x'])\n        yield", "SystemExit: 2"),
        ("import torch\n        raise torch.cuda.OutOfMemoryError('CUDA is full')\n        yield", "CUDA is full"),
    ],
)
def test_what_is_no_estimate_fails_by_name(folder: Path, tmp_path: Path, body: str, message: str) -> None:
    _, summary = go(suite_of(folder, [broken(tmp_path, body)]), tmp_path / "out")
    assert summary.ended == {"failed": 2}
    assert message in summary.results["message"].iloc[0]


def test_a_fit_that_ends_in_what_is_no_number_keeps_its_trace_and_its_pictures(folder: Path, tmp_path: Path) -> None:
    body = "yield problem.degraded()\n        yield problem.degraded() * float('nan')"
    store, summary = go(suite_of(folder, [broken(tmp_path, body)]), tmp_path / "out")
    assert summary.ended == {"done": 2}
    row = summary.results.iloc[0]
    assert np.isnan(row["psnr"])
    assert np.isnan(row["ssim"])
    trace = store.trace(row["run"])
    assert trace is not None
    assert trace["psnr"].notna().tolist() == [True, False]
    assert not np.asarray(Image.open(store.path / "runs" / row["run"] / "final.png")).any()
    result = store.result(row["run"])
    assert result is not None
    said = "some pixels are not finite, as of every output from iteration 2 on; the picture shows NaN as black"
    assert result.warnings == [f"final: {said}"]


def test_levels_up_to_255_are_doubted(folder: Path, tmp_path: Path) -> None:
    store, summary = go(suite_of(folder, [broken(tmp_path, "yield problem.degraded() * 255")]), tmp_path / "out")
    result = store.result(summary.results["run"].iloc[0])
    assert result is not None
    assert "where black is 0 and white is 1" in result.warnings[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("def refuses(self, problem):\n        return True", "refuses() gave True: it must give a reason, or None"),
        ("licence = 3", "licence"),
        ("def resolved(self, problem):\n        return {1: 2, 'x': 3}", "ValidationError"),
        ("def resolved(self, problem):\n        return {'x': object()}", ""),
        ("def resolved(self, problem):\n        raise KeyError('x')", "KeyError: 'x'"),
    ],
)
def test_what_a_method_says_of_itself_ends_no_other_run(
    folder: Path, tmp_path: Path, changes: str, message: str
) -> None:
    path = broken(tmp_path, "yield problem.degraded()")
    Path(path).write_text(Path(path).read_text() + f"\n    {changes}\n")
    _, summary = go(suite_of(folder, [path, "nlm"]), tmp_path / "out")
    assert summary.ended == ({"failed": 2, "done": 2} if message else {"done": 4})
    assert summary.results["message"].str.contains(message, regex=False).any()


def test_process_that_dies_fails_its_run_only(folder: Path, tmp_path: Path) -> None:
    method = broken(tmp_path, "import os\n        os._exit(9)\n        yield")
    _, summary = go(suite_of(folder, [method, "nlm", "degraded"]), tmp_path / "out", jobs=2)
    assert summary.ended == {"failed": 2, "done": 4}
    assert "exit code 9" in summary.failures[0][1].message
    recorded = summary.results[summary.results["status"] == "failed"]
    assert recorded["message"].str.contains("exit code 9").sum() == 2


def test_refused_problem_is_recorded_with_its_reason(folder: Path, tmp_path: Path) -> None:
    _, summary = go(suite_of(folder, ["bicubic"]), tmp_path / "out")
    assert summary.ended == {"refused": 2}
    assert not summary.failures
    assert summary.results["message"].str.len().gt(5).all()


def test_image_too_small_for_the_network_fails_with_the_mend(tmp_path: Path, photo: Tensor) -> None:
    (tmp_path / "small").mkdir()
    write_image(tmp_path / "small" / "tiny.png", photo[:, :20, :30])
    _, summary = go(suite_of(tmp_path / "small", ["dip"]), tmp_path / "out")
    _, finished = summary.failures[0]
    assert finished.mendable
    assert "30x20 is too small for a network of 5 scales: it takes sides of at least 33 pixels" in finished.message


@pytest.mark.parametrize("file", ["result.json", "trace.parquet", "final.png"])
def test_corrupt_file_is_named_set_aside_and_computed_anew(folder: Path, tmp_path: Path, file: str) -> None:
    suite = suite_of(folder, ["nlm"])
    store, first = go(suite, tmp_path / "out")
    key = first.results["run"].iloc[0]
    hurt = store.path / "runs" / key / file
    if file == "final.png":
        hurt.unlink()
    else:
        hurt.write_bytes(b"\x00half of it")
    said: list[str] = []

    class Listening(Silent):
        def warn(self, message: str) -> None:
            said.append(message)

    store = Store(tmp_path / "out")
    second = run_suite(suite, store, seeds=[0], conditions=Conditions(CPU, processes=1), display=Listening())
    assert (second.present, second.ended) == (1, {"done": 1})
    assert len(said) == 1
    assert key in said[0]
    assert "set aside" in said[0]
    assert len(list((store.path / "set_aside").iterdir())) == 1
    same = ["method", "image", "output", "psnr", "run"]
    pd.testing.assert_frame_equal(first.results[same], second.results[same])


def test_store_of_another_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "out")
    (tmp_path / "out" / "store.json").write_text('{"format": 99, "dipbench": "9.9"}')
    with pytest.raises(UserError, match=r"made by dipbench 9\.9 with store format 99.*take another folder"):
        Store(tmp_path / "out")


def test_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableStore, match=r"cannot write to '.*file/out'.*take another folder"):
        Store(tmp_path / "file" / "out")


@pytest.mark.parametrize("jobs", [1, 2])
def test_full_disk_stops_the_suite_and_keeps_what_is_finished(folder: Path, tmp_path: Path, jobs: int) -> None:
    """The method itself makes the folder of runs unwritable, as a disk that fills up would."""
    out = tmp_path / "out"
    method = broken(
        tmp_path,
        f"import shutil, pathlib; p = pathlib.Path({str(out / 'runs')!r}); p.rename(p.with_name('kept')); "
        "p.write_text('')\n        yield problem.degraded()",
    )
    go(suite_of(folder, ["nlm"]), out)
    with pytest.raises(UnwritableStore, match="cannot write"):
        go(suite_of(folder, ["nlm", method, "tv[iterations=50]"]), out, jobs=jobs)
    assert len(list((out / "kept").glob("*/result.json"))) >= 2


SCRIPT = """
import sys
from dipbench.cli.main import main
if __name__ == "__main__":
    sys.argv = ["dipbench", *sys.argv[1:]]
    main()
"""


def command(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    script = tmp_path / "go.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("jobs", "how", "status"),
    [("1", signal.SIGINT, 130), ("2", signal.SIGINT, 130), ("1", signal.SIGKILL, -9), ("2", signal.SIGKILL, -9)],
)
def test_goes_on_after_ctrl_c_and_after_a_kill(
    folder: Path, tmp_path: Path, jobs: str, how: signal.Signals, status: int
) -> None:
    suite = tmp_path / "long.toml"
    suite.write_text(
        f'title = "Long"\n[[experiments]]\nname = "a"\ndataset = "folder[path={folder}]"\ntask = "denoising"\n'
        'methods = ["nlm", "dip[down=[8,8],iterations=1000000]"]\n'
    )
    out = tmp_path / "out"
    process = command(tmp_path, "run", str(suite), "--out", str(out), "--jobs", jobs)
    deadline = time.monotonic() + 90
    while not list(out.glob("runs/*/result.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == status, said
    assert "Traceback" not in said
    done = [json.loads(path.read_text())["status"] for path in out.glob("runs/*/result.json")]
    assert done
    assert set(done) == {"done"}
    suite.write_text(suite.read_text().replace("1000000", "5"))
    process = command(tmp_path, "run", str(suite), "--out", str(out), "--jobs", "1")
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert f"{len(done)} already computed" in printed
    assert not list(out.glob("runs/.writing-*"))


def test_processes_never_outnumber_the_cores() -> None:
    assert 1 <= default_processes(CPU) <= (os.cpu_count() or 1)
    assert default_processes(torch.device("cuda")) == 1


def test_pictures_are_plain_png(folder: Path, tmp_path: Path) -> None:
    store, summary = go(suite_of(folder, ["nlm"]), tmp_path / "out")
    with Image.open(store.path / "runs" / summary.results["run"].iloc[0] / "final.png") as image:
        assert (image.mode, image.size) == ("RGB", (32, 32))
